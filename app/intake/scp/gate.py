"""Who may come in: limits on connections and associations, and the allow-list.

A connection without an association is worth nothing yet: where too many wait, the oldest of the same address (then the
oldest stranger) makes room for the newest, so that stalled ones never lock anybody out. Established associations are
never cut; when they are too many, the next one is refused for the moment (local-limit-exceeded).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

from app.intake.scp.settings import ScpSettings, resolve


@dataclass(eq=False, slots=True)
class Ticket:
    """One connection inside the gate; `evicted` once it had to make room."""

    sock: socket.socket = field(repr=False)
    host: str
    listed: bool
    evicted: bool = False

    def cut(self) -> None:
        """Wake whoever reads this socket: nothing more will come."""
        with contextlib.suppress(OSError):  # not SSLSocket.shutdown: that takes the TLS state from under its reader
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


class Gate:
    """Thread-safe counts of one listening process."""

    def __init__(self, settings: ScpSettings) -> None:
        """Raises ConfigError when the name of an allowed peer has no address."""
        self._settings = settings
        self._peers = resolve(settings.peers)
        self._reserved = settings.reserved if settings.peers else 0
        self._pending: list[Ticket] = []
        self._associated: list[Ticket] = []
        self._lock = threading.Lock()

    def recognises(self, ae_title: str, host: str, certificate_sha256: str) -> bool:
        """Whether this AE title may call from this address, with this TLS certificate ("" without one)."""
        if self._settings.accept_unknown:
            return True
        return any(
            peer.ae_title == ae_title and _same_fingerprint(peer.certificate_sha256, certificate_sha256)
            for peer in self._peers.get(host, ())
        )

    def enter(self, sock: socket.socket, host: str) -> Ticket | None:
        """Let a new connection wait for its association; None when there is no room even for that."""
        ticket = Ticket(sock, host, listed=host in self._peers)
        with self._lock:
            victim = self._in_the_way_of(ticket)
            if victim is not None:
                self._pending.remove(victim)
                victim.evicted = True
            elif len(self._pending) >= self._room(self._settings.max_pending, ticket):
                return None
            self._pending.append(ticket)
        if victim is not None:
            victim.cut()
        return ticket

    def _in_the_way_of(self, ticket: Ticket) -> Ticket | None:
        same = [waiting for waiting in self._pending if waiting.host == ticket.host]
        if len(same) >= self._settings.max_pending_per_address:
            return same[0]
        if len(self._pending) < self._room(self._settings.max_pending, ticket):
            return None
        strangers = (waiting for waiting in self._pending if not waiting.listed)
        return next(strangers, same[0] if same else None)

    def _room(self, limit: int, ticket: Ticket) -> int:
        return limit if ticket.listed else max(limit - self._reserved, 1)

    def associate(self, ticket: Ticket) -> bool:
        """Turn a waiting connection into an association, if there is room for one more."""
        with self._lock:
            same = sum(other.host == ticket.host for other in self._associated)
            full = len(self._associated) >= self._room(self._settings.max_associations, ticket)
            if ticket.evicted or full or same >= self._settings.max_associations_per_address:
                return False
            self._pending.remove(ticket)
            self._associated.append(ticket)
            return True

    def dissociate(self, ticket: Ticket) -> None:
        """The association is over, its connection not yet: from now on it only waits for the peer to close."""
        with self._lock:
            if ticket in self._associated:
                self._associated.remove(ticket)
                self._pending.append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """The connection is over."""
        with self._lock:
            for tickets in (self._pending, self._associated):
                if ticket in tickets:
                    tickets.remove(ticket)

    def cut_all(self) -> None:
        """End every connection now."""
        with self._lock:
            tickets = [*self._pending, *self._associated]
        for ticket in tickets:
            ticket.cut()


def _same_fingerprint(wanted: str, shown: str) -> bool:
    return not wanted or wanted.replace(":", "").lower() == shown
