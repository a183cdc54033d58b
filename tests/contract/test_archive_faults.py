"""An archive that is slow, refuses, breaks off, lies or delivers a part is no patient without priors."""

from __future__ import annotations

import pickle
import struct
import threading
import time

import pytest
from pydicom.dataset import Dataset
from pynetdicom import status as statuses

from app.db import migrations
from app.db.move_inbox import MoveInbox
from app.db.session import Database
from app.domain.identifiers import PatientKey, derived_uid
from app.errors import ArchiveIncomplete, ArchiveUnavailable, ConfigError, StorageUnavailable
from app.gateways import archive_find
from app.gateways.archive_dimse import DimseArchive
from app.gateways.clock import SystemClock
from app.gateways.dimse_peer import DimsePeer, Patience
from app.gateways.dimse_status import PENDING, SUCCESS, refusal
from app.gateways.object_store import LocalObjectStore
from tests.builders.radiographs import radiograph
from tests.contract.archives import OUR_AE, receiver
from tests.contract.faulty_archive import AE_TITLE, FIND, Faulty, count, faulty, final, socket_that, unreadable
from tests.peers.process import free_port, wait_until

CALM = Patience(connect=10, answer=20, total=60)  # where the fault shows at once, however busy the machine
HURRY = Patience(connect=3, answer=3, total=7)
PATIENT = PatientKey("P-1", "HOSPITAL")
STUDY, SERIES = derived_uid("study"), derived_uid("series")


def archive_at(port, tmp_path, patience=CALM, host="127.0.0.1", by="get", inbox=None):
    peer = DimsePeer("pacs", AE_TITLE, host, port, OUR_AE, patience)
    return DimseArchive(peer, LocalObjectStore(tmp_path / "store"), by, inbox)


def image(number=1, **values):
    uids = {"StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES, "SOPInstanceUID": derived_uid("i", str(number))}
    return radiograph(**{**uids, **values})


def match(number=1, **values):
    found = Dataset()
    found.QueryRetrieveLevel = "STUDY"
    found.PatientID, found.StudyDate, found.StudyInstanceUID = "P-1", "20250101", derived_uid("s", str(number))
    found.ModalitiesInStudy = "CT"
    for keyword, value in values.items():
        setattr(found, keyword, value)
    return found


def find(port, tmp_path, **how):
    return archive_at(port, tmp_path, **how).find_studies(PATIENT, "20260301", "20200101")


def fails_to_find(port, tmp_path, says, **how):
    with pytest.raises(ArchiveUnavailable, match=says) as caught:
        find(port, tmp_path, **how)
    assert "P-1" not in caught.value.message
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_nobody_listens(tmp_path):
    fails_to_find(free_port(), tmp_path, "no connection; check host, port")


def test_its_host_has_no_address(tmp_path):
    fails_to_find(104, tmp_path, "its host was not found", host="nowhere.invalid")


def test_it_refuses_the_association(tmp_path):
    with faulty(Faulty(rejects=True)) as port:
        fails_to_find(port, tmp_path, "Calling AE title not recognised.*knows ours")


def test_it_offers_no_queries(tmp_path):
    with faulty(Faulty(offers=("1.2.840.10008.1.1",))) as port:
        fails_to_find(port, tmp_path, "offers none of the services")


def silence(connection):
    while connection.recv(4096):
        pass


def closing(connection):
    connection.recv(4096)
    connection.close()


def sending(data):
    def talk(connection):
        connection.recv(4096)
        connection.sendall(data)
        silence(connection)

    return talk


def trickling(connection):
    """A header that promises an acceptance, then a byte now and then: no single wait is long."""
    connection.recv(4096)
    connection.sendall(struct.pack(">BBL", 2, 0, 2000))
    while True:
        connection.sendall(b"\0")
        time.sleep(0.2)


TALKS = {
    "silence": silence,
    "closing": closing,
    "no DICOM": sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "an unknown PDU": sending(struct.pack(">BBL", 9, 0, 4) + b"1234"),
    "a PDU of 4 GB": sending(struct.pack(">BBL", 2, 0, 0xFFFFFFFF)),
    "half a PDU": sending(struct.pack(">BBL", 2, 0, 200) + b"\0" * 100),
    "an empty acceptance": sending(struct.pack(">BBL", 2, 0, 68) + b"\0\1" + b"\0" * 66),
    "data before acceptance": sending(struct.pack(">BBL", 4, 0, 12) + struct.pack(">LBB", 8, 1, 3) + b"\0" * 6),
    "a trickle": trickling,
}


@pytest.mark.parametrize("talk", TALKS)
def test_what_listens_is_no_archive(talk, tmp_path):
    with socket_that(TALKS[talk]) as port:
        says = "it did not answer our association request|is malformed|offers none of"
        fails_to_find(port, tmp_path, says, patience=HURRY)


REFUSALS = {code for code in statuses.QR_FIND_SERVICE_CLASS_STATUS if code not in PENDING | {SUCCESS}}
SAMPLE = sorted(code for code in REFUSALS if not 0xC001 <= code <= 0xCFFE)


@pytest.mark.parametrize("code", [*SAMPLE, 0x1234, 0xFF02], ids=hex)
def test_a_query_that_ends_without_success_is_no_answer(code, tmp_path):
    with faulty(Faulty(listed=[match()], find_status=code)) as port:
        fails_to_find(port, tmp_path, f"a query for studies with status 0x{code:04X}")


def test_every_status_of_the_library_is_put_into_words():
    tables = (statuses.QR_FIND_SERVICE_CLASS_STATUS, statuses.QR_GET_SERVICE_CLASS_STATUS)
    moves = statuses.QR_MOVE_SERVICE_CLASS_STATUS
    for code in {code for table in (*tables, moves) for code in table}:
        assert f"0x{code:04X} (" in refusal(code, "it")
        assert ";" in refusal(code, "it", moving=True)


def test_it_is_slow(tmp_path):
    with faulty(Faulty(listed=[match()], pause=6)) as port:
        fails_to_find(port, tmp_path, "no usable answer to a query for studies within 3 s", patience=HURRY)


def test_it_keeps_answering_for_ever(tmp_path):
    with faulty(Faulty(listed=[match()], endless=True, pause=0.3)) as port:
        fails_to_find(port, tmp_path, "not done within 7 s", patience=HURRY)


def test_it_breaks_off_midway(tmp_path):
    with faulty(Faulty(listed=[match(1), match(2)], abort_after=1)) as port:
        fails_to_find(port, tmp_path, "broke off the association during a query for studies")


def test_it_sends_matches_that_nobody_can_read(tmp_path):
    with faulty(Faulty(listed=[match()], change=unreadable)) as port:
        fails_to_find(port, tmp_path, "unreadable match|fault of the protocol")


def test_it_ignores_the_keys_and_matches_everything(tmp_path):
    others = [match(n, PatientID=f"P-1{n}") for n in range(5)]
    elsewhere = [match(6, IssuerOfPatientID="ELSEWHERE"), match(7, StudyDate="20120101")]
    with faulty(Faulty(listed=[*others, *elsewhere, match(8), match(8)])) as port:
        (found,) = find(port, tmp_path)
    assert found.study_instance_uid == derived_uid("s", "8")


def test_it_matches_without_end(tmp_path):
    with faulty(Faulty(listed=[match()], endless=True)) as port:
        fails_to_find(port, tmp_path, "over 5000 matches; it seems to ignore our keys", patience=CALM)


def test_no_other_thread_takes_an_answer(tmp_path):
    """pynetdicom's own would, now and then, on a busy machine: the request then waits for its time limit in vain."""
    with faulty(Faulty()) as port:
        peer = archive_at(port, tmp_path).peer
        with peer.association([archive_find.find_context()], ArchiveUnavailable) as call:
            answers = call.association.dimse.msg_queue
            answers.put((1, "an answer"))
            time.sleep(0.1)
            assert answers.get_nowait() == (1, "an answer")


def test_nothing_is_left_behind(tmp_path):
    """Neither a thread nor a socket, whatever the ending: a worker lives for weeks."""
    before = set(threading.enumerate())
    with faulty(Faulty(listed=[match(1), match(2)], abort_after=1)) as aborts, socket_that(silence) as silent:
        for port in (aborts, silent, free_port()):
            with pytest.raises(ArchiveUnavailable):
                find(port, tmp_path, patience=HURRY)
    wait_until(
        lambda: not [one for one in set(threading.enumerate()) - before if ours(one)], "the end of our threads", 10
    )


def ours(thread):
    return "Requestor" in thread.name or "DUL" in repr(thread)


def test_a_query_for_nobody_is_not_sent(tmp_path):
    with pytest.raises(ArchiveUnavailable, match="without a patient ID"):
        archive_at(free_port(), tmp_path).find_studies(PatientKey(""), "20260301", "20200101")


def fetch(how, tmp_path):
    with faulty(how) as port:
        return archive_at(port, tmp_path, HURRY if how.pause else CALM).retrieve(STUDY, ("DX",))


def both(one, other):
    def change(answer):
        one(answer)
        other(answer)

    return change


def two():
    return [image(1), image(2)]


@pytest.mark.parametrize(
    ("how", "kind", "says"),
    [
        (Faulty(two(), offers=(FIND,)), ArchiveUnavailable, 'no C-GET.*retrieve = "move"'),
        (Faulty(two(), retrieve_status=0xA701), ArchiveUnavailable, "0xA701"),
        (Faulty(two(), retrieve_status=0xA702), ArchiveUnavailable, "0xA702 .*allow it to send us"),
        (Faulty(two(), retrieve_status=0xC000), ArchiveUnavailable, "0xC000"),
        (Faulty(two(), retrieve_status=0xFE00), ArchiveUnavailable, "0xFE00"),
        (Faulty(two(), change=final(0x0124)), ArchiveUnavailable, "not authorised"),
        (Faulty(two(), change=final(0x4242)), ArchiveUnavailable, "unknown status"),
        (Faulty(two(), abort_after=1), ArchiveUnavailable, "broke off the association during a retrieval"),
        (Faulty(two(), pause=6), ArchiveUnavailable, "no usable answer to a retrieval"),
        (Faulty(two(), deliver=1, change=count(Completed=2)), ArchiveIncomplete, "announced 2 .* 1 arrived"),
        (Faulty(two(), deliver=0), ArchiveIncomplete, "announced 1 .* 0 arrived"),
        (Faulty(two(), change=count(Failed=1)), ArchiveIncomplete, "could not deliver 1"),
        (Faulty(two(), change=count(Remaining=1)), ArchiveIncomplete, "could not deliver 1"),
        (Faulty(two(), change=both(count(Failed=None), final(0xB000))), ArchiveIncomplete, "could not deliver 1"),
        (Faulty([image(1), image(2, StudyInstanceUID="1.2.3")]), ArchiveIncomplete, "could not deliver 1"),
        (Faulty([image(1), image(2, SeriesInstanceUID="")]), ArchiveIncomplete, "could not deliver 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_retrieval_that_is_not_whole_is_no_retrieval(how, kind, says, tmp_path):
    with pytest.raises(kind, match=says):
        fetch(how, tmp_path)


def test_warnings_about_objects_that_all_came_are_no_failure(tmp_path):
    assert len(fetch(Faulty(two(), change=both(count(Completed=1, Warning=1), final(0xB000))), tmp_path)) == 2


def test_a_retrieval_that_tells_no_numbers_counts_what_came(tmp_path):
    silent = count(Completed=None, Failed=None, Warning=None, Remaining=None)
    assert len(fetch(Faulty(two(), change=silent), tmp_path)) == 2


def test_a_full_disk_of_ours_is_not_the_archives_fault(tmp_path):
    class Full(LocalObjectStore):
        def put_bytes(self, data):  # noqa: ARG002  as the port has it
            raise StorageUnavailable("The object store is full; free space.")

    with faulty(Faulty(two())) as port:
        peer = DimsePeer("pacs", AE_TITLE, "127.0.0.1", port, OUR_AE, CALM)
        with pytest.raises(StorageUnavailable):
            DimseArchive(peer, Full(tmp_path / "store")).retrieve(STUDY, ("DX",))


def test_more_than_the_agreed_bytes_are_not_taken(tmp_path):
    with faulty(Faulty(two())) as port:
        peer = DimsePeer("pacs", AE_TITLE, "127.0.0.1", port, OUR_AE, CALM, max_bytes=6000)
        with pytest.raises(ArchiveUnavailable, match=r"broke off|no usable answer"):
            DimseArchive(peer, LocalObjectStore(tmp_path / "store")).retrieve(STUDY, ("DX",))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (Faulty(two(), offers=(FIND,)), 'no C-MOVE.*retrieve = "get"'),
        (Faulty(two()), "0xA801 .*register our AE title, host and port"),
        (Faulty(two(), change=final(0xC000)), "0xC000 .*unknown move destination.*register"),
    ],
)
def test_a_move_that_does_not_come_about(how, says, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    with faulty(how) as port, pytest.raises(ArchiveUnavailable, match=says):
        inbox = MoveInbox(database, SystemClock())
        archive_at(port, tmp_path, by="move", inbox=inbox).retrieve(STUDY, ("DX",))


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({"deliver": 1, "change": count(Completed=2)}, "announced 2 .* 1 arrived"),
        ({"deliver": 0, "change": count(Completed=2)}, "announced 2 .* 0 arrived"),
        ({"change": count(Failed=1)}, "could not deliver 1"),
    ],
)
def test_a_move_counts_what_our_receiver_filed(lie, says, tmp_path):
    store = LocalObjectStore(tmp_path / "store")
    with receiver(tmp_path, store) as ours, faulty(Faulty(two(), move_to=(OUR_AE, ours.port), **lie)) as port:
        archive = archive_at(port, tmp_path, HURRY, by="move", inbox=ours.inbox)
        with pytest.raises(ArchiveIncomplete, match=says):
            archive.retrieve(STUDY, ("DX",))


def test_a_move_without_numbers_waits_for_what_was_listed(tmp_path):
    store = LocalObjectStore(tmp_path / "store")
    quiet = count(Completed=None, Failed=None, Warning=None, Remaining=None)
    how = Faulty(two(), change=quiet)
    with receiver(tmp_path, store) as ours, faulty(how) as port:
        how.move_to = (OUR_AE, ours.port)
        fetched = archive_at(port, tmp_path, by="move", inbox=ours.inbox).retrieve(STUDY, ("DX",))
    assert len(fetched) == 2


def test_a_move_needs_our_receiver(tmp_path):
    with pytest.raises(ConfigError, match="needs our receiver"):
        archive_at(104, tmp_path, by="move")
