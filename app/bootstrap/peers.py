"""Peers as we call them: who they are, how patient we are, and their TLS."""

from __future__ import annotations

from app.bootstrap.tls_files import readable
from app.config import PeerSettings, Settings
from app.gateways.dimse_peer import DimsePeer, Patience, TlsContext
from app.gateways.dimse_tls import calling_tls


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
