"""All candidates from all sources, each study once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.domain.priors import PriorCandidate
from app.priors.own_studies import OWN
from app.priors.rules import CurrentStudy, Sameness, Verdict, compare_patients, judge, newest_first


@dataclass(frozen=True, slots=True)
class Listed:
    """One study and who has it: our own store first, then the archives as configured."""

    candidate: PriorCandidate
    said: tuple[PriorCandidate, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Where it can be had."""
        return tuple(one.source for one in self.said)

    def holds(self, source: str, modality: str) -> bool:
        """Whether this source lists the modality."""
        return any(one.source == source and modality in one.modalities for one in self.said)

    def judge(self, current: CurrentStudy) -> Verdict:
        """By all that is said of it: one source that casts doubt on the patient is enough."""
        for one in self.said:
            same, reason = compare_patients(current.patient, one.patient, stated=one.source == OWN)
            if same is not Sameness.SAME:
                return Verdict(False, reason, same)
        return judge(current, self.candidate)


def merge(candidates: Iterable[PriorCandidate], current: CurrentStudy) -> list[Listed]:
    """Newest first, without the current study."""
    by_study: dict[str, list[PriorCandidate]] = {}
    for candidate in candidates:
        if candidate.study_instance_uid != current.study_instance_uid:
            by_study.setdefault(candidate.study_instance_uid, []).append(candidate)
    listed = {uid: Listed(_merged(said), tuple(said)) for uid, said in by_study.items()}
    return [listed[one.study_instance_uid] for one in newest_first(one.candidate for one in listed.values())]


def _merged(said: list[PriorCandidate]) -> PriorCandidate:
    return replace(
        said[0],
        modalities=tuple(dict.fromkeys(modality for one in said for modality in one.modalities)),
        body_parts=tuple(dict.fromkeys(part for one in said for part in one.body_parts)),
        description=next((one.description for one in said if one.description), ""),
    )
