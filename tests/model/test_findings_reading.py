"""What the reader makes of radiology English: denial, doubt, place, size, change; and of text that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.findings import Finding, changes, chexpert_labels, present, read_findings


def one(text: str, condition: str) -> Finding:
    found = [finding for finding in read_findings(text) if finding.condition == condition]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "condition", "presence", "hedge"),
    [
        ("No focal consolidation, large pleural effusion, or pneumothorax.", "pneumothorax", "absent", None),
        ("Negative for pneumothorax.", "pneumothorax", "absent", None),
        (
            "The lungs are clear of focal airspace disease, pneumothorax, or pleural effusion.",
            "effusion",
            "absent",
            None,
        ),
        ("Pneumothorax is not definitely seen.", "pneumothorax", "absent", None),
        ("Pneumothorax is no longer present.", "pneumothorax", "absent", None),
        ("No change in the right effusion.", "effusion", "present", None),
        ("No significant interval change of the consolidation.", "consolidation", "present", None),
        ("Cardiomegaly without edema.", "cardiomegaly", "present", None),
        ("Cardiomegaly without edema.", "edema", "absent", None),
        ("No pneumothorax, but there is a small left effusion.", "effusion", "present", None),
        ("No pneumothorax with small left effusion.", "effusion", "present", None),
        ("No pneumothorax, stable cardiomegaly.", "cardiomegaly", "present", None),
        ("No findings consistent with edema.", "edema", "absent", None),
        ("Findings consistent with edema.", "edema", "present", None),
        ("Pneumonia cannot be entirely excluded.", "pneumonia", "uncertain", "possible"),
        ("Cannot exclude pneumonia.", "pneumonia", "uncertain", "possible"),
        ("CT is recommended to exclude pneumonia.", "pneumonia", "uncertain", "possible"),
        ("This may represent atelectasis.", "atelectasis", "uncertain", "possible"),
        ("Questionable left consolidation.", "consolidation", "uncertain", "possible"),
        ("Probable mild edema.", "edema", "uncertain", "likely"),
        ("Effusion versus scarring.", "effusion", "uncertain", "likely"),
        ("Scarring or atelectasis.", "atelectasis", "uncertain", "likely"),
        ("No effusion or atelectasis.", "atelectasis", "absent", None),
        ("Right and left atelectasis.", "atelectasis", "present", None),
        ("The heart is normal in size.", "cardiomegaly", "absent", None),
        ("Normal heart size.", "cardiomegaly", "absent", None),
        ("Heart, mediastinum and lungs are unremarkable.", "cardiomegaly", "absent", None),
        ("Heart size is at the upper limits of normal.", "cardiomegaly", "absent", None),
        ("The heart is not significantly enlarged.", "cardiomegaly", "absent", None),
        ("Borderline heart size.", "cardiomegaly", "uncertain", "likely"),
        ("The heart may be enlarged.", "cardiomegaly", "uncertain", "possible"),
        ("Heart size is stable.", "cardiomegaly", "uncertain", "unsaid"),
        ("Heart mildly enlarged, stable mediastinal contours.", "cardiomegaly", "present", None),
        ("The aorta is tortuous, the heart size is normal.", "cardiomegaly", "absent", None),
        ("The effusion has not resolved.", "effusion", "present", None),
        ("The effusion has not yet fully cleared.", "effusion", "present", None),
        ("The effusion hasn't cleared.", "effusion", "present", None),
        ("The tubes have not been removed.", "device", "present", None),
        ("Incompletely resolved pneumonia.", "pneumonia", "present", None),
        ("The effusion has nearly resolved.", "effusion", "present", None),
        ("Partial resolution of the left effusion.", "effusion", "present", None),
        ("Near-complete resolution of the left effusion.", "effusion", "present", None),
        ("No resolution of the left effusion.", "effusion", "present", None),
        ("Resolution of the left effusion.", "effusion", "absent", None),
        ("No effusion following removal of the drain.", "effusion", "absent", None),
        ("No pneumothorax or interval change.", "pneumothorax", "absent", None),
        ("No pneumothorax and no change.", "pneumothorax", "absent", None),
        ("Pneumothorax is not well or clearly seen.", "pneumothorax", "uncertain", "possible"),
        ("The pneumothorax is gone.", "pneumothorax", "absent", None),
        ("Not a pneumothorax.", "pneumothorax", "absent", None),
        ("Not an optimal inspiration, small left effusion is present.", "effusion", "present", None),
        ("If this is not a skin fold, a pneumothorax is present.", "pneumothorax", "present", None),
        ("Not a significant interval change in the right pneumothorax.", "pneumothorax", "present", None),
        ("There is not a significant change in the left effusion.", "effusion", "present", None),
        ("Though not a new finding, the right upper lobe nodule is larger.", "lung lesion", "present", None),
        ("Effusion is almost gone.", "effusion", "present", None),
        ("The effusion has nearly disappeared.", "effusion", "present", None),
        ("Near total interval resolution of the effusion.", "effusion", "present", None),
        ("Nearly-resolved right effusion.", "effusion", "present", None),
        ("No pneumothorax, and the left effusion is unchanged.", "effusion", "present", None),
        ("No pneumothorax and the left effusion is unchanged.", "effusion", "present", None),
        ("No consolidation, and a small effusion.", "effusion", "present", None),
        ("Pneumothorax isn't seen.", "pneumothorax", "absent", None),
        ("Pneumothorax can't be excluded.", "pneumothorax", "uncertain", "possible"),
        ("Can\N{RIGHT SINGLE QUOTATION MARK}t exclude pneumonia.", "pneumonia", "uncertain", "possible"),
        ("One couldn\N{RIGHT SINGLE QUOTATION MARK}t exclude pneumothorax.", "pneumothorax", "uncertain", "possible"),
        ("Cannot confirm or exclude pneumonia.", "pneumonia", "uncertain", "possible"),
        ("No new or worsening consolidation.", "consolidation", "uncertain", "possible"),
        ("The heart isn't enlarged.", "cardiomegaly", "absent", None),
    ],
)
def test_presence(text: str, condition: str, presence: str, hedge: str | None):
    found = one(text, condition)
    assert (found.presence, found.hedge) == (presence, hedge)


@pytest.mark.parametrize(
    "text", ["History of pneumonia.", "Stents are seen over the heart.", "Kerley B lines.", "Clear."]
)
def test_what_states_nothing_of_a_condition(text: str):
    assert read_findings(text) == ()


@pytest.mark.parametrize(
    ("text", "condition", "side", "zone"),
    [
        ("Bibasilar atelectasis.", "atelectasis", "bilateral", "lower"),
        ("Left and right pleural effusions.", "effusion", "bilateral", None),
        ("Effusion, left greater than right.", "effusion", "bilateral", None),
        ("Lingular opacity.", "lung opacity", "left", None),
        ("Right apical pneumothorax.", "pneumothorax", "right", "upper"),
        ("Right middle lobe pneumonia and left effusion.", "pneumonia", "right", "mid"),
        ("Right middle lobe pneumonia and left effusion.", "effusion", "left", None),
        ("Left consolidation, small effusion.", "effusion", None, None),
        ("A 1.4 cm nodule is seen in the left upper lobe.", "lung lesion", "left", "upper"),
    ],
)
def test_place(text: str, condition: str, side: str | None, zone: str | None):
    found = one(text, condition)
    assert (found.side, found.zone) == (side, zone)


@pytest.mark.parametrize(
    ("text", "size", "severity", "size_mm"),
    [
        ("Tiny left effusion.", "tiny", "mild", None),
        ("Moderate left effusion and small pneumothorax.", "moderate", "moderate", None),
        ("Massive left effusion.", "massive", "severe", None),
        ("Effusion of 2.5 x 3 cm.", None, None, 30.0),
        ("Effusion measuring 12 mm.", None, None, 12.0),
        ("A 1.5-cm effusion.", None, None, 15.0),
        ("A 15-mm effusion.", None, None, 15.0),
        ("Effusion of 1,5 cm.", None, None, 15.0),
        ("Effusion of 2,5 x 1,5 cm.", None, None, 25.0),
        ("Effusion of 4 x 3 cm.", None, None, 40.0),
        ("Effusion of 4 cm x 30 mm.", None, None, 40.0),
        ("An effusion of 8 by 12 mm.", None, None, 12.0),
    ],
)
def test_size(text: str, size: str | None, severity: str | None, size_mm: float | None):
    found = one(text, "effusion")
    assert (found.size, found.severity, found.size_mm) == (size, severity, size_mm)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Moderate right and small left pleural effusions.",
            [("effusion", "right", None, "moderate", None), ("effusion", "left", None, "small", None)],
        ),
        (
            "Small right-sided and moderate left-sided effusions are unchanged.",
            [("effusion", "right", None, "small", "stable"), ("effusion", "left", None, "moderate", "stable")],
        ),
        (
            "Effusions are moderate on the right and small on the left.",
            [("effusion", "right", None, "moderate", None), ("effusion", "left", None, "small", None)],
        ),
        (
            "There is increase in right and decrease in left effusion.",
            [("effusion", "right", None, None, "worse"), ("effusion", "left", None, None, "improved")],
        ),
        (
            "Resolved right and persistent left pneumothorax.",
            [("pneumothorax", "right", None, None, "resolved"), ("pneumothorax", "left", None, None, "stable")],
        ),
        (
            "New mild right upper and left lower lobe consolidation.",
            [("consolidation", "right", "upper", "mild", "new"), ("consolidation", "left", "lower", "mild", "new")],
        ),
        (
            "Consolidation in the right upper lobe and left lower lobe.",
            [("consolidation", "right", "upper", None, None), ("consolidation", "left", "lower", None, None)],
        ),
        (
            "Right upper lobe and left lower lobe consolidation.",
            [("consolidation", "right", "upper", None, None), ("consolidation", "left", "lower", None, None)],
        ),
        (
            "Atelectasis on the right and consolidation on the left.",
            [("atelectasis", "right", None, None, None), ("consolidation", "left", None, None, None)],
        ),
        (
            "Small right pleural and moderate left pleural effusions.",
            [("effusion", "right", None, "small", None), ("effusion", "left", None, "moderate", None)],
        ),
        (
            "Consolidation in the right lung and left lower lobe.",
            [("consolidation", "right", None, None, None), ("consolidation", "left", "lower", None, None)],
        ),
        (
            "Nodule of 12 mm in the right upper lobe and 8 mm in the left lower lobe.",
            [("lung lesion", "right", "upper", None, None), ("lung lesion", "left", "lower", None, None)],
        ),
        ("Small right and left effusions.", [("effusion", "bilateral", None, "small", None)]),
        ("Right-sided and left-sided effusions.", [("effusion", "bilateral", None, None, None)]),
        ("Effusion on the right and on the left.", [("effusion", "bilateral", None, None, None)]),
        ("Elevated right hemidiaphragm and left effusion.", [("effusion", "left", None, None, None)]),
        ("Clear right base and left effusion.", [("effusion", "left", None, None, None)]),
        ("Effusion on the right and the left lung is clear.", [("effusion", "right", None, None, None)]),
        ("Effusion on the right and mediastinal shift to the left.", [("effusion", "right", None, None, None)]),
        (
            "The trachea is deviated to the right and there is a left effusion.",
            [("effusion", "left", None, None, None)],
        ),
        ("Sutures in the right upper lobe and small left effusion.", [("effusion", "left", None, "small", None)]),
        ("The aortic arch is on the right and large left effusion.", [("effusion", "left", None, "large", None)]),
        (
            "Improved aeration on the right and new left lower lobe atelectasis.",
            [("atelectasis", "left", "lower", None, "new")],
        ),
        (
            "Bronchiectasis in the right upper lobe and left lower lobe consolidation.",
            [("consolidation", "left", "lower", None, None)],
        ),
        (
            "In the right and left lower lobes there is consolidation.",
            [("consolidation", "bilateral", "lower", None, None)],
        ),
    ],
)
def test_two_sides_joined_are_two_statements(text: str, expected: list[tuple[str | None, ...]]):
    assert [(f.condition, f.side, f.zone, f.size, f.change) for f in read_findings(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Small right and no left effusion.", [("right", "present"), ("left", "absent")]),
        ("Small left and no significant right effusion.", [("left", "present"), ("right", "absent")]),
        ("Small right and possible left effusion.", [("right", "present"), ("left", "uncertain")]),
        ("Small effusion on the right and possibly left.", [("right", "present"), ("left", "uncertain")]),
        ("Trace effusion on the right and none on the left.", [("right", "present")]),
    ],
)
def test_of_two_sides_one_may_be_denied_or_doubted(text: str, expected: list[tuple[str, str]]):
    assert [(f.side, f.presence) for f in read_findings(text)] == expected


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("Edema is not improved.", None),
        ("There is no improvement in edema.", None),
        ("The edema has not resolved.", None),
        ("The edema has nearly resolved.", "improved"),
        ("Partial resolution of edema.", "improved"),
        ("No evidence of new edema.", None),
        ("There is no radiographic evidence of new edema.", None),
        ("No evidence of any new edema.", None),
        ("No signs of new edema.", None),
        ("No evidence of worsening edema.", None),
        ("No new or worsening edema.", None),
        ("New edema is not seen.", None),
        ("Not only new but severe edema.", "new"),
        ("Edema has not changed.", "stable"),
        ("Edema has not significantly changed.", "stable"),
        ("No significant short-term interval change in edema.", "stable"),
        ("Resolving edema.", "improved"),
        ("Progressive edema.", "worse"),
        ("Edema is less pronounced.", "improved"),
        ("Edema is more pronounced.", "worse"),
        ("Edema more pronounced on the left.", None),
        ("Edema more pronounced in the lower lungs.", None),
        ("Edema, right larger than left.", None),
        ("Edema is gone.", "resolved"),
        ("Edema is mostly gone.", "improved"),
        ("Almost entirely resolved edema.", "improved"),
        ("Partial interval resolution of the edema.", "improved"),
        ("Decreased lung volumes with mild edema.", None),
        ("Lung volumes are decreased with mild edema.", None),
        ("Increased interstitial markings, edema.", None),
        ("Increased edema, reduced lung volumes.", "worse"),
    ],
)
def test_the_word_of_change(text: str, change: str | None):
    assert one(text, "edema").change == change


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Stable cardiomegaly with increased left effusion.",
            {("cardiomegaly", None, None, "stable"), ("effusion", "left", None, "worse")},
        ),
        (
            "Right effusion and left atelectasis have increased.",
            {("effusion", "right", None, "worse"), ("atelectasis", "left", None, "worse")},
        ),
        (
            "Edema and effusion have resolved.",
            {("edema", None, None, "resolved"), ("effusion", None, None, "resolved")},
        ),
        ("No pneumothorax, and the left effusion is unchanged.", {("effusion", "left", None, "stable")}),
        ("No pneumothorax is seen and the effusion has cleared.", {("effusion", None, None, "resolved")}),
        ("No new consolidation, and the effusion has increased.", {("effusion", None, None, "worse")}),
        ("No new consolidation.", set()),
        ("Heart size is stable.", set()),
    ],
)
def test_change_belongs_to_its_finding(text: str, expected: set[tuple[str, str | None, str | None, str]]):
    assert changes(text) == expected


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("Endotracheal tube in place.", {"tube"}),
        ("Left PICC line.", {"line"}),
        ("Right IJ central venous catheter.", {"line"}),
        ("Dual-chamber pacemaker.", {"pacemaker"}),
        ("Left subclavian ICD.", {"pacemaker"}),
        ("Nasogastric tube below the diaphragm.", {"device"}),
        ("Left chest tube.", {"device"}),
        ("Platelike atelectasis.", {"atelectasis"}),
        ("Nodular opacity.", {"lung lesion", "lung opacity"}),
    ],
)
def test_devices_by_kind(text: str, conditions: set[str]):
    assert {condition for condition, _ in present(text)} == conditions


@pytest.mark.parametrize(
    "text",
    ["\x00\x01no\x02effusion", "Left\u200b effusion\r\n\r\n\x85", "İ left effusion", "\u202eleft effusion", "𝔢ffusion"],
)
def test_control_and_foreign_characters_do_no_harm(text: str):
    assert all(finding.sentence for finding in read_findings(text))


@given(st.text(max_size=400))
def test_any_text_can_be_read(text: str):
    for finding in read_findings(text):
        assert finding.sentence
    chexpert_labels(text)


WORDS = (
    "no",
    "left",
    "effusion",
    "may",
    "be",
    "or",
    "heart",
    ",",
    ".",
    "but",
    "cannot",
    "exclude",
    "normal",
    "with",
    "right",
    "and",
)


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
def test_any_order_of_the_readers_own_words_can_be_read(text: str):
    assert all(finding.presence in {"present", "absent", "uncertain"} for finding in read_findings(text))


@pytest.mark.timeout(120)  # quadratic work on these would take hours
@pytest.mark.parametrize("unit", ["no ", ". ", " ", "\n", "x", "or/", "\x00"])
def test_a_megabyte_of_anything_is_read(unit: str):
    assert read_findings(unit * (1_000_000 // len(unit))) == ()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "unit", ["no left effusion ", "heart, ", "e.g. ", "calcified a b ", "1. a-", "right and left ", "1,5 x "]
)
def test_long_repetitions_of_words_that_matter_are_read(unit: str):
    read = read_findings(unit * (100_000 // len(unit)))
    assert {finding.condition for finding in read} <= {"effusion"}
