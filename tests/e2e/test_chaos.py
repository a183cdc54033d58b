"""kill -9 of every process and of Redis, at random: nothing acknowledged is lost, nothing is done twice.

CHAOS_STUDIES=100 makes the long run (`make chaos`).
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import sqlalchemy as sa

from app.db.session import Database
from app.db.tables import Delivery, Draft, Instance, Job, Study
from app.domain.study import Stage
from app.gateways.object_store import LocalObjectStore
from tests.builders.phantoms import patient_films
from tests.e2e.stack import Peer, Stack
from tests.peers import dcmtk
from tests.peers.orthanc import Modality

pytestmark = [pytest.mark.peer("orthanc", "dcmtk", "redis", "postgres"), pytest.mark.timeout(3600)]
STUDIES = int(os.environ.get("CHAOS_STUDIES", "16"))
SIGNED = STUDIES // 4
READERS = 3  # each log-in costs a password hash: a crowd of them would starve the service of its two cores
SEED = 20261122
SETTLE_SECONDS = 240.0 if STUDIES <= 16 else 1800.0
PAUSE = (2, 6)  # seconds; a worker that never lives to load its weights shows nothing
SENDING_PAUSE = (0.3, 1.5)
DEATHS = 3
VICTIMS = ("receiver", "relay", "worker", "api", "redis")
READABLE = ("ready", "in_review", "draft_unavailable", "signed", "delivered")
FINAL = (Stage.READY, Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.FAILED, Stage.SIGNED, Stage.DELIVERED)


class Killer(threading.Thread):
    """One victim after each pause, until it is over and each has died DEATHS times."""

    def __init__(self, stack, redis):
        super().__init__(daemon=True)
        self.stack, self.redis = stack, redis
        self.over = threading.Event()
        self.deaths = Counter()

    def run(self):
        choose = random.Random(SEED)
        while not self.over.is_set() or min(self.deaths[victim] for victim in VICTIMS) < DEATHS:
            time.sleep(choose.uniform(*PAUSE))
            victim = choose.choice(VICTIMS)
            self.deaths[victim] += 1
            if victim == "redis":
                self.redis.kill()
                self.redis.start()
            else:
                self.stack.kill(victim)


def send_until_acknowledged(port, path):
    """As a modality: what was not acknowledged is sent again."""
    while True:
        done = dcmtk.dcmtk("storescu", "-aec", "UNIRG", "127.0.0.1", str(port), path, check=False, seconds=60)
        if done.returncode == 0:
            return
        time.sleep(0.3)


def sign_when_ready(stack, uid):
    """As a reader with patience: any failed call is tried again, a draft that failed five times is asked for anew."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        try:
            with stack.client() as reader:
                study = reader.wait_for(uid, *READABLE, "failed", seconds=20)
                if study["state"] == "failed":
                    reader.redraft(uid)
                    continue
                if study["state"] in ("signed", "delivered"):
                    return
                reader.sign(study)
        except (httpx.HTTPError, AssertionError):
            time.sleep(0.5)
    raise AssertionError("a study could not be signed in time")


@pytest.fixture
def stack(tmp_path, orthanc, postgres_url, redis_server):
    pacs = Peer("pacs", orthanc.ae_title, orthanc.port, ("send", "query_retrieve", "results"))
    running = Stack(tmp_path, postgres_url, redis_server.url, peers=[pacs], quiet_seconds=0.5)
    orthanc.know(Modality("UNIRG", running.dicom_port))
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_kill_9_at_random_loses_nothing_and_repeats_nothing(stack, redis_server, orthanc, tmp_path, capsys):
    films = []
    for number in range(STUDIES):
        prior, current = patient_films(tmp_path, f"CHAOS-{number}", seed=number)
        films.append(current)
        if number % 3 == 0:
            orthanc.upload(prior.path)
    killer = Killer(stack, redis_server)
    killer.start()
    signed, pauses = [], random.Random(SEED)
    with ThreadPoolExecutor(READERS) as readers:
        for number, film in enumerate(films):
            time.sleep(pauses.uniform(*SENDING_PAUSE))
            send_until_acknowledged(stack.dicom_port, film.path)
            if number < SIGNED:
                signed.append(readers.submit(sign_when_ready, stack, film.study_instance_uid))
        for one in signed:
            one.result(SETTLE_SECONDS)
    killer.over.set()
    killer.join()

    record = Database(stack.database)
    took = wait_for_the_last(record)
    with capsys.disabled():
        sys.stdout.write(f"\n{STUDIES} studies, deaths {dict(killer.deaths)}, final {took:.0f} s after the last kill\n")
    every_acknowledged_object_is_there(record, stack, films)
    every_study_has_one_draft_or_a_dead_letter(record)
    no_report_was_delivered_twice(record, orthanc, films[:SIGNED])
    assert stack.unirg("audit", "verify").returncode == 0
    record.close()


def wait_for_the_last(record):
    started = time.monotonic()
    while time.monotonic() - started < SETTLE_SECONDS:
        with record.reading() as session:
            stages = Counter(session.scalars(sa.select(Study.stage)))
            undone = session.scalars(sa.select(Job.task).where(Job.state.in_(("queued", "running")))).all()
        if sum(stages[stage] for stage in FINAL) == STUDIES and not undone and not stages[Stage.SIGNED]:
            return time.monotonic() - started
        time.sleep(0.5)
    raise AssertionError(f"not final: {stages}, undone {undone}")


def every_acknowledged_object_is_there(record, stack, films):
    store = LocalObjectStore(stack.folder / "objects")
    with record.reading() as session:
        held = {row.sop_instance_uid: row for row in session.scalars(sa.select(Instance))}
        studies = set(session.scalars(sa.select(Study.study_instance_uid)))
    assert studies == {film.study_instance_uid for film in films}
    assert len(held) == STUDIES
    assert all(store.path(row.object_key).stat().st_size > row.size for row in held.values())


def every_study_has_one_draft_or_a_dead_letter(record):
    with record.reading() as session:
        current = dict(session.execute(sa.select(Study.id, Study.current_draft_id)).all())
        reasons = dict(session.execute(sa.select(Study.id, Study.reason)).all())
        drafts = Counter(session.scalars(sa.select(Draft.study_id).where(Draft.stale.is_(False))))
        dead = set(session.scalars(sa.select(Job.study_id).where(Job.state == "dead")))
    assert [study for study in current if current[study] and drafts[study] != 1] == []
    assert [reasons[study] for study in current if not current[study] and study not in dead] == []


def no_report_was_delivered_twice(record, orthanc, films):
    with record.reading() as session:
        delivered = Counter(session.scalars(sa.select(Delivery.study_id).where(Delivery.status == "delivered")))
    assert sorted(delivered.values()) == [1] * len(films)
    for film in films:
        stored = orthanc.instances(StudyInstanceUID=film.study_instance_uid)
        assert len(stored) == 1, "the PACS holds one SR and nothing else of the study"
