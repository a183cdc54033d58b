"""What was fetched is looked at before it counts: the patient in its own header, and that it is a frontal chest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.imaging import HeaderFacts
from app.domain.priors import PriorCandidate, PriorImage
from app.errors import CannotUnderstand, PixelsUnreadable
from app.ports import ObjectStore, PixelReader, RetrievedObject
from app.priors.object_reading import REPORT_CLASSES, ReportDocument, latest_report, read_identity, read_report
from app.priors.rules import CurrentStudy, Sameness, compare_patients, judge_image, preference, view_of


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one study's objects.

    images: frontal ones, the best to compare with first; reason: in words; doubtful: whose they are is not certain;
    unreadable: some could not be read, so that what is missing may be there.
    """

    images: tuple[PriorImage, ...]
    reason: str
    doubtful: bool = False
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Verification:
    """Looks at stored objects."""

    store: ObjectStore
    pixels: PixelReader

    def images(self, current: CurrentStudy, candidate: PriorCandidate, objects: Sequence[RetrievedObject]) -> Looked:
        """Which of the objects can be compared with."""
        usable: list[tuple[HeaderFacts, RetrievedObject]] = []
        reasons: list[str] = []
        unreadable = False
        for item in objects:
            doubt = self._doubt(current, item)
            if doubt:
                return Looked((), doubt, doubtful=True)
            facts = self._facts(item)
            if isinstance(facts, str):
                unreadable = True
                reasons.append(facts)
                continue
            verdict = judge_image(candidate, facts)
            reasons.append(verdict.reason)
            if verdict.accepted:
                usable.append((facts, item))
        usable.sort(key=lambda pair: preference(view_of(pair[0]), current.view))
        images = tuple(_image(facts, item) for facts, item in usable)
        return Looked(images, "; ".join(dict.fromkeys(reasons)) or "it has no image", unreadable=unreadable)

    def report(self, current: CurrentStudy, objects: Sequence[RetrievedObject]) -> ReportDocument | None:
        """The report among the objects. Raises CannotUnderstand where there are documents and none can be read."""
        documents, faults = list[ReportDocument](), list[CannotUnderstand]()
        for item in objects:
            if item.sop_class_uid not in REPORT_CLASSES or self._doubt(current, item):
                continue
            try:
                document = read_report(self.store.path(item.object_key))
            except CannotUnderstand as error:
                faults.append(error)
                continue
            documents += [document] if document else []
        if faults and not documents:
            raise faults[0]
        return latest_report(documents)

    def _doubt(self, current: CurrentStudy, item: RetrievedObject) -> str | None:
        try:
            patient, study_instance_uid = read_identity(self.store.path(item.object_key))
        except CannotUnderstand:
            return "the patient in its header cannot be read"
        if study_instance_uid != item.study_instance_uid:
            return "its header names another study"
        same, reason = compare_patients(current.patient, patient, stated=True)
        return None if same is Sameness.SAME else f"in the header of what was fetched: {reason}"

    def _facts(self, item: RetrievedObject) -> HeaderFacts | str:
        try:
            return self.pixels.inspect(self.store.path(item.object_key))
        except (CannotUnderstand, PixelsUnreadable) as error:
            return f"an object that cannot be read ({error.message})"


def _image(facts: HeaderFacts, item: RetrievedObject) -> PriorImage:
    return PriorImage(
        item.study_instance_uid, item.series_instance_uid, item.sop_instance_uid, item.object_key, view_of(facts)
    )
