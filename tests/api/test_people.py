"""Users as administrators look after them: audited, in force at once, and never without an administrator."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from app.access import Role
from app.accounts.handlers import Accounts
from app.db.tables import User
from tests.builders.reading import PASSWORD, quick_passwords

USERS = "/api/v1/admin/users"
NEW = {"username": "nora", "name": "Dr Nora", "roles": ["radiologist", "lead"], "password": "a long password"}


@pytest.fixture
def admin(house):
    return house.reader("root", Role.ADMIN)


def listed(admin):
    return {user["username"]: user for user in admin.get(USERS).json()["items"]}


def login(house, username, password):
    credentials = {"username": username, "password": password}
    return house.visitor().post("/api/v1/auth/login", json=credentials).status_code


def test_an_added_person_logs_in_and_is_listed_without_any_secret(house, admin):
    answer = admin.post(USERS, json=NEW)
    assert answer.status_code == 201
    assert login(house, "nora", NEW["password"]) == 200
    found = listed(admin)["nora"]
    assert (found["kind"], found["roles"], found["disabled"]) == ("person", ["radiologist", "lead"], False)
    assert found["seen_at"] is not None
    assert set(found) == {"id", "username", "name", "kind", "roles", "disabled", "created_at", "seen_at"}
    (entry,) = [e for e in house.audited("user.added") if e.actor == "user:root"]
    assert entry.detail == {"username": "nora", "roles": ["radiologist", "lead"]}


def test_machines_are_listed_beside_people(house, admin):
    house.machine("his", Role.RIS)
    assert listed(admin)["his"]["kind"] == "machine"
    assert listed(admin)["root"]["kind"] == "person"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "short"}, 400),
        ({"username": "root"}, 409),
        ({"username": "two words"}, 422),
        ({"username": "x\u0000"}, 422),
        ({"name": "  "}, 422),
        ({"roles": []}, 422),
        ({"roles": ["emperor"]}, 422),
        ({"disabled": False}, 422),
    ],
)
def test_what_cannot_be_a_user_is_refused_and_nothing_changes(house, admin, change, status):
    before = listed(admin)
    assert admin.post(USERS, json={**NEW, **change}).status_code == status
    assert listed(admin) == before


def test_changed_roles_are_in_force_for_a_session_under_way(house, admin):
    vera = house.reader("vera", Role.VIEWER)
    user = listed(admin)["vera"]
    assert vera.get("/api/v1/audit").status_code == 403
    answer = admin.put(f"{USERS}/{user['id']}/roles", json={"roles": ["auditor", "auditor"]})
    assert answer.json()["roles"] == ["auditor"]
    assert vera.get("/api/v1/audit").status_code == 200
    assert vera.get("/api/v1/worklist").status_code == 403
    (entry,) = house.audited("user.roles_changed")
    assert entry.detail == {"username": "vera", "before": ["viewer"], "roles": ["auditor"]}


def test_a_disabled_user_is_out_at_once_and_comes_back_with_the_same_password(house, admin):
    ada = house.reader("ada")
    user = listed(admin)["ada"]["id"]
    assert admin.post(f"{USERS}/{user}/disable").json()["disabled"] is True
    assert ada.get("/api/v1/worklist").status_code == 401
    assert login(house, "ada", PASSWORD) == 401
    assert admin.post(f"{USERS}/{user}/enable").json()["disabled"] is False
    assert login(house, "ada", PASSWORD) == 200
    assert ada.get("/api/v1/worklist").status_code == 401, "the old session came back"
    assert [e.detail for e in house.audited("user.disabled")] == [{"username": "ada"}]
    assert [e.detail for e in house.audited("user.enabled")] == [{"username": "ada"}]


def test_a_disabled_machine_is_refused_until_it_is_enabled(house, admin):
    ris = house.machine("his", Role.RIS)
    user = listed(admin)["his"]["id"]
    admin.post(f"{USERS}/{user}/disable")
    assert ris.get("/api/v1/changes").status_code == 401
    admin.post(f"{USERS}/{user}/enable")
    assert ris.get("/api/v1/changes").status_code == 200


def test_the_same_again_changes_nothing_and_is_not_audited_twice(house, admin):
    house.reader("ada")
    user = listed(admin)["ada"]["id"]
    for _ in range(3):
        assert admin.post(f"{USERS}/{user}/disable").status_code == 200
        assert admin.put(f"{USERS}/{user}/roles", json={"roles": ["viewer"]}).status_code == 200
    assert len(house.audited("user.disabled")) == len(house.audited("user.roles_changed")) == 1


def test_a_reset_password_ends_the_sessions_of_the_old_one(house, admin):
    ada = house.reader("ada")
    path = f"{USERS}/{listed(admin)['ada']['id']}/password"
    assert admin.post(path, json={"password": "short"}).status_code == 400
    assert ada.get("/api/v1/worklist").status_code == 200
    assert admin.post(path, json={"password": "another password"}).status_code == 200
    assert ada.get("/api/v1/worklist").status_code == 401
    assert login(house, "ada", PASSWORD) == 401
    assert login(house, "ada", "another password") == 200
    (entry,) = house.audited("user.password_reset")
    assert (entry.actor, entry.detail) == ("user:root", {"username": "ada"})


def test_a_machine_has_no_password_to_reset(house, admin):
    house.machine("his", Role.RIS)
    path = f"{USERS}/{listed(admin)['his']['id']}/password"
    assert admin.post(path, json={"password": "another password"}).status_code == 409


def test_the_last_administrator_stays(house, admin):
    house.reader("ada")
    machine = Accounts(house.database, house.clock, quick_passwords())
    machine.create_token("robot", [Role.ADMIN])
    root = listed(admin)["root"]["id"]
    for answer in (
        admin.post(f"{USERS}/{root}/disable"),
        admin.put(f"{USERS}/{root}/roles", json={"roles": ["viewer"]}),
    ):
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:unirg:problem:last-administrator"
    assert admin.post(USERS, json={**NEW, "roles": ["admin"]}).status_code == 201
    assert admin.post(f"{USERS}/{root}/disable").status_code == 200
    assert admin.get(USERS).status_code == 401


def test_two_administrators_cannot_shut_each_other_out(either_house):
    house = either_house
    pair = {name: house.reader(name, Role.ADMIN) for name in ("one", "two")}
    ids = {name: user["id"] for name, user in listed(pair["one"]).items()}
    start, answers = threading.Barrier(2), {}

    def shut_out(admin, other):
        start.wait()
        answers[admin] = pair[admin].post(f"{USERS}/{ids[other]}/disable").status_code

    threads = [threading.Thread(target=shut_out, args=both) for both in (("one", "two"), ("two", "one"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).where(sa.not_(User.disabled))) == 1
    assert sorted(answers.values()) in ([200, 401], [200, 409])


def test_nobody_of_that_id(admin):
    for method, path in (("PUT", "roles"), ("POST", "disable"), ("POST", "enable"), ("POST", "password")):
        body = {"roles": {"roles": ["viewer"]}, "password": {"password": "another password"}}.get(path)
        assert admin.request(method, f"{USERS}/{'0' * 32}/{path}", json=body).status_code == 404
