"""DICOM TLS (PS3.15 B.12): who gets in with which certificate, and who does not."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.errors import ConfigError
from app.intake.scp import AllowedPeer, TlsFiles
from app.intake.scp.tls import server_context
from tests.intake.certificates import Authority, Pair, weak_key
from tests.intake.landing import Landing, landing
from tests.intake.modality import CALLING_AE_REJECTED, Closed, Modality, request
from tests.peers import dcmtk


@dataclass(frozen=True)
class World:
    """A receiver that asks for certificates, and the authority it believes."""

    receiver: Landing
    ours: Authority
    theirs: Authority
    good: Pair
    revoked: Pair


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("tls")
    ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
    good, revoked = ours.issue("good"), ours.issue("revoked")
    server = ours.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    files = TlsFiles(server.certificate, server.key, ca=ours.path, crl=ours.revocation_list(revoked))
    peers = (AllowedPeer("MODALITY", "127.0.0.1", good.sha256.upper()), AllowedPeer("OLD", "127.0.0.1"))
    with landing(folder / "landing", tls=files, peers=peers) as receiver:
        yield World(receiver, ours, theirs, good, revoked)


def client(world: World, pair: Pair | None = None, *, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(world.ours.path)
    context.check_hostname = False
    context.set_ciphers("ALL:@SECLEVEL=0")
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    if version is not None:
        with warnings.catch_warnings():  # the old versions are deprecated, which is why they are tried
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_known_certificate_stores(world: World, version: ssl.TLSVersion) -> None:
    with Modality(world.receiver.port, wrap=client(world, world.good, version=version)) as peer:
        assert peer.associate().echo() == 0
        data = bytes(range(256)) * 4000
        assert peer.store(data).status == 0
        peer.release()
    assert world.receiver.sink.data_set() == data


@pytest.mark.peer("dcmtk")
def test_dcmtk_gets_in_with_a_certificate_and_not_without(world: World) -> None:
    titles = ("-aet", "MODALITY", "-aec", "UNIRG")
    address = ("127.0.0.1", str(world.receiver.port))
    with_it = ("+tls", world.good.key, world.good.certificate, "+cf", world.ours.path)
    assert dcmtk.dcmtk("echoscu", *with_it, *titles, *address, check=False).returncode == 0
    assert dcmtk.dcmtk("echoscu", "+tla", "+cf", world.ours.path, *titles, *address, check=False).returncode != 0
    assert dcmtk.dcmtk("echoscu", *titles, *address, check=False).returncode != 0


def cbc_only(world: World) -> ssl.SSLContext:
    context = client(world, world.good, version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:AES256-SHA:@SECLEVEL=0")
    return context


NO_ENTRY: dict[str, Callable[[World], ssl.SSLContext | None]] = {
    "no TLS at all": lambda _world: None,
    "TLS 1.0": lambda world: client(world, world.good, version=ssl.TLSVersion.TLSv1),
    "TLS 1.1": lambda world: client(world, world.good, version=ssl.TLSVersion.TLSv1_1),
    "TLS 1.2 with CBC": cbc_only,
    "no certificate, TLS 1.2": lambda world: client(world, version=ssl.TLSVersion.TLSv1_2),
    "no certificate, TLS 1.3": lambda world: client(world, version=ssl.TLSVersion.TLSv1_3),
    "expired": lambda world: client(world, world.ours.issue("expired", start=-9, end=-1)),
    "not yet valid": lambda world: client(world, world.ours.issue("early", start=5)),
    "another authority": lambda world: client(world, world.theirs.issue("foreign")),
    "revoked": lambda world: client(world, world.revoked),
    "RSA of 1024 bits": lambda world: client(world, world.ours.issue("weak", key=weak_key())),
    "a server's certificate": lambda world: client(
        world, world.ours.issue("notclient", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    ),
}


@pytest.mark.parametrize("case", NO_ENTRY)
def test_no_association_without_what_is_asked_for(world: World, case: str) -> None:
    before = world.receiver.tally.counts["opened"]
    with (
        pytest.raises((ssl.SSLError, ConnectionError, Closed)),
        Modality(world.receiver.port, wrap=NO_ENTRY[case](world)) as peer,
    ):
        peer.associate()
    assert world.receiver.tally.counts["opened"] == before


@pytest.mark.parametrize(("calling", "name"), [("MODALITY", "another"), ("NOBODY", "good")])
def test_certificate_and_title_must_belong_together(world: World, calling: str, name: str) -> None:
    pair = world.good if name == "good" else world.ours.issue(name)
    with Modality(world.receiver.port, wrap=client(world, pair)) as peer:
        peer.say(request(calling=calling))
        assert peer.rejected() == CALLING_AE_REJECTED


def test_a_peer_without_a_pinned_certificate_may_show_any_valid_one(world: World) -> None:
    with Modality(world.receiver.port, wrap=client(world, world.ours.issue("renewed"))) as peer:
        assert peer.associate(calling="OLD").echo() == 0


def test_without_a_ca_the_line_is_only_encrypted(world: World, tmp_path: Path) -> None:
    server = world.ours.issue("plain", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    with (
        landing(tmp_path, tls=TlsFiles(server.certificate, server.key)) as receiver,
        Modality(receiver.port, wrap=client(world)) as peer,
    ):
        assert peer.associate().echo() == 0


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="check certificate, key"):
        server_context(TlsFiles(tmp_path / "none.pem", tmp_path / "none.key"))
