"""The upper layer of an established association (PS3.8 9.2 and 9.3): P-DATA in, responses out, release, abort.

Only states Sta6 (data transfer) to Sta13 of the acceptor exist here; what precedes is `association_request`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pynetdicom.pdu import A_ABORT_RQ, A_RELEASE_RP

from app.intake.scp.endings import AbortNeeded, InvalidPdu, MessageViolation, PeerAborted, UnexpectedPdu, UnknownPdu
from app.intake.scp.settings import Deadlines
from app.intake.scp.wire import Wire

ASSOCIATE_RQ, P_DATA, RELEASE_RQ, ABORT = 0x01, 0x04, 0x05, 0x07
KNOWN_TYPES = range(0x01, 0x08)
LENGTH_SLACK = 64
"""Bytes over the announced maximum that are let pass: some senders do not count their own PDV headers."""
COMMAND, LAST = 0x01, 0x02
PDU_HEADER = struct.Struct(">BxL")
_PDV_HEADER = struct.Struct(">LBB")
_RESPONSE_HEADER = struct.Struct(">BxLLBB")
CONTROL_PDU_BYTES = 4


class Fragment(NamedTuple):
    """The head of one presentation data value; its `size` bytes are still on the wire (`UpperLayer.bytes_of`)."""

    context_id: int
    is_command: bool
    is_last: bool
    size: int


@dataclass(slots=True)
class UpperLayer:
    """max_pdu: bytes we announced; peer_max_pdu: bytes the peer announced, 0 for no limit."""

    wire: Wire
    deadlines: Deadlines
    max_pdu: int
    peer_max_pdu: int
    ends_at: float
    _left: int = 0

    def next_fragment(self, *, between_messages: bool) -> Fragment | None:
        """The next PDV's head, or None when the peer asks for release. Raises an Ending for all else."""
        if not self._left and not self._next_data_pdu(idle=between_messages):
            return None
        if self._left < _PDV_HEADER.size:
            raise InvalidPdu("P-DATA ends inside a PDV header")
        length, context_id, control = _PDV_HEADER.unpack(self.wire.take(_PDV_HEADER.size))
        if length < 2 or length + 4 > self._left:
            raise InvalidPdu("PDV length does not fit its PDU")
        self._left -= length + 4
        return Fragment(context_id, bool(control & COMMAND), bool(control & LAST), length - 2)

    def bytes_of(self, fragment: Fragment) -> Iterator[memoryview]:
        """The fragment's value in pieces; must be used up before the next fragment is asked for."""
        return self.wire.stream(fragment.size)

    def rest_of_message(self, context_id: int, *, is_command: bool) -> Iterator[memoryview]:
        """All fragments up to the last one of this kind, in pieces, each valid until the next.

        Raises MessageViolation when anything else comes in between.
        """
        is_last = False
        while not is_last:
            if not self.wire.holds(PDU_HEADER.size + _PDV_HEADER.size):
                yield from self.wire.gathered()
            fragment = self.next_fragment(between_messages=False)
            if fragment is None:
                raise UnexpectedPdu("release inside a message")
            if fragment.context_id != context_id or fragment.is_command != is_command:
                raise MessageViolation("fragments of two messages are mixed")
            yield from self.wire.gather(fragment.size)
            is_last = fragment.is_last
        yield from self.wire.gathered()

    def _next_data_pdu(self, *, idle: bool) -> bool:
        kind, length = self._header(idle=idle)
        if kind == P_DATA:
            if not _PDV_HEADER.size <= length <= self.max_pdu + LENGTH_SLACK:
                raise InvalidPdu(f"P-DATA of {length} bytes; {self.max_pdu} were agreed")
            self._left = length
            return True
        self._refuse_unless_control(kind, length)
        self.wire.take(length)
        if kind == ABORT:
            raise PeerAborted("the peer aborted")
        if not idle:
            raise UnexpectedPdu("release inside a message")
        return False

    def _header(self, *, idle: bool) -> tuple[int, int]:
        wire = self.wire
        wire.idle = idle
        wire.deadline = min(wire.heard + self.deadlines.idle, self.ends_at)
        kind, length = PDU_HEADER.unpack(wire.take(PDU_HEADER.size))
        wire.idle = False
        wire.deadline = min(wire.heard + self.deadlines.pdu, self.ends_at)
        return kind, length

    def _refuse_unless_control(self, kind: int, length: int) -> None:
        if kind not in KNOWN_TYPES:
            raise UnknownPdu(f"PDU type {kind:#04x}")
        if kind not in (RELEASE_RQ, ABORT):
            raise UnexpectedPdu(f"PDU type {kind:#04x} in an open association")
        if length != CONTROL_PDU_BYTES:
            raise InvalidPdu("release or abort of a wrong length")

    def send_command(self, context_id: int, command: bytes) -> None:
        """One command set in one write, in as many P-DATA PDUs as the peer's maximum asks for."""
        room = max(self.peer_max_pdu - _PDV_HEADER.size, 1) if self.peer_max_pdu else len(command)
        pieces = [command[start : start + room] for start in range(0, len(command), room)]
        self.wire.send(b"".join(_p_data(context_id, piece, last=piece is pieces[-1]) for piece in pieces))


def _p_data(context_id: int, piece: bytes, *, last: bool) -> bytes:
    control = COMMAND | LAST if last else COMMAND
    return _RESPONSE_HEADER.pack(P_DATA, len(piece) + 6, len(piece) + 2, context_id, control) + piece


def release_response() -> bytes:
    """A-RELEASE-RP (PS3.8 9.3.7)."""
    return A_RELEASE_RP().encode()


def abort_pdu(ending: AbortNeeded) -> bytes:
    """A-ABORT (PS3.8 9.3.8) for this ending."""
    pdu = A_ABORT_RQ()
    pdu.source, pdu.reason_diagnostic = ending.source, ending.reason
    return pdu.encode()
