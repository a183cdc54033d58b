"""Calling a peer over DICOM TLS: only one that shows a certificate we can check, and with ours."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.errors import ConfigError, EndpointUnavailable
from app.gateways.dimse_peer import DimsePeer, Patience
from app.gateways.dimse_tls import calling_tls
from app.gateways.report_dimse import DimseReportEndpoint
from app.intake.scp import AllowedPeer, TlsFiles
from app.intake.scp.tls import server_context
from tests.builders.radiographs import save
from tests.intake.certificates import Authority
from tests.intake.landing import landing
from tests.priors.documents import report


@pytest.fixture
def document(tmp_path):
    return save(report(), tmp_path / "sr.dcm").read_bytes()


@pytest.fixture
def authorities(tmp_path):
    return Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")


@pytest.fixture
def receiver(authorities, tmp_path):
    ours, _ = authorities
    server = ours.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    files = TlsFiles(server.certificate, server.key, ca=ours.path)
    with landing(tmp_path / "landing", tls=files, peers=(AllowedPeer("UNIRG", "127.0.0.1"),)) as running:
        yield running


def endpoint(port, tls):
    return DimseReportEndpoint(DimsePeer("pacs", "UNIRG", "127.0.0.1", port, "UNIRG", Patience(5, 5, 15), tls))


def test_a_report_goes_over_tls(document, authorities, receiver):
    ours, _ = authorities
    pair = ours.issue("client")
    endpoint(receiver.port, calling_tls(pair.certificate, pair.key, ours.path, "127.0.0.1")).send(document)
    assert len(receiver.sink.received) == 1


def test_a_peer_we_cannot_check_gets_nothing(document, authorities, receiver):
    ours, theirs = authorities
    pair = ours.issue("client")
    with pytest.raises(EndpointUnavailable, match="no TLS connection"):
        endpoint(receiver.port, calling_tls(pair.certificate, pair.key, theirs.path, "127.0.0.1")).send(document)
    assert receiver.sink.received == []


def test_without_tls_nothing_is_sent_to_a_peer_that_asks_for_it(document, receiver):
    with pytest.raises(EndpointUnavailable):
        endpoint(receiver.port, None).send(document)


def test_files_that_are_none_are_a_configuration_error(authorities, tmp_path):
    ours, theirs = authorities
    for certificate, key in ((tmp_path / "none.pem", ours.issue("a").key), (ours.issue("a").certificate, theirs.path)):
        with pytest.raises(ConfigError, match="cannot be used"):
            calling_tls(certificate, key, ours.path, "127.0.0.1")


def test_a_key_with_a_password_asks_nobody(authorities, tmp_path):
    ours, _ = authorities
    pair, locked = ours.issue("locked"), tmp_path / "locked.key"
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    secret = serialization.BestAvailableEncryption(b"secret")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    with pytest.raises(ConfigError, match="without a password"):
        calling_tls(pair.certificate, locked, ours.path, "127.0.0.1")
    with pytest.raises(ConfigError, match="cannot be used"):
        server_context(TlsFiles(pair.certificate, locked))
