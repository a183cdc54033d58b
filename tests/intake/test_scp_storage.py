"""C-STORE: what is proposed, what is negotiated, and that the bytes on disk are the bytes sent."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynetdicom import AE, _config

from app.intake.scp.contexts import STORAGE_CLASSES, TRANSFER_SYNTAXES
from tests.intake.landing import Landing, data_set_of, landing
from tests.intake.modality import (
    CR,
    DX,
    EXPLICIT,
    IMPLICIT,
    P_DATA,
    VERIFICATION,
    Modality,
    command,
    command_pdu,
    data_pdus,
    echo_ok,
    item,
    pdu,
    pdv,
    request,
    store_fields,
    user_item,
)
from tests.peers import dcmtk
from tests.peers.orthanc import Modality as Known
from tests.peers.orthanc import StartOrthanc

DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN, JPEG_LOSSLESS = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.4.70"
NOT_SERVED = (DEFLATED, "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")
PROPOSE = {  # storescu's option for a file's transfer syntax
    IMPLICIT: "-xi",
    EXPLICIT: "-xe",
    BIG_ENDIAN: "-xb",
    JPEG_LOSSLESS: "-xs",
    "1.2.840.10008.1.2.4.50": "-xy",
    "1.2.840.10008.1.2.4.51": "-xx",
    "1.2.840.10008.1.2.4.80": "-xt",
    "1.2.840.10008.1.2.4.81": "-xu",
    "1.2.840.10008.1.2.4.90": "-xv",
    "1.2.840.10008.1.2.4.91": "-xw",
    "1.2.840.10008.1.2.5": "-xr",
}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landing]:
    with landing(tmp_path_factory.mktemp("landing")) as running:
        yield running


def served_files(root: Path) -> list[tuple[Path, str, str]]:
    """(path, SOP class, transfer syntax) of the real files whose class is served."""
    found = []
    for path in sorted((root / "dicom").rglob("*.dcm")):
        meta = pydicom.filereader.read_file_meta_info(path)
        if str(meta.get("MediaStorageSOPClassUID")) in STORAGE_CLASSES and meta.TransferSyntaxUID != DEFLATED:
            found.append((path, str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)))
    return found


def test_every_transfer_syntax_is_taken_for_every_class(receiver: Landing) -> None:
    for sop_class in STORAGE_CLASSES:
        contexts = [(sop_class, (syntax,)) for syntax in TRANSFER_SYNTAXES]
        with Modality(receiver.port).associate(contexts) as peer:
            answers = [peer.contexts[2 * number + 1] for number in range(len(contexts))]
            assert answers == [(0, syntax) for syntax in TRANSFER_SYNTAXES]
            peer.release()


@pytest.mark.parametrize("syntax", NOT_SERVED)
def test_deflated_and_remote_pixels_are_refused(receiver: Landing, syntax: str) -> None:
    with Modality(receiver.port).associate([(CR, (syntax,))]) as peer:
        assert peer.contexts[1][0] == 4  # transfer syntaxes not supported, PS3.8 table 9-18


def test_the_proposers_preference_wins(receiver: Landing) -> None:
    ours_last = (DEFLATED, JPEG_LOSSLESS, IMPLICIT, EXPLICIT)
    contexts = [(CR, ours_last), (DX, (EXPLICIT, IMPLICIT)), ("1.2.840.10008.5.1.4.1.1.2", (EXPLICIT,))]
    with Modality(receiver.port).associate(contexts) as peer:
        assert peer.contexts[1] == (0, JPEG_LOSSLESS)
        assert peer.contexts[3] == (0, EXPLICIT)
        assert peer.contexts[5][0] == 3  # CT: abstract syntax not supported


def test_extended_negotiation_and_unknown_items_are_passed_over(receiver: Landing) -> None:
    identity = item(0x58, b"\x02\x01\x00\x04user\x00\x04pass")
    roles = item(0x54, b"\x00\x11" + VERIFICATION.encode() + b"\x01\x00")
    user = user_item(16384, identity, roles, item(0x53, b"\x00\x05\x00\x05"), item(0x7E, b"?"))
    with Modality(receiver.port) as peer:
        peer.say(request(user=user, extra=item(0x60, b"unknown")))
        assert peer.hear()[0] == 2
        assert peer.echo() == 0


def test_real_files_arrive_byte_for_byte(receiver: Landing, test_data: Path) -> None:
    files = served_files(test_data)
    assert len({syntax for _, _, syntax in files}) >= 10
    for number, (path, sop_class, syntax) in enumerate(files):
        data = data_set_of(path.read_bytes()) if path.read_bytes()[132:138] == b"\x02\x00\x00\x00UL" else b"\0" * 64
        with Modality(receiver.port).associate([(sop_class, (syntax,))]) as peer:
            answer = peer.store(data, sop_class=sop_class, sop_instance=f"1.2.{number}", context_id=1, size=16378)
            assert answer.status == 0, path
            peer.release()
        assert receiver.sink.data_set() == data, path
        meta = pydicom.filereader.read_file_meta_info(receiver.sink.path())
        assert (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID) == (sop_class, f"1.2.{number}")
        assert (meta.TransferSyntaxUID, meta.SourceApplicationEntityTitle) == (syntax, "MODALITY")


@pytest.mark.peer("dcmtk")
def test_storescu_files_are_what_dcmtks_own_receiver_got(receiver: Landing, test_data: Path, tmp_path: Path) -> None:
    files = [entry for entry in served_files(test_data) if entry[2] in PROPOSE]
    with dcmtk.storescp(tmp_path / "dcmtk", "+B", "-uf") as reference:
        for path, _, syntax in files:
            for folder in (tmp_path / "dcmtk").iterdir():
                folder.unlink()
            dcmtk.send(reference, path, extra=("-R", PROPOSE[syntax]))
            dcmtk.send(receiver.port, path, extra=("-R", PROPOSE[syntax]))
            (theirs,) = (tmp_path / "dcmtk").iterdir()
            assert receiver.sink.data_set() == data_set_of(theirs.read_bytes()), path


def test_pynetdicom_sends_the_file_as_it_is(
    receiver: Landing, test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_config, "STORE_SEND_CHUNKED_DATASET", True)
    path = test_data / "dicom" / "transfer_syntaxes" / "RG3_JPLL.dcm"
    entity = AE("PYNET")
    entity.add_requested_context(CR, JPEG_LOSSLESS)
    association = entity.associate("127.0.0.1", receiver.port, ae_title="UNIRG")
    assert association.is_established
    assert association.send_c_store(path).Status == 0
    association.release()
    assert receiver.sink.data_set() == data_set_of(path.read_bytes())


@pytest.mark.peer("orthanc")
def test_the_engine_is_a_move_destination(receiver: Landing, start_orthanc: StartOrthanc, test_data: Path) -> None:
    pacs = start_orthanc(Known("UNIRG", receiver.port), Known("ASKER", 104))
    path = test_data / "dicom" / "transfer_syntaxes" / "RG3_JPLL.dcm"
    pacs.upload(path)
    before = len(receiver.sink.received)
    entity = AE("ASKER")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.2.2.2")
    association = entity.associate("127.0.0.1", pacs.port, ae_title="ORTHANC")
    query = pydicom.Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID
    last = list(association.send_c_move(query, "UNIRG", "1.2.840.10008.5.1.4.1.2.2.2", msg_id=77))[-1][0]
    association.release()
    assert (last.Status, last.NumberOfCompletedSuboperations) == (0, 1)
    (received,) = [entry for entry, _ in receiver.sink.received[before:]]
    assert (received.move_originator_ae, received.move_originator_message_id) == ("ASKER", 77)
    assert (received.calling_ae, received.called_ae, received.peer_host) == ("ORTHANC", "UNIRG", "127.0.0.1")


def test_without_a_move_there_is_no_originator(receiver: Landing) -> None:
    with Modality(receiver.port).associate() as peer:
        assert peer.store(b"data").status == 0
    received, _ = receiver.sink.received[-1]
    assert (received.move_originator_ae, received.move_originator_message_id) == (None, None)


def test_the_preamble_is_zero_and_the_file_is_private(receiver: Landing) -> None:
    with Modality(receiver.port).associate() as peer:
        assert peer.store(b"MZ" + bytes(64)).status == 0
    path = receiver.sink.path()
    assert path.read_bytes()[:128] == bytes(128)
    assert path.stat().st_mode & 0o177 == 0


def test_duplicates_in_one_association_are_both_handed_over(receiver: Landing) -> None:
    before = len(receiver.sink.received)
    with Modality(receiver.port).associate() as peer:
        assert [peer.store(b"the same", sop_instance="1.2.7").status for _ in range(3)] == [0, 0, 0]
    keys = {key for _, key in receiver.sink.received[before:]}
    assert len(receiver.sink.received) == before + 3
    assert len(keys) == 1


def test_requests_sent_before_their_responses_are_served_in_turn(receiver: Landing) -> None:
    messages = b"".join(
        command_pdu(3, store_fields(CR, f"1.2.{number}", message_id=number)) + data_pdus(3, bytes([number]) * 5000)
        for number in range(1, 9)
    )
    with Modality(receiver.port).associate() as peer:
        peer.say(messages)
        answered = [peer.response() for _ in range(8)]
        peer.release()
    assert [int.from_bytes(answer.elements[0x0120], "little") for answer in answered] == list(range(1, 9))
    assert {answer.status for answer in answered} == {0}


def test_a_peer_with_tiny_pdus_gets_its_response_in_pieces(receiver: Landing) -> None:
    with Modality(receiver.port) as peer:
        peer.say(request(user=user_item(32)))
        assert peer.hear()[0] == 2
        assert peer.echo() == 0


fragmentations = st.lists(st.integers(0, 4000), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(sizes=fragmentations, together=st.lists(st.booleans(), min_size=20, max_size=20), seed=st.integers(0, 2**32))
def test_any_fragmentation_gives_the_same_bytes(
    receiver: Landing, sizes: list[int], together: list[bool], seed: int
) -> None:
    """Command set and data set cut anywhere, PDVs packed into PDUs of their own or together, sent in odd pieces."""
    data = random.Random(seed).randbytes(max(sum(sizes), 1))
    commands = command(store_fields(CR, "1.2.3.4"))
    cut = seed % len(commands)
    values = [pdv(3, commands[:cut], is_command=True, is_last=False), pdv(3, commands[cut:], is_command=True)]
    start = 0
    for size in sizes:
        values.append(pdv(3, data[start : start + size], is_command=False, is_last=False))
        start += size
    values.append(pdv(3, data[start:], is_command=False))
    stream, body = b"", b""
    for value, join in zip(values, (together * 2)[: len(values)], strict=True):
        body += value
        if not join:
            stream, body = stream + pdu(P_DATA, body), b""
    stream += pdu(P_DATA, body) if body else b""
    with Modality(receiver.port).associate() as peer:
        step = seed % 1999 + 1
        for position in range(0, len(stream), step):
            peer.say(stream[position : position + step])
        assert peer.response().status == 0
    assert receiver.sink.data_set() == data


def test_senders_in_parallel_keep_their_bytes_apart(receiver: Landing) -> None:
    before = len(receiver.sink.received)
    contents = {
        f"1.2.{sender}.{number}": bytes([sender, number]) * 40_000 for sender in range(4) for number in range(5)
    }

    def send(sender: int) -> None:
        with Modality(receiver.port).associate() as peer:
            for number in range(5):
                name = f"1.2.{sender}.{number}"
                assert peer.store(contents[name], sop_instance=name, size=9000).status == 0
            peer.release()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {
        entry.sop_instance_uid: receiver.sink.data_set(before + offset)
        for offset, (entry, _) in enumerate(receiver.sink.received[before:])
    }
    assert stored == contents


def test_nothing_stays_in_the_incoming_folder(receiver: Landing) -> None:
    receiver.wait_empty()
    assert echo_ok(receiver.port)


@pytest.mark.peer("dcmtk")
def test_echoscu_is_answered(receiver: Landing) -> None:
    assert dcmtk.echo(receiver.port)
    before = receiver.tally.counts["echoed"]
    assert dcmtk.echo(receiver.port)
    assert receiver.tally.counts["echoed"] == before + 1


def test_what_was_counted_is_what_was_sent(tmp_path: Path) -> None:
    with landing(tmp_path) as receiver:
        with Modality(receiver.port).associate() as peer:
            assert peer.store(b"12345").status == 0
            assert peer.ask(command_pdu(3, store_fields(CR, "x")) + data_pdus(3, b"123")).status == 0x0117
            peer.release()
            peer.hear_end()
        with Modality(receiver.port) as peer:
            peer.say(request(called="OTHER"))
            assert peer.rejected() == (1, 1, 7)
            peer.sock.close()
        receiver.scp.stop(5)
        assert receiver.tally.statuses == [0, 0x0117]
        assert receiver.tally.counts == {"opened": 1, "closed:released": 1, "bytes": 8, "rejected:called_ae": 1}
