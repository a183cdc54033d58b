"""Our side of DICOM TLS when we call (PS3.15 B.12: TLS 1.2 or newer, the peer's certificate is checked)."""

from __future__ import annotations

import ssl
from pathlib import Path

from app.errors import ConfigError
from app.gateways.dimse_peer import TlsContext


def calling_tls(
    certificate: Path, key: Path, ca: Path | None, server_hostname: str, crl: Path | None = None
) -> TlsContext:
    """A context from PEM files; ca: who may have signed the peer's certificate, else the system's authorities.

    server_hostname: host of the peer, which its certificate must name. crl: revocation list(s) of `ca`; a peer whose
    certificate is revoked is not called. Raises ConfigError.
    """
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key, password="")  # else OpenSSL asks the terminal for an encrypted key's
        if crl is not None:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
            context.load_verify_locations(crl)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(str(path) for path in (certificate, key, ca, crl) if path)
        message = (
            f"TLS files {named} cannot be used ({type(error).__name__}); give readable PEM files that belong together, "
            "the key without a password."
        )
        raise ConfigError(message) from error
    return TlsContext(context, server_hostname)
