"""Laws 3 and 5 over random lives of a study: nothing unsigned is ever final, nothing signed ever changes."""

from __future__ import annotations

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.db import audit_trail
from app.db.tables import Addendum, Report
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import Stage
from tests.api.acts import CRITICAL, FOUND, REPORTS, SIGNING, TEXT, drafted_again, late_image
from tests.api.house import House
from tests.builders.reading import add_ready_study

FINAL = {"final", "appended"}


class Life(RuleBasedStateMachine):
    """Two readers and the PACS act on one study in any order."""

    house: House

    @initialize()
    def arrives(self):
        self.house.clock.advance(3600)
        self.readers = [self.house.reader(name) for name in ("ada", "bob")]
        self.study, self.draft = add_ready_study(self.house.database, self.house.clock)
        self.report, self.signed_text = None, None

    def asks(self, who, method, path, **given):
        answer = self.readers[who].request(method, path, **given)
        assert answer.status_code < 500, answer.text
        if answer.is_success and answer.json().get("etag"):
            self.report = answer.json()
        return answer

    @rule(who=st.sampled_from([0, 1]), from_draft=st.booleans())
    def begins(self, who, from_draft):
        body = {"study_instance_uid": self.study.study_instance_uid}
        self.asks(who, "POST", REPORTS, json={**body, "draft_id": self.draft.id} if from_draft else body)

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]), fresh=st.booleans(), findings=st.sampled_from([TEXT["findings"], "Other."]))
    def saves(self, who, fresh, findings):
        self.writes(who, self.report["etag"] if fresh else "old", findings)

    @rule(who=st.sampled_from([0, 1]), from_draft=st.booleans())
    def goes_all_the_way(self, who, from_draft):
        self.house.clock.advance(61)
        self.begins(who, from_draft)
        if self.report:
            self.writes(who, self.report["etag"], TEXT["findings"])
            self.signs(who, right=True)

    def writes(self, who, etag, findings):
        tag = {"If-Match": f'"{etag}"'}
        sentences = TEXT["sentences"] if self.report["draft_id"] else []
        text = {**TEXT, "findings": findings, "sentences": sentences}
        self.asks(who, "PUT", f"{REPORTS}/{self.report['id']}", json=text, headers=tag)

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]), right=st.sampled_from([True, True, True, False]))
    def signs(self, who, right):
        self.house.clock.advance(1)
        tag = {"If-Match": f'"{self.report["etag"]}"'}
        given = SIGNING if right else {**SIGNING, "password": "not the password"}
        waiting = [row for row in self.report["critical_findings"] if row["outcome"] is None]
        answer = self.asks(who, "POST", f"{REPORTS}/{self.report['id']}/sign", json=given, headers=tag)
        if answer.is_success:
            assert not waiting
            assert right
            assert self.signed_text is None
            self.signed_text = (answer.json()["findings"], answer.json()["impression"], answer.json()["signature"])

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]))
    def adds(self, who):
        answer = self.asks(who, "POST", f"{REPORTS}/{self.report['id']}/addenda", json={"text": "And.", **SIGNING})
        assert answer.is_success is (self.signed_text is not None) or answer.status_code == 429

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]))
    def withdraws(self, who):
        answer = self.asks(who, "POST", f"{REPORTS}/{self.report['id']}/reject", json={"reason": "no"})
        assert not (answer.is_success and self.signed_text)

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]))
    def tells(self, who):
        self.asks(who, "POST", f"{REPORTS}/{self.report['id']}/critical-result", json=CRITICAL)

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]))
    def finds(self, who):
        self.asks(who, "POST", f"{REPORTS}/{self.report['id']}/critical-findings", json=FOUND)

    @precondition(lambda self: self.report)
    @rule(who=st.sampled_from([0, 1]))
    def drops(self, who):
        for row in self.report["critical_findings"]:
            path = f"{REPORTS}/{self.report['id']}/critical-findings/{row['id']}/drop"
            self.asks(who, "POST", path, json={"reason": "no"})

    @precondition(lambda self: self.signed_text is None)
    @rule()
    def another_image_comes(self):
        late_image(self.house, self.study)

    @precondition(lambda self: self.house.study(self.study.id).stage in {Stage.RECEIVING, Stage.GATHERING_PRIORS})
    @rule()
    def another_draft_is_written(self):
        self.draft = drafted_again(self.house, self.study)

    @rule(seconds=st.sampled_from([30, 61]))
    def time_passes(self, seconds):
        self.house.clock.advance(seconds)

    @invariant()
    def final_means_signed_and_signed_means_unchanged(self):
        if not self.report:
            return
        with self.house.database.reading() as session:
            row = session.get_one(Report, self.report["id"])
            study = self.house.study(self.study.id)
            addenda = session.scalars(sa.select(Addendum).where(Addendum.report_id == row.id)).all()
            assert audit_trail.verify(session).ok
        assert (row.status in FINAL) == (self.signed_text is not None) == (row.signed_at is not None)
        assert (study.stage in {Stage.SIGNED, Stage.DELIVERED}) == (row.status in FINAL)
        if self.signed_text is None:
            assert row.signed_digest == ""
            assert not addenda
            return
        assert (row.findings, row.impression) == self.signed_text[:2]
        signature = Signature(row.signer_id, row.signer_name, row.signed_at, row.meaning)
        about = SignedStudy(study.study_instance_uid, study.patient.key)
        assert row.signed_digest == report_digest(row.id, about, row.findings, row.impression, signature)
        assert (row.status == "appended") == bool(addenda)
        for added in addenda:
            by = Signature(added.signer_id, added.signer_name, added.signed_at, added.meaning)
            assert added.signed_digest == addendum_digest(row.signed_digest, added.number, added.text, by)


def test_laws_3_and_5_hold_over_random_lives(house):
    lives = type("LivesHere", (Life,), {"house": house})
    quick = settings(max_examples=20, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(lives, settings=quick)
