"""Another earlier study in the prior pane, in Chromium: picked, waited for, told when it fails, and one step back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.db.report_tables import ViewReceipt
from app.db.session import unit_of_work
from app.db.tables import Draft, Instance, Job, PriorEntry, PriorImageRow
from app.domain.priors import PriorDecision, PriorOutcome, Standing
from app.domain.study import Stage, Step
from tests.peers.process import wait_until
from tests.web.ledger import AWAY, Ledger

pytestmark = pytest.mark.peer("chromium", "node")

FOUND = (PriorOutcome.FOUND, PriorDecision.CHOSEN, "newest chest radiograph of the same view")
DRAFTS, OTHER = "15 Nov 2024", "1 Mar 2023"
NOT_THE_DRAFTS = (
    f"The prior shown, of {OTHER}, 3 years earlier, is your choice, not the draft’s prior: "
    f"the draft was written from the study of {DRAFTS}."
)


@pytest.fixture
def ledger(room, pixels):
    return Ledger(room.database, room.clock, room.store, pixels)


@pytest.fixture
def study(room):
    """A study whose draft was written from the prior that the search chose."""
    made = room.study(patient_name="Doe^Jane")
    room.priors(made, *FOUND)
    draft = room.draft(made, {"section": "findings", "text": "The lungs are clear.", "source": "image"})
    with unit_of_work(room.database, room.clock) as uow:
        chosen = uow.session.scalars(sa.select(PriorEntry)).one()
        uow.session.get_one(Draft, draft.id).prior_study_instance_uid = chosen.study_instance_uid
    return made


@pytest.fixture
def page(reader):
    """Opens the study and the list of earlier ones; returns the tab."""

    def opened(films=2):
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.await_films(films)
        reader.page.get_by_text("Earlier studies considered").click()
        return reader.page

    return opened


def line(page, day):
    return page.get_by_role("region", name="Earlier studies").get_by_role("listitem").filter(has_text=day)


def prior(page):
    return page.get_by_role("region", name="Prior", exact=True)


def notice(page):
    return page.locator(".other-prior")


def worked(ledger):
    """The worker's attempt at what was asked for, once the service has heard of it."""
    wait_until(ledger.waiting, "a reader's wish")
    return ledger.work()


def show(page, day):
    return line(page, day).get_by_role("button", name=f"Show this study of {day}")


def test_another_earlier_study_is_picked_by_keyboard_and_the_drafts_is_one_step_back(reader, room, ledger, study, page):
    ledger.add(study, "20230301")
    page = page()
    expect(prior(page)).to_contain_text(DRAFTS)
    expect(line(page, DRAFTS)).to_contain_text("Shown now")
    expect(notice(page)).to_have_count(0)

    show(page, OTHER).focus()
    page.keyboard.press("Enter")
    expect(line(page, OTHER)).to_contain_text("Being fetched…")
    expect(prior(page)).to_contain_text(DRAFTS)
    page.keyboard.press("Enter")  # impatience asks once
    assert worked(ledger) == 1
    # nothing is pressed again: the page hears of it
    expect(prior(page)).to_contain_text(f"PA · {OTHER} · 3 years earlier")
    expect(line(page, OTHER)).to_contain_text("Shown now")
    expect(notice(page)).to_contain_text(NOT_THE_DRAFTS)
    expect(show(page, OTHER)).to_be_focused()
    reader.await_films(2)
    assert (
        reader.page.get_by_role("application", name="Prior radiograph").get_attribute("aria-label").endswith("earlier")
    )

    page.get_by_role("button", name="Back to the draft’s prior").focus()
    page.keyboard.press("Enter")
    expect(prior(page)).to_contain_text(DRAFTS)
    expect(notice(page)).to_have_count(0)
    expect(page.locator(".priors summary")).to_be_focused()
    show(page, OTHER).press("Enter")
    expect(prior(page)).to_contain_text(OTHER)
    show(page, DRAFTS).press("Enter")
    expect(prior(page)).to_contain_text(DRAFTS)
    with room.database.reading() as session:
        assert [job.task for job in session.scalars(sa.select(Job))] == ["priors.fetch"]
        assert session.scalars(sa.select(Draft.version)).all() == [1]


def test_what_is_shown_stays_until_the_next_one_is_there(reader, ledger, study, page):
    ledger.add(study, "20230301")
    ledger.add(study, "20220301")
    page = page()
    show(page, OTHER).click()
    worked(ledger)
    expect(prior(page)).to_contain_text(OTHER)
    ledger.away()
    show(page, "1 Mar 2022").click()
    expect(line(page, "1 Mar 2022")).to_contain_text("Being fetched…")
    worked(ledger)
    for _ in range(4):
        ledger.work()
    expect(line(page, "1 Mar 2022")).to_contain_text("Could not be fetched")
    expect(prior(page)).to_contain_text(OTHER)
    ledger.back()
    line(page, "1 Mar 2022").get_by_role("button").click()
    worked(ledger)
    expect(prior(page)).to_contain_text("1 Mar 2022 · 4 years earlier")
    expect(notice(page)).to_contain_text("of 1 Mar 2022, 4 years earlier, is your choice")


def test_only_the_study_and_the_chosen_prior_leave_receipts(reader, room, ledger, study, page):
    ledger.add(study, "20230301")
    page = page()
    show(page, OTHER).click()
    worked(ledger)
    expect(prior(page)).to_contain_text(OTHER)
    reader.await_films(2)
    with room.database.reading() as session:
        seen = set(session.scalars(sa.select(ViewReceipt.sop_instance_uid)))
        chosen = sa.select(PriorImageRow.sop_instance_uid).join(PriorEntry, PriorEntry.id == PriorImageRow.entry_id)
        own = session.scalars(sa.select(Instance.sop_instance_uid)).all()
        assert seen == {*own, *session.scalars(chosen.where(PriorEntry.decision == PriorDecision.CHOSEN))}
    assert not [asked for asked in reader.requests if ledger.pacs.held[0].SOPInstanceUID in asked and "views" in asked]


def test_the_same_view_comes_first_and_the_others_can_be_chosen(reader, ledger, study, page):
    ledger.add(study, "20230301", views=("AP", "PA"))
    page = page()
    show(page, OTHER).click()
    worked(ledger)
    expect(prior(page).locator(".caption")).to_contain_text(f"PA · {OTHER}")
    prior(page).get_by_label("Prior image").select_option(label=f"AP · {OTHER}")
    expect(prior(page).locator(".caption")).to_contain_text(f"AP · {OTHER}")
    reader.await_films(2)


def test_a_pacs_that_is_away_is_told_in_words_and_tried_again(reader, ledger, study, page):
    ledger.add(study, "20230301")
    ledger.away()
    page = page()
    show(page, OTHER).click()
    expect(line(page, OTHER)).to_contain_text("Being fetched…")
    worked(ledger)
    expect(line(page, OTHER)).to_contain_text(f"The last attempt failed and is repeated: {AWAY.message}")
    for _ in range(4):
        ledger.work()
    expect(line(page, OTHER)).to_contain_text(f"Could not be fetched: {AWAY.message}")
    expect(prior(page)).to_contain_text(DRAFTS)

    ledger.back()
    line(page, OTHER).get_by_role("button", name=f"Try again to fetch the study of {OTHER}").click()
    expect(line(page, OTHER)).to_contain_text("Being fetched…")
    worked(ledger)
    expect(prior(page)).to_contain_text(OTHER)
    reader.await_films(2)


def test_what_is_not_surely_this_patients_has_no_button(reader, ledger, study, page):
    ledger.add(study, "20230301", Standing.IDENTITY, "same patient ID, but birth dates differ")
    ledger.add(study, "20220301", Standing.UNFIT, "another part of the body (KNEE)")
    ledger.add(study, "20210301", PatientBirthDate="19310101")  # nobody knows yet
    page = page()
    expect(line(page, OTHER)).to_contain_text("Cannot be shown: identity uncertain")
    expect(line(page, "1 Mar 2022")).to_contain_text("Cannot be shown: another part of the body (KNEE)")
    for day in (OTHER, "1 Mar 2022"):
        expect(line(page, day).get_by_role("button")).to_have_count(0)

    show(page, "1 Mar 2021").click()
    worked(ledger)
    expect(line(page, "1 Mar 2021")).to_contain_text("Cannot be shown: identity uncertain")
    expect(line(page, "1 Mar 2021").get_by_role("button")).to_have_count(0)
    expect(prior(page)).to_contain_text(DRAFTS)


def test_without_a_chosen_prior_one_can_be_picked_and_put_away(reader, room, ledger, page):
    study = room.study(Stage.NOT_ELIGIBLE, patient_name="Doe^Jane")
    ledger.add(study, "20230301")
    page = page(films=1)
    show(page, OTHER).click()
    worked(ledger)
    reader.await_films(2)
    expect(notice(page)).to_contain_text("is your choice: the search chose none.")
    page.get_by_role("button", name="Back to no prior").click()
    expect(prior(page)).to_contain_text("No prior available")


def test_a_draft_that_was_written_without_the_prior_shown_says_so(reader, room, ledger, page):
    study = room.study(patient_name="Doe^Jane")
    room.priors(study, *FOUND)
    room.draft(study, {"section": "findings", "text": "The lungs are clear.", "source": "image"})
    ledger.add(study, "20230301")
    page = page()
    earlier = page.get_by_role("region", name="Earlier studies")
    expect(earlier).to_contain_text("The current draft was written without it.")
    show(page, OTHER).click()
    worked(ledger)
    expect(notice(page)).to_contain_text("is your choice: the draft was written without it.")
    expect(page.get_by_role("button", name="Back to the chosen prior")).to_be_visible()


def test_a_new_image_set_brings_its_own_ledger_and_prior(reader, room, ledger, study, page):
    ledger.add(study, "20230301")
    page = page()
    show(page, OTHER).click()
    worked(ledger)
    expect(prior(page)).to_contain_text(OTHER)
    with unit_of_work(room.database, room.clock) as uow:
        row = uow.study(study.id)
        row.revision, row.prior_outcome = 2, None
        uow.move(row, Step.IMAGE_ARRIVED)
    expect(prior(page)).to_contain_text("Looking for priors")
    expect(notice(page)).to_have_count(0)
    fresh = room.row(study)
    room.priors(fresh, *FOUND)
    ledger.add(fresh, "20230301")
    with unit_of_work(room.database, room.clock) as uow:
        row = uow.study(study.id)
        for step in (Step.COMPLETED, Step.PRIORS_GATHERED, Step.DRAFT_WRITTEN):
            uow.move(row, step)
    expect(prior(page)).to_contain_text(DRAFTS)
    page.get_by_text("Earlier studies considered").click()
    expect(show(page, OTHER)).to_be_enabled()
    expect(notice(page)).to_have_count(0)


def test_a_refusal_of_the_service_is_said_beside_the_study(reader, room, ledger, study, page):
    entry = ledger.add(study, "20230301")
    page = page()
    with unit_of_work(room.database, room.clock) as uow:  # another reader's wish found it out meanwhile
        uow.session.get_one(PriorEntry, entry.id).standing = Standing.IDENTITY
    show(page, OTHER).click()
    expect(line(page, OTHER)).to_contain_text("not certain that this study is of the same patient")


@pytest.mark.parametrize("width", [1440, 380])
def test_the_list_and_the_notice_are_for_everybody(reader, ledger, study, page, width):
    ledger.add(study, "20230301")
    ledger.add(study, "20220301")
    ledger.add(study, "20210301", Standing.IDENTITY, "same patient ID, but birth dates differ")
    page = page()
    page.set_viewport_size({"width": width, "height": 900})
    ledger.away()
    show(page, OTHER).click()
    worked(ledger)
    for _ in range(4):
        ledger.work()
    ledger.back()
    show(page, "1 Mar 2022").click()
    worked(ledger)
    expect(notice(page)).to_be_visible()
    for theme in ("dark", "light"):
        page.get_by_label("Theme").select_option(theme)
        assert reader.audit_accessibility() == []
    for button in page.locator(".priors button, .other-prior button").all():
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= width
