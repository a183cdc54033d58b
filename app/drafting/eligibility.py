"""Which image of a study may be drafted from, or why none: the intended use, decided from headers.

Intended use: one frontal radiograph of an adult person's chest. What a header does not say is decided here and told:

* body part not stated: refused, unless the site says that it routes nothing but chests (`assume_chest`);
* view not stated: taken only where it is the study's only image of unknown view and none is known to be frontal;
* age not stated, or beyond a human's: taken, and the reader is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from app.domain.imaging import HeaderFacts
from app.domain.report import Flag

FOR_PROCESSING = frozenset({"1.2.840.10008.5.1.4.1.1.1.1.1"})
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and the multi-frame classes below it
OLDEST_YEARS = 120.0
SHOWN = 32


@dataclass(frozen=True, slots=True)
class EligibilityRules:
    """minimum_age_years: the published training data are adults'; minimum_pixels: of the shorter side."""

    minimum_age_years: float = 18.0
    minimum_pixels: int = 256
    assume_chest: bool = False


@dataclass(frozen=True, slots=True)
class Eligible:
    """index: of the chosen image in the sequence that was asked about; notes: what the header did not say."""

    index: int
    notes: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class NotEligible:
    """reason: a sentence for clients and readers."""

    reason: str


class View(IntEnum):
    """What the header says of the projection; the larger, the rather it is drafted from."""

    UNKNOWN = 0
    FRONTAL = 1
    AP = 2
    PA = 3


def choose(images: Sequence[HeaderFacts], rules: EligibilityRules) -> Eligible | NotEligible:
    """The image to draft from: PA before AP before other frontal; of equals the one that came last (a repeat)."""
    refusals = [refusal(facts, rules) for facts in images]
    left = [index for index, reason in enumerate(refusals) if reason is None]
    views = {index: _view(images[index]) for index in left}
    frontal = [index for index, view in views.items() if view]
    unknown = [index for index, view in views.items() if not view]
    if frontal:
        chosen = max(frontal, key=lambda index: (views[index], index))
        return Eligible(chosen, tuple(_notes(images[chosen], rules, len(frontal))))
    if len(unknown) == 1:
        return Eligible(unknown[0], (VIEW_NOT_STATED, *_notes(images[unknown[0]], rules, 1)))
    if unknown:
        return NotEligible(
            f"not eligible: {len(unknown)} chest images, and no header says which of them is frontal (View Position)"
        )
    return NotEligible(f"not eligible: {_summary(refusals)}")


def _summary(refusals: Sequence[str | None]) -> str:
    counted = Counter(reason for reason in refusals if reason)
    if not counted:
        return "the study has no image"
    whole = len(refusals)
    words = (f"{reason} ({count} of {whole} objects)" if whole > 1 else reason for reason, count in counted.items())
    return "; ".join(words)


VIEW_NOT_STATED = Flag("view-not-stated", "The header does not say whether this is a frontal view; look first.")


def _notes(facts: HeaderFacts, rules: EligibilityRules, frontal: int) -> Iterator[Flag]:
    if frontal > 1:
        yield Flag(
            "several-frontal-images", f"The study has {frontal} frontal images; the draft rests on one of them alone."
        )
    if _age(facts) is None:
        yield Flag("age-not-stated", "The header gives no usable age; the model knows adults only.")
    if rules.assume_chest and _is_chest(facts) is None:
        yield Flag("body-part-not-stated", "The header does not say that this is a chest; the site's setting does.")


def refusal(facts: HeaderFacts, rules: EligibilityRules) -> str | None:
    """Why this image is outside the intended use, whatever else the study holds; None where nothing says so."""
    checks = (_not_of_a_person(facts), _wrong_kind(facts, rules), _not_chest(facts, rules), _not_frontal(facts))
    found = (reason for reason in (*checks, _too_young(facts, rules)) if reason)
    return next(found, None)


def _not_of_a_person(facts: HeaderFacts) -> str | None:
    species = facts.patient_species.lower()
    if not species or re.search(r"\b(homo|human|person)", species):
        return None
    return f"the patient is an animal ({_shown(facts.patient_species)})"


def _wrong_kind(facts: HeaderFacts, rules: EligibilityRules) -> str | None:
    if not facts.has_pixels:
        return "an object without an image"
    if not _is_radiograph(facts):
        return f"not a radiograph (modality {_shown(facts.modality) or 'not stated'})"
    if facts.presentation_intent == "FOR PROCESSING" or facts.sop_class_uid in FOR_PROCESSING:
        return "raw detector data (For Processing), not an image for reading"
    if facts.number_of_frames > 1:
        return f"a series of {facts.number_of_frames} frames, not a radiograph"
    return _too_small(facts, rules)


def _is_radiograph(facts: HeaderFacts) -> bool:
    """A secondary capture of another modality counts if it says body part and view: scanned paper says neither."""
    captured = facts.sop_class_uid.startswith(SECONDARY_CAPTURE) and facts.modality in {"SC", "OT", ""}
    return facts.modality in {"CR", "DX"} or (captured and bool(_is_chest(facts)) and bool(_view(facts)))


def _too_small(facts: HeaderFacts, rules: EligibilityRules) -> str | None:
    if facts.rows is None or facts.columns is None:
        return "an image without a size"
    if min(facts.rows, facts.columns) >= rules.minimum_pixels:
        return None
    return f"an image of {facts.columns} x {facts.rows} px, too small to read ({rules.minimum_pixels} px needed)"


# --- body part ----------------------------------------------------------------------------------------

CHEST_PARTS = frozenset({"CHEST", "THORAX", "LUNG", "LUNGS", "CHEST PA", "CHEST AP", "THORAX PA", "CXR"})
CHEST_CODES = frozenset(
    {"T-D3000", "T-28000", "816094009", "51185008", "43799004", "39607008", "302551006", "74101002", "113197003"}
)
_CHEST = re.compile(r"\b(?:chest|thorax|th?oracic|lungs?|cxr|torax|t[oó]rax|poumons?)\b", re.IGNORECASE)
_NOT_THE_CHEST = re.compile(
    r"\b(?:spine|rachis|vertebra\w*|column|ribs?|sternum|clavicle|scapula|shoulder|abdom\w*|pelvis|neck|swallow\w*)\b",
    re.IGNORECASE,
)


def _is_chest(facts: HeaderFacts) -> bool | None:
    """Codes and Body Part Examined decide; where both are silent, the descriptions; None where nothing is said."""
    if facts.anatomic_regions:
        coded = (code.value in CHEST_CODES or _says_chest(code.meaning) for code in facts.anatomic_regions)
        return any(coded)
    if facts.body_part_examined:
        return facts.body_part_examined in CHEST_PARTS or _says_chest(facts.body_part_examined)
    said = (
        facts.series_description,
        facts.protocol_name,
        facts.requested_procedure_description,
        facts.study_description,
    )
    return True if any(map(_says_chest, said)) else None


def _says_chest(words: str) -> bool:
    return bool(_CHEST.search(words)) and not _NOT_THE_CHEST.search(words)


def _not_chest(facts: HeaderFacts, rules: EligibilityRules) -> str | None:
    chest = _is_chest(facts)
    if chest or (chest is None and rules.assume_chest):
        return None
    if chest is None:
        return "the header does not say which part of the body this is (Body Part Examined)"
    named = facts.anatomic_regions[0].meaning if facts.anatomic_regions else facts.body_part_examined
    return f"not a chest radiograph ({_shown(named)})"


# --- view ---------------------------------------------------------------------------------------------

_PA = re.compile(r"\bP\.?A\b|postero-?\s?anterior|\bR-10214\b|\b272479007\b", re.IGNORECASE)
_AP = re.compile(r"\bA\.?P\b|antero-?\s?posterior|\bR-10206\b|\b399348003\b", re.IGNORECASE)
_FRONTAL = re.compile(r"\bfrontal\b|\b399033003\b|\bR-10202\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:LL|RL|LAT|lateral\w*|LLD|RLD|LLDECUB|RLDECUB|decub\w*|obl\w*|[LR][AP]O|[LR]LO|lordotic|axial|tan\w*|"
    r"apical|(?:left|right) lateral)\b",
    re.IGNORECASE,
)


def _projection(words: str) -> View | None:
    """None where the words name a projection that is not frontal."""
    if _OTHER.search(words):
        return None
    return View.PA if _PA.search(words) else View.AP if _AP.search(words) else View(bool(_FRONTAL.search(words)))


def _stated_views(facts: HeaderFacts) -> Iterator[View | None]:
    """From the most to the least reliable; UNKNOWN where a source says nothing."""
    code = facts.view_code
    yield _projection(f"{code.value} {code.meaning}") if code else View.UNKNOWN
    yield _projection(facts.view_position)
    yield _described(facts)
    yield _oriented(facts.patient_orientation)


def _described(facts: HeaderFacts) -> View | None:
    """Descriptions of one image; those of a study ("CHEST PA AND LATERAL") speak of several and are not asked."""
    both = f"{facts.series_description} / {facts.protocol_name}"
    if _OTHER.search(both) and (_PA.search(both) or _AP.search(both) or _FRONTAL.search(both)):
        return View.UNKNOWN
    return _projection(both)


def _oriented(orientation: Sequence[str]) -> View | None:
    """Patient Orientation (PS3.3 C.7.6.1.1.1): rows of a frontal film run left or right, of a lateral front or back."""
    if len(orientation) != 2 or not all(orientation):
        return View.UNKNOWN
    if orientation[0][0] in "AP" or orientation[1][0] in "AP":
        return None
    return View.FRONTAL if orientation[0][0] in "LR" and orientation[1][0] in "HF" else View.UNKNOWN


def _view(facts: HeaderFacts) -> View:
    return next((view for view in _stated_views(facts) if view), View.UNKNOWN)


def _not_frontal(facts: HeaderFacts) -> str | None:
    """The first source that says anything decides."""
    for view in _stated_views(facts):
        if view is None:
            named = facts.view_position or (facts.view_code.meaning if facts.view_code else "")
            return f"not a frontal view ({_shown(named) or 'lateral or oblique by its description or orientation'})"
        if view:
            return None
    return None


# --- patient ------------------------------------------------------------------------------------------


def _age(facts: HeaderFacts) -> float | None:
    age = facts.patient_age_years
    return None if age is None or not 0 <= age <= OLDEST_YEARS else age


def _too_young(facts: HeaderFacts, rules: EligibilityRules) -> str | None:
    age = _age(facts)
    if age is None or age >= rules.minimum_age_years:
        return None
    return f"the patient is {age:.0f} years old; the model was trained on adults ({rules.minimum_age_years:g} and over)"


def _shown(words: str) -> str:
    return words[:SHOWN].lower()
