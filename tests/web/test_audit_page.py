"""The audit page in Chromium: what the chain has is found and is only text, and whether it holds is said in words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.access import Role
from app.db.session import unit_of_work
from app.db.tables import AuditRow
from tests.web.administered import MARKUP, audited, log_in_at, misfits

pytestmark = pytest.mark.peer("chromium", "node")

OTTO = "user:otto"


@pytest.fixture
def page(reader, room):
    """As otto, an auditor, sees it."""
    room.person("otto", Role.AUDITOR)
    log_in_at(reader, "otto", "Audit")
    expect(entries(reader.page).first).to_be_visible()
    return reader.page


def write(room, action, study_id="", times=1, **detail):
    with unit_of_work(room.database, room.clock) as uow:
        for number in range(times):
            uow.audit(action, study_id, **detail, **({"number": number} if times > 1 else {}))


def entries(page):
    return page.get_by_role("region", name=re.compile("^Audit entries")).locator("tbody tr")


def search(page, **asked):
    """Fill in what is asked by its label's beginning, and search."""
    form = page.get_by_role("search", name="Audit entries")
    for label, value in asked.items():
        field = form.get_by_label(re.compile(f"^{label}"))
        if label in {"Outcome", "Order"}:
            field.select_option(value)
        else:
            field.fill(value)
    form.get_by_role("button", name="Search").click()


def clear(page):
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Actor")).to_have_value("")


def expect_actions(page, *actions):
    """The entries that are shown, by their actions."""
    expect(entries(page).locator("td:nth-of-type(3)")).to_have_text(list(actions))


def test_an_auditor_has_this_page_alone_and_each_of_his_looks_is_in_it(page, room):
    expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    before = len(audited(room, "read.audit"))
    search(page, Action="read.audit")
    expect_actions(page, *["read.audit"] * before)
    expect(entries(page).first).to_contain_text(OTTO)
    assert [actor for actor, _ in audited(room, "read.audit")] == [OTTO] * (before + 1)


def test_entries_are_found_by_all_that_can_be_asked(page, room):
    study = room.study(with_film=False)
    write(room, "job.dead", study.id, task="priors.gather", error="away")
    write(room, "job.retried", task="priors.gather", reason="back")
    search(page, Action="job")
    expect_actions(page, "job.retried", "job.dead")
    search(page, Order="oldest")
    expect_actions(page, "job.dead", "job.retried")
    search(page, Outcome="failure")
    expect_actions(page, "job.dead")
    expect(entries(page)).to_contain_text(["Failed"])
    clear(page)
    search(page, Study=study.study_instance_uid)
    expect_actions(page, "job.dead")
    expect(entries(page)).to_contain_text([study.study_instance_uid])
    clear(page)
    search(page, Actor=OTTO, Action="auth")
    expect_actions(page, "auth.login")
    search(page, From=f"{datetime.now() + timedelta(hours=2):%Y-%m-%dT%H:%M}")  # noqa: DTZ005 - as a reader types it
    expect(page.get_by_role("status").filter(has_text="No entry matches.")).to_be_visible()


def test_what_cannot_be_asked_is_told_and_not_asked(page, room):
    before = len(audited(room, "read.audit"))
    search(page, From="2026-03-02T08:00", Until="2026-03-01T08:00")
    expect(page.get_by_role("alert")).to_contain_text("The period ends before it begins")
    expect(page.get_by_label("Until")).to_be_focused()
    clear(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    search(page, Study="Doe^Jane")
    expect(page.get_by_role("alert")).to_contain_text("digits and dots only")
    assert len(audited(room, "read.audit")) == before + 1, "only clearing the search asks again"


def test_pages_follow_each_other_and_one_that_was_read_is_not_asked_for_again(page, room):
    write(room, "test.entry", times=150)
    search(page, Action="test")
    expect(entries(page)).to_have_count(100)
    expect(entries(page).first).to_contain_text("149")
    page.get_by_role("button", name="Next page").click()
    expect(entries(page)).to_have_count(50)
    expect(page.get_by_role("status").filter(has_text="Entries 101 to 150")).to_be_visible()
    expect(page.get_by_role("region", name=re.compile("^Audit entries"))).to_be_focused()
    expect(page.get_by_role("button", name="Next page")).to_be_disabled()
    looks = len(audited(room, "read.audit"))
    page.get_by_role("button", name="Previous page").click()
    expect(entries(page)).to_have_count(100)
    assert len(audited(room, "read.audit")) == looks
    search(page, Order="oldest")
    expect(page.get_by_role("status").filter(has_text="Entries 1 to 100")).to_be_visible()
    expect(entries(page).first).to_contain_text("number: 0")


def test_what_the_record_says_is_text_and_what_is_long_is_folded(page, room):
    uids = [f"2.25.{number}" for number in range(300)]
    write(room, "test.entry", note=MARKUP, studies=uids, nested={"<b>": [1, MARKUP]})
    search(page, Action="test")
    entry = entries(page)
    expect(entry).to_contain_text([MARKUP])
    assert page.locator("main img, main b").count() == 0
    long = entry.get_by_text(uids[-1])
    expect(long).to_be_hidden()
    entry.get_by_text("300 values").click()
    expect(long).to_be_visible()
    page.get_by_label("Show each entry’s hash").check()
    with room.database.reading() as session:
        kept = session.scalars(sa.select(AuditRow).where(AuditRow.action == "test.entry")).one()
    expect(entry).to_contain_text([kept.hash])


def test_whether_the_chain_holds_is_said_and_what_to_do_where_it_does_not(page, room):
    state = page.get_by_role("region", name="State of the chain")
    expect(state).to_contain_text("Not checked here yet.")
    check = state.get_by_role("button", name="Check the chain")
    check.click()
    expect(state.get_by_role("status").last).to_have_text(re.compile(r"The chain holds\. \d+ entries were checked"))
    assert audited(room, "audit.verified")[-1][0] == OTTO
    with unit_of_work(room.database, room.clock) as uow:
        uow.session.execute(sa.update(AuditRow).where(AuditRow.seq == 2).values(actor="user:nobody"))
    check.click()
    expect(state).to_contain_text("The chain is broken: entry 2 was altered.")
    expect(state.get_by_role("listitem")).to_have_count(4)
    expect(state).to_contain_text("Keep a copy of the database as it is")
    search(page, Action="audit.verified", Outcome="failure")
    expect_actions(page, "audit.verified")
    expect(entries(page)).to_contain_text(["ok: no"])


def test_an_administrator_has_the_page_too(reader, room):
    room.person("root", Role.ADMIN)
    reader.log_in("root")
    reader.page.get_by_role("button", name="Audit", exact=True).click()
    expect(entries(reader.page).first).to_be_visible()


def test_it_is_used_without_a_mouse_and_names_nobody_in_the_address(reader, page, room):
    keys, asked = page.keyboard, len(reader.requests)
    page.get_by_label("Actor").focus()
    keys.type("user:nobody")
    keys.press("Enter")
    expect(page.get_by_role("status").filter(has_text="No entry matches.")).to_be_visible()
    page.get_by_role("button", name="Check the chain").focus()
    keys.press("Enter")
    expect(page.get_by_text("The chain holds.")).to_be_visible()
    expect(page.get_by_role("button", name="Check the chain")).to_be_focused()
    assert [one for one in reader.requests[asked:] if "actor=user%3Anobody" in one]
    assert "nobody" not in page.evaluate("JSON.stringify([location.href, document.title, history.state])")


def test_it_fits_everybody(reader, page, room):
    write(room, "job.dead", room.study(with_film=False).id, task="priors.gather", error="away, " * 60)
    page.get_by_role("button", name="Check the chain").click()
    expect(page.get_by_text("The chain holds.")).to_be_visible()
    search(page)
    page.get_by_label("Show each entry’s hash").check()
    expect(entries(page).filter(has_text="job.dead")).to_have_count(1)
    assert misfits(reader) == []
