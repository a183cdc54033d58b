"""What the storage SCP is told at its construction."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

from app.domain.identifiers import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from app.errors import ConfigError


@dataclass(frozen=True, slots=True)
class AllowedPeer:
    """Who may call: AE title and address together.

    host: address or name (resolved once, at the start of the receiver); certificate_sha256: where given, the TLS
    certificate that this peer must show (SHA-256 of its DER form, hexadecimal, colons allowed).
    """

    ae_title: str
    host: str
    certificate_sha256: str = ""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of DICOM TLS (PS3.15 B.12). With `ca` every peer must show a certificate signed by it.

    crl: revocation list(s) of that CA; a revoked certificate is then refused.
    """

    certificate: Path
    key: Path
    ca: Path | None = None
    crl: Path | None = None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds; each one ends the connection when it passes.

    handshake: TLS. request: from the connection to the last byte of its A-ASSOCIATE-RQ (ARTIM, PS3.8 9.1.4).
    pdu: from a PDU's header to its last byte. idle: from one PDU to the header of the next.
    association: all of it, whatever happens inside. send: one response. linger: from our last PDU to the peer's close.
    """

    handshake: float = 10.0
    request: float = 10.0
    pdu: float = 30.0
    idle: float = 120.0
    association: float = 4 * 3600.0
    send: float = 30.0
    linger: float = 2.0


@dataclass(frozen=True, slots=True)
class ScpSettings:
    """One listening application entity.

    incoming_dir: where objects under way are written; the object store's own file system.
    max_pdu: bytes of P-DATA that we announce and enforce (PS3.8 D.1). max_request_bytes: of an A-ASSOCIATE-RQ.
    max_object_bytes: of one data set. max_associations: open at once in this process, of which `reserved` are for
    addresses of the allow-list. max_pending: connections without an association, of which `reserved` likewise.
    accept_unknown: take everybody (a closed test network). port 0: any free one.
    reuse_port: several processes share the port (SO_REUSEPORT); limits then count per process.
    """

    ae_title: str
    incoming_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    peers: tuple[AllowedPeer, ...] = ()
    accept_unknown: bool = False
    check_called_ae: bool = True
    max_pdu: int = 131072
    max_request_bytes: int = 262144
    max_object_bytes: int = 1 << 30
    max_associations: int = 50
    max_associations_per_address: int = 20
    max_pending: int = 64
    max_pending_per_address: int = 16
    reserved: int = 8
    deadlines: Deadlines = field(default_factory=Deadlines)
    tls: TlsFiles | None = None
    reuse_port: bool = False
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    implementation_version_name: str = IMPLEMENTATION_VERSION_NAME


def address(host: str) -> str:
    """A peer's address in one form: IPv4 that arrived mapped into IPv6 is IPv4."""
    plain = ipaddress.ip_address(host.split("%", 1)[0])
    mapped = plain.ipv4_mapped if isinstance(plain, ipaddress.IPv6Address) else None
    return str(mapped or plain)


def resolve(peers: tuple[AllowedPeer, ...]) -> dict[str, tuple[AllowedPeer, ...]]:
    """Allowed peers by address. Raises ConfigError for a name without an address."""
    found: dict[str, tuple[AllowedPeer, ...]] = {}
    for peer in peers:
        for host in _addresses(peer):
            found[host] = (*found.get(host, ()), peer)
    return found


def _addresses(peer: AllowedPeer) -> set[str]:
    try:
        entries = socket.getaddrinfo(peer.host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        message = f"DICOM peer {peer.ae_title}: no address for host {peer.host!r}. Correct the host or its DNS entry."
        raise ConfigError(message) from error
    return {address(str(entry[4][0])) for entry in entries}
