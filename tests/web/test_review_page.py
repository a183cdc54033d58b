"""The review page in Chromium, over the real API: read, correct, sign, and what a reader must never lose."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, expect

from app.access import Role
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage
from tests.builders.reading import PASSWORD
from tests.web.room import EDGE, film

pytestmark = pytest.mark.peer("chromium", "node")

BANNER = "AI draft, unverified — research system, not for diagnosis"
COMPARISON = {"code": "comparison-without-prior", "reason": "compares with a prior that was not verified"}
FINDINGS = [
    {"section": "findings", "text": "The lungs are clear.", "source": "image"},
    {"section": "findings", "text": "The heart is larger than before.", "source": "prior", "flags": [COMPARISON]},
]
IMPRESSION = {"section": "impression", "text": "Cardiomegaly.", "source": "image", "logprob": -1.0}
FOUND = (PriorOutcome.FOUND, PriorDecision.CHOSEN, "newest chest radiograph of the same view")


@pytest.fixture
def study(room):
    """A study with a prior and a draft of three sentences, the second flagged."""
    made = room.study(priority="STAT", patient_name="Doe^Jane", accession_number="ACC-7", indication="Cough")
    room.priors(made, *FOUND)
    room.draft(made, *FINDINGS, IMPRESSION)
    return made


def test_a_study_is_read_corrected_signed_and_added_to(reader, room, study):
    page = reader.page
    reader.log_in("ada")
    row = page.get_by_role("row").filter(has_text="Doe, Jane")
    for fact in ("STAT", "P-1", "ACC-7", "1 Mar 2026", "Draft ready", "⚠ 1"):
        expect(row).to_contain_text(fact)

    reader.open("Doe, Jane")
    identity = page.get_by_role("region", name="Patient and study")
    for fact in ("P-1 (HOSPITAL)", "1 Jan 1960", "female", "ACC-7", "1 Mar 2026", "Cough"):
        expect(identity).to_contain_text(fact)
    reader.await_films(2)
    assert min(reader.greys()) >= 50
    expect(page.get_by_text("PA · 15 Nov 2024 · 15 months earlier")).to_be_visible()
    expect(page.get_by_text(BANNER)).to_be_visible()

    correct_and_sign(reader, room, study)
    add_an_addendum(page)


def correct_and_sign(reader, room, study):
    page = reader.page
    reader.begin()
    flagged = reader.sentence("The heart is larger")
    expect(flagged).to_contain_text("comparison without prior: compares with a prior that was not verified")
    expect(flagged).to_contain_text("from the prior")
    expect(reader.sentence("Cardiomegaly")).to_contain_text("low (37 %)")
    sign = page.get_by_role("button", name="Sign…")
    expect(sign).to_be_disabled()
    before_signing = page.get_by_role("list", name="Before signing")
    expect(before_signing).to_contain_text("1 flagged sentence of the draft not decided")
    page.keyboard.press("Control+Enter")
    expect(before_signing).to_be_focused()

    reader.sentence("lungs").get_by_role("button", name="Accept").click()
    reader.sentence("Cardiomegaly").get_by_role("button", name="Reject").click()
    flagged.get_by_role("button", name="Edit").click()
    page.get_by_label("Wording of the sentence").fill("The heart is enlarged.")
    page.get_by_role("button", name="Done").click()
    page.get_by_label("Add to impression in your own words").fill("Mild cardiomegaly.")
    reader.await_saved()

    sign.click()
    expect(page.get_by_role("dialog")).to_contain_text("The lungs are clear. The heart is enlarged.")
    expect(page.get_by_role("dialog")).to_contain_text("Mild cardiomegaly.")
    reader.sign("not the password")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    assert room.row(study).stage is Stage.IN_REVIEW
    reader.sign()

    signed = page.get_by_role("article", name="Signed report")
    for words in ("Final", "The heart is enlarged.", "Signed by Dr Ada", "I have reviewed the images"):
        expect(signed).to_contain_text(words)
    expect(page.get_by_text(BANNER)).to_be_hidden()
    assert page.get_by_role("textbox").count() == 0
    assert room.row(study).stage is Stage.SIGNED


def add_an_addendum(page):
    page.get_by_role("button", name="Add an addendum…").click()
    page.get_by_role("dialog").get_by_role("textbox").first.fill("Told to the ward.")
    page.get_by_role("dialog").get_by_label("Your password, to sign").fill(PASSWORD)
    page.get_by_role("button", name="Sign and send the addendum").click()
    expect(page.get_by_role("region", name="Addendum 1")).to_contain_text("Told to the ward.")
    expect(page.get_by_role("region", name="Delivery")).to_contain_text("Nothing has been handed to a destination yet.")


def test_everything_from_worklist_to_signature_by_keyboard(reader, room, study):
    page, keys = reader.page, reader.page.keyboard
    page.goto(reader.url)
    page.get_by_label("User name").focus()
    keys.type("ada")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("button", name="Doe, Jane")).to_be_visible()
    page.get_by_role("button", name="Doe, Jane").focus()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Doe, Jane")).to_be_focused()
    reader.await_films(2)
    expect(page.get_by_role("button", name="Start from this draft")).to_be_visible()
    keys.press("Control+Enter")
    expect(page.get_by_role("button", name="Accept “The lungs are clear.”")).to_be_focused()

    keys.press("a")
    keys.press("e")
    keys.press("Control+A")
    keys.type("Axe enlarged heart.")  # letters that are commands elsewhere
    keys.press("Control+Enter")
    keys.press("j")
    keys.press("x")
    keys.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_contain_text("The lungs are clear. Axe enlarged heart.")
    expect(page.get_by_role("dialog").get_by_label("Your password, to sign")).to_be_focused()
    keys.type(PASSWORD)
    keys.press("Enter")

    expect(page.get_by_role("article", name="Signed report")).to_contain_text("Signed by Dr Ada")
    assert room.row(study).stage is Stage.SIGNED


@pytest.mark.parametrize(
    ("outcome", "decision", "words"),
    [
        (PriorOutcome.NONE_EXIST, PriorDecision.REJECTED, "No prior available"),
        (PriorOutcome.UNAVAILABLE, PriorDecision.FAILED, "Priors could not be fetched"),
        (PriorOutcome.IDENTITY_UNCERTAIN, PriorDecision.REJECTED, "Identity of the priors is uncertain"),
    ],
)
def test_a_missing_prior_is_said_in_words_with_its_ledger(reader, room, outcome, decision, words):
    study = room.study(patient_name="Doe^Jane")
    room.priors(study, outcome, decision, "why it was so")
    room.draft(study, *FINDINGS)
    reader.log_in("ada")
    reader.open("Doe, Jane")

    expect(reader.page.get_by_role("region", name="Prior")).to_contain_text(words)
    priors = reader.page.get_by_role("region", name="Earlier studies")
    expect(priors).to_contain_text(words)
    priors.get_by_text("Earlier studies considered: 1").click()
    expect(priors.get_by_role("listitem")).to_contain_text("15 Nov 2024 (15 months earlier)")
    expect(priors.get_by_role("listitem")).to_contain_text("why it was so")


@pytest.mark.parametrize("stage", [Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.FAILED])
def test_without_a_draft_the_reason_is_said_and_the_report_is_written_by_hand(reader, room, stage):
    study = room.study(stage, reason="the model did not answer in 60 s", patient_name="Doe^Jane")
    reader.log_in("ada")
    expect(reader.page.get_by_role("row").filter(has_text="Doe")).to_contain_text("the model did not answer in 60 s")
    reader.open("Doe, Jane")
    report = reader.page.get_by_role("region", name="Report", exact=True)
    expect(report).to_contain_text("Reason: the model did not answer in 60 s")
    expect(reader.page.get_by_text(BANNER)).to_be_hidden()

    reader.page.get_by_role("button", name="Report by hand").click()
    reader.page.get_by_label("Your findings").fill("Clear lungs.")
    reader.await_films(1)
    reader.page.get_by_role("button", name="Sign…").click()
    reader.sign()
    expect(reader.page.get_by_role("article", name="Signed report")).to_contain_text("Clear lungs.")
    assert room.row(study).stage is Stage.SIGNED


def test_somebody_elses_lock_is_shown_and_nothing_typed_is_lost_to_it(reader, room, study):
    room.person("max")
    uid = study.study_instance_uid
    reader.log_in("ada")
    with room.colleague("max") as colleague:
        colleague.post(f"/studies/{uid}/claim").raise_for_status()
        # the worklist hears of it by itself
        expect(reader.page.get_by_role("row").filter(has_text="Doe, Jane")).to_contain_text("Dr Max")
        reader.open("Doe, Jane")
        expect(reader.page.get_by_text("Dr Max has this study open for reporting")).to_be_visible()
        reader.page.get_by_role("button", name="Start from this draft").click()
        expect(reader.page.get_by_role("alert")).to_contain_text("Dr Max")
        colleague.delete(f"/studies/{uid}/claim").raise_for_status()
        reader.begin()
        reader.page.get_by_label("Add to findings in your own words").fill("First words.")
        reader.await_saved()

        with room.colleague("ada") as other_window:  # gives the lock back behind the page's back
            other_window.delete(f"/studies/{uid}/claim").raise_for_status()
        colleague.post(f"/studies/{uid}/claim").raise_for_status()
        own_words = reader.page.get_by_label("Add to findings in your own words")
        own_words.fill("First words. Second words.")
        expect(reader.page.get_by_text("Dr Max has this study now.")).to_be_visible()
        expect(own_words).to_have_text("First words. Second words.")
        colleague.delete(f"/studies/{uid}/claim").raise_for_status()
    reader.page.get_by_role("button", name="Claim it again").click()
    reader.await_saved()
    reader.page.get_by_text("The report as it stands").click()
    expect(reader.page.locator(".as-it-stands")).to_contain_text("First words. Second words.")


@pytest.mark.parametrize(("choice", "kept"), [("Keep mine", "Mine."), ("Take the saved text", "Theirs.")])
def test_two_versions_of_a_report_are_both_shown_and_the_reader_chooses(reader, room, study, choice, kept):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.begin()
    with room.colleague("ada") as other_window:
        report = other_window.get(f"/studies/{study.study_instance_uid}").json()["report"]
        body = {"findings": "Theirs.", "impression": "", "sentences": []}
        path = f"/reports/{report['id']}"
        other_window.put(path, json=body, headers={"If-Match": report["etag"]}).raise_for_status()
        reader.page.get_by_label("Add to findings in your own words").fill("Mine.")
        both = reader.page.get_by_role("alertdialog")
        expect(both).to_contain_text("Mine.")
        expect(both).to_contain_text("Theirs.")
        both.get_by_role("button", name=choice).click()
        reader.await_saved()
        assert other_window.get(path).json()["findings"] == kept


def test_a_session_that_ends_takes_the_patient_off_the_screen_and_keeps_the_text(reader, room, study):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.begin()
    reader.page.get_by_label("Add to findings in your own words").fill("Typed as the session ended.")
    reader.page.context.clear_cookies()
    expect(reader.page.get_by_text("The session has ended.")).to_be_visible()
    assert "Doe" not in reader.page.content()

    reader.enter("ada")
    reader.open("Doe, Jane")
    reader.page.get_by_role("button", name="Go on with this report").click()
    typed = reader.page.get_by_label("Add to findings in your own words")
    expect(typed).to_have_text("Typed as the session ended.")
    reader.await_saved()


def test_a_late_image_makes_a_newer_draft_and_the_text_goes_over_to_it(reader, room, study):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.begin()
    reader.sentence("lungs").get_by_role("button", name="Accept").click()
    reader.page.get_by_label("Add to findings in your own words").fill("Old fracture.")
    reader.await_saved()
    room.draft(study, {"section": "findings", "text": "Small effusion.", "source": "image"})
    with room.colleague("ada") as other_window:  # any change of the study tells the page to look again
        other_window.delete(f"/studies/{study.study_instance_uid}/claim").raise_for_status()
    reader.page.get_by_role("button", name="Go over to draft version 2").click()

    expect(reader.sentence("Small effusion.")).to_be_visible()
    whole = reader.page.get_by_label("findings, whole text")
    expect(whole).to_have_js_property("innerText", "The lungs are clear.\nOld fracture.")
    reader.sentence("Small effusion.").get_by_role("button", name="Accept").click()
    expect(whole).to_have_js_property("innerText", "The lungs are clear.\nOld fracture. Small effusion.")
    reader.page.get_by_role("button", name="Sign…").click()
    reader.sign()
    expect(reader.page.get_by_role("article", name="Signed report")).to_contain_text("Small effusion.")


def test_where_no_newer_draft_can_be_written_the_text_goes_on_by_hand(reader, room, study):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.begin()
    reader.sentence("lungs").get_by_role("button", name="Accept").click()
    reader.await_saved()
    room.late_image_without_draft(study)
    reader.page.get_by_role("button", name="Go on by hand").click()
    expect(reader.page.get_by_label("Your findings")).to_have_text("The lungs are clear.")
    expect(reader.page.get_by_text(BANNER)).to_be_hidden()
    reader.page.get_by_role("button", name="Sign…").click()
    reader.sign()
    expect(reader.page.get_by_role("article", name="Signed report")).to_contain_text("The lungs are clear.")


def test_a_withdrawn_report_leaves_the_study_to_be_read_again(reader, room, study):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.begin()
    reader.page.get_by_role("button", name="Withdraw…").click()
    reader.page.get_by_label("Reason").fill("opened by mistake")
    reader.page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(reader.page.get_by_role("button", name="Start from this draft")).to_be_visible()
    assert room.row(study).stage is Stage.READY


def test_an_image_that_cannot_be_shown_is_said_and_holds_the_signature_back(reader, room):
    study = room.study(Stage.NOT_ELIGIBLE, with_film=False, reason="undecodable pixels", patient_name="Doe^Jane")
    room.add_film(study, film(1, StudyInstanceUID=study.study_instance_uid, PixelData=b"\x00\x04" * EDGE * EDGE))
    reader.log_in("ada")
    reader.open("Doe, Jane")
    expect(reader.page.get_by_role("alert")).to_contain_text("This image cannot be shown")
    reader.page.get_by_role("button", name="Report by hand").click()
    reader.page.get_by_label("Your findings").fill("Read on the modality.")
    sign = reader.page.get_by_role("button", name="Sign…")
    expect(sign).to_be_disabled()
    reader.page.get_by_label("I have viewed it on another system").check()
    expect(sign).to_be_enabled()


def test_a_viewer_reads_and_writes_nothing(reader, room, study):
    room.person("vera", Role.VIEWER)
    reader.log_in("vera")
    reader.open("Doe, Jane")
    expect(reader.page.get_by_text(BANNER)).to_be_visible()
    expect(reader.page.get_by_text("Your role reads reports")).to_be_visible()
    assert reader.page.get_by_role("button", name="Start from this draft").count() == 0


def test_words_from_outside_are_only_words_and_leave_no_trace(reader, room):
    script = "<img src=x onerror=\"alert('ran')\"><script>alert('ran')</script>"
    study = room.study(patient_name=f"Doe^{script}", description=script, indication=script, patient_id="SECRET-1")
    room.priors(study, FOUND[0], FOUND[1], script)
    flag = {"code": "quoted", "reason": script}
    room.draft(study, {"section": "findings", "text": script, "source": "image", "flags": [flag]})
    reader.log_in("ada")
    reader.open("Doe")
    reader.begin()
    expect(reader.page.get_by_role("region", name="Patient and study")).to_contain_text("onerror")
    reader.sentence("onerror").get_by_role("button", name="Accept").click()
    reader.page.get_by_role("button", name="Sign…").click()
    reader.sign()
    expect(reader.page.get_by_role("article", name="Signed report")).to_contain_text("onerror")
    assert reader.page.locator("img, script:not([src])").count() == 0

    assert reader.page.title() == "UniRG review"
    for secret in ("Doe", "SECRET-1", "19600101", "ACC-7"):
        assert secret not in reader.traces()
    assert study.study_instance_uid not in reader.page.evaluate("location.href + JSON.stringify(history.state)")
    assert all(asked.startswith(room.url) for asked in reader.requests)
    reader.page.get_by_role("button", name="Log out").click()
    expect(reader.page.get_by_role("button", name="Log in")).to_be_visible()
    assert "Doe" not in reader.page.content()


def test_every_view_meets_wcag_as_far_as_axe_sees(reader, room, study):
    room.study(Stage.DRAFT_UNAVAILABLE, with_film=False, reason="model away", patient_name="Roe^Richard")
    reader.page.goto(reader.url)
    expect(reader.page.get_by_role("button", name="Log in")).to_be_visible()
    found = {"login": reader.audit_accessibility()}
    reader.enter("ada")
    expect(reader.page.get_by_role("button", name="Doe, Jane")).to_be_visible()
    found["worklist"] = reader.audit_accessibility()
    reader.open("Roe, Richard")
    found["no draft"] = reader.audit_accessibility()
    reader.page.get_by_role("button", name="← Worklist").click()
    expect(reader.page.get_by_role("button", name="Roe, Richard")).to_be_focused()
    reader.open("Doe, Jane")
    reader.await_films(2)
    found["draft"] = reader.audit_accessibility()
    reader.begin()
    found["editor"] = reader.audit_accessibility()
    reader.page.get_by_role("button", name="Keys").click()
    found["keys"] = reader.audit_accessibility()
    reader.page.keyboard.press("Escape")
    for sentence in ("lungs", "heart", "Cardiomegaly"):
        reader.sentence(sentence).get_by_role("button", name="Accept").click()
    reader.page.get_by_role("button", name="Sign…").click()
    expect(reader.page.get_by_role("dialog").get_by_label("Your password, to sign")).to_be_visible()
    found["sign"] = reader.audit_accessibility()
    reader.sign()
    expect(reader.page.get_by_role("article", name="Signed report")).to_be_visible()
    found["signed"] = reader.audit_accessibility()
    assert found == {view: [] for view in found}


def test_a_string_cannot_become_markup(chromium, room):
    """Even a mistake of our own could not turn a name or a model's words into elements."""
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(room.url)
        with pytest.raises(Error, match="TrustedHTML"):
            page.evaluate("() => { document.body.innerHTML = '<img src=x>' }")
