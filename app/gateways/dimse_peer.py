"""Calling a DICOM peer: one association with a deadline, bounded reads, and every ending put into words."""

from __future__ import annotations

import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pydicom.config
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom import _config as pynetdicom_config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, AssociationSocket

from app.errors import ServiceError

MAX_PDU = 131_072
MAX_CONTROL_PDU = 1 << 20
"""Bytes. An acceptance with hundreds of presentation contexts stays far below this."""
READ_SIZE = 1 << 18
PDU_HEADER = 6  # PS3.8 9.3.1
QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux; the kernel takes it back after a while
LAST_WORD = 5.0
"""Seconds after the deadline in which an abort may still be said."""

Handler = tuple[Any, Callable[..., Any]]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. connect: TCP and TLS; answer: each answer of the peer; total: one association, start to end."""

    connect: float = 10.0
    answer: float = 30.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class TlsContext:
    """Our side of DICOM TLS (PS3.15 B.12); server_hostname as in the peer's certificate."""

    context: ssl.SSLContext
    server_hostname: str


@dataclass(frozen=True, slots=True)
class DimsePeer:
    """One configured peer and how we call it; max_bytes: what one association may bring in all."""

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae: str
    patience: Patience = Patience()
    tls: TlsContext | None = None
    max_bytes: int = 2 << 30

    def says(self, what: str) -> str:
        """A sentence about this peer, without identifiers of patients or objects."""
        return f"{self.name} ({self.ae_title} at {self.host}:{self.port}): {what}."

    @contextmanager
    def association(
        self,
        contexts: Sequence[PresentationContext],
        failure: type[ServiceError],
        roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
        handlers: Sequence[Handler] = (),
    ) -> Iterator[Call]:
        """An established association; released at the end, aborted when the block raises.

        Raises `failure`, with the reason and what to do, where none comes about.
        """
        entity = _Caller(self, time.monotonic() + self.patience.total)
        try:
            association = self._associate(entity, contexts, failure, roles, handlers)
            entity.hold_reactor(association)
            try:
                yield Call(self, association, failure, entity.deadline)
            except BaseException:
                association.abort()
                raise
            association.release()
        finally:
            entity.hang_up()

    def _associate(
        self,
        entity: _Caller,
        contexts: Sequence[PresentationContext],
        failure: type[ServiceError],
        roles: Sequence[SCP_SCU_RoleSelectionNegotiation],
        handlers: Sequence[Handler],
    ) -> Association:
        try:
            association = entity.associate(
                self.host,
                self.port,
                contexts=list(contexts),
                ae_title=self.ae_title,
                max_pdu=MAX_PDU,
                ext_neg=list(roles),
                evt_handlers=[(evt.EVT_CONN_OPEN, self._on_open), *handlers],
                tls_args=(self.tls.context, self.tls.server_hostname) if self.tls else None,
            )
        except OSError as error:  # the host's name is looked up before anything else
            raise failure(self.says(f"its host was not found ({type(error).__name__}); check its host")) from error
        except Exception as error:  # an acceptance that pynetdicom cannot digest
            what = f"its answer to our association request is malformed ({type(error).__name__}); look at its log"
            raise failure(self.says(what)) from error
        if not association.is_established:
            raise failure(self.says(entity.tls_fault or _why_not(association)))
        return association

    def _on_open(self, event: evt.Event) -> None:
        """No read or write may wait for ever, and small messages leave at once."""
        wrapped = event.assoc.dul.socket
        if wrapped is not None and wrapped.socket is not None:
            wrapped.socket.settimeout(self.patience.answer)
            wrapped.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if QUICK_ACK is not None:
                wrapped.socket.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)


@dataclass(frozen=True, slots=True)
class Call:
    """One association under way; deadline: on the monotonic clock."""

    peer: DimsePeer
    association: Association
    failure: type[ServiceError]
    deadline: float

    def offers(self, abstract_syntax: str) -> bool:
        """Whether the peer accepted a presentation context for this SOP class."""
        return any(context.abstract_syntax == abstract_syntax for context in self.association.accepted_contexts)

    def fails(self, what: str, kind: type[ServiceError] | None = None) -> ServiceError:
        """The error to raise for what happened."""
        return (kind or self.failure)(self.peer.says(what))

    def left(self, doing: str) -> float:
        """Seconds until the deadline. Raises `failure` when there are none."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise self._late(doing)
        return seconds

    def status(self, answer: Dataset, doing: str) -> int:
        """The status of one response. Raises `failure` where no usable one came."""
        if "Status" not in answer:
            raise self._silence(doing)
        return int(answer.Status)

    @contextmanager
    def guarded(self, doing: str) -> Iterator[None]:
        """Maps what pynetdicom raises when the association is gone or an answer cannot be encoded or read."""
        try:
            yield
        except ServiceError:
            raise
        except RuntimeError as error:  # "association must be established"
            raise self._silence(doing) from error
        except Exception as error:
            what = f"{doing} ended in a fault of the protocol ({type(error).__name__}); look at its log"
            raise self.fails(what) from error

    def _late(self, doing: str) -> ServiceError:
        return self.fails(f"{doing} was not done within {self.peer.patience.total:g} s; look at its load")

    def _silence(self, doing: str) -> ServiceError:
        if time.monotonic() >= self.deadline:
            return self._late(doing)
        ours = self.association._sent_abort  # noqa: SLF001  pynetdicom has no public reading of who aborted
        if not ours and (self.association.is_aborted or self.association.acse.is_aborted()):
            return self.fails(f"it broke off the association during {doing}; look at its log")
        return self.fails(f"no usable answer to {doing} within {self.peer.patience.answer:g} s; look at its log")


class _Caller(AE):
    """pynetdicom's requestor with our socket and time limits, and no log of what is asked or answered."""

    def __init__(self, peer: DimsePeer, deadline: float) -> None:
        _say_nothing()
        super().__init__(ae_title=peer.calling_ae)
        self.connection_timeout = peer.patience.connect
        self.acse_timeout = self.dimse_timeout = self.network_timeout = peer.patience.answer
        self.deadline, self._max_bytes = deadline, peer.max_bytes
        self._line: tuple[Association, _BoundedSocket] | None = None
        self._gate: _Gate | None = None

    def hold_reactor(self, association: Association) -> None:
        """Stop the association's own thread for good: it would take answers that we wait for.

        pynetdicom pauses it before each request by a flag that it also reads as paused just before it runs on
        (Association._run_reactor). On a busy machine the answer then goes to nobody, and the request ends in a timeout.
        What the thread does besides, answering a release between two requests, our associations are too short for.
        """
        self._gate = _Gate()
        association._reactor_checkpoint = self._gate  # noqa: SLF001  the only way to a thread that cannot be told
        self._gate.reached.wait(self.connection_timeout)

    @property
    def tls_fault(self) -> str:
        """What went wrong with TLS, and what to check; "" where nothing did."""
        error = self._line[1].tls_error if self._line else None
        if error is None:
            return ""
        why = getattr(error, "verify_message", "") or error.reason or type(error).__name__
        return (
            f"no TLS connection ({why.rstrip('.')}); check that it takes TLS, that its certificate is in force, "
            "names its host and is signed by dicom.tls.ca, and that it trusts ours"
        )

    def hang_up(self) -> None:
        """Leave neither a socket nor a thread behind, however it ended; some of pynetdicom's endings would."""
        if self._line is None:
            return
        association, connection = self._line
        connection._shutdown_socket()  # noqa: SLF001  our own subclass
        association._kill = True  # noqa: SLF001  kill() waits for ever on a thread that died
        if self._gate is not None:
            self._gate.open()
        association.dul.kill_dul()

    def _create_socket(
        self, assoc: Association, address: AddressInformation, tls_args: tuple[ssl.SSLContext, str] | None
    ) -> AssociationSocket:
        bounded = _BoundedSocket(assoc, address, self.deadline, self._max_bytes)
        self._line = (assoc, bounded)
        if tls_args:
            bounded.tls_args = tls_args
        return bounded


class _Gate(threading.Event):
    """Closed until `open`, whatever pynetdicom does to it; reached: its thread waits here and does nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        """Where the association's thread stays."""
        self.reached.set()
        return super().wait(timeout)

    def set(self) -> None:
        """Asked for after each request; not granted."""

    def open(self) -> None:
        """Let the thread go, to its end."""
        super().set()


class _BoundedSocket(AssociationSocket):
    """Reads in large pieces, never past the deadline, never more than a PDU and an association may have.

    pynetdicom's own waits in recv() without limit: a peer that stops within a PDU would hold the caller for ever.
    """

    def __init__(self, assoc: Association, address: AddressInformation, deadline: float, budget: int) -> None:
        super().__init__(assoc, address=address)
        self._deadline, self._budget = deadline, budget
        self.tls_error: ssl.SSLError | None = None

    def recv(self, nr_bytes: int) -> bytearray:
        """`nr_bytes` of the peer, or fewer where it closed. Raises OSError past a limit."""
        self._budget -= nr_bytes
        if nr_bytes > max(MAX_PDU + PDU_HEADER, MAX_CONTROL_PDU) or self._budget < 0:
            raise OSError("The peer sends more than was agreed")
        data = bytearray(nr_bytes)
        have = 0
        with memoryview(data) as view:
            while have < nr_bytes and (got := self._read_into(view[have:])):
                have += got
        del data[have:]
        return data

    def _read_into(self, view: memoryview) -> int:
        if self.socket is None:
            raise OSError("The connection is closed")
        if time.monotonic() >= self._deadline:
            raise TimeoutError("The association's time is up")
        try:
            got = self.socket.recv_into(view, min(len(view), READ_SIZE))
        except ssl.SSLError as error:  # with TLS 1.3 a peer refuses our certificate after the handshake
            self.tls_error = error
            raise
        if QUICK_ACK is not None:
            # DCMTK and Orthanc write an answer in two pieces and hold the second until the first is acknowledged:
            # 40 ms for each answer, unless every acknowledgement leaves at once
            self.socket.setsockopt(socket.IPPROTO_TCP, QUICK_ACK, 1)
        return got

    def _shutdown_socket(self) -> None:
        """Closes also what was never connected, where pynetdicom's shutdown fails first.

        pynetdicom's connect() calls it while it handles, and drops, the reason for which TLS did not come about.
        """
        error, connection = sys.exc_info()[1], self.socket
        if isinstance(error, ssl.SSLError):
            self.tls_error = error
        super()._shutdown_socket()
        if connection is not None:
            connection.close()

    def send(self, bytestream: bytes) -> None:
        """As pynetdicom's, until the deadline."""
        if time.monotonic() >= self._deadline + LAST_WORD:
            self.event_queue.put("Evt17")
            return
        super().send(bytestream)


def _say_nothing() -> None:
    """Identifiers logged by pynetdicom, values in warnings of pydicom would put patients into logs (LAW 7)."""
    pynetdicom_config.LOG_HANDLER_LEVEL = "none"
    pynetdicom_config.LOG_REQUEST_IDENTIFIERS = False
    pynetdicom_config.LOG_RESPONSE_IDENTIFIERS = False
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)


def _why_not(association: Association) -> str:
    if association.is_rejected:
        answer = association.acceptor.primitive
        why = f"{answer.result_str}: {answer.reason_str}" if answer else "no reason given"
        return f"it refused the association ({why}); check the AE titles, and that it knows ours"
    if association.rejected_contexts:
        return "it offers none of the services that we need; check its configuration"
    address = association.requestor.address_info
    if address is not None and address.port:  # set once connected
        return "it did not answer our association request; look at its log and load"
    return "no connection; check host, port and network, and that it runs"
