"""Trials of the reading lock over HTTP: 200 claims at once on 100 studies, take-overs, signatures that come late."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import httpx
import pytest
import sqlalchemy as sa

from app.access import Role
from app.db import audit_trail
from app.db.report_tables import WithdrawnReport
from app.db.tables import Draft, ReadingLock, Report
from app.domain.study import Stage
from tests.api.acts import REPORTS, SIGNING, TEXT, begin, save, sign
from tests.api.house import served
from tests.api.test_stow import part10, post
from tests.builders.radiographs import radiograph
from tests.builders.reading import PASSWORD, add_person, add_ready_study
from tests.builders.studies import add_study

STUDIES, READERS = 100, 20
LAPSE = 61
"""Seconds after which a lease that nobody renews is over."""


@pytest.fixture
def crowd(either_house):
    """READERS people with a browser each, over real sockets; by the name that others see."""
    house = either_house
    with served(house.app) as (_, url), ExitStack() as stack:
        people = {}
        for number in range(READERS):
            username = f"reader{number:02}"
            add_person(house.database, house.clock, username, Role.RADIOLOGIST)
            browser = stack.enter_context(httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=120))
            answer = browser.post("/auth/login", json={"username": username, "password": PASSWORD}).raise_for_status()
            browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            people[answer.json()["name"]] = browser
        yield people


def rivals(number):
    """The two readers who want study `number`: each of the crowd wants ten, and meets others at each."""
    return number % READERS, (number + 1 + number // READERS) % READERS


def claim_all_at_once(crowd, studies):
    """Two claims on each study, all sent in the same moment; the answers by study, with who asked."""
    names = list(crowd)
    wanted = [(study, names[who]) for number, study in enumerate(studies) for who in rivals(number)]
    start = Barrier(len(wanted))

    def claim(study, name):
        start.wait()
        return crowd[name].post(f"/studies/{study.study_instance_uid}/claim")

    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = list(pool.map(claim, *zip(*wanted, strict=True)))
    by_study = defaultdict(list)
    for (study, name), answer in zip(wanted, answers, strict=True):
        by_study[study.id].append((name, answer))
    return by_study


@pytest.mark.parametrize("before", ["free", "lapsed"])
def test_of_200_claims_at_once_each_study_gets_one_owner_and_the_loser_is_told_who(either_house, crowd, before):
    house = either_house
    studies = [add_study(house.database, house.clock, Stage.READY) for _ in range(STUDIES)]
    if before == "lapsed":
        gone = house.reader("gone")
        for study in studies:
            gone.post(f"/api/v1/studies/{study.study_instance_uid}/claim").raise_for_status()
        house.clock.advance(LAPSE)
    claimed_before = len(house.audited("study.claimed"))

    by_study = claim_all_at_once(crowd, studies)
    owners = {}
    for study_id, answers in by_study.items():
        assert sorted(answer.status_code for _, answer in answers) == [200, 409]
        (winner, won), (loser, lost) = sorted(answers, key=lambda one: one[1].status_code)
        assert won.json() == {"owner": winner, "mine": True, "expires_at": won.json()["expires_at"]}
        assert loser != winner == lost.json()["owner"]
        assert winner in lost.json()["detail"]
        assert lost.json()["type"] == "urn:unirg:problem:study-locked"
        owners[study_id] = winner
    assert len(owners) == STUDIES
    with house.database.reading() as session:
        assert {lock.study_id: lock.owner for lock in session.scalars(sa.select(ReadingLock))} == owners
        assert audit_trail.verify(session).ok
    assert len(house.audited("study.claimed")) - claimed_before == STUDIES
    everybody_sees_the_owners(crowd, {study.study_instance_uid: owners[study.id] for study in studies})


def everybody_sees_the_owners(crowd, owners):
    for name in list(crowd)[:2]:
        items = crowd[name].get("/worklist", params={"limit": 1000}).json()["items"]
        seen = {item["study_instance_uid"]: (item["lock"]["owner"], item["lock"]["mine"]) for item in items}
        assert seen == {uid: (owner, owner == name) for uid, owner in owners.items()}


def versions(house):
    with house.database.reading() as session:
        kept = session.scalars(sa.select(WithdrawnReport).order_by(WithdrawnReport.version))
        return [(one.author_name, one.findings, one.impression) for one in kept]


def own_words(reader, report, words):
    return save(reader, report, {**TEXT, "findings": words})


class TestTakeOver:
    @pytest.fixture
    def study(self, either_house):
        return add_ready_study(either_house.database, either_house.clock)

    def claim(self, reader, study):
        return reader.post(f"/api/v1/studies/{study.study_instance_uid}/claim")

    def test_keeps_the_others_text_as_a_version_and_gives_it_to_the_new_owner(self, either_house, study):
        house, (study, draft) = either_house, study
        ada, bob = house.reader("ada"), house.reader("bob")
        of_ada = own_words(ada, begin(ada, study, draft), "Words of Ada.")
        house.clock.advance(LAPSE)
        assert self.claim(bob, study).status_code == 200
        taken = bob.get(f"{REPORTS}/{of_ada['id']}").json()
        assert taken["findings"] == "Words of Ada."
        late = ada.put(f"{REPORTS}/{of_ada['id']}", json=TEXT, headers={"If-Match": f'"{of_ada["etag"]}"'})
        assert (late.status_code, late.json()["owner"]) == (409, "Dr Bob")

        of_bob = own_words(bob, taken, "Words of Bob.")
        own_words(bob, of_bob, "More words of Bob.")
        assert versions(house) == [("Dr Ada", "Words of Ada.", TEXT["impression"])]

        house.clock.advance(LAPSE)
        assert self.claim(ada, study).status_code == 200
        back = ada.get(f"{REPORTS}/{of_ada['id']}").json()
        assert back["findings"] == "More words of Bob."
        assert [(author, words) for author, words, _ in versions(house)] == [
            ("Dr Ada", "Words of Ada."),
            ("Dr Bob", "More words of Bob."),
        ]
        assert sign(ada, save(ada, back)).status_code == 200
        with house.database.reading() as session:
            assert audit_trail.verify(session).ok

    def test_keeps_the_same_text_once_and_no_empty_one(self, either_house, study):
        house, (study, draft) = either_house, study
        ada, bob = house.reader("ada"), house.reader("bob")
        report = begin(ada, study, draft)
        for reader in (bob, ada):
            house.clock.advance(LAPSE)
            self.claim(reader, study).raise_for_status()
        assert versions(house) == []
        own_words(ada, report, "Words of Ada.")
        for reader in (bob, ada, bob):
            house.clock.advance(LAPSE)
            self.claim(reader, study).raise_for_status()
        assert versions(house) == [("Dr Ada", "Words of Ada.", TEXT["impression"])]


def film_of(study):
    return part10(radiograph(StudyInstanceUID=study.study_instance_uid))


class TestLateSignature:
    """What a reader signs is what lies before him, or nothing is signed."""

    def ready_to_sign(self, house, reader):
        study, draft = add_ready_study(house.database, house.clock)
        return study, save(reader, begin(reader, study, draft))

    def test_is_refused_where_an_image_came_where_another_has_the_study_and_where_it_is_signed(self, either_house):
        house = either_house
        ada, bob, pacs = house.reader("ada"), house.reader("bob"), house.machine("archive", Role.PACS)
        for _ in range(10):
            study, report = self.ready_to_sign(house, ada)
            assert post(pacs, film_of(study)).status_code == 200
            assert sign(ada, report).status_code == 409

            study, report = self.ready_to_sign(house, ada)
            house.clock.advance(LAPSE)
            bob.post(f"/api/v1/studies/{study.study_instance_uid}/claim").raise_for_status()
            refused = sign(ada, report)
            assert (refused.status_code, refused.json()["owner"]) == (409, "Dr Bob")
            assert sign(bob, report).status_code == 200
            assert sign(ada, report).status_code == 409
        with house.database.reading() as session:
            signers = session.scalars(sa.select(Report.signer_name).where(Report.signed_at.is_not(None))).all()
        assert signers == ["Dr Bob"] * 10

    def test_races_a_late_image_and_is_never_given_to_a_study_that_had_changed(self, either_house):
        """A real object over STOW-RS in the same moment as the signature, 30 times."""
        house = either_house
        ada, pacs = house.reader("ada"), house.machine("archive", Role.PACS)
        for _ in range(30):
            house.clock.advance(LAPSE)  # so many signatures in one minute would be taken for guesses
            study, report = self.ready_to_sign(house, ada)
            tag, start = {"If-Match": f'"{report["etag"]}"'}, Barrier(2)
            film, path = film_of(study), f"{REPORTS}/{report['id']}/sign"

            def signs(path=path, tag=tag, start=start):
                start.wait()
                return ada.post(path, json=SIGNING, headers=tag)

            def sends(film=film, start=start):
                start.wait()
                return post(pacs, film)

            with ThreadPoolExecutor(2) as pool:
                signing, sending = pool.submit(signs), pool.submit(sends)
                signed, sent = signing.result(), sending.result()
            assert sent.status_code == 200, sent.text
            row = house.study(study.id)
            with house.database.reading() as session:
                stale = session.get_one(Draft, row.current_draft_id).stale
            after = (signed.status_code, row.stage, row.addendum_suggested, stale)
            assert after in {(200, Stage.SIGNED, True, False), (409, Stage.RECEIVING, False, True)}
