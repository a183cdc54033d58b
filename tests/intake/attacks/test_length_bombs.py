"""Lengths that lie and streams that never end: memory stays where it was, and the next peer is served."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.landing import ReceiverProcess
from tests.intake.modality import (
    ASSOCIATE_RQ,
    CR,
    P_DATA,
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
)
from tests.peers.process import wait_until

MIB = 1 << 20
ROOM = 32 * MIB
STORE = command_pdu(3, store_fields(CR, "1.2.3"))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    with ReceiverProcess(tmp_path, max_object_bytes=64 * MIB) as running:
        with Modality(running.port).associate() as peer:  # buffers that any association needs
            assert peer.store(bytes(8 * MIB)).status == 0
            peer.release()
        yield running
        assert "connection.failed" not in running.log
        assert "Traceback" not in running.log


def pour(peer: Modality, piece: bytes, times: int) -> None:
    """Send on until it is all sent or the receiver hangs up."""
    try:
        for _ in range(times):
            peer.say(piece)
    except OSError:
        return


@pytest.mark.parametrize("kind", [ASSOCIATE_RQ, P_DATA, 0x2A])
def test_four_gigabytes_announced_before_the_login(receiver: ReceiverProcess, kind: int) -> None:
    before = receiver.memory("VmHWM")
    with Modality(receiver.port) as peer:
        peer.say(struct.pack(">BxL", kind, 0xFFFFFFFF))
        pour(peer, bytes(MIB), 256)
    assert echo_ok(receiver.port)
    assert receiver.memory("VmHWM") - before < ROOM


@pytest.mark.parametrize(
    "message",
    [
        struct.pack(">BxL", P_DATA, 0xFFFFFFFF),
        struct.pack(">BxLLBB", P_DATA, 100_000, 0xFFFFFFFF, 3, 0),
        STORE + struct.pack(">BxLLBB", P_DATA, 0xFFFFFFFF, 0xFFFFFFF0, 3, 0),
    ],
    ids=["PDU", "PDV", "data set"],
)
def test_four_gigabytes_announced_in_an_association(receiver: ReceiverProcess, message: bytes) -> None:
    before = receiver.memory("VmHWM")
    with Modality(receiver.port).associate() as peer:
        peer.say(message)
        pour(peer, bytes(MIB), 256)
    assert echo_ok(receiver.port)
    assert receiver.memory("VmHWM") - before < ROOM
    wait_until(lambda: receiver.under_way == [], "an empty incoming folder", 20)


def test_a_data_set_without_an_end_is_cut_at_the_cap(receiver: ReceiverProcess) -> None:
    """Another peer is served meanwhile."""
    before = receiver.memory("VmHWM")
    fragments = pdu(P_DATA, pdv(3, bytes(131_000), is_command=False, is_last=False)) * 8
    with Modality(receiver.port).associate() as peer:
        peer.say(STORE)
        pouring = threading.Thread(target=pour, args=(peer, fragments, 3000))
        pouring.start()
        assert all(echo_ok(receiver.port, source="127.0.0.2") for _ in range(5))
        pouring.join()
        peer.hear_end()
    assert echo_ok(receiver.port)
    assert receiver.memory("VmHWM") - before < ROOM
    wait_until(lambda: receiver.under_way == [], "an empty incoming folder", 20)


def test_a_command_set_without_an_end_is_aborted(receiver: ReceiverProcess) -> None:
    before = receiver.memory("VmHWM")
    with Modality(receiver.port).associate() as peer:
        pour(peer, pdu(P_DATA, pdv(3, bytes(60_000), is_command=True, is_last=False)), 1000)
    assert echo_ok(receiver.port)
    assert receiver.memory("VmHWM") - before < ROOM


def test_empty_fragments_do_not_grow_anything(receiver: ReceiverProcess) -> None:
    before = receiver.memory("VmHWM")
    empty = pdu(P_DATA, pdv(3, b"", is_command=False, is_last=False) * 1000)
    with Modality(receiver.port).associate() as peer:
        peer.say(STORE)
        pour(peer, empty, 100)
        assert peer.ask(data_pdus(3, b"at last")).status == 0
    assert receiver.memory("VmHWM") - before < ROOM


def test_a_request_of_many_small_items_is_no_burden(receiver: ReceiverProcess) -> None:
    """As large as is let in: contexts, syntaxes, unknown items; refused or answered, the next peer is served."""
    before = receiver.memory("VmHWM")
    unknown = item(0x60, b"") * 60_000
    full = [(CR, tuple(f"1.2.840.{number}.{name}" for name in range(64))) for number in range(128)]
    contexts = request(full)
    roles = request(user=item(0x50, item(0x51, bytes(4)) + item(0x54, b"\0\x03abc\1\1") * 5000))
    for message in (request(extra=unknown), contexts[: 256 * 1024], roles, pdu(ASSOCIATE_RQ, bytes(262_144))):
        with Modality(receiver.port) as peer:
            pour(peer, message, 1)
            assert echo_ok(receiver.port, source="127.0.0.2")
    assert receiver.memory("VmHWM") - before < ROOM


def test_a_pixel_bomb_is_only_bytes(receiver: ReceiverProcess) -> None:
    """Nothing is decoded in the network's process: deep nesting and giant frames are stored as they came."""
    before = receiver.memory("VmHWM")
    nesting = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 50_000
    with Modality(receiver.port).associate() as peer:
        assert peer.store(nesting).status == 0
        assert peer.store(b"\x28\x00\x10\x00US\x02\x00\xff\xff" + command({}) * 9).status == 0
    assert receiver.memory("VmHWM") - before < ROOM
