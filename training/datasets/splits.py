"""Which patient belongs to which split where the source does not say; what is held out for validation."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from training.datasets.problems import BadSource
from training.datasets.source import Source

NO_SPLIT = ("no split in the source", "placed by the patient's hash")
_STRICTNESS = {"train": 0, "validate": 1, "test": 2}
OPTIONS = ("validate_share", "test_share", "validation_studies")


def strictest(splits: Iterable[str]) -> str:
    """Of the splits that one patient or image is found in, the one that is kept farthest from training."""
    return max(splits, key=lambda split: _STRICTNESS[split])


def said(word: str, known: Mapping[str, str], at: str) -> str:
    """The split that a word of the source stands for, "" for none. at: file and line. Raises BadSource.

    An unknown word is refused: placed by hash, a test study under a misspelt name would be trained on.
    """
    folded = word.strip().lower()
    if folded and folded not in known:
        raise BadSource(f"{at}: there is no split {word!r}; known are {', '.join(known)}; correct or fetch the file")
    return known.get(folded, "")


def place(dataset: str, patient: str) -> float:
    """A number in [0, 1) that is always the same for a patient: SHA-256 of collection and patient."""
    return int.from_bytes(hashlib.sha256(f"{dataset}/{patient}".encode()).digest()[:8]) / 2**64


def shares(source: Source) -> tuple[float, float]:
    """(validate, test) shares of patients for hashed splits, a tenth each by default. Raises BadSource."""
    validate, test = source.number("validate_share", 0.1), source.number("test_share", 0.1)
    if min(validate, test) < 0 or validate + test >= 1:
        raise BadSource(f"{source.dataset}: validate_share {validate} and test_share {test} leave nothing to train on")
    return validate, test


def settled(split: str, patient: str, source: Source) -> str:
    """The split of one study: the source's own, or by the patient's hash ("" all three, "train or validate").

    Raises BadSource for any other word.
    """
    if split in _STRICTNESS:
        return split
    if split not in {"", "train or validate"}:
        raise BadSource(f"{source.dataset}: there is no split {split!r} (patient {patient})")
    validate, test = shares(source)
    at = place(source.dataset, patient)
    if split == "train or validate":
        return "validate" if at < validate else "train"
    if at < test:
        return "test"
    return "validate" if at < test + validate else "train"


def held_out(studies: Mapping[str, int], dataset: str, wanted: int) -> set[str]:
    """Whole patients, first by hash, until at least `wanted` of their training studies are held out.

    studies: training studies by patient. Empty for wanted = 0. Raises BadSource where nothing would be left.
    """
    if wanted >= sum(studies.values()) and wanted:
        raise BadSource(
            f"{dataset}: validation_studies = {wanted} leaves nothing of {sum(studies.values())} to train on"
        )
    chosen: set[str] = set()
    count = 0
    for patient in sorted(studies, key=lambda patient: (place(dataset, patient), patient)):
        if count >= wanted:
            break
        chosen.add(patient)
        count += studies[patient]
    return chosen


def per_patient(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Training studies by patient, of (patient, split)."""
    return dict(Counter(patient for patient, split in pairs if split == "train"))
