"""Peers as we call them: who they are, how patient we are, their TLS, and how to ask whether they are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from app.bootstrap.tls_files import readable
from app.config import PeerSettings, Settings
from app.errors import ModelUnavailable
from app.gateways.dimse_peer import DimsePeer, Patience, TlsContext
from app.gateways.dimse_tls import calling_tls
from app.gateways.storage_scu import echo
from app.ports import Peer, PeerFacts


def called_peer(settings: Settings, peer: PeerSettings) -> DimsePeer:
    """Raises ConfigError for TLS files that cannot be used."""
    dicom = settings.dicom
    patience = Patience(answer=dicom.timeout_seconds, total=4 * dicom.timeout_seconds)
    return DimsePeer(
        peer.name, peer.ae_title, peer.host, peer.port, dicom.ae_title, patience, calling_context(settings, peer)
    )


def calling_context(settings: Settings, peer: PeerSettings) -> TlsContext | None:
    """None for a peer without TLS. Raises ConfigError for files that cannot be used."""
    if not peer.tls or settings.dicom.tls is None:
        return None
    tls = readable(settings.dicom.tls)
    return calling_tls(tls.certificate, tls.key, tls.ca, peer.tls_name or peer.host, tls.crl)


@dataclass(frozen=True, slots=True)
class EchoedPeer:
    """Implements app.ports.Peer by C-ECHO, whatever the peer's roles."""

    settings: Settings
    peer: PeerSettings

    @property
    def facts(self) -> PeerFacts:
        """See Peer."""
        peer = self.peer
        return PeerFacts(peer.name, "dicom", f"{peer.host}:{peer.port}", peer.ae_title, peer.roles, peer.tls)

    def check(self) -> None:
        """See Peer. Raises ArchiveUnavailable, or ConfigError for TLS files that cannot be used."""
        peer, tls = self.peer, calling_context(self.settings, self.peer)
        echo(peer.host, peer.port, self.settings.dicom.ae_title, peer.ae_title, tls)


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Implements app.ports.Peer for the server of the configured checkpoint; ready: as DraftModel has it."""

    url: str
    ready: Callable[[], bool]

    @property
    def facts(self) -> PeerFacts:
        """See Peer."""
        return PeerFacts("model server", "model", _without_credentials(self.url), tls=self.url.startswith("https:"))

    def check(self) -> None:
        """See Peer. Raises ModelUnavailable."""
        if not self.ready():
            message = "The model server does not say that it is ready with this checkpoint; look at its log."
            raise ModelUnavailable(message)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def peers(settings: Settings, model_ready: Callable[[], bool]) -> tuple[Peer, ...]:
    """Every counterpart that the configuration names."""
    called: tuple[Peer, ...] = tuple(EchoedPeer(settings, peer) for peer in settings.dicom.peers)
    return (*called, ModelServer(settings.model.url, model_ready)) if settings.model.backend == "vllm" else called
