"""One contract for every archive: what is asked for is found, what is not is left out, what is fetched is all there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import pydicom
import pytest
from pydicom.uid import BasicTextSRStorage

from app.domain.identifiers import PatientKey, derived_uid, new_id
from tests.builders.radiographs import radiograph
from tests.contract import archives

ALL = {
    "memory": archives.memory,
    "orthanc-get": partial(archives.orthanc, by="get"),
    "orthanc-move": partial(archives.orthanc, by="move"),
    "orthanc-move-async": partial(archives.orthanc, by="move", SynchronousCMove=False),
    "dcmqrscp-get": partial(archives.dcmqrscp, by="get"),
    "dcmqrscp-move": partial(archives.dcmqrscp, by="move"),
}
WITHOUT_PICTURE = {"PixelData": None, "Rows": None, "Columns": None}


@pytest.fixture(params=ALL, scope="module")
def world(request, tmp_path_factory):
    with ALL[request.param](tmp_path_factory.mktemp(request.param)) as made:
        yield made


@dataclass
class Patient:
    """A patient of one test alone, so that tests can share an archive."""

    id: str = field(default_factory=lambda: f"P{new_id()[:8]}")

    @property
    def key(self):
        return PatientKey(self.id, "HOSPITAL")

    def uid(self, *parts):
        return derived_uid(self.id, *parts)

    def study(self, name, **values):
        uids = {"StudyInstanceUID": self.uid(name), "SeriesInstanceUID": self.uid(name, "series")}
        return radiograph(**{"PatientID": self.id, **uids, "SOPInstanceUID": self.uid(name, "image"), **values})

    def report(self, name, **values):
        """A document without a picture, in a series of its own."""
        own = {"SOPInstanceUID": self.uid(name, "sr"), "SeriesInstanceUID": self.uid(name, "sr series")}
        kind = {"Modality": "SR", "SOPClassUID": BasicTextSRStorage}
        return self.study(name, **own, **kind, **WITHOUT_PICTURE, **values)


@pytest.fixture
def patient():
    return Patient()


def test_a_patients_studies_are_found_newest_first_with_what_tells_them_apart(world, patient):
    later = {"StudyDate": "20250601", "StudyTime": "101500", "StudyDescription": "Röntgen Thorax"}
    world.put(patient.study("old", StudyDate="20250101"))
    world.put(patient.study("new", **later))
    world.put(patient.report("new", **later))
    newest, oldest = world.archive.find_studies(patient.key, "20260228", "20200101")
    assert [newest.study_instance_uid, oldest.study_instance_uid] == [patient.uid("new"), patient.uid("old")]
    assert (newest.study_date, newest.study_time[:4], newest.description) == ("20250601", "1015", "Röntgen Thorax")
    assert {"DX", "SR"} <= set(newest.modalities)
    assert newest.patient.key.patient_id == patient.id
    assert (newest.patient.birth_date, newest.patient.sex) == ("19600101", "F")
    assert newest.source == world.archive.name


def test_only_this_patient_and_only_these_dates(world, patient):
    world.put(patient.study("before", StudyDate="20190101"))
    world.put(patient.study("within", StudyDate="20250101"))
    world.put(patient.study("after", StudyDate="20270101"))
    world.put(patient.study("of another", PatientID=f"{patient.id}1", StudyDate="20250101"))
    found = world.archive.find_studies(patient.key, "20260301", "20200101")
    assert [one.study_instance_uid for one in found] == [patient.uid("within")]


def test_a_patient_it_does_not_know_is_an_empty_answer(world, patient):
    assert list(world.archive.find_studies(patient.key, "20260301", "20200101")) == []


def test_a_wildcard_in_an_id_finds_nobody_else(world, patient):
    world.put(patient.study("one", StudyDate="20250101"))
    starred = PatientKey(f"{patient.id[:-2]}*", "HOSPITAL")
    assert list(world.archive.find_studies(starred, "20260301", "20200101")) == []


def test_no_study_that_names_another_issuer_is_taken(world, patient):
    world.put(patient.study("one", StudyDate="20250101", IssuerOfPatientID="ELSEWHERE"))
    found = world.archive.find_studies(patient.key, "20260301", "20200101")
    assert {one.patient.key.issuer for one in found} <= {""}


def test_images_are_fetched_whole_and_reports_apart(world, patient):
    world.put(patient.study("one"))
    world.put(patient.study("one", SOPInstanceUID=patient.uid("second image")))
    world.put(patient.report("one"))
    world.put(patient.study("two"))
    images = world.archive.retrieve(patient.uid("one"), ("CR", "DX"))
    assert {one.sop_instance_uid for one in images} == {patient.uid("one", "image"), patient.uid("second image")}
    for one in images:
        stored = pydicom.dcmread(world.store.path(one.object_key))
        assert (stored.SOPInstanceUID, stored.StudyInstanceUID) == (one.sop_instance_uid, one.study_instance_uid)
        assert (stored.SOPClassUID, stored.SeriesInstanceUID) == (one.sop_class_uid, one.series_instance_uid)
        assert stored.PixelData == radiograph().PixelData
    (report,) = world.archive.retrieve(patient.uid("one"), ("SR",))
    assert (report.sop_class_uid, report.sop_instance_uid) == (BasicTextSRStorage, patient.uid("one", "sr"))
    assert list(world.archive.retrieve(patient.uid("two"), ("SR",))) == []


def test_the_same_study_can_be_fetched_twice(world, patient):
    world.put(patient.study("one"))
    once = world.archive.retrieve(patient.uid("one"), ("DX",))
    again = world.archive.retrieve(patient.uid("one"), ("DX",))
    assert [one.sop_instance_uid for one in once] == [one.sop_instance_uid for one in again] != []


@pytest.mark.parametrize("name", ["RG3_JPLL.dcm", "RG3_J2KR.dcm", "RG3_JLSL.dcm", "RG3_RLE.dcm"])
def test_compressed_images_come_as_they_are(world, patient, name, test_data):
    if "QRSCP" in str(world.archive):
        return  # dcmqrscp takes uncompressed objects alone, unless it is told to take one compressed syntax alone
    dataset = pydicom.dcmread(test_data / "dicom" / "transfer_syntaxes" / name)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = patient.uid("one"), patient.uid("series")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = patient.uid("image")
    world.put(dataset)
    (fetched,) = world.archive.retrieve(dataset.StudyInstanceUID, ("CR",))
    stored = pydicom.dcmread(world.store.path(fetched.object_key))
    assert stored.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    assert stored.PixelData == dataset.PixelData
