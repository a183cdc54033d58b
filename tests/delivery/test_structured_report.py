"""The document as other makers' tools read it."""

from __future__ import annotations

import io
import subprocess

import pytest
from pydicom import dcmread

from app.db.session import unit_of_work
from app.db.tables import PriorEntry, PriorImageRow, Report, Study
from app.delivery.documents import prepare
from app.delivery.status_gate import SignatureBroken
from app.delivery.structured_report import encode
from app.domain.identifiers import derived_uid
from app.priors.object_reading import read_report
from tests.builders.radiographs import radiograph, save
from tests.builders.reading import add_draft
from tests.builders.reports import add_addendum, add_signed_report
from tests.peers.dcmtk import dciodvfy
from tests.peers.presence import program

TEXT = 'Größe des Herzens: normal. Ångström < 5 & "quoted".\nSecond line. 心臓は正常。'
CHARACTER_SET = "The VR checker does not support this Specific Character Set: ISO_IR 192"


@pytest.fixture
def document_of(database, store):
    def encoded(target):
        with database.reading() as session:
            return encode(prepare(session, store, target, "Test Hospital").document)

    return encoded


def texts(dataset):
    """Concept meaning -> text, over the whole tree."""
    found = {}
    for item in dataset.get("ContentSequence", []):
        if item.ValueType == "TEXT":
            found[item.ConceptNameCodeSequence[0].CodeMeaning] = item.TextValue
        found |= texts(item)
    return found


def test_what_was_signed_is_what_is_sent(document_of, database, clock):
    report = add_signed_report(database, clock, TEXT)
    dataset = dcmread(io.BytesIO(document_of(report.id)))
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


def test_the_same_report_is_the_same_bytes(document_of, database, clock):
    report = add_signed_report(database, clock)
    first = document_of(report.id)
    clock.advance(3600)
    assert document_of(report.id) == first


def test_an_addendum_names_the_document_before_it(document_of, database, clock):
    report = add_signed_report(database, clock)
    first = dcmread(io.BytesIO(document_of(report.id)))
    clock.advance(60)
    second = dcmread(io.BytesIO(document_of(add_addendum(database, clock, report).id)))
    [study] = second.PredecessorDocumentsSequence
    [before] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert before.ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert document_of(report.id) == document_of(report.id)


def test_an_addendum_repeats_the_report_it_adds_to(document_of, database, clock):
    """Predecessors are documents whose content is included (PS3.3 C.17.2): whoever reads the newest reads it all."""
    report = add_signed_report(database, clock, "Clear lungs.")
    clock.advance(60)
    added = dcmread(io.BytesIO(document_of(add_addendum(database, clock, report, "A line was moved.").id)))
    headings = [item.ConceptNameCodeSequence[0].CodeMeaning for item in added.ContentSequence]
    assert headings[-3:] == ["Findings", "Impressions", "Addendum"]
    assert added.ContentSequence[-1].ContentSequence[0].TextValue == "A line was moved."
    assert added.InstanceNumber == 2
    assert len(added.VerifyingObserverSequence) == 2
    times = [item.VerificationDateTime for item in added.VerifyingObserverSequence]
    assert times == sorted(times, reverse=True)


def test_a_third_document_names_both_before_it(document_of, database, clock):
    report = add_signed_report(database, clock)
    first = add_addendum(database, clock, report)
    second = add_addendum(database, clock, report, "And another.", number=2)
    before = [dcmread(io.BytesIO(document_of(target))).SOPInstanceUID for target in (report.id, first.id)]
    last = dcmread(io.BytesIO(document_of(second.id)))
    [study] = last.PredecessorDocumentsSequence
    [series] = study.ReferencedSeriesSequence
    assert [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence] == before
    assert last.InstanceNumber == 3


def test_a_changed_report_stops_its_addenda_too(document_of, database, clock):
    report = add_signed_report(database, clock)
    addendum = add_addendum(database, clock, report)
    with unit_of_work(database, clock) as uow:
        uow.session.get_one(Report, report.id).impression = "Something else."
    with pytest.raises(SignatureBroken):
        document_of(addendum.id)


def test_the_prior_that_was_compared_with_is_named(document_of, database, clock, store, tmp_path):
    report = add_signed_report(database, clock)
    prior = radiograph(StudyDate="20250301")
    key = store.put_bytes(save(prior, tmp_path / "prior.dcm").read_bytes())
    with unit_of_work(database, clock) as uow:
        entry = PriorEntry(
            id="e1",
            study_id=report.study_id,
            revision=1,
            rank=0,
            study_instance_uid=prior.StudyInstanceUID,
            decision="chosen",
            reason="",
        )
        uow.session.add(entry)
        uow.session.flush()
        for number, object_key in enumerate((key, "objects/00/none")):
            uow.session.add(
                PriorImageRow(
                    entry_id="e1",
                    series_instance_uid=prior.SeriesInstanceUID,
                    sop_instance_uid=f"{prior.SOPInstanceUID[:-1]}{number}",
                    object_key=object_key,
                )
            )
    path = tmp_path / "with-prior.dcm"
    path.write_bytes(document_of(report.id))
    [study] = dcmread(path).PertinentOtherEvidenceSequence
    [image] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert study.StudyInstanceUID == prior.StudyInstanceUID
    assert image.ReferencedSOPClassUID == prior.SOPClassUID
    assert dciodvfy(path) == []


def test_a_drafted_report_says_that_a_machine_helped(document_of, database, clock, tmp_path):
    report = add_signed_report(database, clock)
    with database.reading() as session:
        study = session.get_one(Study, report.study_id)
    draft = add_draft(database, clock, study)
    with unit_of_work(database, clock) as uow:
        uow.session.get_one(Report, report.id).draft_id = draft.id
    path = tmp_path / "drafted.dcm"
    path.write_bytes(document_of(report.id))
    dataset = dcmread(path)
    assert "AI system (research, not a cleared device)" in texts(dataset)["Procedure Description"]
    assert texts(dataset)["Device Observer Name"]
    assert dciodvfy(path) == []


def test_what_we_write_our_own_reader_reads(document_of, database, clock, tmp_path):
    report = add_signed_report(database, clock, TEXT)
    path = tmp_path / "sr.dcm"
    path.write_bytes(document_of(add_addendum(database, clock, report, "Moved.").id))
    read = read_report(path)
    assert read.verified
    assert read.text.splitlines()[1:] == [
        f"Findings: {TEXT.splitlines()[0]}",
        TEXT.splitlines()[1],
        "Impression: No acute abnormality.",
        "Addendum: Moved.",
    ]


def test_a_changed_text_does_not_leave(document_of, database, clock):
    report = add_signed_report(database, clock)
    with unit_of_work(database, clock) as uow:
        uow.session.get_one(Report, report.id).findings = "Something else."
    with pytest.raises(SignatureBroken):
        document_of(report.id)


@pytest.mark.peer("dcmtk", "dicom3tools")
@pytest.mark.parametrize(
    "values", [{}, {"birth_date": "", "sex": "", "issuer": "", "description": "", "study_time": ""}]
)
def test_both_validators_find_no_error(document_of, database, clock, tmp_path, values):
    report = add_signed_report(database, clock, TEXT, **values)
    addendum = add_addendum(database, clock, report)
    for target in (report.id, addendum.id):
        path = tmp_path / f"{target}.dcm"
        path.write_bytes(document_of(target))
        assert dciodvfy(path) == []
        dumped = subprocess.run([program("dsrdump"), path], capture_output=True, text=True, check=False)
        complaints = [line for line in dumped.stderr.splitlines() if line[:2] in ("W:", "E:", "F:")]
        assert [line for line in complaints if CHARACTER_SET not in line] == []
        assert dumped.returncode == 0
