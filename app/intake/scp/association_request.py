"""A-ASSOCIATE-RQ to A-ASSOCIATE-AC or -RJ (PS3.8 9.3.2 to 9.3.4), by pynetdicom's PDU classes.

What a stranger sends is screened first: pynetdicom's decoder takes any number of items, any identifier, and raises
what it likes. Items that we do not serve (extended negotiation, user identity, unknown ones) are left out here,
as PS3.7 D.3.3 allows an acceptor that does not support them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from enum import Enum

from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)
from pynetdicom.presentation import PresentationContext

from app.intake.scp.command_set import UID_BYTES
from app.intake.scp.endings import InvalidPdu
from app.intake.scp.settings import ScpSettings

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
FIXED_BYTES = 68  # PS3.8 table 9-11, behind the six bytes of type and length
MAX_CONTEXTS, MAX_SYNTAXES = 128, 64
_ITEM = struct.Struct(">BxH")
_APPLICATION, _CONTEXT, _USER = 0x10, 0x20, 0x50
_ABSTRACT, _TRANSFER = 0x30, 0x40
_MAXIMUM_LENGTH, _CLASS_UID, _VERSION_NAME = 0x51, 0x52, 0x55
_UID = re.compile(rb"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_NO_SYNTAX = b"0.0"
"""Stands for a name that is no UID (PS3.5 9.1): it is supported by nobody, so its context is refused, not the peer."""
_PRINTABLE = re.compile(rb"[\x20-\x5b\x5d-\x7e]{1,16}")


class Rejection(Enum):
    """Why an association is refused: result, source, reason of A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    PROTOCOL_VERSION = (1, 2, 2)
    APPLICATION_CONTEXT = (1, 1, 2)
    CALLED_AE = (1, 1, 7)
    CALLING_AE = (1, 1, 3)
    LIMIT = (2, 3, 2)


def decode(body: bytes) -> A_ASSOCIATE:
    """The request primitive of an A-ASSOCIATE-RQ, given without its six bytes of type and length.

    Raises InvalidPdu for anything malformed.
    """
    if len(body) < FIXED_BYTES:
        raise InvalidPdu("A-ASSOCIATE-RQ is too short")
    titles = (body[4:20], body[20:36])
    if not all(_PRINTABLE.fullmatch(title.rstrip(b"\0")) and title.strip(b"\0 ") for title in titles):
        raise InvalidPdu("AE title with characters that no AE title has")
    head = body[:4] + b"".join(title.rstrip(b"\0").ljust(16) for title in titles) + body[36:FIXED_BYTES]
    pdu = A_ASSOCIATE_RQ()
    try:
        pdu.decode(bytes(6) + head + b"".join(_screened(body[FIXED_BYTES:])))
        return pdu.to_primitive()
    except (ValueError, TypeError, KeyError, AttributeError, AssertionError, struct.error) as error:
        raise InvalidPdu(f"A-ASSOCIATE-RQ cannot be decoded ({type(error).__name__})") from error


def protocol_version(body: bytes) -> int:
    """Bit field of protocol versions that the requestor knows; bit 0 is the only one defined."""
    return int.from_bytes(body[:2], "big")


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        if len(data) - position < _ITEM.size:
            raise InvalidPdu("item header is cut off")
        kind, length = _ITEM.unpack_from(data, position)
        position += _ITEM.size
        if length > len(data) - position:
            raise InvalidPdu("item is longer than what holds it")
        yield kind, data[position : position + length]
        position += length


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _screened(data: bytes) -> Iterator[bytes]:
    count = {_APPLICATION: 0, _CONTEXT: 0, _USER: 0}
    identifiers: set[int] = set()
    for kind, value in _items(data):
        if kind not in count:  # PS3.8 9.3.1: unknown items are skipped
            continue
        count[kind] += 1
        if kind == _APPLICATION:
            yield _item(kind, _uid(value))
        elif kind == _CONTEXT:
            yield _item(kind, _context(value, identifiers))
        else:
            yield _item(kind, b"".join(_user_items(value)))
    if count[_APPLICATION] != 1 or count[_USER] != 1 or not 1 <= count[_CONTEXT] <= MAX_CONTEXTS:
        raise InvalidPdu("A-ASSOCIATE-RQ lacks an item, or has it more than once")


def _uid(value: bytes) -> bytes:
    name = value.rstrip(b"\0 ")
    return name if len(name) <= UID_BYTES and _UID.fullmatch(name) else _NO_SYNTAX


def _context(value: bytes, seen: set[int]) -> bytes:
    if len(value) < 4 or value[0] % 2 == 0 or value[0] in seen:
        raise InvalidPdu("presentation context without an identifier of its own")
    seen.add(value[0])
    inner = [(kind, _uid(name)) for kind, name in _items(value[4:]) if kind in (_ABSTRACT, _TRANSFER)]
    kinds = [kind for kind, _ in inner]
    if kinds.count(_ABSTRACT) != 1 or not 1 <= kinds.count(_TRANSFER) <= MAX_SYNTAXES:
        raise InvalidPdu("presentation context without one abstract and some transfer syntaxes")
    return value[:4] + b"".join(_item(kind, name) for kind, name in inner)


def _user_items(value: bytes) -> Iterator[bytes]:
    rules: dict[int, Callable[[bytes], bool]] = {
        _MAXIMUM_LENGTH: lambda item: len(item) == 4,
        _CLASS_UID: lambda item: _uid(item) == item,
        _VERSION_NAME: lambda item: _PRINTABLE.fullmatch(item) is not None,
    }
    for kind, item in _items(value):
        if kind in rules and rules[kind](item):
            yield _item(kind, item)


def maximum_length(request: A_ASSOCIATE) -> int:
    """Largest P-DATA that the requestor takes, bytes; 0 for no limit (PS3.8 D.1)."""
    for item in request.user_information:
        if isinstance(item, MaximumLengthNotification):
            return int(item.maximum_length_received or 0)
    return 0


def accept_pdu(request: A_ASSOCIATE, results: list[PresentationContext], settings: ScpSettings) -> bytes:
    """A-ASSOCIATE-AC for `request`."""
    answer = A_ASSOCIATE()
    answer.application_context_name = UID(APPLICATION_CONTEXT)
    answer.calling_ae_title = request.calling_ae_title
    answer.called_ae_title = request.called_ae_title
    answer.result, answer.result_source = 0, 1
    answer.presentation_context_definition_results_list = results
    length = MaximumLengthNotification()
    length.maximum_length_received = settings.max_pdu
    class_uid = ImplementationClassUIDNotification()
    class_uid.implementation_class_uid = UID(settings.implementation_class_uid)
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = settings.implementation_version_name
    answer.user_information = [length, class_uid, version]
    return A_ASSOCIATE_AC(answer).encode()


def reject_pdu(rejection: Rejection) -> bytes:
    """A-ASSOCIATE-RJ for this reason."""
    pdu = A_ASSOCIATE_RJ()
    pdu.result, pdu.source, pdu.reason_diagnostic = rejection.value
    return pdu.encode()
