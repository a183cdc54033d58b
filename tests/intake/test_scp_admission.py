"""Who is let in: called and calling AE title, address, limits, and how each refusal reads on the wire."""

from __future__ import annotations

import os
import random
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.errors import ConfigError
from app.intake.scp import AllowedPeer, Deadlines, ScpSettings, StorageScp
from app.intake.scp.gate import Gate
from app.intake.scp.settings import address
from tests.intake.landing import QUICK, DirectorySink, landing
from tests.intake.modality import (
    ASSOCIATE_AC,
    CALLING_AE_REJECTED,
    CR,
    Modality,
    command_pdu,
    data_pdus,
    echo_ok,
    request,
    store_fields,
)
from tests.peers import dcmtk
from tests.peers.process import free_port, wait_until

CALLED_AE, LIMIT = (1, 1, 7), (2, 3, 2)
VERSION, APPLICATION = (1, 2, 2), (1, 1, 2)
PEERS = (AllowedPeer("CT1", "127.0.0.1"), AllowedPeer("XR1", "127.0.0.2"), AllowedPeer("XR2", "127.0.0.2"))


@pytest.mark.parametrize(
    ("calling", "source", "rejection"),
    [
        ("CT1", "127.0.0.1", None),
        ("XR1", "127.0.0.2", None),
        ("XR2", "127.0.0.2", None),
        ("XR1", "127.0.0.1", CALLING_AE_REJECTED),
        ("CT1", "127.0.0.3", CALLING_AE_REJECTED),
        ("ct1", "127.0.0.1", CALLING_AE_REJECTED),
        ("NOBODY", "127.0.0.1", CALLING_AE_REJECTED),
    ],
)
def test_title_and_address_must_belong_together(
    tmp_path: Path, calling: str, source: str, rejection: tuple[int, int, int] | None
) -> None:
    with landing(tmp_path, peers=PEERS) as receiver, Modality(receiver.port, source=source) as peer:
        peer.say(request(calling=calling))
        if rejection is None:
            assert peer.hear()[0] == ASSOCIATE_AC
        else:
            assert peer.rejected() == rejection
            peer.hear_end()


def test_only_exact_pairs_of_a_thousand_are_recognised(tmp_path: Path) -> None:
    gate = Gate(ScpSettings("UNIRG", tmp_path, peers=PEERS))
    allowed = {(peer.ae_title, peer.host) for peer in PEERS}
    chance = random.Random(7)
    titles = ["CT1", "XR1", "XR2", "CT", "CT11", "ct1", " CT1", "", "*", "%", "CT1\0", "UNIRG"]
    for _ in range(1000):
        title, host = chance.choice(titles), f"127.0.0.{chance.randrange(5)}"
        assert gate.recognises(title, host, "") == ((title, host) in allowed)


@pytest.mark.parametrize(
    ("parts", "rejection"),
    [
        ({"called": "OTHER"}, CALLED_AE),
        ({"version": 2}, VERSION),
        ({"application": "1.2.3"}, APPLICATION),
    ],
)
def test_what_we_are_not_is_rejected_with_its_reason(
    tmp_path: Path, parts: dict[str, object], rejection: tuple[int, int, int]
) -> None:
    with landing(tmp_path) as receiver, Modality(receiver.port) as peer:
        peer.say(request(**parts))  # type: ignore[arg-type]
        assert peer.rejected() == rejection


def test_the_called_title_may_be_anything_where_configured(tmp_path: Path) -> None:
    with landing(tmp_path, check_called_ae=False) as receiver, Modality(receiver.port) as peer:
        assert peer.associate(called="OTHER").echo() == 0


@pytest.mark.peer("dcmtk")
def test_dcmtk_reads_the_rejection(tmp_path: Path) -> None:
    with landing(tmp_path, peers=PEERS) as receiver:
        assert dcmtk.echo(receiver.port, calling="CT1")
        refused = dcmtk.dcmtk(
            "echoscu", "-v", "-aet", "NOBODY", "-aec", "UNIRG", "127.0.0.1", str(receiver.port), check=False
        )
        assert "Calling AE Title Not Recognized" in refused.stderr + refused.stdout


def test_one_association_too_many_is_a_transient_rejection(tmp_path: Path) -> None:
    with landing(tmp_path, max_associations=3, reserved=0) as receiver, ExitStack() as stack:
        held = [stack.enter_context(Modality(receiver.port)).associate() for _ in range(3)]
        with Modality(receiver.port) as fourth:
            fourth.say(request())
            assert fourth.rejected() == LIMIT
        assert [peer.echo() for peer in held] == [0, 0, 0]
        held[0].release()
        assert echo_ok(receiver.port)


def test_one_address_cannot_take_every_association(tmp_path: Path) -> None:
    with landing(tmp_path, max_associations=10, max_associations_per_address=2) as receiver, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(Modality(receiver.port)).associate()
        with Modality(receiver.port) as third:
            third.say(request())
            assert third.rejected() == LIMIT
        assert echo_ok(receiver.port, source="127.0.0.2")


def test_strangers_leave_the_reserved_slots_free(tmp_path: Path) -> None:
    limits = {"max_associations": 4, "reserved": 2, "accept_unknown": True, "peers": PEERS}
    with landing(tmp_path, **limits) as receiver, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(Modality(receiver.port, source="127.0.0.9")).associate()
        with Modality(receiver.port, source="127.0.0.8") as stranger:
            stranger.say(request())
            assert stranger.rejected() == LIMIT
        assert echo_ok(receiver.port, calling="CT1", source="127.0.0.1")


def test_a_waiting_connection_makes_room_for_the_next_of_its_address(tmp_path: Path) -> None:
    waiting = {"max_pending_per_address": 3, "deadlines": Deadlines(request=60)}
    with landing(tmp_path, **waiting) as receiver, ExitStack() as stack:
        silent = [stack.enter_context(Modality(receiver.port)) for _ in range(3)]
        assert echo_ok(receiver.port)
        silent[0].hear_end()
        receiver.scp.stop(1)
        assert receiver.tally.counts["refused:evicted"] == 1


def test_connections_beyond_all_room_are_closed(tmp_path: Path) -> None:
    waiting = {"max_pending": 2, "peers": PEERS, "reserved": 1, "deadlines": Deadlines(request=60)}
    with landing(tmp_path, **waiting) as receiver, ExitStack() as stack:
        for host in ("127.0.0.1", "127.0.0.2"):
            stack.enter_context(Modality(receiver.port, source=host))
        with Modality(receiver.port, source="127.0.0.9") as stranger:
            stranger.hear_end()
        assert receiver.tally.counts["refused:crowded"] == 1


def test_a_host_name_is_resolved_and_an_unknown_one_is_a_configuration_error(tmp_path: Path) -> None:
    with landing(tmp_path, peers=(AllowedPeer("CT1", "localhost"),)) as receiver:
        assert echo_ok(receiver.port, calling="CT1")
    with pytest.raises(ConfigError, match="no-such-host"):
        Gate(ScpSettings("UNIRG", tmp_path, peers=(AllowedPeer("CT1", "no-such-host.invalid"),)))


def test_addresses_have_one_spelling() -> None:
    assert address("::ffff:10.1.2.3") == "10.1.2.3"
    assert address("fe80::1%eth0") == "fe80::1"


def test_an_occupied_port_is_a_configuration_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sink = DirectorySink(tmp_path)
        scp = StorageScp(ScpSettings("UNIRG", tmp_path, port=taken.getsockname()[1]), sink)
        with pytest.raises(ConfigError, match="choose a free port"):
            scp.start()
        scp.stop()
        sink.close()


def test_what_a_crash_left_is_swept_at_the_start(tmp_path: Path) -> None:
    incoming = DirectorySink(tmp_path)
    old, young = (incoming.store.incoming_dir / f"{name}.part" for name in ("old", "young"))
    for path in (old, young):
        path.touch()
    stamp = young.stat().st_mtime - 2 * QUICK.association
    os.utime(old, (stamp, stamp))
    incoming.close()
    with landing(tmp_path) as receiver:
        assert receiver.under_way == [young]


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sink = DirectorySink(tmp_path / "sink")
    scp = StorageScp(ScpSettings("UNIRG", tmp_path / "file" / "incoming"), sink)
    with pytest.raises(ConfigError, match="folder of its own"):
        scp.start()
    scp.stop()
    sink.close()


def test_two_receivers_share_a_port_where_asked(tmp_path: Path) -> None:
    port = free_port()
    with (
        landing(tmp_path / "one", port=port, reuse_port=True) as one,
        landing(tmp_path / "two", port=port, reuse_port=True) as two,
    ):
        wait_until(lambda: echo_ok(port) and bool(one.tally.counts and two.tally.counts), "both receivers used", 30)


def test_stopping_lets_a_store_under_way_end_and_cuts_the_idle(tmp_path: Path) -> None:
    with landing(tmp_path) as receiver, Modality(receiver.port) as busy, Modality(receiver.port) as idle:
        busy.associate()
        idle.associate()
        whole = _store_message()
        busy.say(whole[:5000])
        stopping = threading.Thread(target=receiver.scp.stop, args=(30,))
        stopping.start()
        assert idle.aborted() == (2, 0)
        busy.say(whole[5000:])
        assert busy.response().status == 0
        assert busy.aborted() == (2, 0)
        for peer in (busy, idle):
            peer.sock.close()
        stopping.join()
        with pytest.raises(ConnectionRefusedError):
            Modality(receiver.port)


def test_stopping_cuts_a_store_that_does_not_end(tmp_path: Path) -> None:
    with landing(tmp_path, deadlines=Deadlines()) as receiver, Modality(receiver.port) as busy:
        busy.associate()
        busy.say(_store_message()[:5000])
        receiver.scp.stop(1)
        busy.hear_end()
        assert receiver.under_way == []


def _store_message() -> bytes:
    return command_pdu(3, store_fields(CR, "1.2.3")) + data_pdus(3, bytes(20_000))
