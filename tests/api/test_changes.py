"""The change feed: ordered, resumable, without patient data; and as a live stream over a real socket."""

from __future__ import annotations

import asyncio
import json

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import Role
from app.review.feed import BACKLOG, ChangeFeed, LiveChanges
from tests.api.acts import begin, signed_report
from tests.api.house import served
from tests.builders.reading import add_ready_study

CHANGES, EVENTS = "/api/v1/changes", "/api/v1/events"


def all_changes(machine, limit=100):
    found, after = [], 0
    while True:
        page = machine.get(CHANGES, params={"after": after, "limit": limit}).json()
        found += page["items"]
        after = page["next"]
        if len(page["items"]) < limit:
            return found, after


def test_the_feed_tells_a_studys_story_in_order(either_house):
    house = either_house
    study, report = signed_report(house, house.reader("ada"))
    changes, after = all_changes(house.machine())
    assert [(c["action"], c["state"]) for c in changes] == [
        ("study.claimed", "ready"),
        ("study.report_started", "in_review"),
        ("report.started", "in_review"),
        ("study.signed", "signed"),
        ("report.signed", "signed"),
        ("study.released", "signed"),
    ]
    assert {c["study_instance_uid"] for c in changes} == {study.study_instance_uid}
    assert {c["report_id"] for c in changes} == {report["id"], None}
    assert "Phantom" not in str(changes)
    assert "P-1" not in str(changes)
    machine = house.machine()
    assert machine.get(CHANGES, params={"after": after}).json()["items"] == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 7))
def test_pages_of_any_size_join_to_the_same_feed(house, limit):
    if not house.audited("report.signed"):
        for name in ("ada", "bob"):
            signed_report(house, house.reader(name))
    machine = house.machine()
    assert all_changes(machine, limit)[0] == all_changes(machine)[0]


def test_next_goes_past_entries_that_are_no_changes(house):
    _, _ = signed_report(house, house.reader("ada"))
    machine = house.machine()
    _, after = all_changes(machine)
    house.reader("ada").get("/api/v1/worklist")
    page = machine.get(CHANGES, params={"after": after}).json()
    assert page["items"] == []
    assert page["next"] > after


def test_a_server_that_stops_ends_the_streams_instead_of_waiting_for_them(house):
    with served(house.app) as (running, address):
        listener = Listener(address, house.machine().headers["Authorization"])
        running.should_exit = True
        assert listener.next() is None
    listener.close()


class Listener:
    """Reads a stream of events as a browser does."""

    def __init__(self, address, token, **headers):
        self._client = httpx.Client(base_url=address, timeout=30, trust_env=False)
        given = {"Authorization": token, **headers}
        self._stream = self._client.stream("GET", EVENTS, headers=given)
        self.answer = self._stream.__enter__()
        self._lines = self.answer.iter_lines()
        if self.answer.status_code == 200:
            self.next_comment()

    def next_comment(self):
        return next(line for line in self._lines if line.startswith(":"))

    def next(self):
        event = {}
        for line in self._lines:
            if line == "" and "data" in event:
                return {**event, "data": json.loads(event["data"])}
            name, _, value = line.partition(": ")
            if name:
                event[name] = value
        return None

    def close(self):
        self._stream.__exit__(None, None, None)
        self._client.close()


def test_events_come_as_they_happen_to_all_who_listen(house, address):
    study, draft = add_ready_study(house.database, house.clock)
    token = house.machine().headers["Authorization"]
    listeners = [Listener(address, token) for _ in range(2)]
    begin(house.reader("ada"), study, draft)
    for listener in listeners:
        states = [listener.next() for _ in range(3)]
        assert {event["event"] for event in states} == {"study"}
        assert [event["data"]["state"] for event in states] == ["ready", "in_review", "in_review"]
        assert states[0]["data"] == {
            "study_instance_uid": study.study_instance_uid,
            "state": "ready",
            "revision": 1,
        }
        listener.close()


def test_a_stream_resumes_behind_the_last_event_that_was_seen(house, address):
    signed_report(house, house.reader("ada"))
    changes, _ = all_changes(house.machine())
    listener = Listener(address, house.machine().headers["Authorization"], **{"Last-Event-ID": str(changes[2]["seq"])})
    seen = [listener.next()["id"] for _ in changes[3:]]
    assert seen == [str(change["seq"]) for change in changes[3:]]
    signed_report(house, house.reader("bob"))
    assert int(listener.next()["id"]) > changes[-1]["seq"]
    listener.close()


def test_who_may_not_read_studies_hears_nothing(house, address):
    for token in ("", "Bearer nonsense"):
        assert Listener(address, token).answer.status_code == 401
    auditor = house.machine("auditor", Role.AUDITOR).headers["Authorization"]
    assert Listener(address, auditor).answer.status_code == 403


def test_listening_holds_no_database_session(house, address):
    token = house.machine().headers["Authorization"]
    listeners = [Listener(address, token) for _ in range(5)]
    assert house.database.engine.pool.checkedout() == 0
    for listener in listeners:
        listener.close()


def test_a_stream_ends_with_the_session_that_it_belongs_to(house):
    welcome = [True, True, False]

    async def listen():
        changes = LiveChanges(ChangeFeed(house.database)).listen(None, lambda: welcome.pop(0), 0.01)
        return [change async for change in changes]

    assert asyncio.run(listen()) == []
    assert welcome == []


def test_a_listener_that_does_not_keep_up_is_let_go_and_can_resume(house):
    signed_report(house, house.reader("ada"))
    feed = ChangeFeed(house.database)
    change = feed.after(0, 1).items[0]

    async def listen_slowly():
        live = LiveChanges(feed)
        changes = live.listen(0, lambda: True, 60)
        seen = [await anext(changes)]
        for number in range(BACKLOG + 1):
            live._tell(change.model_copy(update={"seq": 1000 + number}))
        seen += [late async for late in changes]
        return [told.seq for told in seen]

    seen = asyncio.run(listen_slowly())
    assert seen == sorted(set(seen))
    assert seen[-1] == 1000 + BACKLOG - 1
