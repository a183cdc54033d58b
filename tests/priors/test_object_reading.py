"""What fetched objects say: whose they are, and a report's text; whatever else they are, it ends in one error."""

from __future__ import annotations

import io
import time

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from app.domain.identifiers import PatientKey
from app.errors import CannotUnderstand
from app.priors.object_reading import MAX_TEXT, latest_report, read_identity, read_report
from tests.builders.radiographs import radiograph, save
from tests.priors.documents import ADDENDUM, FINDINGS, IMPRESSION, report, section, text


@pytest.fixture
def kept(tmp_path):
    return lambda dataset: save(dataset, tmp_path / "object.dcm")


def test_the_patient_of_an_object(kept):
    patient, study = read_identity(kept(radiograph(StudyInstanceUID="1.2.3", PatientSex="F")))
    assert patient.key == PatientKey("P-1", "HOSPITAL")
    assert (patient.birth_date, patient.sex, study) == ("19600101", "F", "1.2.3")


def test_a_report_reads_as_its_sections_in_order(kept):
    content = [
        section(FINDINGS, text("Small left effusion.\r\nHeart  normal.\r\r"), text("Lungs clear.")),
        section(IMPRESSION, text("Effusion.<br>Follow up.")),
        text("not part of the report", relationship="HAS OBS CONTEXT"),
    ]
    document = read_report(kept(report(*content)))
    assert document.text == (
        "Findings: Small left effusion.\nHeart  normal.\nLungs clear.\nImpression: Effusion.\nFollow up."
    )
    assert document.verified
    assert document.written == "20250102120000"


def test_a_preliminary_report_is_none(kept):
    assert read_report(kept(report(PreliminaryFlag="PRELIMINARY"))) is None


def test_a_document_without_text_is_none(kept):
    assert read_report(kept(report(section(FINDINGS, text("  \n "))))) is None


def test_an_endless_text_is_cut(kept):
    document = read_report(kept(report(section(FINDINGS, *[text("word " * 200) for _ in range(20)]))))
    assert len(document.text) == MAX_TEXT


def test_control_and_direction_characters_are_gone(kept):
    assert read_report(kept(report(text("a\x00bc\u202ed\u200be\x07")))).text == "abcde"


def test_of_several_the_verified_and_newest_counts(kept):
    old = read_report(kept(report(text("old"), name="1", written="20240101")))
    new = read_report(kept(report(text("new"), name="2", written="20250101")))
    unverified = read_report(kept(report(text("later"), name="3", written="20260101", VerificationFlag="UNVERIFIED")))
    assert latest_report([new, unverified, old]).text == "new"
    assert latest_report([unverified]).text == "later"
    assert latest_report([]) is None


def test_an_addendum_comes_with_what_it_adds_to(kept):
    first = read_report(kept(report(section(FINDINGS, text("Clear.")), name="1")))
    added = report(
        section(ADDENDUM, text("A line.")), name="2", written="20250103", predecessors=[first.sop_instance_uid]
    )
    assert latest_report([read_report(kept(added)), first]).text == "Findings: Clear.\nAddendum: A line."
    whole = report(
        section(FINDINGS, text("Clear.")), section(ADDENDUM, text("A line.")), name="2", written="20250103",
        predecessors=[first.sop_instance_uid],
    )  # fmt: skip
    assert latest_report([read_report(kept(whole)), first]).text == "Findings: Clear.\nAddendum: A line."


def deeply_nested(levels):
    node = text("deep")
    for _ in range(levels):
        node = section(FINDINGS, node)
    return node


def test_a_tree_that_is_too_deep_is_not_followed(kept):
    assert read_report(kept(report(deeply_nested(10)))).text.endswith("deep")
    assert read_report(kept(report(deeply_nested(40)))) is None


def bomb(items):
    """A sequence of empty items: eight bytes each in the file, a whole object each in memory."""
    return b"\xfe\xff\x00\xe0\x00\x00\x00\x00" * items


def test_a_document_of_a_million_items_is_not_parsed(kept, tmp_path):
    path = kept(report())
    path.write_bytes(
        path.read_bytes() + b"\x40\x00\x30\xa7SQ\x00\x00" + (800_000).to_bytes(4, "little") + bomb(100_000)
    )
    began = time.process_time()
    with pytest.raises(CannotUnderstand, match="larger or otherwise encoded"):
        read_report(path)
    assert time.process_time() - began < 2  # CPU, not the clock: parsing it takes ten times as long


def test_a_recursion_without_end_is_an_error(kept):
    path = kept(report())
    opening = b"\x40\x00\x30\xa7SQ\x00\x00\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(path.read_bytes() + opening * 4000)
    with pytest.raises(CannotUnderstand):
        read_report(path)


def test_a_deflated_object_is_not_inflated(tmp_path):
    dataset = report()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "deflated.dcm")
    for reading in (read_identity, read_report):
        with pytest.raises(CannotUnderstand):
            reading(path)


def test_what_others_write_is_read(test_data):
    folder = test_data / "dicom" / "structured_reports"
    german = read_report(folder / "adit_fuji_basic_text_sr.dcm")
    assert german.text.startswith("Befund:\nKeine Voraufnahmen")
    assert "lufgefülltem" in german.text.replace("luftgefülltem", "lufgefülltem")
    nested = read_report(folder / "test-SR.dcm")
    assert nested.verified
    assert "A mass of" in nested.text
    assert read_report(folder / "sr_document.dcm") is None  # preliminary


def test_hostile_files_end_in_one_error_or_in_text(test_data):
    paths = sorted((test_data / "malformed").rglob("*.dcm"))
    assert paths
    for path in paths:
        for reading in (read_identity, read_report):
            try:
                reading(path)
            except CannotUnderstand:
                continue


def test_every_cut_of_a_report_ends_in_one_error_or_in_text(kept):
    path = kept(report(section(FINDINGS, text("Clear.")), section(IMPRESSION, text("Normal."))))
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        for reading in (read_identity, read_report):
            try:
                reading(path)
            except CannotUnderstand:
                continue


def test_the_tree_reads_the_same_for_pydicom(kept):
    """Our reading against the library's own walk of the same file."""
    path = kept(report(section(FINDINGS, text("One.")), section(IMPRESSION, text("Two."))))
    seen: list[str] = []

    def note(_dataset: Dataset, element: pydicom.DataElement) -> None:
        if element.keyword == "TextValue":
            seen.append(element.value)

    pydicom.dcmread(io.BytesIO(path.read_bytes())).walk(note)
    assert [line.split(": ", 1)[1] for line in read_report(path).text.splitlines()] == seen
