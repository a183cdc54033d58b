"""Which earlier study may be compared with: the same patient, earlier, a frontal chest radiograph, newest first.

Pure. Every decision comes with its reason in words, for the ledger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.domain.imaging import HeaderFacts
from app.domain.patient import Patient, contradicts
from app.domain.priors import PriorCandidate, Standing
from app.priors.chest_words import says_chest, says_elsewhere

RADIOGRAPHY = ("CR", "DX")


@dataclass(frozen=True, slots=True)
class PriorRules:
    """lookback_days: how far back; max_priors: how many relevant studies are looked into, newest first."""

    lookback_days: int = 3650
    max_priors: int = 5

    def since(self, study_date: str) -> str:
        """The first day that counts, YYYYMMDD."""
        day = date(int(study_date[:4]), int(study_date[4:6]), int(study_date[6:8]))
        reach = min(self.lookback_days, (day - date(1900, 1, 1)).days)
        return (day - timedelta(days=max(reach, 0))).strftime("%Y%m%d")


def is_date(value: str) -> bool:
    """Whether `value` is a day of the calendar, YYYYMMDD."""
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        return False
    return len(value) == len("YYYYMMDD")


@dataclass(frozen=True, slots=True)
class CurrentStudy:
    """The study that is to be drafted; view: PA, AP or "" where several or none is stated."""

    study_instance_uid: str
    study_date: str
    study_time: str
    patient: Patient
    view: str = ""


class Sameness(StrEnum):
    """Whether two descriptions are of one patient."""

    SAME = "same"
    DOUBTFUL = "doubtful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and why; same: other than SAME where the identity is what speaks against it."""

    accepted: bool
    reason: str
    same: Sameness = Sameness.SAME

    @property
    def doubtful(self) -> bool:
        """Whether it may be the same patient's, and may not."""
        return self.same is Sameness.DOUBTFUL

    @property
    def standing(self) -> Standing:
        """Whether a reader may be shown it."""
        if self.same is not Sameness.SAME:
            return Standing.IDENTITY
        return Standing.USABLE if self.accepted else Standing.UNFIT


def compare_patients(current: Patient, found: Patient, *, stated: bool) -> tuple[Sameness, str]:
    """Whether `found` is the current patient: ID and issuer equal (LAW 6), birth date and sex not against it.

    stated: `found` comes from an object's own header, where a missing issuer counts; archives leave it out of
    answers to queries, which is no contradiction yet.
    """
    one, other = current.key, found.key
    if one.patient_id != other.patient_id:
        return Sameness.OTHER, "another patient ID"
    if one.issuer != other.issuer and (stated or (one.issuer and other.issuer)):
        if one.issuer and other.issuer:
            return Sameness.OTHER, "the patient ID was issued by another authority"
        return Sameness.DOUBTFUL, "only one of the two studies names the issuer of the patient ID"
    against = contradicts(current, found)
    return (Sameness.DOUBTFUL, f"same patient ID, but {against}") if against else (Sameness.SAME, "")


def judge(current: CurrentStudy, candidate: PriorCandidate) -> Verdict:
    """Whether a candidate is worth fetching."""
    same, reason = compare_patients(current.patient, candidate.patient, stated=False)
    if same is not Sameness.SAME:
        return Verdict(False, reason, same)
    against = _not_earlier(current, candidate) or _not_radiography(candidate) or _not_chest(candidate)
    if against:
        return Verdict(False, against)
    body = "chest" if _says_chest(candidate) else "body part not stated"
    return Verdict(True, f"{'/'.join(_radiographs(candidate))}, {body}, earlier")


def newest_first(candidates: Iterable[PriorCandidate]) -> list[PriorCandidate]:
    """By date and time; the UID settles ties, so that the order is always the same."""
    return sorted(candidates, key=lambda one: (one.study_date, _clock(one.study_time), one.study_instance_uid))[::-1]


def _not_earlier(current: CurrentStudy, candidate: PriorCandidate) -> str | None:
    if not candidate.study_date:
        return "it has no study date, so it cannot be shown to be earlier"
    if candidate.study_date != current.study_date:
        return None if candidate.study_date < current.study_date else "not earlier than this study"
    then, now = _clock(candidate.study_time), _clock(current.study_time)
    known = min(len(then), len(now))
    if not known:
        return "of the same day, and the order is not known"
    return None if then[:known] < now[:known] else "of the same day, and not shown to be earlier"


def _clock(time: str) -> str:
    """HHMMSS as far as it is given (PS3.5 6.2: HH and HHMM are times too)."""
    digits = re.sub("[^0-9].*", "", time.replace(":", ""))[:6]
    return digits[: len(digits) - len(digits) % 2]


def _radiographs(candidate: PriorCandidate) -> list[str]:
    return [modality for modality in candidate.modalities if modality in RADIOGRAPHY]


def _not_radiography(candidate: PriorCandidate) -> str | None:
    if _radiographs(candidate):
        return None
    held = ", ".join(candidate.modalities) or "none stated"
    return f"no radiograph (modalities: {held})"


def _says_chest(candidate: PriorCandidate) -> bool:
    return says_chest(candidate.description) or any(map(says_chest, candidate.body_parts))


def _not_chest(candidate: PriorCandidate) -> str | None:
    if _says_chest(candidate):
        return None
    if candidate.body_parts:
        return f"another part of the body ({', '.join(candidate.body_parts)})"
    return "another part of the body, by its description" if says_elsewhere(candidate.description) else None


# --- images -----------------------------------------------------------------------------------------------

_CHEST_CODES = frozenset(
    {"T-D3000", "T-28000", "816094009", "51185008", "43799004", "39607008", "302551006", "74101002", "113197003"}
)
_PA = re.compile(r"\bP\.?A\b|POSTERO-?\s?ANTERIOR|\bR-10214\b|\b272479007\b", re.IGNORECASE)
_AP = re.compile(r"\bA\.?P\b|ANTERO-?\s?POSTERIOR|\bR-10206\b|\b399348003\b", re.IGNORECASE)
_FRONTAL = re.compile(r"\bFRONTAL\b|\b399033003\b|\bR-10202\b", re.IGNORECASE)
_NOT_FRONTAL = re.compile(
    r"\b(?:LL|RL|LAT|LATERAL\w*|SEITLICH|PROFIL|LATERALE?|LLD|RLD|\w*DECUB\w*|OBL\w*|[LR][AP]O|[LR]LO|LORDOTIC|AXIAL)\b",
    re.IGNORECASE,
)


def judge_image(candidate: PriorCandidate, facts: HeaderFacts) -> Verdict:
    """Whether one fetched object is a frontal chest radiograph that can be compared with."""
    against = _not_an_image(facts) or _image_not_chest(candidate, facts)
    view = _view(facts)
    if against or view is None:
        return Verdict(False, against or "not a frontal view")
    return Verdict(True, f"frontal chest radiograph ({view or 'view not stated'})")


def view_of(facts: HeaderFacts) -> str:
    """PA, AP or ""."""
    view = _view(facts)
    return view if view in {"PA", "AP"} else ""


def preference(view: str, current_view: str) -> tuple[bool, bool, bool]:
    """Sorting key of frontal images: the current study's view, then PA, then AP, then the rest."""
    return (view != current_view or not view, view != "PA", view != "AP")


def only_view(views: Sequence[str]) -> str:
    """The one frontal view among the view positions of a study's images, or ""."""
    stated = {_projection(view) for view in views} - {None, ""}
    return next(iter(stated)) or "" if len(stated) == 1 else ""


def _not_an_image(facts: HeaderFacts) -> str | None:
    if not facts.has_pixels:
        return "an object without an image"
    if facts.modality not in RADIOGRAPHY:
        return f"no radiograph (modality {facts.modality or 'not stated'})"
    if facts.presentation_intent == "FOR PROCESSING":
        return "raw detector data (For Processing)"
    return "a series of frames" if facts.number_of_frames > 1 else None


def _image_not_chest(candidate: PriorCandidate, facts: HeaderFacts) -> str | None:
    if facts.anatomic_regions or facts.body_part_examined:
        coded = [code.value in _CHEST_CODES or says_chest(code.meaning) for code in facts.anatomic_regions]
        chest = any(coded or [says_chest(facts.body_part_examined)])
        return None if chest else "its header names another part of the body"
    words = (facts.series_description, facts.protocol_name, facts.requested_procedure_description)
    if any(map(says_elsewhere, words)):
        return "its description names another part of the body"
    if any(map(says_chest, (*words, facts.study_description))) or _says_chest(candidate):
        return None
    return "nothing says that it shows a chest"


def _projection(words: str) -> str | None:
    """PA, AP, "frontal", "" for nothing said (or for both: "PA and lateral"), None for a view that is not frontal."""
    spaced = words.replace("_", " ")
    frontal = (
        "PA" if _PA.search(spaced) else "AP" if _AP.search(spaced) else "frontal" if _FRONTAL.search(spaced) else ""
    )
    if _NOT_FRONTAL.search(spaced):
        return "" if frontal else None
    return frontal


def _view(facts: HeaderFacts) -> str | None:
    """The first source that says anything decides, from the most to the least reliable."""
    code = facts.view_code
    sources = (f"{code.value} {code.meaning}" if code else "", facts.view_position, facts.series_description)
    for words in sources:
        view = _projection(words)
        if view != "":
            return view
    return _oriented(facts.patient_orientation)


def _oriented(orientation: Sequence[str]) -> str | None:
    """Patient Orientation (PS3.3 C.7.6.1.1.1): rows of a lateral film run to the front or back."""
    return None if any(direction[:1] in {"A", "P"} for direction in orientation) else ""
