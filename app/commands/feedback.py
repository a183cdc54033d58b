"""`unirg feedback export` and `remarks`: what radiologists made of the drafts and said of them, de-identified."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from app.access import Reader, Role
from app.accounts.attempts import Attempts
from app.accounts.handlers import PasswordRefused, SessionLimits, Sessions
from app.accounts.passwords import Passwords
from app.config import Settings
from app.db.session import Database
from app.db.tables import User
from app.errors import InvalidRequest, NotAllowed
from app.feedback.handlers import ExportFeedback, Tally, Wanted
from app.feedback.pictures import Pictures
from app.feedback.remarks import ExportRemarks, RemarkTally, WantedRemarks
from app.gateways.clock import SystemClock
from app.gateways.object_store import LocalObjectStore
from model.manifest import BadCheckpoint, load_checkpoint

TERMINAL = "terminal"
"""Stands in the audit chain where the API writes a client's address."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the command line says. place: the folder or file to write; since: YYYY-MM-DD, a day of UTC, or ""."""

    place: Path
    username: str
    password: str
    since: str = ""
    opted_out: tuple[str, ...] = ()
    images: bool = False


def run(settings: Settings, ask: Ask) -> Tally:
    """Raises NotAllowed for whoever is no administrator or gives another password, InvalidRequest, Conflict."""
    database = Database(settings.database.url.get_secret_value())
    try:
        reader = _administrator(database, ask.username, ask.password)
        wanted = Wanted(ask.place, _since(ask.since), (*settings.feedback.opted_out, *ask.opted_out))
        store = LocalObjectStore(settings.storage.path)
        if not ask.images:
            return ExportFeedback(database, SystemClock(), store).export(reader, wanted)
        from app.gateways.pixel_child import ChildPixelReader

        pixels = ChildPixelReader()
        try:
            pictures = Pictures(store, pixels, image_size_of)
            return ExportFeedback(database, SystemClock(), store, pictures).export(reader, wanted)
        finally:
            pixels.close()
    finally:
        database.close()


def run_remarks(settings: Settings, ask: Ask) -> RemarkTally:
    """Raises as `run`."""
    database = Database(settings.database.url.get_secret_value())
    try:
        reader = _administrator(database, ask.username, ask.password)
        wanted = WantedRemarks(ask.place, _since(ask.since), (*settings.feedback.opted_out, *ask.opted_out))
        store = LocalObjectStore(settings.storage.path)
        return ExportRemarks(database, SystemClock(), store).export(reader, wanted)
    finally:
        database.close()


def _administrator(database: Database, username: str, password: str) -> Reader:
    with database.reading() as session:
        user = session.scalars(sa.select(User).where(User.username == username)).one_or_none()
    roles = tuple(Role(role) for role in user.roles) if user else ()
    if user is None or Role.ADMIN not in roles:
        raise NotAllowed(f"{username} is no administrator; only one may take reports out of the house.")
    reader = Reader(user.id, user.username, user.name, roles)
    limits = SessionLimits(timedelta(), timedelta())
    try:
        Sessions(database, SystemClock(), Passwords(), Attempts(), limits).confirm(reader, password, TERMINAL)
    except PasswordRefused:
        raise NotAllowed("The password is not this user's; nothing was exported. Enter it again.") from None
    return reader


def _since(day: str) -> datetime | None:
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        raise InvalidRequest(f"--since must be a day, YYYY-MM-DD, not {day!r}.") from None


def image_size_of(model: str) -> int | None:
    """Of the checkpoint of that name under model/checkpoints; None where there is none."""
    try:
        return load_checkpoint(model).manifest.image_size
    except BadCheckpoint:
        return None


def show(tally: Tally, folder: Path, opted_out: tuple[str, ...], console: Console) -> None:
    """For a person at a terminal: what is there now, and what is not."""
    console.print(f"{tally.records} of {tally.read} signed reports are in {folder}.", markup=False)
    _show_left_out(tally.opted_out, opted_out, console)
    for reason, count in sorted(tally.refused.items()):
        console.print(f"Refused, {reason}: {count}. `feedback.refused` in the audit chain names them.", markup=False)
    for reason, count in sorted(tally.pictures_left.items()):
        console.print(f"Pictures left out, {reason}: {count}.", markup=False)


def show_remarks(tally: RemarkTally, file: Path, opted_out: tuple[str, ...], console: Console) -> None:
    """As `show`."""
    console.print(f"{tally.written} of {tally.read} remarks are in {file}.", markup=False)
    _show_left_out(tally.opted_out, opted_out, console)
    for reason, count in sorted(tally.refused.items()):
        console.print(f"Refused, {reason}: {count}.", markup=False)


def _show_left_out(found: Counter[str], opted_out: tuple[str, ...], console: Console) -> None:
    for name, count in sorted(found.items()):
        console.print(f"Left out because {name} opted out: {count}.", markup=False)
    for name in sorted(set(opted_out) - set(found)):
        console.print(f"Nothing came from {name}, which opted out: check the spelling.", markup=False)
