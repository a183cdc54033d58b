"""LAW 3 and LAW 5 over every walk through the state machine: what leaves was signed, and is what was signed."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydicom import dcmread

from app.db.tables import Addendum, Report, Study
from app.delivery.documents import Facts, document, standing
from app.delivery.status_gate import outgoing
from app.delivery.structured_report import encode
from app.domain.report import ReportStatus
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import READABLE, TRANSITIONS, Stage, Step
from app.errors import Conflict, NotFound

WORDS = st.text(alphabet="ab \n", max_size=6)


class Reading(RuleBasedStateMachine):
    """One study, its report and its addenda, moved by every step the table has, and by hands that should not.

    `signed`: texts as they were when they were signed, kept apart from the record.
    """

    def __init__(self):
        super().__init__()
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.study = Study(
            id="s", study_instance_uid="1.2", stage=Stage.RECEIVING, revision=1, patient_id="P", issuer="", sex="",
            patient_name="A^B", birth_date="", study_date="20260301", study_time="", study_id_tag="", description="",
            accession_number="", referring_physician="",
        )  # fmt: skip
        self.report: Report | None = None
        self.addenda: list[Addendum] = []
        self.signed: list[tuple[str, ...]] = []

    def can(self, step):
        return (self.study.stage, step) in TRANSITIONS

    def take(self, step):
        self.study.stage = TRANSITIONS[self.study.stage, step]

    def signature(self):
        self.now += timedelta(minutes=1)
        return Signature("u", "Curie^Marie", self.now, "I read the images.")

    @rule(step=st.sampled_from([s for s in Step if s not in {Step.SIGNED, Step.ADDENDUM_SIGNED, Step.REPORT_STARTED}]))
    def anything_happens(self, step):
        if not self.can(step):
            return
        self.take(step)
        if step is Step.REPORT_WITHDRAWN and self.report is not None:
            self.report.status = ReportStatus.CANCELLED

    @precondition(lambda self: self.study.stage in READABLE)
    @rule(findings=WORDS)
    def a_report_is_started(self, findings):
        self.take(Step.REPORT_STARTED)
        self.report = Report(
            id="r", study_id="s", status=ReportStatus.PRELIMINARY, version=1, findings=findings, impression="",
            author_name="Curie^Marie", signer_id=None, signer_name="", signed_at=None, meaning="", signed_digest="",
        )  # fmt: skip

    @precondition(lambda self: self.study.stage is Stage.IN_REVIEW)
    @rule(findings=WORDS, impression=WORDS)
    def it_is_edited(self, findings, impression):
        self.report.findings, self.report.impression = findings, impression

    @precondition(lambda self: self.can(Step.SIGNED) and self.report.status == ReportStatus.PRELIMINARY)
    @rule()
    def it_is_signed(self):
        self.take(Step.SIGNED)
        given, report = self.signature(), self.report
        about = SignedStudy(self.study.study_instance_uid, self.study.patient.key)
        report.signer_id, report.signer_name = given.signer_id, given.name
        report.signed_at, report.meaning, report.status = given.signed_at, given.meaning, ReportStatus.FINAL
        report.signed_digest = report_digest(report.id, about, report.findings, report.impression, given)
        self.signed = [(report.findings, report.impression)]

    @precondition(lambda self: self.can(Step.ADDENDUM_SIGNED) and self.signed)
    @rule(words=WORDS)
    def an_addendum_is_signed(self, words):
        self.take(Step.ADDENDUM_SIGNED)
        given, number = self.signature(), len(self.addenda) + 1
        binding = addendum_digest(self.report.signed_digest, number, words, given)
        self.addenda.append(
            Addendum(
                id=f"a{number}",
                report_id="r",
                number=number,
                text=words,
                signer_id=given.signer_id,
                signer_name=given.name,
                signed_at=given.signed_at,
                meaning=given.meaning,
                signed_digest=binding,
            )
        )
        self.report.status = ReportStatus.APPENDED
        self.signed.append((words,))

    @precondition(lambda self: self.report is not None)
    @rule(
        column=st.sampled_from(["findings", "impression", "signer_name", "meaning", "status", "signed_at"]),
        words=WORDS,
        status=st.sampled_from(ReportStatus),
    )
    def a_hand_changes_the_row(self, column, words, status):
        value = {"status": status, "signed_at": self.now}.get(column, words)
        setattr(self.report, column, value)

    @precondition(lambda self: self.addenda)
    @rule(words=WORDS)
    def a_hand_changes_an_addendum(self, words):
        self.addenda[-1].text = words

    @invariant()
    def what_leaves_as_verified_is_what_was_signed(self):
        if self.report is None:
            return
        for count in range(len(self.addenda) + 1):
            facts = Facts(self.study, self.report, None, self.addenda[:count])
            try:
                gate = outgoing(standing(facts))
                sent = dcmread(io.BytesIO(encode(document(facts, "Test Hospital", ()))))
            except (Conflict, NotFound):
                continue
            assert (sent.VerificationFlag, sent.PreliminaryFlag) == (gate.verification_flag, gate.preliminary_flag)
            if gate.verification_flag != "VERIFIED":
                assert (gate.obr_25, gate.fhir, sent.PreliminaryFlag) == ("R", "preliminary", "PRELIMINARY")
                assert "VerifyingObserverSequence" not in sent
                continue
            kept = [part for texts in self.signed[: count + 1] for part in texts]
            assert spoken(sent) == [part.strip() for part in kept if part.strip()]


def spoken(dataset):
    """Every text of findings, impression and addenda."""
    sections = [item for item in dataset.ContentSequence if item.ValueType == "CONTAINER"]
    return [item.TextValue for section in sections[1:] for item in section.ContentSequence]


TestEveryWalk = Reading.TestCase
TestEveryWalk.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
