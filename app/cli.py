"""`unirg`: the one command. Exit codes: 0 done, 1 a check failed, 2 wrong usage, 78 wrong configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from app import config
from app.errors import ConfigError, ServiceError

EX_CONFIG = 78
VERBS = ("receiver", "relay", "worker", "api")

app = typer.Typer(
    help="Chest radiographs in over DICOM, drafted by UniRG-CXR, reviewed and signed, out as DICOM SR.\n\n"
    "A research system, not a cleared medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
db_app = typer.Typer(help="The database.", no_args_is_help=True)
user_app = typer.Typer(help="People who log in.", no_args_is_help=True)
token_app = typer.Typer(help="Machines that call the API.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit chain.", no_args_is_help=True)
feedback_app = typer.Typer(help="Signed reports beside their drafts, and remarks on drafts.", no_args_is_help=True)
for name, group in (("db", db_app), ("user", user_app), ("token", token_app), ("audit", audit_app)):
    app.add_typer(group, name=name)
app.add_typer(feedback_app, name="feedback")

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file; else $UNIRG_CONFIG.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
out, err = Console(), Console(stderr=True)


def _settings(path: Path | None) -> config.Settings:
    return config.load(path)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


@app.command()
def serve(config_file: ConfigOption = None) -> None:
    """Run the whole service as one group of processes: receiver, relay, worker, API."""
    from app.bootstrap import prepare
    from app.commands.processes import Group

    settings = _settings(config_file)
    prepare(settings, "serve").close()
    embedded = settings.broker.url.get_secret_value().startswith("memory:")
    Group(config_file, [verb for verb in VERBS if not (embedded and verb == "relay")]).run()


@app.command()
def api(config_file: ConfigOption = None) -> None:
    """Run the API process: REST, review page, metrics."""
    from app.main import serve_http

    serve_http(_settings(config_file))


@app.command()
def receiver(config_file: ConfigOption = None) -> None:
    """Run the DICOM storage SCP."""
    from app.receiver import run

    run(_settings(config_file))


@app.command()
def worker(config_file: ConfigOption = None, concurrency: Annotated[int, typer.Option(min=1, max=64)] = 2) -> None:
    """Run a worker: priors, drafts, deliveries; with broker memory:// the relay runs inside it."""
    from app.commands.running import run_worker

    run_worker(_settings(config_file), concurrency)


@app.command()
def relay(config_file: ConfigOption = None) -> None:
    """Run the relay: outbox to broker, completeness sweep, reconciler."""
    from app.commands.running import run_relay

    run_relay(_settings(config_file))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the draft.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data.")] = Path("var/demo"),
) -> None:
    """Run the main job here: a patient's prior and current radiograph in, a drafted report out."""
    from app.commands.demo import run

    run(folder, out, once=once)


@db_app.command("upgrade")
def db_upgrade(config_file: ConfigOption = None) -> None:
    """Bring the schema to the newest version."""
    from app.db import migrations
    from app.db.session import Database

    database = Database(_settings(config_file).database.url.get_secret_value())
    migrations.upgrade(database)
    out.print("The schema is current.")


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Login name.")],
    role: Annotated[list[str], typer.Option(help="radiologist, viewer, auditor, lead or admin; may be repeated.")],
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    display_name: Annotated[str, typer.Option(help="Name as it stands under a signature.")] = "",
    config_file: ConfigOption = None,
) -> None:
    """Add a person, or set name, roles and password of one anew."""
    from app.commands.people import add_person

    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else typer.prompt("Password", hide_input=True)
    add_person(_settings(config_file), name, display_name or name, role, password)
    out.print(f"{name} may log in as {', '.join(role)}.")


@token_app.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[str, typer.Option(help="ris, or a person's role.")],
    days: Annotated[int, typer.Option(min=1, help="Valid for so many days.")] = 365,
    config_file: ConfigOption = None,
) -> None:
    """Create a service token; it is printed once and never again."""
    from app.commands.people import create_token

    sys.stdout.write(create_token(_settings(config_file), name, role, days) + "\n")


@app.command()
def send(
    paths: Annotated[list[Path], typer.Argument(help="DICOM files or folders.", exists=True)],
    to: Annotated[str, typer.Option(help="HOST:PORT of the receiver.")] = "127.0.0.1:11112",
    aet: Annotated[str, typer.Option(help="Our calling AE title.")] = "UNIRG-SEND",
    called: Annotated[str, typer.Option(help="The receiver's AE title.")] = "UNIRG",
    as_json: JsonOption = False,
) -> None:
    """Send DICOM objects over one association, as a modality does."""
    from app.commands.sending import send_paths

    failed = send_paths(paths, to, aet, called, out, as_json=as_json)
    raise typer.Exit(1 if failed else 0)


@app.command()
def doctor(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Check everything the service needs and say what to do."""
    from app.commands.doctor import examine, show

    checks = examine(_settings(config_file))
    if as_json:
        _print_json([check.as_json() for check in checks])
    else:
        show(checks, out)
    raise typer.Exit(1 if any(check.state == "failed" for check in checks) else 0)


@app.command()
def trace(
    key: Annotated[str, typer.Argument(help="Accession number or StudyInstanceUID.")],
    config_file: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a study's whole timeline."""
    from app.commands.timeline import show, timelines
    from app.db.session import Database

    found = timelines(Database(_settings(config_file).database.url.get_secret_value()), key)
    if as_json:
        _print_json([timeline.as_json() for timeline in found])
    else:
        show(found, out)


@audit_app.command("verify")
def audit_verify(config_file: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Walk the audit chain; exit code 1 where an entry was altered, removed or moved."""
    from app.db import audit_trail
    from app.db.session import Database

    with Database(_settings(config_file).database.url.get_secret_value()).reading() as session:
        report = audit_trail.verify(session)
    if as_json:
        _print_json({"ok": report.ok, "entries": report.entries, "problem": report.problem})
    elif report.ok:
        out.print(f"The chain holds: {report.entries} entries.")
    else:
        err.print(f"[red]The chain is broken:[/red] {report.problem}.")
    raise typer.Exit(0 if report.ok else 1)


ExporterOption = Annotated[str, typer.Option("--as", help="Login name of the administrator who exports.")]
OptedOutOption = Annotated[
    list[str] | None,
    typer.Option("--site-opt-out", help="AE title, institution or issuer; besides feedback.opted_out."),
]


@feedback_app.command("export")
def feedback_export(
    folder: Annotated[Path, typer.Option("--out", help="A folder that does not exist yet.")],
    user: ExporterOption,
    since: Annotated[str, typer.Option(help="Reports signed on this day (UTC) or later, YYYY-MM-DD.")] = "",
    opted_out: OptedOutOption = None,
    images: Annotated[
        bool, typer.Option("--images", help="With the model images that state no burned-in text.")
    ] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    config_file: ConfigOption = None,
) -> None:
    """Export signed reports with their drafts, de-identified and aligned sentence by sentence."""
    from app.commands import feedback

    settings, sites = _settings(config_file), tuple(opted_out or ())
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else typer.prompt("Password", hide_input=True)
    tally = feedback.run(settings, feedback.Ask(folder, user, password, since, sites, images))
    feedback.show(tally, folder, (*settings.feedback.opted_out, *sites), out)


@feedback_app.command("remarks")
def feedback_remarks(
    file: Annotated[Path, typer.Option("--out", help="A CSV file that does not exist yet.")],
    user: ExporterOption,
    since: Annotated[str, typer.Option(help="Remarks given on this day (UTC) or later, YYYY-MM-DD.")] = "",
    opted_out: OptedOutOption = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    config_file: ConfigOption = None,
) -> None:
    """Export what readers held against drafts, de-identified, beside the weights that wrote them."""
    from app.commands import feedback

    settings, sites = _settings(config_file), tuple(opted_out or ())
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else typer.prompt("Password", hide_input=True)
    tally = feedback.run_remarks(settings, feedback.Ask(file, user, password, since, sites))
    feedback.show_remarks(tally, file, (*settings.feedback.opted_out, *sites), out)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def evaluate(context: typer.Context) -> None:
    """Evaluate a checkpoint or predictions, as `python -m training.evaluate` does (needs the training extra)."""
    from app.commands.evaluating import run_evaluation

    raise typer.Exit(run_evaluation(context.args))


def _fail(message: str, code: int) -> NoReturn:
    err.print(message, style="red", markup=False, highlight=False)
    raise SystemExit(code)


def main() -> None:
    """Entry point: our errors become one clear line and an exit code."""
    try:
        app()
    except ConfigError as error:
        _fail(error.message, EX_CONFIG)
    except ServiceError as error:
        _fail(error.message, 1)


if __name__ == "__main__":
    main()
