"""One accepted socket: a blocking reader over one big buffer, with a deadline that holds byte by byte.

The kernel's own receive timeout (SO_RCVTIMEO) wakes the reader every TICK seconds, so that a deadline, or the end of
the process, is noticed without a poll() before each read. No Nagle, one write per response, and TCP_QUICKACK after each
read, without which a sender with Nagle on holds its last segment for 40 ms.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator

from app.intake.scp.endings import DeadlinePassed, PeerClosed, Stopping

TICK = 0.5
BUFFER_BYTES = 1 << 20
REQUEST_PIECE = 1 << 14
QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_NOTHING_YET = (BlockingIOError, TimeoutError, ssl.SSLWantReadError)


class Wire:
    """Reads and writes one connection.

    deadline: moment (time.monotonic) after which a read that still waits raises DeadlinePassed;
    heard: moment of the last exchange, to within TICK, so that a deadline can be set without asking the clock again;
    idle: while set, the end of the process may cut a read that waits (Stopping).
    """

    def __init__(self, sock: socket.socket, stopping: threading.Event, send_seconds: float) -> None:
        self._sock, self._stopping, self._send_seconds = sock, stopping, send_seconds
        self._encrypted = isinstance(sock, ssl.SSLSocket)
        self._buffer = bytearray()
        self._view = memoryview(self._buffer)
        self._low = self._high = 0
        self._begin = self._run = 0
        self.deadline = self.heard = time.monotonic()
        self.idle = True
        self._prepare()

    def _prepare(self) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._encrypted:  # the TLS layer retries by itself on a kernel timeout; only Python's own gets through
            self._sock.settimeout(TICK)
            return
        self._sock.settimeout(None)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(TICK))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(self._send_seconds))

    def exact(self, size: int) -> bytes:
        """`size` bytes, taken as they come: nothing is allocated for what was only announced."""
        pieces = bytearray()
        while len(pieces) < size:
            piece = bytearray(min(size - len(pieces), REQUEST_PIECE))
            pieces += memoryview(piece)[: self._receive(memoryview(piece))]
        return bytes(pieces)

    def take(self, size: int) -> memoryview:
        """The next `size` contiguous bytes (at most the buffer's size), valid until the next read."""
        while self._high - self._low < size:
            self._make_room(size)
            self._high += self._receive(self._view[self._high :])
        self._low += size
        return self._view[self._low - size : self._low]

    def stream(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes in pieces as large as they come, each valid until the next one."""
        yield from self.gather(size)
        yield from self.gathered()

    def gather(self, size: int) -> Iterator[memoryview]:
        """Let the next `size` bytes join the run in the buffer; a run is handed out only when the buffer is used up.

        What lay between (the headers of PDUs) is closed over, so that one write takes what came in many PDUs. The
        rest of the run is had from `gathered`, which must be asked before any read that `holds` does not cover.
        """
        while size:
            if self._low == self._high:
                yield from self.gathered()
                self._make_room(1)
                self._high += self._receive(self._view[self._high :])
            piece = min(size, self._high - self._low)
            self._join(piece)
            size -= piece

    def _join(self, piece: int) -> None:
        """Move the next `piece` bytes to the end of the run; where nothing lies between, it only grows."""
        start, self._low = self._low, self._low + piece
        if not self._run:
            self._begin, self._run = start, piece
            return
        end = self._begin + self._run
        if end != start:
            self._view[end : end + piece] = self._view[start : start + piece]
        self._run += piece

    def gathered(self) -> Iterator[memoryview]:
        """The run, if there is one; valid until the next read."""
        if self._run:
            size, self._run = self._run, 0
            yield self._view[self._begin : self._begin + size]

    def holds(self, size: int) -> bool:
        """Whether so many bytes can be had without a read."""
        return self._high - self._low >= size

    def _make_room(self, size: int) -> None:
        if not self._buffer:
            self._buffer = bytearray(BUFFER_BYTES)
            self._view = memoryview(self._buffer)
        if self._low == self._high:
            self._low = self._high = 0
        elif len(self._buffer) - self._low < size:
            rest = self._high - self._low
            self._view[:rest] = self._view[self._low : self._high]
            self._low, self._high = 0, rest

    def _receive(self, into: memoryview) -> int:
        while True:
            self.heard = time.monotonic()
            if self.heard > self.deadline:
                raise DeadlinePassed("the peer did not send in time")
            try:
                got = self._sock.recv_into(into)
            except _NOTHING_YET:
                self._stop_when_idle()
                continue
            except (OSError, ValueError) as error:  # ValueError: closed meanwhile
                raise PeerClosed(type(error).__name__) from error
            if not got:
                raise PeerClosed("end of stream")
            if QUICKACK is not None:
                self._sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
            return got

    def _stop_when_idle(self) -> None:
        if self.idle and self._stopping.is_set():
            raise Stopping("the receiver shuts down")

    def send(self, data: bytes) -> None:
        """Write all of it at once; raises PeerClosed where the peer does not take it in time."""
        try:
            if self._encrypted:
                self._sock.settimeout(self._send_seconds)
            self._sock.sendall(data)
            self.heard = time.monotonic()
            if self._encrypted:
                self._sock.settimeout(TICK)
        except (OSError, ValueError) as error:
            raise PeerClosed(type(error).__name__) from error

    def linger(self, seconds: float) -> None:
        """Half-close, then read on until the peer closes too: a reset would take our last PDU from it (PS3.8 Sta13)."""
        self.idle, self.deadline = True, time.monotonic() + seconds
        waste = memoryview(bytearray(REQUEST_PIECE))
        with contextlib.suppress(PeerClosed, DeadlinePassed, Stopping, OSError, ValueError):
            if isinstance(self._sock, ssl.SSLSocket):
                self._sock.settimeout(seconds)
                self._sock.unwrap()  # close_notify, and wait for the peer's
                return
            self._sock.shutdown(socket.SHUT_WR)
            while True:
                self._receive(waste)


def _timeval(seconds: float) -> bytes:
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
