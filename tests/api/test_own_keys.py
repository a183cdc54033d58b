"""The keys of the review page that a reader has changed are at every workstation, and are nobody else's."""

from __future__ import annotations

import pytest

from tests.builders.reading import PASSWORD

KEYS, LOGIN, ME = "/api/v1/auth/keys", "/api/v1/auth/login", "/api/v1/auth/me"
CHANGED = {"report.accept": "q", "image.invert": "", "list.search": "F3", "study.next": "é", "report.undo": "я"}


def put(reader, keys):
    return reader.put(KEYS, json={"keys": keys})


def test_a_reader_finds_his_keys_at_the_next_workstation(either_house):
    house = either_house
    ada, bob = house.reader("ada"), house.reader("bob")
    assert ada.get(ME).json()["keys"] == {}
    answer = put(ada, CHANGED)
    assert (answer.status_code, answer.json()) == (200, {"keys": CHANGED})
    entered = house.visitor().post(LOGIN, json={"username": "ada", "password": PASSWORD}).json()
    assert [entered["keys"], ada.get(ME).json()["keys"], bob.get(ME).json()["keys"]] == [CHANGED, CHANGED, {}]
    (entry,) = house.audited("auth.keys_changed")
    assert (entry.actor, entry.detail) == ("user:ada", {})


def test_what_is_left_out_is_as_the_page_has_it(house):
    ada = house.reader("ada")
    put(ada, CHANGED).raise_for_status()
    put(ada, {"report.accept": "p"}).raise_for_status()
    assert ada.get(ME).json()["keys"] == {"report.accept": "p"}
    put(ada, {}).raise_for_status()
    assert ada.get(ME).json()["keys"] == {}


@pytest.mark.parametrize(
    "keys",
    [
        {"accept": "q"},
        {"Report.accept": "q"},
        {"report.": "q"},
        {"report.accept": " "},
        {"report.accept": "ab"},
        {"report.accept": "F0"},
        {"report.accept": "F25"},
        {"report.accept": "\n"},
        {"report.accept": "\x00"},
        {"report.accept": "\u200b"},
        {"report.accept": "\u202e"},
        {"report.accept": None},
        {f"report.a{'b' * number}": "q" for number in range(30)} | {f"image.a{'b' * 32}": "q"},
        {f"report.{a}{b}": "q" for a in "abcdefghijklmno" for b in "abcdefghijklmno"},
    ],
)
def test_what_is_no_act_or_no_key_is_refused_and_changes_nothing(house, keys):
    ada = house.reader("ada")
    put(ada, CHANGED).raise_for_status()
    assert put(ada, keys).status_code == 422
    assert ada.get(ME).json()["keys"] == CHANGED
