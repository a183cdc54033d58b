"""A person changes his own password; nobody else can, and what was opened with the old one ends."""

from __future__ import annotations

import pytest

from app.access import Role
from tests.api.acts import SIGNING, begin, save, sign
from tests.builders.reading import PASSWORD, add_ready_study

CHANGE, LOGIN, ME = "/api/v1/auth/password", "/api/v1/auth/login", "/api/v1/auth/me"
NEWER = "another horse battery"


def change(reader, password=PASSWORD, newer=NEWER):
    return reader.post(CHANGE, json={"password": password, "new_password": newer})


def log_in(house, password):
    return house.visitor().post(LOGIN, json={"username": "ada", "password": password}).status_code


def again(house):
    """Ada at another workstation."""
    other = house.visitor()
    other.post(LOGIN, json={"username": "ada", "password": PASSWORD}).raise_for_status()
    return other


def test_the_new_password_holds_the_old_one_and_other_sessions_do_not(either_house):
    house = either_house
    ada, bob = house.reader("ada"), house.reader("bob")
    other = again(house)
    answer = change(ada)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [one.get(ME).status_code for one in (ada, other, bob)] == [200, 401, 200]
    assert [log_in(house, password) for password in (PASSWORD, NEWER)] == [401, 200]
    (entry,) = house.audited("auth.password_changed")
    assert entry.actor == "user:ada"
    assert set(entry.detail) == {"address"}


def test_the_new_password_signs_at_once(house):
    ada = house.reader("ada")
    study, draft = add_ready_study(house.database, house.clock)
    report = save(ada, begin(ada, study, draft))
    change(ada).raise_for_status()
    assert sign(ada, report).status_code == 403
    tag = {"If-Match": f'"{report["etag"]}"'}
    signed = ada.post(f"/api/v1/reports/{report['id']}/sign", json={**SIGNING, "password": NEWER}, headers=tag)
    assert signed.status_code == 200


def test_a_wrong_present_password_changes_nothing(house):
    ada = house.reader("ada")
    other = again(house)
    refused = change(ada, password="not the password")
    assert refused.status_code == 403
    assert "nothing was changed" in refused.json()["detail"]
    assert log_in(house, PASSWORD) == 200
    assert other.get(ME).status_code == 200
    assert len(house.audited("auth.confirmation_failed")) == 1
    assert house.audited("auth.password_changed") == []


@pytest.mark.parametrize(("newer", "status"), [("short", 400), ("", 422), ("x" * 257, 422)])
def test_the_rules_are_those_of_the_administration(house, newer, status):
    ada = house.reader("ada")
    assert change(ada, newer=newer).status_code == status
    root = house.reader("root", Role.ADMIN)
    (user,) = [user for user in root.get("/api/v1/admin/users").json()["items"] if user["username"] == "ada"]
    assert root.post(f"/api/v1/admin/users/{user['id']}/password", json={"password": newer}).status_code == status
    assert log_in(house, PASSWORD) == 200


def test_tries_are_limited_as_at_the_login(house):
    ada = house.reader("ada")
    tries = [change(ada, password="not the password").status_code for _ in range(10)]
    assert set(tries) == {403}
    assert change(ada).status_code == 429
    house.clock.advance(61)
    assert change(ada).status_code == 204


def test_a_machine_has_no_password_and_a_visitor_none_to_change(house):
    assert change(house.machine()).status_code == 409
    assert change(house.visitor()).status_code == 401


def test_another_sites_page_cannot_change_it(house):
    ada = house.reader("ada")
    ada.headers.pop("X-CSRF-Token")
    assert change(ada).status_code == 403
    assert log_in(house, PASSWORD) == 200
