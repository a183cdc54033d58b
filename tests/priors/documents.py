"""Report documents as other systems write them."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from app.domain.identifiers import derived_uid
from tests.builders.radiographs import radiograph

FINDINGS, IMPRESSION, ADDENDUM = ("121070", "Findings"), ("121072", "Impressions"), ("55107-7", "Addendum")


def code(value, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def text(words, relationship="CONTAINS"):
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = relationship, "TEXT", words
    item.ConceptNameCodeSequence = [code("121071", "Finding")]
    return item


def section(heading, *items):
    container = Dataset()
    container.RelationshipType, container.ValueType, container.ContinuityOfContent = "CONTAINS", "CONTAINER", "SEPARATE"
    container.ConceptNameCodeSequence = [code(*heading)]
    container.ContentSequence = list(items)
    return container


def report(*content, study_instance_uid=None, name="sr", written="20250102", predecessors=(), **values):
    """A Basic Text SR of the patient of `radiograph`; content: items of the tree."""
    without = {"PixelData": None, "Rows": None, "Columns": None, "ViewPosition": None, "BodyPartExamined": None}
    uids = {"SOPInstanceUID": derived_uid(name), "SeriesInstanceUID": derived_uid("sr series")}
    study = {"StudyInstanceUID": study_instance_uid} if study_instance_uid else {}
    kind = {"Modality": "SR", "SOPClassUID": BasicTextSRStorage, "ContentDate": written, "ContentTime": "120000"}
    flags = {"CompletionFlag": "COMPLETE", "VerificationFlag": "VERIFIED"}
    dataset = radiograph(**uids, **study, **without, **{**kind, **flags, **values})
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code("18748-4", "Diagnostic Imaging Report")]
    dataset.ContentSequence = list(content) or [section(FINDINGS, text("Small left effusion."))]
    if predecessors:
        dataset.PredecessorDocumentsSequence = [_refers(dataset.StudyInstanceUID, predecessors)]
    return dataset


def _refers(study_instance_uid, sop_instance_uids):
    study, series = Dataset(), Dataset()
    study.StudyInstanceUID, series.SeriesInstanceUID = study_instance_uid, derived_uid("sr series")
    series.ReferencedSOPSequence = []
    for uid in sop_instance_uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = BasicTextSRStorage, uid
        series.ReferencedSOPSequence.append(item)
    study.ReferencedSeriesSequence = [series]
    return study
