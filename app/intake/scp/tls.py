"""DICOM TLS as PS3.15 B.12 (BCP 195: RFC 8996, RFC 9325): TLS 1.2 or 1.3, forward secrecy, AEAD."""

from __future__ import annotations

import hashlib
import socket
import ssl

from app.errors import ConfigError
from app.intake.scp.endings import HandshakeFailed
from app.intake.scp.settings import TlsFiles

TLS_1_2_CIPHERS = ":".join(  # RFC 9325 4.2
    (
        *("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"),
        *("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        *("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"),
    )
)


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """The receiver's side. Raises ConfigError for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{TLS_1_2_CIPHERS}:@SECLEVEL=2")  # 2: no RSA or DH key below 2048 bits
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    try:
        context.load_cert_chain(files.certificate, files.key, password="")  # else OpenSSL asks the terminal for it
        if files.ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(files.ca)
        if files.crl is not None:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            context.load_verify_locations(files.crl)
    except (OSError, ssl.SSLError) as error:
        message = f"The DICOM TLS files cannot be used ({error}); check certificate, key, CA and revocation list."
        raise ConfigError(message) from error
    return context


def handshake(sock: socket.socket, context: ssl.SSLContext, seconds: float) -> ssl.SSLSocket:
    """Wrap an accepted socket; the whole handshake within `seconds`. Raises HandshakeFailed, closing the socket."""
    wrapped = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
    try:
        wrapped.settimeout(seconds)
        wrapped.do_handshake()
    except (OSError, ValueError) as error:
        wrapped.close()
        raise HandshakeFailed(getattr(error, "reason", None) or type(error).__name__) from error
    return wrapped


def fingerprint(sock: socket.socket) -> str:
    """SHA-256 of the peer's certificate (DER), hexadecimal; "" where there is none."""
    certificate = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    return hashlib.sha256(certificate).hexdigest() if certificate else ""
