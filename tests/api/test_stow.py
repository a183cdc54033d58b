"""STOW-RS: objects in over HTTP, under the laws of C-STORE."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from itertools import pairwise

import pydicom
import pytest
import requests
import sqlalchemy as sa
from dicomweb_client import DICOMwebClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from app.access import Role
from app.db.tables import Instance, QuarantinedObject, Study
from app.intake.stow_parts import Parts
from tests.builders.radiographs import radiograph

STUDIES = "/dicom-web/studies"


@pytest.fixture
def pacs(house):
    return house.machine("archive", Role.PACS)


def part10(dataset):
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def data_set(content):
    """What follows the meta group."""
    return content[144 + int.from_bytes(content[140:144], "little") :]


def body(*contents, boundary="edge", end="--"):
    parts = [f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode() + one + b"\r\n" for one in contents]
    return b"".join(parts) + (f"--{boundary}{end}\r\n".encode() if end else b"")


def post(client, *contents, to=STUDIES, kind='multipart/related; type="application/dicom"; boundary=edge', **options):
    return client.post(to, content=body(*contents, **options), headers={"Content-Type": kind})


def rows(house, table):
    with house.database.reading() as session:
        return session.scalars(sa.select(table)).all()


def failures(answer):
    return [one["00081197"]["Value"][0] for one in answer.json().get("00081198", {"Value": []})["Value"]]


def stored(answer):
    return [one["00081155"]["Value"][0] for one in answer.json().get("00081199", {"Value": []})["Value"]]


def leftovers(house):
    return list(house.store.incoming_dir.iterdir())


def test_a_foreign_client_stores_two_studies_and_reads_them_back(house, pacs, address):
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = pacs.headers["Authorization"]
    client = DICOMwebClient(f"{address}/dicom-web", session=session)
    films = [pydicom.dcmread(io.BytesIO(part10(radiograph()))) for _ in range(2)]
    told = client.store_instances(films)
    assert [one.ReferencedSOPInstanceUID for one in told.ReferencedSOPSequence] == [f.SOPInstanceUID for f in films]
    assert [client.retrieve_study(film.StudyInstanceUID) for film in films] == [[film] for film in films]


def test_what_is_stored_is_what_was_sent(house, pacs):
    content = part10(radiograph())
    assert post(pacs, content).status_code == 200
    [image], [study] = rows(house, Instance), rows(house, Study)
    assert data_set(house.store.path(image.object_key).read_bytes()) == data_set(content)
    assert (image.size, image.study_id) == (len(data_set(content)), study.id)
    assert [entry.actor for entry in house.audited("instance.stored")] == ["user:archive"]
    assert leftovers(house) == []


def test_the_same_object_again_is_no_new_work_and_another_is_kept_aside(house, pacs):
    film = radiograph()
    post(pacs, part10(film))
    assert post(pacs, part10(film)).status_code == 200
    assert rows(house, QuarantinedObject) == []
    film.ViewPosition = "AP"
    assert post(pacs, part10(film)).status_code == 200
    assert len(rows(house, Instance)) == len(rows(house, QuarantinedObject)) == 1


def test_some_stored_is_accepted_and_says_which(house, pacs):
    good = radiograph()
    answer = post(pacs, b"no object at all", part10(good), part10(radiograph(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")))
    assert answer.status_code == 202
    assert stored(answer) == [good.SOPInstanceUID]
    assert failures(answer) == [0xC000, 0x0122]
    assert leftovers(house) == []


def unserved():
    film = radiograph(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID
    return part10(film)


def deflated():
    film = radiograph()
    film.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    return part10(film)


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (lambda: b"", 0xC000),
        (lambda: bytes(200), 0xC000),
        (lambda: part10(radiograph())[:400], 0xC000),
        (lambda: part10(radiograph())[:132] + bytes(300), 0xC000),
        (unserved, 0x0122),
        (deflated, 0xC122),
    ],
)
def test_what_cannot_be_filed_is_refused_with_its_reason(house, pacs, content, failure):
    answer = post(pacs, content())
    assert (answer.status_code, failures(answer)) == (409, [failure])
    assert rows(house, Study) == []
    assert leftovers(house) == []


def test_an_object_that_is_not_what_its_meta_group_says_is_kept_aside(house, pacs):
    film = part10(radiograph())
    uid = film.index(b"2.25.")
    forged = film[:uid] + b"9.99." + film[uid + 5 :]
    answer = post(pacs, forged)
    assert (answer.status_code, failures(answer)) == (409, [0xA900])
    assert len(rows(house, QuarantinedObject)) == 1


def test_an_object_of_another_study_than_the_address_is_refused(house, pacs):
    film = radiograph()
    there = post(pacs, part10(film), to=f"{STUDIES}/{film.StudyInstanceUID}")
    assert there.status_code == 200
    assert there.json()["00081190"]["Value"] == [f"http://testserver{STUDIES}/{film.StudyInstanceUID}"]
    elsewhere = post(pacs, part10(radiograph()), to=f"{STUDIES}/{film.StudyInstanceUID}")
    assert (elsewhere.status_code, failures(elsewhere)) == (409, [0xA900])
    assert len(rows(house, Instance)) == 1


def test_a_full_store_says_come_again(house, pacs):
    stow = house.app.state.stow
    house.app.state.stow = replace(stow, sink=replace(stow.sink, min_free_ratio=1.1))
    answer = post(pacs, part10(radiograph()))
    assert (answer.status_code, failures(answer)) == (503, [0xA700])


def test_an_object_above_the_limit_is_dropped_and_the_next_one_stored(house, pacs):
    house.app.state.stow = replace(house.app.state.stow, most=10_000)
    small = radiograph(Rows=8, Columns=8, PixelData=bytes(128))
    answer = post(pacs, part10(radiograph(PixelData=bytes(20_000))), part10(small))
    assert (answer.status_code, failures(answer), stored(answer)) == (202, [0xA700], [small.SOPInstanceUID])


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/dicom", 415),
        ("application/json", 415),
        ('multipart/form-data; boundary="edge"', 415),
        ('multipart/related; type="application/dicom+json"; boundary=edge', 415),
        ('multipart/related; type="application/dicom"', 400),
        (f'multipart/related; type="application/dicom"; boundary={"e" * 300}', 400),
        ('multipart/related; boundary="edge"; type=application/dicom', 200),
    ],
)
def test_the_content_type_must_be_that_of_stow(pacs, kind, status):
    assert post(pacs, part10(radiograph()), kind=kind).status_code == status


def test_a_body_that_breaks_off_keeps_what_was_whole(house, pacs):
    answer = post(pacs, part10(radiograph()), part10(radiograph())[:5000], end="")
    assert answer.status_code == 400
    assert "send the rest" in answer.json()["detail"]
    assert len(rows(house, Instance)) == 1
    assert leftovers(house) == []


@pytest.mark.parametrize("content", [b"", b"--edge--\r\n", b"rubbish", b"--other\r\n\r\nx\r\n--other--\r\n"])
def test_a_body_without_objects_is_refused(pacs, content):
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=edge'}
    assert pacs.post(STUDIES, content=content, headers=headers).status_code == 400


def test_who_only_reads_may_not_store(house):
    for role in (Role.RADIOLOGIST, Role.VIEWER, Role.ADMIN):
        assert post(house.reader(f"reader-{role}", role), part10(radiograph())).status_code == 403


def test_orthanc_stores_here_finds_it_and_fetches_it_back(house, pacs, address, start_orthanc):
    token = {"Authorization": pacs.headers["Authorization"]}
    ours = {"Url": f"{address}/dicom-web/", "HttpHeaders": token}
    orthanc = start_orthanc(DicomWeb={"Enable": True, "Root": "/dicom-web/", "Servers": {"unirg": ours}})
    content = part10(radiograph(PatientName="Müller^Eva"))
    film = pydicom.dcmread(io.BytesIO(content))
    resource = orthanc.upload(content)
    told = orthanc.http.post("/dicom-web/servers/unirg/stow", json={"Resources": [resource], "Synchronous": True})
    assert told.is_success, told.text
    [image] = rows(house, Instance)
    assert data_set(house.store.path(image.object_key).read_bytes()) == data_set(content)
    name, kind = {"PatientName": "Müll*"}, {"Accept": "application/dicom+json"}
    query = {"Uri": "/studies", "Arguments": name, "HttpHeaders": kind}
    [study] = orthanc.http.post("/dicom-web/servers/unirg/get", json=query).json()
    assert study["0020000D"]["Value"] == [film.StudyInstanceUID]
    orthanc.http.delete(f"/instances/{resource}")
    wanted = {"Resources": [{"Study": film.StudyInstanceUID}], "Synchronous": True}
    fetched = orthanc.http.post("/dicom-web/servers/unirg/retrieve", json=wanted)
    assert fetched.is_success, fetched.text
    assert [one["ID"] for one in orthanc.instances()] == [resource]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cuts=st.lists(st.integers(0, 15_000), max_size=12))
def test_any_cut_of_the_body_gives_the_same_objects(tmp_path, cuts):
    film = part10(radiograph())
    whole = body(film, film)
    found = []

    def done(part):
        found.append(data_set(film) == data_set(part.file.path.read_bytes()))
        part.file.discard()

    parts = Parts("edge", tmp_path, 1 << 20, done)
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for start, end in pairwise(edges):
        parts.write(whole[start:end])
    parts.finish()
    assert found == [True, True]


def test_several_at_once(house, pacs, address):
    films = [radiograph() for _ in range(12)]
    headers = {
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=edge',
        "Authorization": pacs.headers["Authorization"],
    }
    answers = []

    def send(film):
        answers.append(requests.post(f"{address}{STUDIES}", data=body(part10(film)), headers=headers, timeout=60))

    threads = [threading.Thread(target=send, args=(film,)) for film in films]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * len(films)
    assert {image.sop_instance_uid for image in rows(house, Instance)} == {film.SOPInstanceUID for film in films}
    assert Dataset.from_json(answers[0].json()).ReferencedSOPSequence
