"""DIMSE command sets (PS3.7 6.3.1, annex E): implicit VR little endian, group 0000, decoded strictly."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from app.intake.scp.endings import MessageViolation

MAX_COMMAND_BYTES = 1 << 14
C_STORE_RQ, C_ECHO_RQ, C_CANCEL_RQ, RESPONSE = 0x0001, 0x0030, 0x0FFF, 0x8000
NO_DATA_SET = 0x0101

GROUP_LENGTH, AFFECTED_CLASS, COMMAND_FIELD, MESSAGE_ID, ANSWERED_ID = 0x0000, 0x0002, 0x0100, 0x0110, 0x0120
DATA_SET_TYPE, STATUS, ERROR_COMMENT, AFFECTED_INSTANCE = 0x0800, 0x0900, 0x0902, 0x1000
MOVE_ORIGINATOR, MOVE_MESSAGE_ID = 0x1030, 0x1031

_ELEMENT = struct.Struct("<HHL")
_US = struct.Struct("<H")
_UID = re.compile(rb"[0-9]+(\.[0-9]+)*")
UID_BYTES, AE_BYTES, COMMENT_BYTES = 64, 16, 64


@dataclass(frozen=True, slots=True)
class Command:
    """A request as it was sent.

    UIDs are "" where absent and None where they are none (PS3.5 9.1; leading zeros, which some modalities write, pass).
    """

    field: int
    message_id: int
    has_data_set: bool
    sop_class_uid: str | None
    sop_instance_uid: str | None
    move_originator_ae: str | None
    move_originator_message_id: int | None


def decode(data: bytes) -> Command:
    """A request command set. Raises MessageViolation for one that cannot even be answered."""
    elements = _elements(data)
    return Command(
        field=_number(elements, COMMAND_FIELD),
        message_id=_number(elements, MESSAGE_ID, ANSWERED_ID),
        has_data_set=_number(elements, DATA_SET_TYPE) != NO_DATA_SET,
        sop_class_uid=_uid(elements.get(AFFECTED_CLASS, b"")),
        sop_instance_uid=_uid(elements.get(AFFECTED_INSTANCE, b"")),
        move_originator_ae=_ae_title(elements.get(MOVE_ORIGINATOR)),
        move_originator_message_id=_number(elements, MOVE_MESSAGE_ID) if MOVE_MESSAGE_ID in elements else None,
    )


def _elements(data: bytes) -> dict[int, bytes]:
    elements: dict[int, bytes] = {}
    position = 0
    while position < len(data):
        if len(data) - position < _ELEMENT.size:
            raise MessageViolation("command set ends inside an element")
        group, element, length = _ELEMENT.unpack_from(data, position)
        position += _ELEMENT.size
        if group != 0 or element in elements or length > len(data) - position:
            raise MessageViolation("command set has a foreign, repeated or overlong element")
        elements[element] = data[position : position + length]
        position += length
    return elements


def _number(elements: dict[int, bytes], *names: int) -> int:
    for name in names:
        value = elements.get(name)
        if value is not None and len(value) == _US.size:
            return int(_US.unpack(value)[0])
    raise MessageViolation(f"command set lacks (0000,{names[0]:04X})")


def _uid(value: bytes) -> str | None:
    text = value.rstrip(b"\0 ")
    if not text:
        return ""
    return text.decode("ascii") if len(text) <= UID_BYTES and _UID.fullmatch(text) else None


def _ae_title(value: bytes | None) -> str | None:
    if value is None or not value.isascii() or len(value) > AE_BYTES:
        return None
    return "".join(letter for letter in value.decode("ascii") if letter.isprintable()).strip() or None


@dataclass(frozen=True, slots=True)
class Answer:
    """A DIMSE status (PS3.7 annex C, PS3.4 B.2.3) and, for a failure, words for the sender's log."""

    status: int
    comment: str = ""


SUCCESS = Answer(0x0000)


def encode_response(request: Command, answer: Answer) -> bytes:
    """Command set of the response to `request`."""
    body = b"".join(
        (
            _text(AFFECTED_CLASS, request.sop_class_uid, b"\0"),
            _number_element(COMMAND_FIELD, request.field | RESPONSE),
            _number_element(ANSWERED_ID, request.message_id),
            _number_element(DATA_SET_TYPE, NO_DATA_SET),
            _number_element(STATUS, answer.status),
            _text(ERROR_COMMENT, answer.comment[:COMMENT_BYTES], b" "),
            _text(AFFECTED_INSTANCE, request.sop_instance_uid, b"\0"),
        )
    )
    return _ELEMENT.pack(0, GROUP_LENGTH, 4) + struct.pack("<L", len(body)) + body


def _number_element(name: int, value: int) -> bytes:
    return _ELEMENT.pack(0, name, 2) + _US.pack(value)


def _text(name: int, value: str | None, padding: bytes) -> bytes:
    if not value:
        return b""
    encoded = value.encode("ascii", "replace")
    encoded += padding * (len(encoded) % 2)
    return _ELEMENT.pack(0, name, len(encoded)) + encoded
