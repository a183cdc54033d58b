"""The listening process: an accept loop that does nothing but accept, one thread for each connection."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
import time

from app.errors import ConfigError
from app.intake.scp import tls
from app.intake.scp.connection import Doorkeeper, serve
from app.intake.scp.gate import Gate, Ticket
from app.intake.scp.observer import ScpObserver, Unobserved
from app.intake.scp.part10 import sweep
from app.intake.scp.settings import ScpSettings, address
from app.intake.scp.storage import InstanceSink, StorageService
from app.intake.scp.wire import TICK

log = logging.getLogger(__name__)
BACKLOG = 256
PAUSE = 0.05
CUT_SECONDS = 5.0


class StorageScp:
    """Storage and Verification SCP (PS3.4 A, B): `start`, then `stop` once."""

    def __init__(self, settings: ScpSettings, sink: InstanceSink, observer: ScpObserver | None = None) -> None:
        """Raises ConfigError for unusable TLS files or a peer's host without an address."""
        self._settings = settings
        self._gate = Gate(settings)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._listener: socket.socket | None = None
        self._accepting = threading.Thread(target=self._accept_all, name="dicom-accept", daemon=True)
        self._keeper = Doorkeeper(
            settings,
            self._gate,
            StorageService(settings, sink),
            observer or Unobserved(),
            self._stopping,
            tls.server_context(settings.tls) if settings.tls else None,
        )

    def start(self) -> int:
        """Remove what a crash left, then listen; returns the port.

        Raises ConfigError when the folder cannot be written or the address cannot be bound.
        """
        _clean(self._settings)
        self._listener = _listen(self._settings)
        port = int(self._listener.getsockname()[1])
        self._accepting.start()
        log.info("receiver.listening", extra={"port": port, "ae_title": self._settings.ae_title})
        return port

    def stop(self, seconds: float = 30.0) -> None:
        """Accept no more, let messages under way end for up to `seconds`, then cut what is left."""
        self._stopping.set()
        if self._listener is None:
            return
        self._accepting.join()
        self._listener.close()
        self._join(time.monotonic() + seconds)
        self._gate.cut_all()
        self._join(time.monotonic() + CUT_SECONDS)

    def _join(self, until: float) -> None:
        for thread in tuple(self._threads):
            thread.join(max(until - time.monotonic(), 0))

    def _accept_all(self) -> None:
        assert self._listener is not None  # noqa: S101 - set by start, the only caller
        while not self._stopping.is_set():
            try:
                sock, peer = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                self._accept_failed(error)
                continue
            self._admit(sock, str(peer[0]))

    def _accept_failed(self, error: OSError) -> None:
        """ECONNABORTED is the peer's business; out of descriptors or memory it is ours, and passes or not."""
        if error.errno != errno.ECONNABORTED:
            log.error("receiver.accept_failed", extra={"errno": error.errno})
            self._stopping.wait(PAUSE)

    def _admit(self, sock: socket.socket, host: str) -> None:
        ticket = self._gate.enter(sock, address(host))
        if ticket is None:
            self._keeper.observer.connection_refused("crowded")
            sock.close()
            return
        thread = threading.Thread(target=self._serve, args=(ticket,), name="dicom-peer", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # no more threads from the system: as if the gate were full
            self._threads.discard(thread)
            self._gate.leave(ticket)
            self._keeper.observer.connection_refused("crowded")
            sock.close()

    def _serve(self, ticket: Ticket) -> None:
        try:
            serve(ticket, self._keeper)
        finally:
            self._threads.discard(threading.current_thread())


def _clean(settings: ScpSettings) -> None:
    folder = settings.incoming_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        left = sweep(folder, settings.deadlines.association)
    except OSError as error:
        message = f"Cannot write to {folder} ({error.strerror}); give the receiver a folder of its own."
        raise ConfigError(message) from error
    if left:
        log.warning("receiver.swept", extra={"count": left})


def _listen(settings: ScpSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if settings.reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
        listener.settimeout(TICK)
    except OSError as error:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        message = f"Cannot listen for DICOM on {where} ({error.strerror}); choose a free port or stop what uses it."
        raise ConfigError(message) from error
    return listener
