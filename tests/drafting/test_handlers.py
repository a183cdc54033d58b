"""Writing a draft: every way it ends, and that it ends once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.db.session import unit_of_work
from app.db.tables import AuditRow, Job
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage, Step
from app.drafting.eligibility import EligibilityRules
from app.errors import (
    CannotUnderstand,
    ClaimLost,
    IllegalTransition,
    ModelMisbehaved,
    ModelUnavailable,
    PixelsUnreadable,
    StorageUnavailable,
)
from tests.drafting.desk import Desk
from tests.fakes.draft_model import SOUND, spoken
from tests.fakes.pixel_reader import frontal

COMPARING = "Findings: The left effusion is unchanged. No edema. Impression: Normal heart."


def test_a_study_gets_its_draft(desk: Desk) -> None:
    desk.begin(indication="Cough.")
    desk.write()
    (draft,) = desk.drafts
    study = desk.study
    assert (study.stage, study.current_draft_id, study.reason) == (Stage.READY, draft.id, "")
    assert [(row["section"], row["text"], row["source"], row["author"]) for row in draft.sentences] == [
        ("findings", "The heart is enlarged.", "image", "model"),
        ("findings", "No pleural effusion.", "image", "model"),
        ("impression", "Cardiomegaly.", "image", "model"),
    ]
    assert all(row["logprob"] < 0 and row["flags"] == [] for row in draft.sentences)
    assert (draft.text, draft.finish_reason, draft.version, draft.stale) == (SOUND, "stop", 1, False)
    assert (draft.model, draft.weights_digest, draft.prompt_version) == ("chosen-words", "a" * 64, "unirg-cxr-1")
    assert len(draft.image_digests) == 1
    assert desk.jobs == ["done"]
    assert desk.audit == ["study.draft_written"]
    (asked,) = desk.model.asked
    assert (asked.indication, asked.prior_image, asked.prior_date) == ("Cough.", None, "")


def test_the_indication_of_the_header_serves_where_no_order_came(desk: Desk) -> None:
    desk.begin(frontal(reason_for_study="Fever."))
    desk.write()
    assert desk.model.asked[0].indication == "Fever."


def test_with_a_verified_prior_the_model_sees_it_and_the_draft_names_its_date(desk: Desk) -> None:
    desk.begin()
    desk.add_prior(frontal(view_position="AP"), report="EXAM: Chest.\nFINDINGS: Clear lungs.\nIMPRESSION: Normal.")
    desk.model.answers = [spoken(COMPARING)]
    desk.write()
    (asked,) = desk.model.asked
    assert asked.prior_image is not None
    assert asked.prior_image != asked.image
    assert (asked.prior_date, asked.prior_report) == ("20190102", "Findings: Clear lungs. Impression: Normal.")
    (draft,) = desk.drafts
    assert (draft.prior_study_instance_uid, draft.prior_study_date) == ("1.2.99", "20190102")
    assert len(draft.image_digests) == 2
    first, second, *_ = draft.sentences
    assert (first["text"], first["author"], first["source"], first["logprob"]) == (
        "Comparison: chest radiograph of 2019-01-02.",
        "service",
        "prior",
        None,
    )
    assert (second["text"], second["source"], second["flags"]) == ("The left effusion is unchanged.", "prior", [])
    assert [row["index"] for row in draft.sentences] == list(range(len(draft.sentences)))


@pytest.mark.parametrize(
    "prior",
    [
        {"outcome": PriorOutcome.UNAVAILABLE},
        {"outcome": PriorOutcome.IDENTITY_UNCERTAIN},
        {"outcome": PriorOutcome.NONE_EXIST},
        {"decision": PriorDecision.FAILED},
        {"decision": PriorDecision.REJECTED},
        {"date": ""},
        {"date": "20191399"},
    ],
    ids=str,
)
def test_no_comparison_is_shown_unless_a_prior_was_truly_found(desk: Desk, prior: dict[str, object]) -> None:
    desk.begin()
    desk.add_prior(frontal(), **prior)  # type: ignore[arg-type]
    desk.model.answers = [spoken(COMPARING)]
    desk.write()
    assert desk.model.asked[0].prior_image is None
    (draft,) = desk.drafts
    assert [row["text"] for row in draft.sentences] == ["No edema.", "Normal heart."]
    assert [flag["code"] for flag in draft.sentences[0]["flags"]] == ["comparison-without-prior"]
    assert "unchanged" in draft.text, "what the model said is kept, for whoever must look into it"
    assert draft.prior_study_date == ""


@pytest.mark.parametrize("film", [frontal(view_position="LL"), CannotUnderstand("broken"), None])
def test_a_prior_without_a_usable_film_is_not_compared_with_and_that_is_told(desk: Desk, film: object) -> None:
    desk.begin()
    desk.add_prior(*([film] if film else []))  # type: ignore[list-item]
    desk.model.answers = [spoken(COMPARING)]
    desk.write()
    (draft,) = desk.drafts
    codes = [flag["code"] for flag in draft.sentences[0]["flags"]]
    assert codes == ["prior-not-used", "comparison-without-prior"]
    assert "2019-01-02" in draft.sentences[0]["flags"][0]["reason"]


def test_a_prior_whose_pixels_cannot_be_decoded_is_not_compared_with(desk: Desk) -> None:
    desk.begin()
    desk.add_prior(frontal())
    desk.pixels.faults["prior0"] = PixelsUnreadable("a broken JPEG stream")
    desk.write()
    assert "a broken JPEG stream" in desk.drafts[0].sentences[0]["flags"][0]["reason"]


def test_the_patients_childhood_film_may_be_a_prior(desk: Desk) -> None:
    desk.begin()
    desk.add_prior(frontal(patient_age_years=17.0))
    desk.write()
    assert desk.drafts[0].prior_study_date == "20190102"


def test_a_study_outside_the_intended_use_says_why_and_ends_there(desk: Desk) -> None:
    desk.begin(frontal(view_position="LL"))
    desk.write()
    study = desk.study
    assert (study.stage, study.reason) == (Stage.NOT_ELIGIBLE, "not eligible: not a frontal view (ll)")
    assert desk.model.asked == []
    assert desk.pixels.decoded == []
    assert desk.jobs == ["done"]


def test_the_sites_rules_decide(desk: Desk) -> None:
    desk.begin(frontal(patient_age_years=16.0))
    desk.write(rules=EligibilityRules(minimum_age_years=12.0))
    assert desk.study.stage is Stage.READY


def test_pixels_that_cannot_be_decoded_give_way_to_another_film(desk: Desk) -> None:
    desk.begin(frontal(view_position="AP"), frontal())
    desk.pixels.faults["film1"] = PixelsUnreadable("a broken JPEG stream")
    desk.write()
    assert desk.study.stage is Stage.READY
    assert desk.pixels.decoded == ["film1", "film0"]


def test_greys_that_look_inverted_are_told(desk: Desk) -> None:
    desk.begin()
    desk.pixels.inverted.add("film0")
    desk.write()
    assert [flag["code"] for flag in desk.drafts[0].sentences[0]["flags"]] == ["polarity-doubtful"]


@pytest.mark.parametrize("film", [CannotUnderstand("no header"), PixelsUnreadable("out of memory")])
def test_unreadable_objects_are_a_reason_not_a_failure(desk: Desk, film: Exception) -> None:
    desk.begin(film)
    desk.write()
    assert desk.study.stage is Stage.NOT_ELIGIBLE
    assert "readable header" in desk.study.reason


def test_a_study_of_which_no_film_can_be_decoded_says_so(desk: Desk) -> None:
    desk.begin()
    desk.pixels.faults["film0"] = PixelsUnreadable("a broken JPEG stream")
    desk.write()
    assert desk.study.stage is Stage.NOT_ELIGIBLE
    assert "cannot be decoded: a broken JPEG stream" in desk.study.reason


def test_a_disk_fault_is_a_failure_not_a_reason(desk: Desk) -> None:
    desk.begin(StorageUnavailable("disk"))
    with pytest.raises(StorageUnavailable):
        desk.write()
    assert desk.study.stage is Stage.DRAFTING


def test_without_the_model_the_study_can_be_read_at_once_and_the_job_goes_on(desk: Desk) -> None:
    desk.begin()
    desk.model.identity_error = ModelUnavailable("The model server cannot be reached.")
    claim = desk.claim()
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            desk.write(claim)
        assert (desk.study.stage, desk.study.reason) == (
            Stage.DRAFT_UNAVAILABLE,
            "The model server cannot be reached.",
        )
        assert desk.jobs == ["running"], "how a failure is retried is the worker's business"
    desk.model.identity_error = None
    desk.write(claim)
    assert desk.study.stage is Stage.READY
    assert desk.audit == ["study.draft_given_up"] * 2 + ["study.draft_written"]


@pytest.mark.parametrize(
    "answer",
    [
        ModelMisbehaved("The model server's answer is malformed."),
        spoken(""),
        spoken(" \n..."),
        spoken("Findings: Unchanged heart. Impression: Stable."),
    ],
    ids=repr,
)
def test_an_unusable_answer_is_never_a_draft(desk: Desk, answer: object) -> None:
    desk.begin()
    desk.model.answers = [answer]  # type: ignore[list-item]
    with pytest.raises(ModelMisbehaved):
        desk.write()
    assert desk.drafts == []
    assert desk.study.stage is Stage.DRAFT_UNAVAILABLE


def test_the_same_inputs_are_not_asked_twice(desk: Desk) -> None:
    desk.begin()
    desk.write()
    first = desk.study.current_draft_id
    desk.model.answers = [spoken("Findings: Something else. Impression: Else.")]
    redraft(desk)
    desk.write()
    assert len(desk.model.asked) == 1
    assert desk.study.current_draft_id == first
    assert len(desk.drafts) == 1
    assert desk.study.stage is Stage.READY


def redraft(desk: Desk, **columns: object) -> None:
    with unit_of_work(desk.database, desk.clock) as uow:
        study = uow.study(desk.study_id)
        study.stage = Stage.DRAFTING
        for name, value in columns.items():
            setattr(study, name, value)


@pytest.mark.parametrize("change", ["image", "indication", "model", "sex", "prior"])
def test_other_inputs_make_a_new_version_and_the_old_one_stale(desk: Desk, change: str) -> None:
    desk.begin()
    desk.write()
    redraft(desk, **{"indication": {"indication": "Pain."}, "sex": {"sex": "M"}}.get(change, {}))
    if change == "image":
        desk.add_film(frontal())
    if change == "prior":
        desk.add_prior(frontal())
    if change == "model":
        desk.model.model = type(desk.model.model)("chosen-words", "b" * 64, "unirg-cxr-1", 128)
    desk.write()
    old, new = desk.drafts
    assert (old.version, old.stale, new.version, new.stale) == (1, True, 2, False)
    assert desk.study.current_draft_id == new.id


def test_an_older_draft_comes_back_when_its_inputs_do(desk: Desk) -> None:
    desk.begin()
    desk.write()
    for indication in ("Pain.", ""):
        redraft(desk, indication=indication)
        desk.write()
    first, second = desk.drafts
    assert (first.stale, second.stale) == (False, True)
    assert desk.study.current_draft_id == first.id


def test_a_study_found_not_eligible_later_has_no_current_draft(desk: Desk) -> None:
    desk.begin()
    desk.write()
    redraft(desk)
    desk.pixels.headers["film0"] = frontal(patient_species="Felis catus")
    desk.write()
    assert desk.study.current_draft_id is None
    assert desk.drafts[0].stale


def test_a_lost_claim_changes_nothing(desk: Desk) -> None:
    desk.begin()
    stale = desk.claim()
    fresh = desk.claim()
    with pytest.raises(ClaimLost):
        desk.write(stale)
    desk.model.identity_error = ModelUnavailable("down")
    with pytest.raises(ClaimLost):
        desk.write(stale)
    assert (desk.study.stage, desk.drafts, desk.audit) == (Stage.DRAFTING, [], [])
    desk.model.identity_error = None
    desk.write(fresh)
    assert desk.study.stage is Stage.READY


def test_a_late_image_drops_the_result_of_the_older_set(desk: Desk) -> None:
    desk.begin()
    claim = desk.claim()
    redraft(desk, revision=2)
    with pytest.raises(ClaimLost):
        desk.write(claim)
    assert desk.drafts == []


def test_whoever_began_by_hand_is_not_disturbed(desk: Desk) -> None:
    desk.begin()
    claim = desk.claim()
    desk.model.identity_error = ModelUnavailable("down")
    with pytest.raises(ModelUnavailable):
        desk.write(claim)
    with unit_of_work(desk.database, desk.clock) as uow:
        uow.move(uow.study(desk.study_id), Step.REPORT_STARTED)
    desk.model.identity_error = None
    with pytest.raises(IllegalTransition):
        desk.write(claim)
    assert (desk.study.stage, desk.drafts, desk.model.asked) == (Stage.IN_REVIEW, [], [])


def test_long_texts_fit_the_prompt_whatever_their_script(desk: Desk) -> None:
    desk.begin(indication="咳" * 5000)
    desk.add_prior(frontal(), report="胸" * 5000)
    desk.write()
    (asked,) = desk.model.asked
    assert len(asked.indication.encode()) <= 400
    assert len(asked.prior_report.encode()) <= 1600
    assert set(asked.prior_report.removeprefix("Findings: ")) == {"胸"}


def test_the_chain_names_the_model_and_no_patient(desk: Desk) -> None:
    desk.begin(indication="Cough.")
    desk.write()
    with desk.database.reading() as session:
        (detail,) = session.scalars(sa.select(AuditRow.detail)).all()
        assert session.scalars(sa.select(Job)).one().state == "done"
    assert detail["weights"] == "a" * 64
    assert "Cough" not in str(detail)
    assert "Phantom" not in str(detail)
