"""The PEM files of DICOM TLS, looked at before anything is built on them."""

from __future__ import annotations

from app.config import TlsSettings
from app.errors import ConfigError


def readable(tls: TlsSettings) -> TlsSettings:
    """The same settings. Raises ConfigError naming the first key whose file cannot be read."""
    named = {"certificate": tls.certificate, "key": tls.key, "ca": tls.ca, "crl": tls.crl}
    for key, path in named.items():
        try:
            if path is not None:
                path.open("rb").close()
        except OSError as error:
            message = (
                f"dicom.tls.{key} names {path}, which cannot be read ({error.strerror}); "
                "correct the path, or let the service's user read the file."
            )
            raise ConfigError(message) from error
    return tls
