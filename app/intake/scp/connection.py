"""One connection from accept to close: TLS, A-ASSOCIATE, the association, and a tidy end."""

from __future__ import annotations

import contextlib
import logging
import ssl
import threading
import time
import traceback
from dataclasses import dataclass

from pynetdicom.pdu_primitives import A_ASSOCIATE

from app.intake.scp import association_request, tls
from app.intake.scp.association import Association
from app.intake.scp.association_request import APPLICATION_CONTEXT, Rejection
from app.intake.scp.contexts import negotiate
from app.intake.scp.endings import AbortNeeded, DeadlinePassed, Ending, InvalidPdu, UnexpectedPdu, UnknownPdu
from app.intake.scp.gate import Gate, Ticket
from app.intake.scp.observer import ScpObserver
from app.intake.scp.settings import ScpSettings
from app.intake.scp.storage import Caller, Context, StorageService
from app.intake.scp.upper_layer import ASSOCIATE_RQ, KNOWN_TYPES, PDU_HEADER, UpperLayer, abort_pdu, release_response
from app.intake.scp.wire import Wire

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """What every connection needs of its process."""

    settings: ScpSettings
    gate: Gate
    service: StorageService
    observer: ScpObserver
    stopping: threading.Event
    tls: ssl.SSLContext | None


def serve(ticket: Ticket, keeper: Doorkeeper) -> None:
    """Everything one peer does on one connection; raises nothing, leaves nothing open."""
    try:
        Connection(ticket, keeper).run()
    except Exception as error:  # noqa: BLE001 - a fault of ours ends one connection, not the receiver
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{frame.filename}:{frame.lineno}"
        log.error("connection.failed", extra={"error": type(error).__name__, "where": where})  # noqa: TRY400 - PHI
    finally:
        keeper.gate.leave(ticket)
        with contextlib.suppress(OSError):
            ticket.sock.close()


class Connection:
    """State of one connection; used by its own thread alone."""

    def __init__(self, ticket: Ticket, keeper: Doorkeeper) -> None:
        self._ticket, self._keeper, self._settings = ticket, keeper, keeper.settings

    def run(self) -> None:
        """Serve until the association is over, or never comes about."""
        try:
            wire = self._wire()
            association = self._associate(wire)
        except Ending as ending:
            how = "evicted" if self._ticket.evicted else ending.how
            self._keeper.observer.connection_refused(how)
            log.info("connection.ended", extra={"how": how, "reason": str(ending), "peer": self._ticket.host})
            return
        if association is not None:
            self._keep(association, wire)

    def _wire(self) -> Wire:
        deadlines = self._settings.deadlines
        if self._keeper.tls is not None:
            self._ticket.sock = tls.handshake(self._ticket.sock, self._keeper.tls, deadlines.handshake)
        wire = Wire(self._ticket.sock, self._keeper.stopping, deadlines.send)
        wire.deadline = time.monotonic() + deadlines.request
        return wire

    def _associate(self, wire: Wire) -> Association | None:
        """The association, or None after a rejection. An ending here has told the peer already."""
        try:
            body = self._request(wire)
            request = association_request.decode(body)
        except DeadlinePassed:  # ARTIM: the transport is closed, nothing is said (PS3.8 9.2.3, AA-2)
            raise
        except AbortNeeded as ending:
            self._last_word(wire, abort_pdu(ending))
            raise
        rejection = self._rejection(request, association_request.protocol_version(body))
        if rejection is not None:
            self._reject(wire, rejection)
            return None
        return self._accept(wire, request)

    def _request(self, wire: Wire) -> bytes:
        kind, length = PDU_HEADER.unpack(wire.exact(PDU_HEADER.size))
        if kind not in KNOWN_TYPES:
            raise UnknownPdu("not a DICOM peer")
        if kind != ASSOCIATE_RQ:
            raise UnexpectedPdu(f"PDU type {kind:#04x} before an association")
        if length > self._settings.max_request_bytes:
            raise InvalidPdu(f"A-ASSOCIATE-RQ of {length} bytes")
        return wire.exact(length)

    def _rejection(self, request: A_ASSOCIATE, version: int) -> Rejection | None:
        ticket, gate = self._ticket, self._keeper.gate
        if not version & 1:
            return Rejection.PROTOCOL_VERSION
        if request.application_context_name != APPLICATION_CONTEXT:
            return Rejection.APPLICATION_CONTEXT
        if self._settings.check_called_ae and request.called_ae_title != self._settings.ae_title:
            return Rejection.CALLED_AE
        if not gate.recognises(request.calling_ae_title, ticket.host, tls.fingerprint(ticket.sock)):
            return Rejection.CALLING_AE
        return None if gate.associate(ticket) else Rejection.LIMIT

    def _reject(self, wire: Wire, rejection: Rejection) -> None:
        self._keeper.observer.association_rejected(rejection.name.lower())
        log.warning("association.rejected", extra={"reason": rejection.name.lower(), "peer": self._ticket.host})
        self._last_word(wire, association_request.reject_pdu(rejection))

    def _accept(self, wire: Wire, request: A_ASSOCIATE) -> Association:
        results = negotiate(request.presentation_context_definition_list)
        contexts = {
            int(result.context_id or 0): Context(str(result.abstract_syntax), str(result.transfer_syntax[0]))
            for result in results
            if result.result == 0
        }
        wire.send(association_request.accept_pdu(request, results, self._settings))
        layer = UpperLayer(
            wire,
            self._settings.deadlines,
            max_pdu=self._settings.max_pdu,
            peer_max_pdu=association_request.maximum_length(request),
            ends_at=time.monotonic() + self._settings.deadlines.association,
        )
        caller = Caller(request.calling_ae_title, request.called_ae_title, self._ticket.host)
        return Association(layer, contexts, caller, self._keeper.service, self._keeper.observer)

    def _keep(self, association: Association, wire: Wire) -> None:
        self._keeper.observer.association_opened()
        how = "failed"
        try:
            association.run()
            how = "released"
            self._last_word(wire, release_response())
        except Ending as ending:
            how = ending.how
            log.info("association.ended", extra={"how": how, "reason": str(ending), "peer": self._ticket.host})
            if isinstance(ending, AbortNeeded):
                self._last_word(wire, abort_pdu(ending))
        finally:
            self._keeper.observer.association_closed(how)

    def _last_word(self, wire: Wire, pdu: bytes) -> None:
        """Send it and wait for the peer to close; it may call again before that, so its slot is free already."""
        self._keeper.gate.dissociate(self._ticket)
        with contextlib.suppress(Ending):
            wire.send(pdu)
            wire.linger(self._settings.deadlines.linger)
