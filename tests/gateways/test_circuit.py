"""The circuit breaker: opens, rests, sends one probe."""

from __future__ import annotations

import threading

import pytest

from app.gateways.circuit import Circuit, CircuitOpen


class PeerFault(Exception):
    pass


class Watch:
    """A monotonic clock that stands still."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def fail(circuit: Circuit) -> None:
    with pytest.raises(PeerFault), circuit.attempt():
        raise PeerFault


def test_it_opens_after_the_limit_and_not_before() -> None:
    circuit = Circuit(limit=3, rest_seconds=10, monotonic=Watch())
    fail(circuit)
    fail(circuit)
    with circuit.attempt():
        pass
    for _ in range(3):
        assert circuit.admits()
        fail(circuit)
    assert not circuit.admits()
    with pytest.raises(CircuitOpen), circuit.attempt():
        pytest.fail("no call is made while it is open")


def test_after_its_rest_one_caller_decides() -> None:
    watch = Watch()
    circuit = Circuit(limit=1, rest_seconds=10, monotonic=watch)
    fail(circuit)
    watch.seconds += 10
    with circuit.attempt():
        assert not circuit.admits(), "one probe at a time"
        with pytest.raises(CircuitOpen), circuit.attempt():
            pass
    assert circuit.admits()


def test_a_failed_probe_rests_again_and_an_interrupted_one_blocks_nobody() -> None:
    watch = Watch()
    circuit = Circuit(limit=1, rest_seconds=10, monotonic=watch)
    fail(circuit)
    watch.seconds += 10
    fail(circuit)
    assert not circuit.admits()
    watch.seconds += 10
    with pytest.raises(KeyboardInterrupt), circuit.attempt():
        raise KeyboardInterrupt
    watch.seconds += 10
    with circuit.attempt():
        pass
    assert circuit.admits()


def test_no_failure_is_forgotten_among_threads() -> None:
    circuit = Circuit(limit=8, rest_seconds=10, monotonic=Watch())
    barrier = threading.Barrier(8)

    def call() -> None:
        barrier.wait()
        try:
            with circuit.attempt():
                raise PeerFault
        except PeerFault:
            pass

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not circuit.admits()
