"""Logging in, staying in, and what another site's page cannot do."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from app.access import Role
from app.accounts.attempts import Attempts
from app.accounts.handlers import Accounts
from app.db.session import unit_of_work
from app.db.tables import LoginSession, User
from app.errors import Conflict, TooManyRequests
from app.main import ApiDeps, create_app
from tests.builders.reading import PASSWORD, add_person, quick_passwords
from tests.builders.studies import add_study

LOGIN, ME, LOGOUT, LIST = "/api/v1/auth/login", "/api/v1/auth/me", "/api/v1/auth/logout", "/api/v1/worklist"


def test_login_tells_who_is_in_and_sets_a_cookie_that_scripts_cannot_read(house):
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    answer = house.visitor().post(LOGIN, json={"username": "ada", "password": PASSWORD})
    body = answer.json()
    assert (body["name"], body["roles"]) == ("Dr Ada", ["radiologist"])
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert body["csrf_token"] not in cookie


def test_me_has_the_shape_of_login_and_the_same_token(house):
    reader = house.reader()
    body = reader.get(ME).json()
    assert body == {
        "csrf_token": reader.headers["X-CSRF-Token"],
        "name": "Dr Ada",
        "roles": ["radiologist"],
        "keys": {},
    }


def test_a_wrong_password_and_an_unknown_user_are_told_alike(house):
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    wrong = house.visitor().post(LOGIN, json={"username": "ada", "password": "not the password"})
    unknown = house.visitor().post(LOGIN, json={"username": "eve", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert [entry.actor for entry in house.audited("auth.login_failed")] == ["user:ada", "user:unknown"]


def test_an_unknown_user_costs_a_hash_as_a_known_one_does(house):
    passwords = quick_passwords()
    known = passwords.hash(PASSWORD)
    assert passwords.matches(known, PASSWORD)
    assert not passwords.matches("", "nobody has this password")


def test_the_eleventh_try_within_a_minute_is_refused_even_with_the_right_password(house):
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    visitor = house.visitor()
    tries = [visitor.post(LOGIN, json={"username": "ada", "password": "not the password"}) for _ in range(10)]
    assert {answer.status_code for answer in tries} == {401}
    refused = visitor.post(LOGIN, json={"username": "Ada", "password": PASSWORD})
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "60"


def test_right_passwords_are_no_tries_and_give_no_more_wrong_ones(house):
    """Nobody who signs eleven reports within a minute is told to wait."""
    visitor = house.visitor()
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    right, wrong = ({"username": "ada", "password": word} for word in (PASSWORD, "not the password"))
    assert {visitor.post(LOGIN, json=right).status_code for _ in range(15)} == {200}
    assert [visitor.post(LOGIN, json=wrong).status_code for _ in range(9)] == [401] * 9
    assert visitor.post(LOGIN, json=right).status_code == 200
    assert [visitor.post(LOGIN, json=wrong).status_code for _ in range(11)] == [401] * 10 + [429]


def test_tries_are_forgotten_after_a_minute_and_counted_per_user_and_address():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(10):
        attempts.count("ada", "10.0.0.1")
    attempts.count("ada", "10.0.0.2")
    attempts.count("bob", "10.0.0.1")
    assert refused(attempts, "ada", "10.0.0.1")
    now[0] = 61.0
    assert not refused(attempts, "ada", "10.0.0.1")


def test_one_address_cannot_try_the_names_of_the_whole_house():
    attempts = Attempts(lambda: 0.0)
    tries = [refused(attempts, f"user{number}", "10.0.0.1") for number in range(100)]
    assert tries.count(False) == 60


def refused(attempts, username, address):
    try:
        attempts.count(username, address)
    except TooManyRequests:
        return True
    return False


def test_a_session_ends_when_nobody_uses_it(house):
    reader = house.reader()
    house.clock.advance(14 * 60)
    assert reader.get(ME).status_code == 200
    house.clock.advance(14 * 60)
    assert reader.get(ME).status_code == 200
    house.clock.advance(15 * 60)
    assert reader.get(ME).status_code == 401


def test_a_session_ends_after_twelve_hours_however_busy(house):
    reader = house.reader()
    for _ in range(71):
        house.clock.advance(10 * 60)
        assert reader.get(ME).status_code == 200
    house.clock.advance(10 * 60)
    assert reader.get(ME).status_code == 401


def test_a_cookie_is_worth_nothing_after_logout(house):
    reader = house.reader()
    cookies = dict(reader.cookies)
    assert reader.post(LOGOUT).status_code == 204
    thief = house.visitor()
    thief.cookies.update(cookies)
    assert thief.get(ME).status_code == 401


def test_a_new_password_ends_the_sessions_of_the_old(house):
    reader = house.reader()
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    assert reader.get(ME).status_code == 401


def test_a_disabled_user_is_out_at_once(house):
    reader = house.reader()
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.execute(sa.update(User).values(disabled=True))
    assert reader.get(ME).status_code == 401
    answer = house.visitor().post(LOGIN, json={"username": "ada", "password": PASSWORD})
    assert answer.status_code == 401


def test_only_hashes_of_secrets_are_kept(house):
    reader = house.reader()
    secret = next(iter(reader.cookies.values()))
    token = house.machine().headers["Authorization"].removeprefix("Bearer ")
    with house.database.reading() as session:
        kept = [str(vars(row)) for table in (User, LoginSession) for row in session.scalars(sa.select(table))]
    for told in (secret, token, PASSWORD, reader.headers["X-CSRF-Token"]):
        assert not any(told in row for row in kept)


def test_unsafe_calls_need_the_csrf_token_of_their_own_session(house):
    study = add_study(house.database, house.clock)
    path = f"/api/v1/studies/{study.study_instance_uid}/claim"
    ada, bob = house.reader("ada"), house.reader("bob")
    for token in ("", "wrong", "ünïcode".encode(), bob.headers["X-CSRF-Token"]):
        assert ada.post(path, headers={"X-CSRF-Token": token}).status_code == 403
    assert ada.post(path).status_code == 200


def test_another_sites_page_is_refused_even_with_the_token(house):
    study = add_study(house.database, house.clock)
    reader = house.reader()
    path = f"/api/v1/studies/{study.study_instance_uid}/claim"
    for told in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert reader.post(path, headers=told).status_code == 403
    assert reader.post(path, headers={"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}).is_success


def test_another_sites_page_cannot_log_a_reader_into_a_strange_account(house):
    add_person(house.database, house.clock, "eve", Role.VIEWER)
    told = {"Origin": "https://evil.example"}
    answer = house.visitor().post(LOGIN, json={"username": "eve", "password": PASSWORD}, headers=told)
    assert answer.status_code == 403


def test_a_machine_shows_its_token_and_needs_no_csrf(house):
    machine = house.machine()
    assert machine.get(ME).json() == {"csrf_token": None, "name": "ris", "roles": ["ris"], "keys": {}}
    assert machine.get(LIST).status_code == 200


def test_a_machines_token_ends_after_its_time(house):
    machine = house.machine()
    house.clock.advance(365 * 86400)
    assert machine.get(ME).status_code == 401


def test_a_service_token_is_no_cookie_and_a_cookie_no_service_token(house):
    reader, machine = house.reader(), house.machine()
    name, secret = next(iter(reader.cookies.items()))
    swapped = house.visitor()
    swapped.headers["Authorization"] = f"Bearer {secret}"
    assert swapped.get(ME).status_code == 401
    other = house.visitor()
    other.cookies.set(name, machine.headers["Authorization"].removeprefix("Bearer "))
    assert other.get(ME).status_code == 401


def test_a_person_cannot_become_a_machine(house):
    house.reader("ada")
    accounts = Accounts(house.database, house.clock, quick_passwords())
    with pytest.raises(Conflict, match="person"):
        accounts.create_token("ada", [Role.RIS])


def test_behind_https_the_cookie_stays_on_this_host_and_on_https(house, pixels):
    deps = ApiDeps(house.database, house.clock, house.store, pixels, lambda: True, secure_cookie=True, web_dist=None)
    add_person(house.database, house.clock, "ada", Role.RADIOLOGIST)
    visitor = TestClient(create_app(deps, quick_passwords()), base_url="https://testserver")
    answer = visitor.post(LOGIN, json={"username": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-unirg_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    token = {"X-CSRF-Token": answer.json()["csrf_token"]}
    assert visitor.get(ME).status_code == 200
    assert visitor.post(LOGOUT, headers=token).status_code == 204
    assert visitor.get(ME).status_code == 401
