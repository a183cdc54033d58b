"""Messages between the service and its decoding process: a JSON head and a payload, each with its length before it.

JSON, because the service must be able to read the answer of a process that a hostile image may have taken over.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from io import BytesIO
from typing import Any

_LENGTHS = struct.Struct("!IQ")
_CHUNK = 1 << 18
MAX_HEAD = 1 << 20
MAX_PAYLOAD = 1 << 28

Head = dict[str, Any]


class Broken(Exception):
    """The other end is gone, or what it says is no message."""


class TooLate(Exception):
    """The deadline passed before the message was complete."""


def send(channel: socket.socket, head: Head, payload: bytes | memoryview = b"") -> None:
    """Raises Broken."""
    encoded = json.dumps(head, allow_nan=False).encode()
    try:
        channel.sendall(_LENGTHS.pack(len(encoded), len(payload)) + encoded)
        channel.sendall(payload)
    except OSError as error:
        raise Broken(type(error).__name__) from error


def receive(channel: socket.socket, deadline: float | None = None) -> tuple[Head, bytes]:
    """The next message. deadline: in seconds of time.monotonic(), or None for ever. Raises Broken, TooLate."""
    head_length, payload_length = _LENGTHS.unpack(_exactly(channel, _LENGTHS.size, deadline))
    if head_length > MAX_HEAD or payload_length > MAX_PAYLOAD:
        raise Broken("message beyond the limit")
    encoded = _exactly(channel, head_length, deadline)
    payload = _exactly(channel, payload_length, deadline)
    try:
        head = json.loads(encoded)
    except ValueError as error:
        raise Broken("no JSON") from error
    if not isinstance(head, dict):
        raise Broken("no JSON object")
    return head, payload


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    received, scratch = BytesIO(), memoryview(bytearray(min(length, _CHUNK)))
    while received.tell() < length:
        count = _some(channel, scratch[: length - received.tell()], deadline)
        if not count:
            raise Broken("end of stream")
        received.write(scratch[:count])
    return received.getvalue()


def _some(channel: socket.socket, into: memoryview, deadline: float | None) -> int:
    remaining = None if deadline is None else deadline - time.monotonic()
    if remaining is not None and remaining <= 0:
        raise TooLate
    channel.settimeout(remaining)
    try:
        return channel.recv_into(into)
    except TimeoutError as error:
        raise TooLate from error
    except OSError as error:
        raise Broken(type(error).__name__) from error
