"""The document as other makers' tools read it."""

from __future__ import annotations

import io
import subprocess

import pytest
from pydicom import dcmread

from app.db.session import unit_of_work
from app.db.tables import Report
from app.delivery.documents import prepare
from app.delivery.status_gate import SignatureBroken
from app.delivery.structured_report import encode
from app.domain.identifiers import derived_uid
from tests.builders.reports import add_addendum, add_signed_report
from tests.peers.dcmtk import dciodvfy
from tests.peers.presence import program

TEXT = 'Größe des Herzens: normal. Ångström < 5 & "quoted".\nSecond line. 心臓は正常。'
CHARACTER_SET = "The VR checker does not support this Specific Character Set: ISO_IR 192"


def document_of(database, target):
    with database.reading() as session:
        return encode(prepare(session, target, "Test Hospital").document)


def texts(dataset):
    """Concept meaning -> text, over the whole tree."""
    found = {}
    for item in dataset.get("ContentSequence", []):
        if item.ValueType == "TEXT":
            found[item.ConceptNameCodeSequence[0].CodeMeaning] = item.TextValue
        found |= texts(item)
    return found


def test_what_was_signed_is_what_is_sent(database, clock):
    report = add_signed_report(database, clock, TEXT)
    dataset = dcmread(io.BytesIO(document_of(database, report.id)))
    assert texts(dataset)["Finding"] == TEXT
    assert texts(dataset)["Impression"] == "No acute abnormality."
    assert (dataset.CompletionFlag, dataset.VerificationFlag, dataset.PreliminaryFlag) == (
        "COMPLETE",
        "VERIFIED",
        "FINAL",
    )
    assert dataset.VerifyingObserverSequence[0].VerifyingObserverName == "Curie^Marie"
    assert dataset.ReferencedRequestSequence[0].AccessionNumber == "A-1"
    [study] = dataset.CurrentRequestedProcedureEvidenceSequence
    [image] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert image.ReferencedSOPInstanceUID == derived_uid("image", report.study_id)


def test_the_same_report_is_the_same_bytes(database, clock):
    report = add_signed_report(database, clock)
    first = document_of(database, report.id)
    clock.advance(3600)
    assert document_of(database, report.id) == first


def test_an_addendum_names_the_document_before_it(database, clock):
    report = add_signed_report(database, clock)
    first = dcmread(io.BytesIO(document_of(database, report.id)))
    clock.advance(60)
    second = dcmread(io.BytesIO(document_of(database, add_addendum(database, clock, report).id)))
    [study] = second.PredecessorDocumentsSequence
    [before] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert before.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert document_of(database, report.id) == document_of(database, report.id)


def test_a_changed_text_does_not_leave(database, clock):
    report = add_signed_report(database, clock)
    with unit_of_work(database, clock) as uow:
        uow.session.get_one(Report, report.id).findings = "Something else."
    with pytest.raises(SignatureBroken):
        document_of(database, report.id)


@pytest.mark.peer("dcmtk", "dicom3tools")
@pytest.mark.parametrize(
    "values", [{}, {"birth_date": "", "sex": "", "issuer": "", "description": "", "study_time": ""}]
)
def test_both_validators_find_no_error(database, clock, tmp_path, values):
    report = add_signed_report(database, clock, TEXT, **values)
    addendum = add_addendum(database, clock, report)
    for target in (report.id, addendum.id):
        path = tmp_path / f"{target}.dcm"
        path.write_bytes(document_of(database, target))
        assert dciodvfy(path) == []
        dumped = subprocess.run([program("dsrdump"), path], capture_output=True, text=True, check=False)
        complaints = [line for line in dumped.stderr.splitlines() if line[:2] in ("W:", "E:", "F:")]
        assert [line for line in complaints if CHARACTER_SET not in line] == []
        assert dumped.returncode == 0
