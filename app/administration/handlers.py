"""What an administrator does: ask a peer whether it is there, take up or drop a dead letter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.access import Reader
from app.administration import views
from app.administration.schemas import DeadLetterOut, EchoOut, PeerOut
from app.db import dead_letters
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Job
from app.errors import NotFound, ServiceError
from app.ports import Clock, Peer
from app.rest.guard import actor
from app.rest.read_trail import ReadTrail


@dataclass(frozen=True, slots=True)
class Administration:
    """Kept as `app.state.administration`."""

    database: Database
    clock: Clock
    trail: ReadTrail
    peers: Sequence[Peer]

    def all_peers(self) -> list[PeerOut]:
        """As configured, each with its latest echo."""
        with self.database.reading() as session:
            return [_peer_out(peer, views.last_echo(session, peer.facts.name)) for peer in self.peers]

    def echo(self, admin: Reader, name: str) -> EchoOut:
        """Ask the peer now; that it does not answer is an answer here. Raises NotFound for a name that is no peer's."""
        peer = next((peer for peer in self.peers if peer.facts.name == name), None)
        if peer is None:
            message = "No peer of this name is configured."
            raise NotFound(message)
        if not peer.facts.checkable:
            error = "It can only be reached by sending it something; nothing was sent."
            return EchoOut(outcome="not_checkable", seconds=None, error=error, at=self.clock.now())
        error, seconds = _asked(peer)
        action = views.ECHO_FAILED if error else views.ECHOED
        with unit_of_work(self.database, self.clock, actor(admin)) as uow:
            uow.audit(action, peer=name, seconds=seconds, **({"error": error} if error else {}))
            at = uow.now
        return EchoOut(outcome="failed" if error else "answered", seconds=seconds, error=error or None, at=at)

    def take_up(self, admin: Reader, job_id: str, why: str) -> DeadLetterOut:
        """Try the job anew. Raises NotFound, Conflict where nothing waits for it any more."""
        return self._settle(admin, job_id, why, dead_letters.take_up)

    def drop(self, admin: Reader, job_id: str, why: str) -> DeadLetterOut:
        """Give the job up. Raises NotFound."""
        return self._settle(admin, job_id, why, dead_letters.drop)

    def _settle(
        self, admin: Reader, job_id: str, why: str, act: Callable[[UnitOfWork, str, str], Job]
    ) -> DeadLetterOut:
        with unit_of_work(self.database, self.clock, actor(admin)) as uow:
            job = act(uow, job_id, why)
            return views.letter(job, uow.study(job.study_id))


def _asked(peer: Peer) -> tuple[str, float]:
    """What is wrong, "" for nothing, and the seconds that it took."""
    started = time.monotonic()
    try:
        peer.check()
    except ServiceError as error:
        return error.message, round(time.monotonic() - started, 4)
    return "", round(time.monotonic() - started, 4)


def _peer_out(peer: Peer, last: EchoOut | None) -> PeerOut:
    facts = peer.facts
    return PeerOut(
        name=facts.name,
        kind=facts.kind,
        address=facts.address,
        ae_title=facts.ae_title or None,
        roles=list(facts.roles),
        tls=facts.tls,
        checkable=facts.checkable,
        last_echo=last,
    )
