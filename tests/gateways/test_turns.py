"""Turns: one at a time, and who has precedence goes first."""

from __future__ import annotations

import threading

import pytest

from app.gateways.turns import Turns


def test_who_has_precedence_goes_before_who_waited_longer() -> None:
    turns, order = Turns(), []
    with turns.first():
        patient = threading.Thread(target=lambda: note(turns.after_others(), order, "other"))
        patient.start()
        hasty = threading.Thread(target=lambda: note(turns.first(), order, "first"))
        hasty.start()
        while not turns._waiting_first:
            hasty.join(0.001)
    for thread in (patient, hasty):
        thread.join()
    assert order == ["first", "other"]


def note(turn, order: list[str], name: str) -> None:
    with turn:
        order.append(name)


def test_who_comes_in_vain_is_told_and_blocks_nobody() -> None:
    turns = Turns()
    with turns.after_others():
        for other in (turns.first, turns.after_others):
            with pytest.raises(TimeoutError), other(0):
                pytest.fail("the turn was taken twice")


def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns()
    for turn in (turns.first, turns.after_others) * 2:
        with pytest.raises(ZeroDivisionError), turn(0):
            raise ZeroDivisionError
