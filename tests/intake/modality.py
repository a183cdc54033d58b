"""A DICOM sender made of bytes: it says exactly what a test wants said, right or wrong.

Built without pynetdicom on purpose: the receiver uses its PDU classes, and both sides must not share a mistake.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

VERIFICATION = "1.2.840.10008.1.1"
CR, DX = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RQ, RELEASE_RP, ABORT = range(1, 8)
C_STORE, C_ECHO = 0x0001, 0x0030
WITH_DATA, WITHOUT_DATA = 0x0001, 0x0101
PATIENCE = 60.0
CALLING_AE_REJECTED = (1, 1, 3)

Contexts = Sequence[tuple[str, Sequence[str]]]
USUAL: Contexts = ((VERIFICATION, (IMPLICIT,)), (CR, (EXPLICIT,)), (DX, (EXPLICIT,)))


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxL", kind, len(body)) + body


def item(kind: int, value: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(value)) + value


def context_item(identifier: int, abstract: str, syntaxes: Iterable[str]) -> bytes:
    names = item(0x30, abstract.encode()) + b"".join(item(0x40, syntax.encode()) for syntax in syntaxes)
    return item(0x20, bytes([identifier, 0, 0, 0]) + names)


def user_item(max_pdu: int = 131072, *extra: bytes) -> bytes:
    return item(0x50, item(0x51, struct.pack(">L", max_pdu)) + item(0x52, b"1.2.3.4") + b"".join(extra))


def request(
    contexts: Contexts = USUAL,
    *,
    calling: str = "MODALITY",
    called: str = "UNIRG",
    version: int = 1,
    application: str = APPLICATION_CONTEXT,
    user: bytes | None = None,
    extra: bytes = b"",
) -> bytes:
    """An A-ASSOCIATE-RQ; context identifiers are 1, 3, 5, … in order."""
    proposed = [context_item(2 * n + 1, abstract, syntaxes) for n, (abstract, syntaxes) in enumerate(contexts)]
    titles = called.encode().ljust(16) + calling.encode().ljust(16)
    fixed = struct.pack(">Hxx", version) + titles + bytes(32)
    items = item(0x10, application.encode()) + b"".join(proposed) + (user_item() if user is None else user)
    return pdu(ASSOCIATE_RQ, fixed + items + extra)


def element(number: int, value: bytes) -> bytes:
    return struct.pack("<HHL", 0, number, len(value)) + value


def short(value: int) -> bytes:
    return struct.pack("<H", value)


def uid(value: str) -> bytes:
    return value.encode() + b"\0" * (len(value) % 2)


def command(fields: dict[int, bytes]) -> bytes:
    """A command set in order, with its group length."""
    body = b"".join(element(number, value) for number, value in sorted(fields.items()))
    return element(0, struct.pack("<L", len(body))) + body


def store_fields(sop_class: str, sop_instance: str, message_id: int = 1) -> dict[int, bytes]:
    return {
        0x0002: uid(sop_class),
        0x0100: short(C_STORE),
        0x0110: short(message_id),
        0x0700: short(0),
        0x0800: short(WITH_DATA),
        0x1000: uid(sop_instance),
    }


def echo_fields(message_id: int = 1) -> dict[int, bytes]:
    return {0x0002: uid(VERIFICATION), 0x0100: short(C_ECHO), 0x0110: short(message_id), 0x0800: short(WITHOUT_DATA)}


def pdv(context_id: int, value: bytes, *, is_command: bool, is_last: bool = True) -> bytes:
    return struct.pack(">LBB", len(value) + 2, context_id, is_command | is_last << 1) + value


def command_pdu(context_id: int, fields: dict[int, bytes]) -> bytes:
    return pdu(P_DATA, pdv(context_id, command(fields), is_command=True))


def data_pdus(context_id: int, data: bytes, size: int = 131066) -> bytes:
    """A data set in P-DATA PDUs of one PDV with at most `size` bytes each."""
    pieces = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
    return b"".join(
        pdu(P_DATA, pdv(context_id, piece, is_command=False, is_last=number == len(pieces) - 1))
        for number, piece in enumerate(pieces)
    )


@dataclass(frozen=True)
class Response:
    """A DIMSE response: its elements of group 0000 by number."""

    context_id: int
    elements: dict[int, bytes]

    @property
    def status(self) -> int:
        return int(struct.unpack("<H", self.elements[0x0900])[0])

    @property
    def comment(self) -> str:
        return self.elements.get(0x0902, b"").decode().rstrip()


class Closed(Exception):
    """The receiver closed the connection."""


class Modality:
    """One connection; use as a context manager. source: our own loopback address (127.0.0.0/8 are many peers)."""

    def __init__(self, port: int, *, source: str = "127.0.0.1", wrap: object = None) -> None:
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE, source_address=(source, 0))
        self.sock = wrap.wrap_socket(sock) if wrap is not None else sock  # type: ignore[attr-defined]
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.contexts: dict[int, tuple[int, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.sock.close()

    def say(self, data: bytes) -> None:
        self.sock.sendall(data)

    def _exact(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self.sock.recv(size - len(data))
            except ConnectionError as error:
                raise Closed(str(error)) from error
            if not piece:
                raise Closed("end of stream")
            data += piece
        return data

    def hear(self) -> tuple[int, bytes]:
        """Type and body of the next PDU. Raises Closed."""
        kind, size = struct.unpack(">BxL", self._exact(6))
        return kind, self._exact(size)

    def hear_end(self) -> None:
        """Wait until the receiver closes; raises TimeoutError when it does not."""
        with suppress(Closed):
            while True:
                self.hear()

    def associate(self, contexts: Contexts = USUAL, **parts: object) -> Modality:
        """Ask for an association; raises AssertionError unless it is accepted."""
        self.say(request(contexts, **parts))  # type: ignore[arg-type]
        kind, body = self.hear()
        assert kind == ASSOCIATE_AC, (kind, body)
        self.contexts = dict(_results(body))
        return self

    def ask(self, message: bytes) -> Response:
        """Send a whole request, wait for its response."""
        self.say(message)
        return self.response()

    def response(self) -> Response:
        """The next DIMSE response, however many PDUs it takes."""
        collected, context_id, last = b"", 0, False
        while not last:
            kind, body = self.hear()
            assert kind == P_DATA, (kind, body)
            length, context_id, control = struct.unpack_from(">LBB", body)
            assert length == len(body) - 4
            assert control & 1
            collected, last = collected + body[6:], bool(control & 2)
        return Response(context_id, dict(_elements(collected)))

    def echo(self, context_id: int = 1) -> int:
        """C-ECHO; returns the status."""
        return self.ask(command_pdu(context_id, echo_fields())).status

    def store(
        self, data: bytes, *, sop_class: str = CR, sop_instance: str = "1.2.3", context_id: int = 3, size: int = 131066
    ) -> Response:
        """C-STORE these bytes as the data set."""
        fields = store_fields(sop_class, sop_instance)
        return self.ask(command_pdu(context_id, fields) + data_pdus(context_id, data, size))

    def release(self) -> None:
        """A-RELEASE; raises AssertionError unless it is answered and the connection then closed."""
        self.say(pdu(RELEASE_RQ, bytes(4)))
        assert self.hear() == (RELEASE_RP, bytes(4))

    def aborted(self) -> tuple[int, int]:
        """Source and reason of the A-ABORT that must come next."""
        kind, body = self.hear()
        assert kind == ABORT, (kind, body)
        return body[2], body[3]

    def rejected(self) -> tuple[int, int, int]:
        """Result, source and reason of the A-ASSOCIATE-RJ that must come next."""
        kind, body = self.hear()
        assert kind == ASSOCIATE_RJ, (kind, body)
        return body[1], body[2], body[3]


def _results(body: bytes) -> Iterable[tuple[int, tuple[int, str]]]:
    position = 68
    while position < len(body):
        kind, length = struct.unpack_from(">BxH", body, position)
        value = body[position + 4 : position + 4 + length]
        if kind == 0x21:
            yield value[0], (value[2], value[8:].decode().rstrip("\0"))
        position += 4 + length


def _elements(data: bytes) -> Iterable[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        group, number, length = struct.unpack_from("<HHL", data, position)
        assert group == 0
        yield number, data[position + 8 : position + 8 + length]
        position += 8 + length


def echo_ok(port: int, *, calling: str = "MODALITY", source: str = "127.0.0.1") -> bool:
    """Whether a C-ECHO on an association of its own is answered."""
    with Modality(port, source=source) as peer:
        answered = peer.associate(calling=calling).echo() == 0
        peer.release()
        return answered
