"""Mutated PDUs, seeded: C-ECHO is answered throughout, memory and threads stay, the receiver never trips itself."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.scp import association_request, command_set
from app.intake.scp.endings import AbortNeeded
from tests.intake.landing import ReceiverProcess
from tests.intake.modality import (
    CR,
    RELEASE_RQ,
    Closed,
    Modality,
    command,
    command_pdu,
    data_pdus,
    echo_fields,
    echo_ok,
    item,
    pdu,
    request,
    store_fields,
    user_item,
)
from tests.peers.process import wait_until

CASES, EVERY = 3000, 300
MIB = 1 << 20
EXTRAS = (item(0x53, b"\0\1\0\1"), item(0x54, b"\0\x0f1.2.840.10008.1\1\1"), item(0x58, b"\1\1\0\1a\0\0"))
LOGIN = request(user=user_item(131072, *EXTRAS))
MESSAGES = (
    command_pdu(1, echo_fields())
    + command_pdu(3, store_fields(CR, "1.2.3.4.5") | {0x1030: b"ASKER ", 0x1031: b"\1\0"})
    + data_pdus(3, bytes(range(256)) * 3, 300)
    + pdu(RELEASE_RQ, bytes(4))
)
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four changes: bytes, 16- and 32-bit lengths, cuts, repeats, insertions."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(max(len(changed), 1))
        kind = chance.randrange(7)
        if kind == 0:
            changed[at : at + 1] = bytes([chance.choice(INTERESTING)])
        elif kind == 1:
            changed[at : at + 1] = chance.randbytes(1)
        elif kind == 2:
            changed[at : at + 2] = struct.pack(">H", chance.choice((0, 1, 0x7FFF, 0xFFFF, chance.randrange(400))))
        elif kind == 3:
            changed[at : at + 4] = struct.pack(">L", chance.choice((0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF)))
        elif kind == 4:
            del changed[at : at + chance.randrange(1, 40)]
        elif kind == 5:
            changed[at:at] = changed[at : at + chance.randrange(1, 60)]
        else:
            changed[at:at] = chance.randbytes(chance.randrange(1, 20))
    return bytes(changed)


def attack(port: int, chance: random.Random) -> None:
    """Four in ten against the login, the others against the messages behind it; hang up without waiting."""
    try:
        with Modality(port, source="127.0.0.66") as peer:
            if chance.random() < 0.4:
                peer.say(mutated(LOGIN, chance) + MESSAGES)
            else:
                peer.associate()
                peer.say(mutated(MESSAGES, chance))
            if chance.random() < 0.2:
                peer.sock.settimeout(0.05)
                peer.hear_end()
    except (OSError, Closed):
        return


def test_mutated_peers_disturb_nobody(tmp_path: Path) -> None:
    chance = random.Random(20260101)
    with ReceiverProcess(tmp_path, max_associations_per_address=40) as receiver:
        assert echo_ok(receiver.port)
        before, threads = receiver.memory(), receiver.threads()
        for number in range(CASES):
            attack(receiver.port, chance)
            if number % EVERY == 0:
                assert echo_ok(receiver.port), number
        wait_until(lambda: receiver.threads() <= threads + 2, "the end of the threads", 60)
        assert echo_ok(receiver.port)
        assert receiver.memory() - before < 64 * MIB
        wait_until(lambda: receiver.under_way == [], "an empty incoming folder", 20)
        assert "failed" not in receiver.log
        assert "Traceback" not in receiver.log


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**64))
def test_the_login_decoder_refuses_or_understands(seed: int) -> None:
    body = mutated(LOGIN[6:], random.Random(seed))
    try:
        association_request.decode(body)
    except AbortNeeded:
        return


@settings(max_examples=2000, deadline=None)
@given(st.integers(0, 2**64))
def test_the_command_decoder_refuses_or_understands(seed: int) -> None:
    try:
        decoded = command_set.decode(mutated(command(store_fields(CR, "1.2.3.4.5")), random.Random(seed)))
    except AbortNeeded:
        return
    assert command_set.decode(command_set.encode_response(decoded, command_set.SUCCESS)).field == decoded.field | 0x8000


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    for decoder in (association_request.decode, command_set.decode):
        try:
            decoder(noise)
        except AbortNeeded:
            continue
