"""What administrators and auditors find in a room, the peers that they ask, and their steps on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from app.bootstrap.peers import peers
from app.config import Settings
from app.db import jobs
from app.db.session import unit_of_work
from app.db.tables import AuditRow, Job, Study, User
from app.domain.study import Stage
from app.ports import Peer, PeerFacts
from tests.builders.reading import PASSWORD
from tests.builders.studies import add_study
from tests.peers.process import free_port
from tests.web.reader import OVER_THE_EDGE, Reader
from tests.web.room import Room

MARKUP = "<img src=x onerror=document.body.remove()>"
SMALL = """() => [...document.querySelectorAll('button, select, input, a, summary')]
  .filter(one => one.checkVisibility())
  .map(one => one.closest('label.check') ?? one)
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([html, { width, height }]) => `${width} x ${height}: ${html}`)"""
"""Targets that are too small to hit; of a labelled box the label counts."""


@dataclass(frozen=True)
class OneWay:
    """Implements app.ports.Peer for one that can only be reached by sending it something."""

    name: str

    @property
    def facts(self) -> PeerFacts:
        return PeerFacts(self.name, "dicom", "elsewhere:104", checkable=False)

    def check(self) -> None:
        raise AssertionError("it was asked")


def configured_peers(port: int) -> Sequence[Peer]:
    """`pacs`, which answers on this port, and `ris`, which is not there."""
    there = {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": port, "roles": ["query_retrieve"]}
    absent = {"name": "ris", "ae_title": "GONE", "host": "127.0.0.1", "port": free_port(), "roles": ["results"]}
    return peers(Settings(dicom={"peers": [there, absent]}), lambda: True)


def dead_letters(room: Room, count: int) -> list[str]:
    """So many jobs beside the road that gave up; their studies' UIDs, oldest first."""
    studies = [add_study(room.database, room.clock, Stage.GATHERING_PRIORS) for _ in range(count)]
    with unit_of_work(room.database, room.clock) as uow:
        for study in studies:
            given_up = {"state": jobs.DEAD, "attempts": jobs.MAX_ATTEMPTS, "last_error": "the model did not answer."}
            times = {"created_at": study.received_at, "deadline": study.received_at}
            uow.session.add(Job(task="evidence.point", study_id=study.id, revision=1, **given_up, **times))
    return [study.study_instance_uid for study in studies]


def job_states(room: Room, study: Study) -> list[tuple[str, str]]:
    with room.database.reading() as session:
        rows = session.scalars(sa.select(Job).where(Job.study_id == study.id).order_by(Job.round, Job.id))
        return [(job.task, job.state) for job in rows]


def audited(room: Room, action: str) -> list[tuple[str, dict[str, object]]]:
    """Who did it, and its details, of every entry of this action."""
    with room.database.reading() as session:
        rows = session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq))
        return [(row.actor, row.detail) for row in rows]


def may_log_in(room: Room, username: str, password: str = PASSWORD) -> bool:
    answer = httpx.post(
        f"{room.url}api/v1/auth/login", json={"username": username, "password": password}, trust_env=False
    )
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def log_in_at(reader: Reader, username: str, heading: str) -> None:
    """Log in as somebody whose first page has this heading."""
    page = reader.page
    page.goto(reader.url)
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def misfits(reader: Reader) -> list[str]:
    """What axe, the sizes of targets and the edge of the window hold against what is shown, each theme, also zoomed."""
    page, found = reader.page, []
    for theme in ("light", "dark"):
        page.get_by_label("Theme").select_option(theme)
        found += [f"{theme}: {fault}" for fault in reader.audit_accessibility()]
    for width, height in ((640, 360), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} px: {small}" for small in page.evaluate(SMALL)]
        if page.evaluate(OVER_THE_EDGE) > 0:
            found.append(f"{width} px: wider than the window")
    return found


def user(room: Room, username: str) -> User:
    with room.database.reading() as session:
        return session.scalars(sa.select(User).where(User.username == username)).one()


def section(page: Page, name: str) -> Locator:
    """Go to this section of the page."""
    nav = page.get_by_role("navigation", name="Administration")
    nav.get_by_role("button", name=name).click()
    return page.get_by_role("region", name=name, exact=True)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def said(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("status").filter(has_text=words)).to_be_visible()


def open_queues(page: Page) -> Locator:
    """Go to the queues; the dead letters there."""
    page.get_by_role("navigation", name="Administration").get_by_role("button", name="Queues").click()
    return page.get_by_role("region", name="Dead letters", exact=True)


def settle(page: Page, act: str, verb: str, reason: str) -> Locator:
    """Try again or drop the first dead letter; the dialog in which it was asked."""
    page.get_by_role("button", name=act).first.click()
    dialog = page.get_by_role("dialog")
    send = dialog.get_by_role("button", name=verb)
    expect(send).to_be_disabled()
    dialog.get_by_label("Reason").fill("  ")
    expect(send).to_be_disabled()
    dialog.get_by_label("Reason").fill(reason)
    if act == "Drop…":
        expect(send).to_be_disabled()
        dialog.get_by_label("Nothing will try this job again").check()
    send.click()
    return dialog


def tab_to(page: Page, name: str) -> None:
    """Goes on with Tab until a control whose text begins so has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").startswith(name):
            return
    raise AssertionError(f"{name} was not reached")
