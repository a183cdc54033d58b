"""Peers that connect and then say nothing, or stop in the middle: nobody else may notice (nmap: dicom-slowloris)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from app.intake.scp import AllowedPeer, TlsFiles
from tests.intake.certificates import Authority
from tests.intake.landing import Landing, ReceiverProcess, landing
from tests.intake.modality import CR, Modality, command_pdu, data_pdus, echo_ok, request, store_fields
from tests.peers.process import wait_until

ATTACKER, GOOD = "127.0.0.66", "127.0.0.1"
PEERS = (AllowedPeer("MODALITY", GOOD), AllowedPeer("STALLED", ATTACKER))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Landing]:
    with landing(tmp_path, peers=PEERS, max_associations=10) as running:
        yield running


@pytest.mark.parametrize("said", [b"", request()[:26], request()[:-1]], ids=["nothing", "26 bytes", "all but one byte"])
@pytest.mark.parametrize("source", [ATTACKER, GOOD], ids=["another address", "the same address"])
def test_stalled_requests_lock_nobody_out(receiver: Landing, said: bytes, source: str) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(Modality(receiver.port, source=source)) for _ in range(60)]
        for peer in stalled[-12:]:  # the older ones have made room already
            peer.say(said)
        for _ in range(5):
            assert echo_ok(receiver.port, source=GOOD)
        for peer in stalled:
            peer.hear_end()
    receiver.scp.stop(5)
    assert receiver.tally.counts["refused:deadline"] + receiver.tally.counts["refused:evicted"] == 60
    assert receiver.tally.counts["echoed"] == 5


def test_stalled_associations_lock_nobody_out(receiver: Landing) -> None:
    """Half a data set each, from an allowed peer: the association limit of its address is the end of it."""
    message = command_pdu(3, store_fields(CR, "1.2.3")) + data_pdus(3, bytes(50_000))
    with ExitStack() as stack:
        stalled = [stack.enter_context(Modality(receiver.port, source=ATTACKER)) for _ in range(9)]
        for peer in stalled:
            peer.associate(calling="STALLED").say(message[:20_000])
        assert all(echo_ok(receiver.port, source=GOOD) for _ in range(5))
        assert [peer.aborted() for peer in stalled] == [(2, 0)] * 9
    receiver.wait_empty()


def test_one_byte_at_a_time_is_cut_all_the_same(receiver: Landing) -> None:
    message = request(calling="STALLED")
    with Modality(receiver.port, source=ATTACKER) as slow:
        with pytest.raises(ConnectionError):
            trickle(slow, message)
        assert echo_ok(receiver.port, source=GOOD)


def trickle(peer: Modality, message: bytes) -> None:
    peer.sock.settimeout(0.25)
    for byte in message:
        peer.say(bytes([byte]))
        try:
            if not peer.sock.recv(1):
                raise ConnectionAbortedError("the receiver hung up")
        except TimeoutError:
            continue


def test_silent_peers_do_not_hold_up_tls(tmp_path: Path) -> None:
    """With pynetdicom's own accept loop one such peer is an outage."""
    ours = Authority(tmp_path, "ours")
    server = ours.issue("server", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    trusting = ssl.create_default_context(cafile=str(ours.path))
    trusting.check_hostname = False
    with (
        landing(tmp_path / "landing", tls=TlsFiles(server.certificate, server.key), peers=PEERS) as receiver,
        ExitStack() as stack,
    ):
        silent = [stack.enter_context(Modality(receiver.port, source=ATTACKER)) for _ in range(100)]
        for number in range(5):
            with Modality(receiver.port, source=GOOD, wrap=trusting) as peer:
                assert peer.associate().echo() == 0, number
                peer.release()
        for peer in silent:
            peer.hear_end()


def test_thousands_of_probes_leave_no_trace(tmp_path: Path) -> None:
    """Connect and close, as load balancers probe."""
    with ReceiverProcess(tmp_path) as receiver:
        for _ in range(200):
            Modality(receiver.port).sock.close()
        assert echo_ok(receiver.port)
        memory, threads = receiver.memory(), receiver.threads()
        for _ in range(3_000):
            Modality(receiver.port).sock.close()
        assert echo_ok(receiver.port)
        wait_until(lambda: receiver.threads() <= threads + 2, "the end of the threads", 30)
        assert receiver.memory() - memory < 5 << 20
