"""Who may be drafted for: header by header, and each real file."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.imaging import Code
from app.drafting.eligibility import EligibilityRules, Eligible, NotEligible, choose, refusal
from app.gateways.pixel_child import ChildPixelReader
from tests.fakes.pixel_reader import frontal

RULES = EligibilityRules()


def reason(*films: object, rules: EligibilityRules = RULES) -> str:
    found = choose(films, rules)  # type: ignore[arg-type]
    assert isinstance(found, NotEligible)
    assert found.reason.startswith("not eligible: ")
    return found.reason


def codes(*films: object, rules: EligibilityRules = RULES) -> list[str]:
    found = choose(films, rules)  # type: ignore[arg-type]
    assert isinstance(found, Eligible)
    return [flag.code for flag in found.notes]


SILENT = {"view_position": "", "series_description": "", "patient_orientation": ()}
MUTE = {**SILENT, "body_part_examined": "", "study_description": ""}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"modality": "CR", "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1"},
        {"sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"},
        {"modality": "OT", "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"},
        {"presentation_intent": ""},
        {"body_part_examined": "THORAX"},
        {"body_part_examined": "", "study_description": "XR CHEST 1 VIEW"},
        {"body_part_examined": "", "study_description": "Rx Tórax PA"},
        {"body_part_examined": "LUNG", "anatomic_regions": (Code("816094009", "SCT", "Chest"),)},
        {"anatomic_regions": (Code("X1", "99LOCAL", "Thorax"),)},
        {"view_position": "AP"},
        {"view_position": "ap"},
        {**SILENT, "view_code": Code("399348003", "SCT", "antero-posterior")},
        {**SILENT, "view_code": Code("R-10214", "SRT", "postero-anterior")},
        {**SILENT, "series_description": "view: PA"},
        {**SILENT, "protocol_name": "Chest AP portable"},
        {**SILENT, "patient_orientation": ("L", "F")},
        {**SILENT, "patient_orientation": ("R", "H")},
        {"patient_age_years": 18.0},
        {"patient_species": "Homo sapiens"},
        {"patient_sex": ""},
        {"photometric": "MONOCHROME1", "presentation_lut_shape": "INVERSE"},
    ],
    ids=str,
)
def test_a_frontal_chest_film_of_an_adult_is_drafted_without_a_note(said: dict[str, object]) -> None:
    assert codes(frontal(**said)) == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"modality": "CT"}, "not a radiograph (modality ct)"),
        ({"modality": ""}, "modality not stated"),
        ({**SILENT, "modality": "OT", "sop_class_uid": "1.2.840.10008.5.1.4.1.1.7"}, "not a radiograph"),
        ({"has_pixels": False}, "without an image"),
        ({"presentation_intent": "FOR PROCESSING"}, "For Processing"),
        ({"sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1.1", "presentation_intent": ""}, "For Processing"),
        ({"number_of_frames": 12}, "12 frames"),
        ({"rows": 32, "columns": 64}, "64 x 32 px"),
        ({"rows": None}, "without a size"),
        ({"body_part_examined": "HAND"}, "not a chest radiograph (hand)"),
        ({"body_part_examined": "TSPINE"}, "not a chest radiograph"),
        ({"body_part_examined": "THORACIC SPINE"}, "not a chest radiograph"),
        ({"body_part_examined": "CHESTABDOMEN"}, "not a chest radiograph"),
        ({"anatomic_regions": (Code("818981001", "SCT", "Abdomen"),)}, "not a chest radiograph (abdomen)"),
        ({"body_part_examined": "", "study_description": ""}, "does not say which part of the body"),
        ({"body_part_examined": "", "study_description": "Thoracic spine AP"}, "does not say which part"),
        ({"view_position": "LL"}, "not a frontal view (ll)"),
        ({"view_position": "LATERAL"}, "not a frontal view"),
        ({"view_position": "LLD"}, "not a frontal view"),
        ({"view_position": "RAO"}, "not a frontal view"),
        ({"view_position": "AP LORDOTIC"}, "not a frontal view"),
        ({**SILENT, "view_code": Code("399173006", "SCT", "left lateral")}, "not a frontal view (left lateral)"),
        ({**SILENT, "series_description": "Lateral"}, "not a frontal view"),
        ({**SILENT, "patient_orientation": ("A", "F")}, "not a frontal view"),
        ({"patient_age_years": 5.0}, "5 years old"),
        ({"patient_age_years": 0.01}, "0 years old"),
        ({"patient_age_years": 17.99}, "trained on adults"),
        ({"patient_species": "Canine species"}, "an animal (canine species)"),
        ({"patient_species": "animal"}, "an animal"),
    ],
    ids=str,
)
def test_what_is_outside_the_intended_use_is_refused_with_the_reason(said: dict[str, object], words: str) -> None:
    assert words in reason(frontal(**said))


def test_of_several_frontal_films_the_best_and_latest_is_taken() -> None:
    films = [
        frontal(view_position="AP"),
        frontal(),
        frontal(),
        frontal(view_position="LL"),
        frontal(view_position="AP"),
    ]
    found = choose(films, RULES)
    assert isinstance(found, Eligible)
    assert found.index == 2
    assert [flag.code for flag in found.notes] == ["several-frontal-images"]


def test_raw_data_beside_a_film_for_reading_is_passed_over() -> None:
    found = choose([frontal(presentation_intent="FOR PROCESSING"), frontal()], RULES)
    assert found == Eligible(1, ())


def test_an_unknown_view_is_taken_only_where_it_cannot_be_confused() -> None:
    unknown, lateral = frontal(**SILENT), frontal(view_position="LL")
    assert codes(unknown) == codes(unknown, lateral) == ["view-not-stated"]
    assert choose([unknown, frontal()], RULES) == Eligible(1, ())
    assert "which of them is frontal" in reason(unknown, unknown)


def test_the_descriptions_of_a_study_with_both_views_decide_nothing() -> None:
    both = frontal(**{**SILENT, "series_description": "CHEST PA AND LATERAL"})
    assert codes(both) == ["view-not-stated"]


@pytest.mark.parametrize("age", [None, 208.0, -1.0])
def test_an_age_that_nobody_can_have_counts_as_not_stated(age: float | None) -> None:
    assert codes(frontal(patient_age_years=age)) == ["age-not-stated"]


def test_a_site_that_routes_nothing_but_chests_may_say_so() -> None:
    silent = frontal(body_part_examined="", study_description="")
    assert codes(silent, rules=EligibilityRules(assume_chest=True)) == ["body-part-not-stated"]
    other = frontal(body_part_examined="HAND")
    assert "hand" in reason(other, rules=EligibilityRules(assume_chest=True))


def test_the_reasons_of_all_objects_are_told_once_each() -> None:
    told = reason(frontal(view_position="LL"), frontal(view_position="LL"), frontal(has_pixels=False))
    assert told == "not eligible: not a frontal view (ll) (2 of 3 objects); an object without an image (1 of 3 objects)"
    assert reason() == "not eligible: the study has no image"


def test_whatever_a_header_says_there_is_an_answer() -> None:
    nonsense = frontal(
        **dict.fromkeys(("body_part_examined", "view_position", "modality", "patient_species"), "\u202e<b>X")
    )
    assert len(refusal(nonsense, RULES) or "") < 200


EXPECTED = {
    "RG1_J2KI_philips_cr_pa_chest.dcm": [],
    "RG1_JLSN_philips_cr_pa_chest.dcm": [],
    "rsna_cr_pa_jpegbaseline.dcm": [],  # its age has no unit (PS3.5 6.2)
    "agfa_cr_chest_japanese_charset_32px.dcm": "without an image",
    "highdicom_dx_image_fuji_thorax.dcm": "too small to read",  # a dog, and nothing in its header says so
    "nih_dx_00000001_000_google.dcm": "does not say which part of the body",
    "nih_dx_covid0000_nhsx.dcm": "does not say which part of the body",
}


@pytest.fixture(scope="module")
def reader():
    made = ChildPixelReader()
    yield made
    made.close()


@pytest.mark.peer("test-data")
@pytest.mark.parametrize("name", EXPECTED)
def test_each_real_file_is_drafted_from_or_refused_with_a_reason(reader, test_data: Path, name: str) -> None:
    facts = reader.inspect(test_data / "dicom" / "chest" / name)
    expected = EXPECTED[name]
    if isinstance(expected, str):
        assert expected in reason(facts)
    else:
        assert [code for code in codes(facts) if code != "age-not-stated"] == expected
