"""The administration page in Chromium: what is done there is done, told and audited; a refusal is told in words."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.access import Role
from app.accounts.handlers import Accounts
from app.domain.study import Stage
from tests.builders.administration import answering_archive, failed_study
from tests.builders.reading import PASSWORD, add_draft, quick_passwords
from tests.web.administered import (
    MARKUP,
    OneWay,
    audited,
    configured_peers,
    dead_letters,
    job_states,
    may_log_in,
    misfits,
    open_queues,
    row,
    said,
    section,
    settle,
    tab_to,
    user,
)
from tests.web.room import open_room

pytestmark = pytest.mark.peer("chromium", "node")

ROOT = "user:root"
SECTIONS = {
    "People": ("Add a person…", "Roles… of ada"),
    "Peers": (),
    "Queues and dead letters": ("Drop…",),
    "Models and prompts": (),
    "Site texts": ("New site text…",),
}
"""Each with buttons that open its dialogs."""


@pytest.fixture
def archive():
    with answering_archive() as running:
        yield running


@pytest.fixture
def room(tmp_path, pixels, archive):
    with open_room(tmp_path, pixels, peers=(*configured_peers(archive[0]), OneWay("hl7"))) as running:
        running.person("root", Role.ADMIN)
        yield running


@pytest.fixture
def page(reader):
    reader.log_in("root")
    reader.page.get_by_role("button", name="Administration", exact=True).click()
    expect(reader.page.get_by_role("heading", name="Administration", level=1)).to_be_visible()
    return reader.page


def test_a_person_is_added_after_what_is_missing_was_told(page, room):
    page.get_by_role("button", name="Add a person…").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    add, fault = dialog.get_by_role("button", name="Add"), dialog.get_by_role("alert")
    for label, value, told in (
        ("Login name", "nora", "The login name needs"),
        ("Name, as it stands", "Dr Nora", "The name is missing"),
        ("Radiologist", None, "at least one role"),
        ("First password", "short", "The first password is missing"),
    ):
        add.click()
        expect(fault).to_contain_text(told)
        field = dialog.get_by_label(label)
        expect(field).to_be_focused()
        field.check() if value is None else field.fill(value)
    add.click()
    expect(fault).to_have_text("A password needs at least 8 characters; choose a longer one.")
    assert not may_log_in(room, "nora", "short")
    dialog.get_by_label("First password").fill("a long password")
    dialog.get_by_label("Login name").fill("ada")
    add.click()
    expect(fault).to_contain_text("The login name ada is taken")
    dialog.get_by_label("Login name").fill("nora")
    dialog.get_by_label("Lead").check()
    add.click()
    said(page, "Dr Nora can log in as nora.")
    expect(row(page, "nora")).to_contain_text("Radiologist, Lead")
    assert may_log_in(room, "nora", "a long password")
    assert audited(room, "user.added")[-1] == (ROOT, {"username": "nora", "roles": ["radiologist", "lead"]})


def test_roles_are_changed_in_force_at_once(page, room):
    with room.colleague("ada") as ada:
        assert ada.get("/audit").status_code == 403
        page.get_by_role("button", name="Roles… of ada").click()
        dialog = page.get_by_role("dialog", name="Roles of ada")
        dialog.get_by_label("Radiologist").uncheck()
        expect(dialog.get_by_role("button", name="Change the roles")).to_be_disabled()
        dialog.get_by_label("Auditor").check()
        dialog.get_by_role("button", name="Change the roles").click()
        said(page, "ada is now: Auditor.")
        assert ada.get("/audit").status_code == 200
    changed = {"username": "ada", "before": ["radiologist"], "roles": ["auditor"]}
    assert audited(room, "user.roles_changed") == [(ROOT, changed)]


def test_somebody_is_shut_out_and_let_in_again(page, room):
    with room.colleague("ada") as ada:
        page.get_by_role("button", name="Disable… ada").click()
        dialog = page.get_by_role("dialog", name="Disable ada")
        expect(dialog).to_contain_text("Dr Ada is logged out at once")
        dialog.get_by_role("button", name="Disable").click()
        said(page, "ada is shut out.")
        expect(row(page, "ada")).to_contain_text("Disabled")
        assert ada.get("/worklist").status_code == 401
    assert not may_log_in(room, "ada")
    page.get_by_role("button", name="Enable ada").click()
    said(page, "ada can log in again.")
    expect(row(page, "ada")).to_contain_text("Active")
    assert may_log_in(room, "ada")
    one = [(ROOT, {"username": "ada"})]
    assert (audited(room, "user.disabled"), audited(room, "user.enabled")) == (one, one)


def test_a_new_password_ends_the_sessions_of_the_old_one(page, room):
    with room.colleague("ada") as ada:
        page.get_by_role("button", name="Password… of ada").click()
        dialog = page.get_by_role("dialog", name="New password for ada")
        typed = dialog.get_by_label("New password")
        typed.fill("short")
        expect(typed).to_have_attribute("type", "password")
        dialog.get_by_label("Show it").check()
        expect(typed).to_have_attribute("type", "text")
        dialog.get_by_role("button", name="Set the password").click()
        expect(dialog.get_by_role("alert")).to_contain_text("at least 8 characters")
        assert ada.get("/worklist").status_code == 200
        typed.fill("another password")
        dialog.get_by_role("button", name="Set the password").click()
        said(page, "ada has a new password")
        assert ada.get("/worklist").status_code == 401
    assert (may_log_in(room, "ada"), may_log_in(room, "ada", "another password")) == (False, True)
    assert audited(room, "user.password_reset") == [(ROOT, {"username": "ada"})]


def test_the_last_administrator_stays_and_the_page_says_why(page, room):
    page.get_by_role("button", name="Disable… root").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Disable").click()
    expect(dialog.get_by_role("alert")).to_contain_text("root is the last administrator who can log in; make another")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Roles… of root").click()
    dialog.get_by_label("Administrator").uncheck()
    dialog.get_by_label("Viewer").check()
    dialog.get_by_role("button", name="Change the roles").click()
    expect(dialog.get_by_role("alert")).to_contain_text("the last administrator")
    assert (user(room, "root").roles, user(room, "root").disabled) == (["admin"], False)


def test_a_machine_has_no_password_and_a_name_is_only_text(page, room):
    Accounts(room.database, room.clock, quick_passwords()).create_token("his", [Role.RIS])
    with room.colleague("root") as root:
        body = {"username": "mallory", "name": MARKUP, "roles": ["viewer"], "password": PASSWORD}
        root.post("/admin/users", json=body).raise_for_status()
    section(page, "Peers")
    page.reload()
    page.get_by_role("button", name="Administration", exact=True).click()
    expect(row(page, "his")).to_contain_text("machine")
    expect(row(page, "his").get_by_role("button", name="Password")).to_have_count(0)
    expect(row(page, "mallory")).to_contain_text(MARKUP)
    page.get_by_role("button", name="Disable… his").click()
    dialog = page.get_by_role("dialog", name="Disable his")
    expect(dialog).to_contain_text("Its tokens are refused")
    dialog.get_by_role("button", name="Disable").click()
    said(page, "his is shut out.")


def test_peers_are_asked_and_what_they_say_is_told_and_remembered(page, room, archive):
    shown = section(page, "Peers")
    expect(row(page, "pacs")).to_contain_text("not asked yet")
    page.get_by_role("button", name="Echo now pacs").click()
    said(page, re.compile(r"pacs: Answered in \d+\.\d+ s"))
    assert archive[1] == ["UNIRG"]
    ask = page.get_by_role("button", name="Echo now ris")
    ask.focus()
    page.keyboard.press("Enter")
    said(page, re.compile("ris: No answer: .*no connection"))
    expect(ask).to_be_focused()
    expect(row(page, "ris")).to_contain_text("no connection")
    expect(shown).to_contain_text("does a firewall stand between")
    expect(row(page, "hl7")).to_contain_text("only be reached by sending it something")
    expect(row(page, "hl7").get_by_role("button")).to_have_count(0)
    ((actor, failed),) = audited(room, "peer.echo_failed")
    assert (actor, failed["peer"]) == (ROOT, "ris")
    assert [detail["peer"] for _, detail in audited(room, "peer.echoed")] == ["pacs"]
    section(page, "People")
    section(page, "Peers")
    expect(row(page, "pacs")).to_contain_text("Answered in")


def test_a_dead_letter_is_tried_again_and_another_dropped(page, room):
    first, second = failed_study(room, f"the archive said {MARKUP}"), failed_study(room)
    letters = open_queues(page)
    expect(letters.get_by_role("row")).to_have_count(3)
    expect(letters.get_by_role("row").nth(1)).to_contain_text(MARKUP)
    settle(page, "Try again…", "Try again", "the archive is back")
    said(page, "Taken up again: Search for priors.")
    expect(letters.get_by_role("row")).to_have_count(2)
    expect(letters.get_by_role("heading", name="Dead letters")).to_be_focused()
    expect(page.get_by_text("1 message waits in the outbox for the broker, the oldest for")).to_be_visible()
    assert job_states(room, first) == [("priors.gather", "superseded"), ("priors.gather", "queued")]
    assert room.row(first).stage is Stage.GATHERING_PRIORS
    ((actor, retried),) = audited(room, "job.retried")
    assert (actor, retried["reason"]) == (ROOT, "the archive is back")
    settle(page, "Drop…", "Drop for good", "read by hand")
    said(page, "Dropped: Search for priors.")
    expect(letters).to_contain_text("None: no job has given up.")
    assert job_states(room, second) == [("priors.gather", "dropped")]
    assert room.row(second).stage is Stage.FAILED
    ((actor, dropped),) = audited(room, "job.dropped")
    assert (actor, dropped["reason"]) == (ROOT, "read by hand")


def test_a_study_that_went_on_is_told_and_its_letter_stays(page, room):
    study = failed_study(room)
    letters = open_queues(page)
    expect(letters.get_by_role("row")).to_have_count(2)
    with room.colleague("ada") as ada:
        ada.post("/reports", json={"study_instance_uid": study.study_instance_uid}).raise_for_status()
    dialog = settle(page, "Try again…", "Try again", "the archive is back")
    expect(dialog.get_by_role("alert")).to_contain_text("it went on without this job. Drop it.")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert job_states(room, study) == [("priors.gather", "dead")]


def test_a_letter_that_somebody_else_settled_is_told_as_it_came_out(page, room):
    study = failed_study(room)
    open_queues(page)
    expect(page.get_by_role("button", name="Try again…")).to_be_visible()
    with room.colleague("root") as root:
        (letter,) = root.get("/admin/dead-letters").json()["items"]
        root.post(f"/admin/dead-letters/{letter['id']}/drop", json={"reason": "no more"}).raise_for_status()
    settle(page, "Try again…", "Try again", "the archive is back")
    said(page, "Not tried again: Search for priors. Somebody dropped it meanwhile.")
    assert job_states(room, study) == [("priors.gather", "dropped")]


def test_many_dead_letters_come_in_pages(page, room):
    uids = dead_letters(room, 55)
    letters = open_queues(page)
    expect(letters.get_by_role("row")).to_have_count(51)
    following = letters.get_by_role("button", name="Next page")
    following.click()
    expect(letters.get_by_role("row")).to_have_count(6)
    expect(letters.get_by_role("row").last).to_contain_text(uids[-1])
    expect(page.get_by_role("region", name="Dead letters, oldest first: 55 in all")).to_be_focused()
    expect(following).to_be_disabled()
    letters.get_by_role("button", name="Previous page").click()
    expect(letters.get_by_role("row").nth(1)).to_contain_text(uids[0])


def test_queues_are_live_while_the_page_is_in_sight_and_fill_no_audit_trail(reader, room):
    page = reader.page
    page.clock.install()
    reader.log_in("root")
    page.get_by_role("button", name="Administration", exact=True).click()
    letters = open_queues(page)
    expect(letters).to_contain_text("None: no job has given up.")
    failed_study(room)
    page.clock.fast_forward(10_000)
    expect(letters.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("button", name="1 dead")).to_be_visible()
    jobs = page.get_by_role("region", name="Jobs by task and state")
    expect(jobs.get_by_role("row").filter(has_text="Search for priors").get_by_role("cell")).to_have_text(
        ["0", "0", "1", "0", "0", "0", re.compile(r"^\d+ (s|min)$")]
    )
    for _ in range(3):
        with page.expect_response("**/admin/queues"):
            page.clock.fast_forward(10_000)
    assert [detail for _, detail in audited(room, "read.dead_letters")] == [{"entries": 1}]
    page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden' })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    before = len(reader.requests)
    for _ in range(3):
        page.clock.fast_forward(10_000)
    assert not [asked for asked in reader.requests[before:] if "/admin/" in asked]


def test_models_are_told_by_their_weights_and_prompt(page, room):
    study = room.study(with_film=False)
    add_draft(room.database, room.clock, study)
    add_draft(room.database, room.clock, study, prompt_version="test-2")
    section(page, "Models and prompts")
    lines = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="unirg-cxr-nano"))
    expect(lines).to_have_count(2)
    expect(lines.filter(has_text="test-1").get_by_role("cell").nth(3)).to_have_text("0")
    expect(lines.filter(has_text="test-2").get_by_role("cell").nth(3)).to_have_text("1")
    expect(lines.first).to_contain_text("0" * 64)


def test_only_administrators_have_the_page(reader, room):
    reader.log_in("ada")
    expect(reader.page.get_by_role("button", name="Administration", exact=True)).to_have_count(0)


def test_a_role_that_is_lost_meanwhile_is_told(page, room):
    room.person("other", Role.ADMIN)
    with room.colleague("other") as other:
        other.put(f"/admin/users/{user(room, 'root').id}/roles", json={"roles": ["viewer"]}).raise_for_status()
    section(page, "Models and prompts")
    expect(page.get_by_role("alert")).to_contain_text("administer is not granted to viewer")


def test_every_section_is_used_without_a_mouse(page, room):
    failed_study(room)
    keys = page.keyboard
    tab_to(page, "Queues and dead letters")
    keys.press("Enter")
    letters = page.get_by_role("region", name="Dead letters", exact=True)
    expect(letters.get_by_role("row")).to_have_count(2)
    tab_to(page, "Drop…")
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="Drop: Search for priors")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    keys.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Drop…")).to_be_focused()
    keys.press("Enter")
    keys.type("read by hand")
    keys.press("Tab")
    keys.press("Space")
    keys.press("Tab")
    keys.press("Enter")
    said(page, "Dropped: Search for priors.")
    expect(letters.get_by_role("heading", name="Dead letters")).to_be_focused()
    assert len(audited(room, "job.dropped")) == 1


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_fits_everybody(reader, page, room, name):
    failed_study(room, "the archive wants no such query, and says so at some length: " + "1.2.840." * 20)
    add_draft(room.database, room.clock, room.study(with_film=False))
    page.get_by_role("navigation", name="Administration").get_by_role("button", name=name).click()
    if name == "Peers":
        page.get_by_role("button", name="Echo now ris").click()
        said(page, "ris: No answer")
    expect(page.get_by_role("table").last).to_be_visible()
    assert misfits(reader) == []
    for theme in ("light", "dark"):
        page.get_by_label("Theme").select_option(theme)
        for button in SECTIONS[name]:
            page.get_by_role("button", name=button).first.click()
            expect(page.get_by_role("dialog")).to_be_visible()
            assert reader.audit_accessibility() == []
            page.keyboard.press("Escape")
