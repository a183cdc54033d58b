"""Wrong requests get the right DIMSE status, wrong protocol gets an abort; neither leaves a file or a dead thread."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.domain.intake import ReceivedInstance
from app.errors import CannotUnderstand, ConfigError, ObjectMismatch, ServiceError, StorageUnavailable
from app.intake.scp import Deadlines
from tests.intake.landing import Landing, ReceiverProcess, landing
from tests.intake.modality import (
    ASSOCIATE_RQ,
    CR,
    DX,
    P_DATA,
    RELEASE_RQ,
    VERIFICATION,
    Modality,
    command,
    command_pdu,
    data_pdus,
    echo_fields,
    echo_ok,
    element,
    item,
    pdu,
    pdv,
    request,
    short,
    store_fields,
    uid,
)

CAP = 1 << 20
STORE = store_fields(CR, "1.2.3")
DATA = data_pdus(3, b"\x08\x00\x05\x00CS\x00\x00")
USER, PROVIDER = 0, 2
UNRECOGNISED, UNEXPECTED, INVALID = 1, 2, 6


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Landing]:
    with landing(tmp_path_factory.mktemp("landing"), max_object_bytes=CAP) as running:
        yield running


def without(number: int) -> dict[int, bytes]:
    return {key: value for key, value in STORE.items() if key != number}


STATUSES = {
    "another class than negotiated": (STORE | {0x0002: uid(DX)}, True, 0x0122),
    "class missing": (without(0x0002), True, 0x0122),
    "class empty": (STORE | {0x0002: b""}, True, 0x0122),
    "class of 80 characters": (STORE | {0x0002: b"1." * 40}, True, 0x0122),
    "instance missing": (without(0x1000), True, 0x0117),
    "instance empty": (STORE | {0x1000: b""}, True, 0x0117),
    "instance too long": (STORE | {0x1000: b"1." * 32 + b"12"}, True, 0x0117),
    "instance with letters": (STORE | {0x1000: b"1.2.x\0"}, True, 0x0117),
    "instance with an empty component": (STORE | {0x1000: b"1..2"}, True, 0x0117),
    "instance ends with a dot": (STORE | {0x1000: b"1.2.3."}, True, 0x0117),
    "path traversal": (STORE | {0x1000: b"../../etc/passwd"}, True, 0x0117),
    "path traversal, Windows": (STORE | {0x1000: b"..\\..\\x "}, True, 0x0117),
    "NUL inside": (STORE | {0x1000: b"1.2\x00/../.3"}, True, 0x0117),
    "device name": (STORE | {0x1000: b"CON "}, True, 0x0117),
    "percent": (STORE | {0x1000: b"%2e%2e%2f "}, True, 0x0117),
    "not ASCII": (STORE | {0x1000: "1.2.é".encode()}, True, 0x0117),
    "no data set announced": (STORE | {0x0800: short(0x0101)}, False, 0x0212),
    "data set empty": (STORE, b"", 0xC000),
    "C-FIND": (STORE | {0x0100: short(0x0020)}, True, 0x0211),
    "C-MOVE": (STORE | {0x0100: short(0x0021)}, True, 0x0211),
    "N-ACTION without a data set": (STORE | {0x0100: short(0x0130), 0x0800: short(0x0101)}, False, 0x0211),
    "leading zeros, as some modalities write them": (STORE | {0x1000: b"1.02.003"}, True, 0x0000),
    "padded with a space": (STORE | {0x1000: b"1.2.3 "}, True, 0x0000),
    "originator that is no AE title": (STORE | {0x1030: b"\xff" * 16, 0x1031: short(9)}, True, 0x0000),
    "unknown elements": (STORE | {0x5010: b"xx"}, True, 0x0000),
}


@pytest.mark.parametrize("case", STATUSES)
def test_wrong_request_is_answered_and_the_association_goes_on(receiver: Landing, case: str) -> None:
    fields, data, status = STATUSES[case]
    message = command_pdu(3, fields) + (DATA if data is True else data_pdus(3, data) if data == b"" else b"")
    with Modality(receiver.port).associate() as peer:
        answer = peer.ask(message)
        assert answer.status == status, answer.comment
        assert answer.elements[0x0120] == short(1)
        assert answer.elements[0x0100] == short(int.from_bytes(fields[0x0100], "little") | 0x8000)
        assert (answer.comment == "") == (status == 0)
        assert peer.echo() == 0
        peer.release()
    receiver.wait_empty()


def test_an_object_without_a_usable_name_is_handed_over_nameless(receiver: Landing) -> None:
    with Modality(receiver.port).associate() as peer:
        assert peer.store(b"data", sop_instance="../../etc/passwd").status == 0x0117
    received, _ = receiver.sink.received[-1]
    assert (received.sop_instance_uid, receiver.sink.data_set()) == ("", b"data")


def test_echo_belongs_to_verification(receiver: Landing) -> None:
    with Modality(receiver.port).associate() as peer:
        assert peer.ask(command_pdu(3, echo_fields())).status == 0x0122
        assert peer.ask(command_pdu(1, echo_fields() | {0x0002: uid(CR)})).status == 0x0122
        assert peer.ask(command_pdu(1, STORE) + data_pdus(1, b"x")).status == 0x0122
        assert peer.ask(command_pdu(1, STORE | {0x0002: uid(VERIFICATION)}) + data_pdus(1, b"x")).status == 0x0122
        assert peer.ask(command_pdu(1, echo_fields() | {0x0800: short(1)}) + data_pdus(1, b"x")).status == 0x0212
        assert peer.echo() == 0


def test_cancel_is_passed_over(receiver: Landing) -> None:
    cancel = {0x0100: short(0x0FFF), 0x0120: short(1), 0x0800: short(0x0101)}
    with Modality(receiver.port).associate() as peer:
        peer.say(command_pdu(3, cancel))
        assert peer.echo() == 0


ABORTS: dict[str, tuple[bytes, int, int]] = {
    "data set before any command": (DATA, USER, 0),
    "data set in another context": (command_pdu(3, STORE) + data_pdus(5, b"x"), USER, 0),
    "command inside a data set": (command_pdu(3, STORE) + command_pdu(3, STORE), USER, 0),
    "context never proposed": (command_pdu(77, STORE), PROVIDER, INVALID),
    "a response": (command_pdu(3, STORE | {0x0100: short(0x8001)}), USER, 0),
    "command field missing": (command_pdu(3, without(0x0100)), USER, 0),
    "message id missing": (command_pdu(3, without(0x0110)), USER, 0),
    "data set type missing": (command_pdu(3, without(0x0800)), USER, 0),
    "number of four bytes": (command_pdu(3, STORE | {0x0110: bytes(4)}), USER, 0),
    "element twice": (pdu(P_DATA, pdv(3, command(STORE) + element(0x1000, b"1.2 "), is_command=True)), USER, 0),
    "element longer than the set": (
        pdu(P_DATA, pdv(3, command(STORE) + struct.pack("<HHL", 0, 0x5000, 1 << 30), is_command=True)),
        USER,
        0,
    ),
    "set ends inside an element": (pdu(P_DATA, pdv(3, command(STORE)[:-20] + b"\0\0\0", is_command=True)), USER, 0),
    "another group": (pdu(P_DATA, pdv(3, struct.pack("<HHL", 8, 5, 0), is_command=True)), USER, 0),
    "empty command set": (pdu(P_DATA, pdv(3, b"", is_command=True)), USER, 0),
    "command set of 64 KiB": (pdu(P_DATA, pdv(3, command({0x5000: bytes(65536)}), is_command=True)), USER, 0),
    "command set that never ends": (
        pdu(P_DATA, pdv(3, bytes(4096), is_command=True, is_last=False)) * 6,
        USER,
        0,
    ),
    "release inside a message": (command_pdu(3, STORE) + pdu(RELEASE_RQ, bytes(4)), PROVIDER, UNEXPECTED),
    "P-DATA longer than agreed": (struct.pack(">BxL", P_DATA, 131072 + 1000), PROVIDER, INVALID),
    "P-DATA of 4 GiB": (struct.pack(">BxL", P_DATA, 0xFFFFFFFF), PROVIDER, INVALID),
    "P-DATA without a PDV": (pdu(P_DATA, b""), PROVIDER, INVALID),
    "P-DATA with half a PDV header": (pdu(P_DATA, b"\0\0\0"), PROVIDER, INVALID),
    "half a PDV header behind a PDV": (pdu(P_DATA, pdv(3, b"", is_command=True, is_last=False) + b"\0\0\0\1"), 2, 6),
    "PDV longer than its PDU": (pdu(P_DATA, struct.pack(">LBB", 1000, 3, 3) + bytes(4)), PROVIDER, INVALID),
    "PDV of length 1": (pdu(P_DATA, struct.pack(">LBB", 1, 3, 3)), PROVIDER, INVALID),
    "PDV of 4 GiB": (pdu(P_DATA, struct.pack(">LBB", 0xFFFFFFFF, 3, 3)), PROVIDER, INVALID),
    "second A-ASSOCIATE-RQ": (request(), PROVIDER, UNEXPECTED),
    "A-ASSOCIATE-AC from a requestor": (pdu(2, bytes(68)), PROVIDER, UNEXPECTED),
    "release response to nothing": (pdu(6, bytes(4)), PROVIDER, UNEXPECTED),
    "release of 4 GiB": (struct.pack(">BxL", RELEASE_RQ, 0xFFFFFFFF), PROVIDER, INVALID),
    "unknown PDU type": (pdu(0x42, bytes(4)), PROVIDER, UNRECOGNISED),
    "data set over the cap": (command_pdu(3, STORE) + data_pdus(3, bytes(CAP + 1)), USER, 0),
}


@pytest.mark.parametrize("case", ABORTS)
def test_wrong_protocol_is_aborted_and_leaves_nothing(receiver: Landing, case: str) -> None:
    message, source, reason = ABORTS[case]
    before = len(receiver.sink.received)
    with Modality(receiver.port).associate() as peer:
        peer.say(message)
        assert peer.aborted() == (source, reason)
        peer.hear_end()
    receiver.wait_empty()
    assert len(receiver.sink.received) == before
    assert echo_ok(receiver.port)


BEFORE: dict[str, tuple[bytes, int]] = {
    "HTTP": (b"GET / HTTP/1.1\r\nHost: unirg\r\n\r\n", UNRECOGNISED),
    "P-DATA first": (pdu(P_DATA, bytes(10)), UNEXPECTED),
    "release first": (pdu(RELEASE_RQ, bytes(4)), UNEXPECTED),
    "request of 4 GiB": (struct.pack(">BxL", ASSOCIATE_RQ, 0xFFFFFFFF), INVALID),
    "request of 10 bytes": (pdu(ASSOCIATE_RQ, bytes(10)), INVALID),
    "no items": (pdu(ASSOCIATE_RQ, request()[6:74]), INVALID),
    "AE title of control characters": (request(calling="\r\nEVIL"), INVALID),
    "AE title empty": (request(calling=""), INVALID),
    "item longer than the PDU": (request(extra=b"\x20\x00\xff\xff"), INVALID),
    "half an item": (request(extra=b"\x20\x00"), INVALID),
    "no presentation context": (request(()), INVALID),
    "129 presentation contexts": (request([(CR, ("1.2",))] * 128, extra=request()[-90:-60]), INVALID),
    "100 transfer syntaxes in one context": (request([(CR, tuple(f"1.2.{n}" for n in range(100)))]), INVALID),
    "no transfer syntax": (request([(CR, ())]), INVALID),
    "user information twice": (request(extra=request()[request().index(b"\x50\x00") :]), INVALID),
    "no application context": (request().replace(b"\x10\x00\x00\x15", b"\x11\x00\x00\x15"), INVALID),
}


@pytest.mark.parametrize("case", BEFORE)
def test_what_is_no_association_request_is_aborted(receiver: Landing, case: str) -> None:
    message, reason = BEFORE[case]
    with Modality(receiver.port) as peer:
        peer.say(message)
        assert peer.aborted() == (PROVIDER, reason)
        peer.hear_end()
    assert echo_ok(receiver.port)


def test_a_syntax_that_is_no_uid_costs_only_its_context(receiver: Landing) -> None:
    odd = [
        ("1.2.abc", ("1.2",)),
        ("1." * 35, ("1.2",)),
        (CR, ("1.02.", "x", "é")),
        ("", ("",)),
        (VERIFICATION, ("1.2.840.10008.1.2",)),
    ]
    with Modality(receiver.port).associate(odd) as peer:
        assert [peer.contexts[2 * number + 1][0] for number in range(5)] == [3, 3, 4, 3, 0]
        assert peer.echo(context_id=9) == 0


def test_same_context_identifier_twice_is_aborted(receiver: Landing) -> None:
    valid = request([(CR, ("1.2",)), (DX, ("1.2",))])
    second = valid.index(item(0x30, DX.encode())) - 4
    assert valid[second] == 3
    with Modality(receiver.port) as peer:
        peer.say(valid[:second] + b"\x01" + valid[second + 1 :])
        assert peer.aborted() == (PROVIDER, INVALID)


def leave_by_abort(peer: Modality) -> None:
    peer.say(pdu(7, bytes(4)))


def leave_by_close(peer: Modality) -> None:
    peer.sock.close()


def leave_by_reset(peer: Modality) -> None:
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sock.close()


@pytest.mark.parametrize("leave", [leave_by_abort, leave_by_close, leave_by_reset])
@pytest.mark.parametrize("progress", [0, 1, 300_000])
def test_leaving_inside_a_data_set_leaves_no_file(
    receiver: Landing, leave: Callable[[Modality], None], progress: int
) -> None:
    before = len(receiver.sink.received)
    with Modality(receiver.port).associate() as peer:
        peer.say(command_pdu(3, STORE) + data_pdus(3, bytes(500_000))[:progress])
        if leave is leave_by_abort and progress:
            leave = leave_by_close  # inside a PDU nothing can be said
        leave(peer)
    receiver.wait_empty()
    assert len(receiver.sink.received) == before
    assert echo_ok(receiver.port)


class Refusing:
    """A sink that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def accept(self, received: ReceivedInstance) -> int:
        assert received.temp_path.exists()
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StorageUnavailable("full"), 0xA700),
        (ObjectMismatch("other"), 0xA900),
        (CannotUnderstand("what"), 0xC000),
        (ServiceError("ours"), 0xC001),
        (OSError(28, "No space left on device"), 0xA700),
        (KeyError("Doe^Jane"), 0xC001),
        (ConfigError("late"), 0xC001),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else hex(value),
)
def test_a_sink_that_fails_is_answered_without_its_words(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    with landing(tmp_path, Refusing(error)) as receiver:
        with Modality(receiver.port).associate() as peer:
            answer = peer.store(b"data")
            assert answer.status == status
            assert answer.comment
            assert peer.echo() == 0
        receiver.wait_empty()
    assert "Jane" not in answer.comment + "".join(str(vars(record)) for record in caplog.records)


class Noting:
    """A sink with a status of its own (PS3.4 B.2.3: data set does not match SOP class)."""

    def accept(self, received: ReceivedInstance) -> int:
        return 0xB007 if received.size else 0xC000


def test_the_sinks_status_is_the_answer(tmp_path: Path) -> None:
    with landing(tmp_path, Noting()) as receiver, Modality(receiver.port).associate() as peer:
        assert peer.store(b"data").status == 0xB007


def test_a_missing_folder_is_out_of_resources_and_heals(tmp_path: Path) -> None:
    with landing(tmp_path) as receiver, Modality(receiver.port).associate() as peer:
        folder = receiver.settings.incoming_dir
        folder.rename(folder.with_name("elsewhere"))
        assert peer.store(b"data").status == 0xA700
        folder.with_name("elsewhere").rename(folder)
        assert peer.store(b"data").status == 0


def test_a_full_disk_is_out_of_resources(tmp_path: Path) -> None:
    """RLIMIT_FSIZE ends a write in its middle, as a full disk does."""
    with ReceiverProcess(tmp_path, file_size_limit=1 << 20) as receiver:
        with Modality(receiver.port).associate() as peer:
            assert peer.store(bytes(100_000), sop_instance="1.2.1").status == 0
            assert peer.store(bytes(5 << 20), sop_instance="1.2.2").status == 0xA700
            assert peer.store(bytes(100_001), sop_instance="1.2.3").status == 0
            peer.release()
        assert receiver.under_way == []
        assert "Traceback" not in receiver.log


def test_a_slow_sender_is_cut_at_its_deadlines(tmp_path: Path) -> None:
    """One PDU that never ends, and an association on which nothing happens."""
    with landing(tmp_path, deadlines=Deadlines(pdu=0.5, idle=1, linger=0.2)) as receiver:
        with Modality(receiver.port).associate() as peer:
            peer.say(command_pdu(3, STORE) + DATA[:9])
            assert peer.aborted() == (PROVIDER, 0)
        with Modality(receiver.port).associate() as peer:
            assert peer.aborted() == (PROVIDER, 0)
        receiver.wait_empty()
        receiver.scp.stop(5)
        assert receiver.tally.counts["closed:deadline"] == 2
