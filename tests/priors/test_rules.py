"""Which earlier study may be compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import PatientKey
from app.domain.imaging import Code, HeaderFacts
from app.domain.patient import Patient
from app.domain.priors import PriorCandidate
from app.priors.chest_words import says_chest, says_elsewhere
from app.priors.rules import (
    CurrentStudy,
    PriorRules,
    Sameness,
    compare_patients,
    is_date,
    judge,
    judge_image,
    newest_first,
    only_view,
    preference,
)

KEY = PatientKey("P-1", "HOSPITAL")
PATIENT = Patient(KEY, "Phantom^One", "19600101", "F")
CURRENT = CurrentStudy("1.1", "20260301", "080000", PATIENT, "PA")
PRIOR = PriorCandidate("1.2", "20250301", "080000", PATIENT, ("DX",), "XR CHEST PA", ("CHEST",), 1, "pacs")


def judged(**changes):
    return judge(CURRENT, replace(PRIOR, **changes))


def of_patient(**changes):
    return replace(PATIENT, **changes)


def test_an_earlier_frontal_chest_radiograph_of_the_same_patient_is_relevant():
    verdict = judged()
    assert verdict.accepted
    assert verdict.reason == "DX, chest, earlier"


@pytest.mark.parametrize(
    ("changes", "says", "doubtful"),
    [
        ({"patient": of_patient(key=PatientKey("P-2", "HOSPITAL"))}, "another patient ID", False),
        ({"patient": of_patient(key=PatientKey("P-1", "ELSEWHERE"))}, "another authority", False),
        ({"patient": of_patient(birth_date="19600102")}, "birth dates differ", True),
        ({"patient": of_patient(sex="M")}, "sexes differ", True),
        ({"modalities": ("CT", "SR")}, "no radiograph", False),
        ({"modalities": ()}, "none stated", False),
        ({"body_parts": ("KNEE",), "description": "Knie links"}, "KNEE", False),
        ({"body_parts": (), "description": "T-Spine 2 views"}, "another part", False),
        ({"body_parts": (), "description": "Hand re."}, "another part", False),
        ({"study_date": ""}, "no study date", False),
        ({"study_date": "20260302"}, "not earlier", False),
        ({"study_date": "20260301", "study_time": "080000"}, "same day", False),
        ({"study_date": "20260301", "study_time": "0800"}, "same day", False),
        ({"study_date": "20260301", "study_time": ""}, "order is not known", False),
    ],
)
def test_what_is_not_and_why(changes, says, doubtful):
    verdict = judged(**changes)
    assert not verdict.accepted
    assert says in verdict.reason
    assert verdict.doubtful is doubtful


@pytest.mark.parametrize(
    "changes",
    [
        {"study_date": "20260301", "study_time": "07"},
        {"study_date": "20260301", "study_time": "07:59:59"},
        {"modalities": ("CR", "SR")},
        {"patient": of_patient(key=PatientKey("P-1"))},  # archives leave the issuer out of answers
        {"patient": of_patient(birth_date="", sex="O")},
        {"body_parts": (), "description": ""},  # nothing is said: the image's header will tell
        {"body_parts": ("KNEE", "CHEST")},
        {"body_parts": ("HAND",), "description": "Polytrauma: Thorax, Hand"},
    ],
)
def test_what_is_still_relevant(changes):
    assert judged(**changes).accepted


def test_an_objects_own_header_must_name_the_same_issuer():
    bare = replace(PATIENT, key=PatientKey("P-1"))
    assert compare_patients(PATIENT, bare, stated=False)[0] is Sameness.SAME
    assert compare_patients(PATIENT, bare, stated=True)[0] is Sameness.DOUBTFUL
    assert compare_patients(bare, PATIENT, stated=True)[0] is Sameness.DOUBTFUL
    assert compare_patients(bare, bare, stated=True)[0] is Sameness.SAME


TEXT = st.text(max_size=4)
PEOPLE = st.builds(
    Patient, st.builds(PatientKey, st.sampled_from(["A", "B"]), st.sampled_from(["", "X", "Y"])), TEXT, TEXT, TEXT
)


@given(PEOPLE, PEOPLE, st.booleans())
def test_patients_of_two_issuers_are_never_joined(one, other, stated):
    sameness, _ = compare_patients(one, other, stated=stated)
    if sameness is Sameness.SAME:
        assert one.key.patient_id == other.key.patient_id
        assert one.key.issuer == other.key.issuer or (not stated and "" in {one.key.issuer, other.key.issuer})
    assert compare_patients(other, one, stated=stated)[0] is sameness


@given(st.text(alphabet="0123456789.:", max_size=8), st.text(alphabet="0123456789.:", max_size=8))
def test_a_prior_is_strictly_earlier(then, now):
    """Two studies never are each other's prior."""
    one, two = replace(PRIOR, study_time=then), replace(PRIOR, study_time=now)
    forth = judge(CurrentStudy("1", PRIOR.study_date, now, PATIENT), one)
    back = judge(CurrentStudy("1", PRIOR.study_date, then, PATIENT), two)
    assert not (forth.accepted and back.accepted)


def test_the_newest_comes_first():
    dates = [replace(PRIOR, study_instance_uid=uid, study_date=d, study_time=t) for uid, d, t in (
        ("1", "20200101", "10"), ("2", "20240101", ""), ("3", "20240101", "0930"), ("4", "20231231", "235959"),
    )]  # fmt: skip
    assert [one.study_instance_uid for one in newest_first(dates)] == ["3", "2", "4", "1"]


def test_how_far_back():
    assert PriorRules(lookback_days=365).since("20260301") == "20250301"
    assert PriorRules(lookback_days=10**9).since("20260301") == "19000101"
    assert [is_date(value) for value in ("20240229", "20230229", "2024022", "", "2024-2-9")] == [
        True, False, False, False, False,
    ]  # fmt: skip


CHEST = """
XR CHEST PA|CHEST 2 VIEWS|Portable CXR|Thorax a.p. liegend|Röntgen-Thorax|RX TORAX|Rx tórax PA y lat|X-thorax|longfoto
Radiografía de tórax|RADIOGRAPHIE THORACIQUE|Radio des poumons|Rx Torace 2 proiezioni|TORACE|Lungröntgen|LUNGOR
RTG klatki piersiowej|Klatka piersiowa PA|RTG hrudníku|RTG plic|Mellkas PA|Mellkasröntgen|Akciğer grafisi
PA AC GRAFISI toraks|Keuhkojen natiivi|Thorax-röntgen|Radiografie toracică|рентгенография органов грудной клетки
Рентген легких|ОГК в прямой проекции|ακτινογραφία θώρακος|胸部X線|胸片正位|흉부 PA|صدر|צילום חזה|CHEST_PA|Lunge pa
Chest, T-spine lat
"""
NOT_CHEST = """
Thoracic spine AP|T-Spine|T SPINE LAT|BWS in 2 Ebenen|Brustwirbelsäule|RACHIS DORSAL|Rachis thoracique F+P
Columna dorsal
Colonna toracica|Columna torácica AP|Knöcherner Hemithorax|胸椎|胸骨|Hand|KNEE|Abdomen|Becken|Schulter|Mammographie|HWS
"""


@pytest.mark.parametrize("words", [one for one in CHEST.replace("\n", "|").split("|") if one])
def test_departments_call_a_chest_radiograph(words):
    assert says_chest(words), words
    assert not says_elsewhere(words)


@pytest.mark.parametrize("words", [one for one in NOT_CHEST.replace("\n", "|").split("|") if one])
def test_what_is_no_chest_radiograph(words):
    assert not says_chest(words), words
    assert says_elsewhere(words)


def test_words_that_say_nothing_say_nothing():
    for words in ("", "Routine", "2 VIEWS", "PA", "Follow-up"):
        assert not says_chest(words)
        assert not says_elsewhere(words)


FACTS = HeaderFacts(
    sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1", sop_instance_uid="1", transfer_syntax_uid="1.2.840.10008.1.2.1",
    modality="DX", has_pixels=True, rows=2500, columns=2048, bits_stored=12, number_of_frames=1,
    photometric="MONOCHROME2", presentation_intent="FOR PRESENTATION", presentation_lut_shape="IDENTITY",
    body_part_examined="CHEST", view_position="PA", view_code=None, anatomic_regions=(), patient_orientation=(),
    laterality="", burned_in="NO", lossy="", conversion_type="", manufacturer="", manufacturer_model="",
    patient_age_years=60.0, patient_sex="F", patient_species="", series_description="", study_description="",
    protocol_name="", reason_for_study="", requested_procedure_description="",
)  # fmt: skip
SILENT = {"body_part_examined": "", "view_position": ""}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "(PA)"),
        ({"view_position": "AP"}, "(AP)"),
        ({"view_position": "", "view_code": Code("399348003", "SCT", "antero-posterior")}, "(AP)"),
        ({"view_position": "", "view_code": Code("R-10214", "SRT", "postero-anterior")}, "(PA)"),
        ({"view_position": "", "series_description": "CHEST_PA"}, "(PA)"),
        ({"view_position": ""}, "view not stated"),
        ({"view_position": "", "series_description": "PA and lateral"}, "view not stated"),
        ({"view_position": "", "patient_orientation": ("L", "F")}, "view not stated"),
        ({"body_part_examined": "THORAX"}, "(PA)"),
        ({"body_part_examined": "", "anatomic_regions": (Code("51185008", "SCT", "Thorax"),)}, "(PA)"),
        ({**SILENT, "study_description": "Röntgen Thorax"}, "view not stated"),
    ],
)
def test_a_frontal_chest_image_is_usable(changes, says):
    verdict = judge_image(PRIOR, replace(FACTS, **changes))
    assert verdict.accepted
    assert says in verdict.reason


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"view_position": "LL"}, "not a frontal"),
        ({"view_position": "LATERAL"}, "not a frontal"),
        ({"view_position": "LLDECUB"}, "not a frontal"),
        ({"view_position": "", "series_description": "CHEST_LAT"}, "not a frontal"),
        ({"view_position": "", "patient_orientation": ("A", "F")}, "not a frontal"),
        ({"view_position": "PA", "view_code": Code("399067008", "SCT", "lateral projection")}, "not a frontal"),
        ({"has_pixels": False}, "without an image"),
        ({"modality": "CT"}, "no radiograph"),
        ({"presentation_intent": "FOR PROCESSING"}, "raw"),
        ({"number_of_frames": 30}, "frames"),
        ({"body_part_examined": "HAND"}, "another part"),
        ({"anatomic_regions": (Code("T-D8700", "SRT", "Hand"),)}, "another part"),
        ({"body_part_examined": "", "series_description": "BWS a.p."}, "another part"),
    ],
)
def test_other_images_are_not(changes, says):
    verdict = judge_image(PRIOR, replace(FACTS, **changes))
    assert not verdict.accepted
    assert says in verdict.reason


def test_where_nothing_says_chest_there_is_none():
    unknown = replace(PRIOR, description="2 VIEWS", body_parts=())
    assert "nothing says" in judge_image(unknown, replace(FACTS, **SILENT)).reason


def test_the_view_of_the_current_study_is_preferred():
    assert sorted(["", "AP", "PA"], key=lambda view: preference(view, "AP")) == ["AP", "PA", ""]
    assert sorted(["", "AP", "PA"], key=lambda view: preference(view, "")) == ["PA", "AP", ""]
    assert [only_view(views) for views in (["PA", "LL"], ["PA", "AP"], [], ["ap", ""])] == ["PA", "", "", "AP"]
