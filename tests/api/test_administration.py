"""Peers that answer or do not, queues, model versions, and dead letters that a person takes up or drops."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from app.access import Role
from app.bootstrap.peers import ModelServer, peers
from app.config import Settings
from app.db import jobs
from app.db.session import unit_of_work
from app.db.tables import Delivery, Job
from app.delivery.handlers import DeliverReport
from app.domain.study import Stage
from app.errors import ArchiveUnavailable, EndpointRefused, EndpointUnavailable
from app.main import ApiDeps, create_app
from app.ports import PeerFacts
from app.worker import JobRunner
from tests.api.acts import begin, save
from tests.api.house import House
from tests.builders.administration import answering_archive, failed_study, handed_over, refuse
from tests.builders.reading import add_draft, add_ready_study, quick_passwords
from tests.builders.reports import add_signed_report
from tests.builders.studies import add_study
from tests.fakes.report_endpoint import RememberingEndpoint
from tests.peers.process import free_port

ADMIN = "/api/v1/admin"
WHY = {"reason": "the archive is back"}


@pytest.fixture
def admin(house):
    return house.reader("root", Role.ADMIN)


# --- peers ----------------------------------------------------------------------------------------------


@pytest.fixture
def archive():
    with answering_archive() as running:
        yield running


def with_peers(house, pixels, *known):
    """The same house where these peers are configured."""
    deps = ApiDeps(house.database, house.clock, house.store, pixels, lambda: True, known, web_dist=None)
    return House(create_app(deps, quick_passwords()), house.database, house.clock, house.store)


def configured(*rows, **model):
    return Settings(dicom={"peers": rows}, model=model)


def pacs(port, **changes):
    base = {"name": "pacs", "ae_title": "PACS", "host": "127.0.0.1", "port": port, "roles": ["query_retrieve"]}
    return {**base, **changes}


def test_a_peer_is_asked_now_and_its_answer_is_remembered(house, pixels, archive):
    port, echoes = archive
    settings = configured(pacs(port), pacs(free_port(), name="absent", ae_title="GONE", roles=["results"]))
    admin = with_peers(house, pixels, *peers(settings, lambda: True)).reader("root", Role.ADMIN)
    assert [peer["last_echo"] for peer in admin.get(f"{ADMIN}/peers").json()["items"]] == [None, None]
    good, bad = (admin.post(f"{ADMIN}/peers/{name}/echo").json() for name in ("pacs", "absent"))
    assert echoes == ["UNIRG"]
    assert (good["outcome"], good["error"]) == ("answered", None)
    assert good["seconds"] > 0
    assert bad["outcome"] == "failed"
    assert "no connection" in bad["error"]
    listed = {peer["name"]: peer for peer in admin.get(f"{ADMIN}/peers").json()["items"]}
    assert listed["pacs"]["last_echo"] == good
    assert listed["absent"]["last_echo"] == bad
    assert listed["pacs"]["address"] == f"127.0.0.1:{port}"
    assert (listed["absent"]["ae_title"], listed["absent"]["roles"], listed["absent"]["tls"]) == (
        "GONE",
        ["results"],
        False,
    )
    assert [entry.detail["peer"] for entry in house.audited("peer.echoed")] == ["pacs"]
    (failed,) = house.audited("peer.echo_failed")
    assert (failed.actor, failed.detail["error"]) == ("user:root", bad["error"])


def test_the_latest_echo_wins(house, pixels):
    answers = [ArchiveUnavailable("pacs: no connection."), None]
    peer = Waiting("pacs", answers)
    admin = with_peers(house, pixels, peer).reader("root", Role.ADMIN)
    for outcome in ("failed", "answered"):
        house.clock.advance(60)
        admin.post(f"{ADMIN}/peers/pacs/echo")
        [told] = admin.get(f"{ADMIN}/peers").json()["items"]
        assert told["last_echo"]["outcome"] == outcome


@dataclass
class Waiting:
    """Implements app.ports.Peer; answers what it was told to, in order."""

    name: str
    answers: list
    checkable: bool = True
    asked: int = field(default=0)

    @property
    def facts(self):
        return PeerFacts(self.name, "dicom", "elsewhere:104", checkable=self.checkable)

    def check(self):
        self.asked += 1
        if fault := self.answers.pop(0):
            raise fault


def test_a_peer_that_cannot_be_asked_without_a_trace_is_left_alone(house, pixels):
    peer = Waiting("ris", [], checkable=False)
    admin = with_peers(house, pixels, peer).reader("root", Role.ADMIN)
    answer = admin.post(f"{ADMIN}/peers/ris/echo").json()
    assert (answer["outcome"], answer["seconds"], peer.asked) == ("not_checkable", None, 0)
    assert answer["error"]


def test_nobody_of_that_name_is_asked(admin):
    assert admin.post(f"{ADMIN}/peers/nobody/echo").status_code == 404


def test_the_model_server_is_a_peer_and_its_credentials_stay_here(house, pixels):
    secret = "https://someone:secret@models.example:8443/v1?token=secret"
    settings = configured(pacs(104), backend="vllm", url=secret, api_key="secret")
    known = peers(settings, lambda: False)
    assert isinstance(known[-1], ModelServer)
    admin = with_peers(house, pixels, *known).reader("root", Role.ADMIN)
    answer = admin.post(f"{ADMIN}/peers/model server/echo")
    assert answer.json()["outcome"] == "failed"
    listed = admin.get(f"{ADMIN}/peers")
    assert "secret" not in listed.text + answer.text
    assert listed.json()["items"][-1]["address"] == "https://models.example:8443/v1"
    assert peers(configured(pacs(104)), lambda: True)[-1].facts.kind == "dicom"


# --- dead letters -----------------------------------------------------------------------------------------


def letters(admin):
    return admin.get(f"{ADMIN}/dead-letters").json()["items"]


def jobs_of(house, study_id):
    with house.database.reading() as session:
        rows = session.scalars(sa.select(Job).where(Job.study_id == study_id).order_by(Job.round, Job.id))
        return [(job.task, job.state) for job in rows]


def test_a_dead_letter_is_listed_with_its_study_and_its_reason(house, admin):
    study = failed_study(house)
    [letter] = letters(admin)
    assert (letter["task"], letter["state"], letter["attempts"]) == ("priors.gather", "dead", 1)
    assert (letter["study_instance_uid"], letter["study_state"]) == (study.study_instance_uid, "failed")
    assert letter["last_error"] == "the archive wants no such query."
    assert [entry.detail for entry in house.audited("read.dead_letters")] == [{"entries": 1}]


def test_a_failed_study_takes_its_road_again_once(either_house):
    house = either_house
    admin = house.reader("root", Role.ADMIN)
    study = failed_study(house)
    [letter] = letters(admin)
    answers = [admin.post(f"{ADMIN}/dead-letters/{letter['id']}/retry", json=WHY).json() for _ in range(3)]
    assert [(answer["state"], answer["study_state"]) for answer in answers] == [("superseded", "gathering_priors")] * 3
    assert jobs_of(house, study.id) == [("priors.gather", "superseded"), ("priors.gather", "queued")]
    assert [task for task, *_ in handed_over(house)] == ["priors.gather"]
    assert letters(admin) == []
    (entry,) = house.audited("job.retried")
    assert (entry.actor, entry.study_id, entry.detail["reason"]) == ("user:root", study.id, WHY["reason"])


def test_a_dropped_letter_leaves_its_study_to_be_read_by_hand(house, admin):
    study = failed_study(house)
    [letter] = letters(admin)
    for _ in range(2):
        answer = admin.post(f"{ADMIN}/dead-letters/{letter['id']}/drop", json=WHY)
        assert (answer.json()["state"], answer.json()["study_state"]) == ("dropped", "failed")
    again = admin.post(f"{ADMIN}/dead-letters/{letter['id']}/retry", json=WHY)
    assert (again.status_code, again.json()["state"]) == (200, "dropped")
    assert letters(admin) == []
    assert handed_over(house) == []
    assert len(house.audited("job.dropped")) == 1
    assert house.audited("job.retried") == []
    report = begin(house.reader("ada"), study)
    assert report["draft_id"] is None


def test_a_study_that_went_on_needs_no_retry(house, admin):
    study = failed_study(house)
    [letter] = letters(admin)
    ada = house.reader("ada")
    save(ada, begin(ada, study), {"findings": "Clear.", "impression": "Normal.", "sentences": []})
    answer = admin.post(f"{ADMIN}/dead-letters/{letter['id']}/retry", json=WHY)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:unirg:problem:nobody-waits"
    assert house.study(study.id).stage is Stage.IN_REVIEW
    assert len(letters(admin)) == 1
    assert house.audited("job.retried") == []


@pytest.mark.parametrize("fault", [EndpointRefused("pacs: wants none."), EndpointUnavailable("pacs: no connection.")])
def test_a_dead_delivery_is_sent_again_and_arrives_once(house, admin, fault):
    report = add_signed_report(house.database, house.clock)
    refusing, open_one = RememberingEndpoint("pacs", *[fault] * 5), RememberingEndpoint("ris")
    deliver = DeliverReport(house.database, house.clock, house.store, (refusing, open_one), "Test Hospital")
    runner = JobRunner(house.database, house.clock, {"delivery.send": deliver.send})
    bury(house, runner)
    [letter] = letters(admin)
    refusing.fails.clear()
    for _ in range(2):
        answer = admin.post(f"{ADMIN}/dead-letters/{letter['id']}/retry", json=WHY)
        assert (answer.json()["state"], answer.json()["last_error"]) == ("queued", "")
    [message] = handed_over(house)
    runner.run(*message[1:])
    assert (len(refusing.received), len(open_one.received)) == (1, 1)
    study = house.study(report.study_id)
    assert (study.stage, study.reason) == (Stage.DELIVERED, "")
    with house.database.reading() as session:
        rows = session.execute(sa.select(Delivery.destination, Delivery.status).order_by(Delivery.destination))
        assert [tuple(row) for row in rows] == [("pacs", "delivered"), ("ris", "delivered")]
    assert jobs_of(house, study.id) == [("delivery.send", "done")]


def test_a_job_beside_the_road_dies_and_comes_back_without_its_study(house, admin):
    study = add_study(house.database, house.clock, Stage.GATHERING_PRIORS)
    with unit_of_work(house.database, house.clock) as uow:
        jobs.enqueue(uow.session, uow.now, "evidence.point", uow.study(study.id))
    runner = JobRunner(house.database, house.clock, {"evidence.point": refuse})
    [message] = handed_over(house)
    runner.run(*message[1:])
    [letter] = letters(admin)
    assert (letter["task"], letter["study_state"]) == ("evidence.point", "gathering_priors")
    assert admin.post(f"{ADMIN}/dead-letters/{letter['id']}/retry", json=WHY).json()["state"] == "queued"
    assert house.study(study.id).stage is Stage.GATHERING_PRIORS
    assert [task for task, *_ in handed_over(house)] == ["evidence.point"]


def bury(house, runner):
    """Run the delivery until it has no attempt left."""
    for _ in range(5):
        for _, job_id, token in handed_over(house):
            runner.run(job_id, token)
        house.clock.advance(60)
        with unit_of_work(house.database, house.clock) as uow:
            for job in jobs.overdue(uow.session, uow.now):
                jobs.requeue(uow.session, uow.now, job)
    handed_over(house)


def test_many_dead_letters_come_in_pages(house, admin):
    for _ in range(7):
        house.clock.advance(60)
        failed_study(house)
    whole, joined, after = [letter["id"] for letter in letters(admin)], [], None
    while True:
        page = admin.get(f"{ADMIN}/dead-letters", params={"limit": 3, **({"after": after} if after else {})}).json()
        joined += [letter["id"] for letter in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert (len(whole), joined) == (7, whole)


def test_a_letter_that_is_none_and_a_reason_that_is_none(house, admin):
    for act in ("retry", "drop"):
        assert admin.post(f"{ADMIN}/dead-letters/{'0' * 32}/{act}", json=WHY).status_code == 404
        assert admin.post(f"{ADMIN}/dead-letters/{'0' * 32}/{act}", json={"reason": " "}).status_code == 422
    assert admin.get(f"{ADMIN}/dead-letters", params={"after": "0" * 32}).status_code == 404


# --- queues and model versions ------------------------------------------------------------------------------


def test_queues_count_jobs_by_task_and_state_with_the_age_of_the_oldest(either_house):
    house = either_house
    admin = house.reader("root", Role.ADMIN)
    failed_study(house)
    house.clock.advance(100)
    add_signed_report(house.database, house.clock)
    house.clock.advance(30)
    add_signed_report(house.database, house.clock)
    house.clock.advance(10)
    found = admin.get(f"{ADMIN}/queues").json()
    rows = {(row["task"], row["state"]): (row["jobs"], row["oldest_seconds"]) for row in found["items"]}
    assert rows == {("priors.gather", "dead"): (1, 140.0), ("delivery.send", "queued"): (2, 40.0)}
    assert (found["waiting_messages"], found["oldest_message_seconds"]) == (2, 40.0)
    handed_over(house)
    found = admin.get(f"{ADMIN}/queues").json()
    assert (found["waiting_messages"], found["oldest_message_seconds"]) == (0, None)


def test_model_versions_tell_how_many_drafts_and_when(either_house):
    house = either_house
    study, first = add_ready_study(house.database, house.clock)
    house.clock.advance(3600)
    add_draft(house.database, house.clock, study, prompt_version="test-2")
    add_ready_study(house.database, house.clock)
    found = house.reader("root", Role.ADMIN).get(f"{ADMIN}/models").json()["items"]
    told = {row["prompt_version"]: (row["drafts"], row["current"]) for row in found}
    assert told == {"test-1": (2, 1), "test-2": (1, 1)}
    row = next(row for row in found if row["prompt_version"] == "test-1")
    assert (row["model"], row["weights_digest"]) == (first.model, first.weights_digest)
    assert row["first_draft_at"].startswith("2026-03-01T08:00")
    assert row["last_draft_at"].startswith("2026-03-01T09:00")
