"""The record. Times are UTC; dates and person names keep their DICOM form (YYYYMMDD, PN)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.domain.identifiers import PatientKey, new_id
from app.domain.patient import Patient
from app.domain.study import Stage


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC in Python whatever the database keeps (SQLite drops the zone)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Aware in, UTC out."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Zone put back."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: sa.JSON, list[Any]: sa.JSON}  # noqa: RUF012


def _study_key() -> Mapped[str]:
    return mapped_column(sa.ForeignKey("studies.id"), index=True)


class Study(Base):
    """One study on its road; `revision` counts its image sets, `stage` is what clients see as state."""

    __tablename__ = "studies"
    __table_args__ = (sa.Index("ix_studies_stage_quiet_until", "stage", "quiet_until"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_instance_uid: Mapped[str] = mapped_column(sa.String(64), unique=True)
    stage: Mapped[Stage] = mapped_column(
        sa.Enum(Stage, native_enum=False, length=32, values_callable=lambda stages: [str(s) for s in stages])
    )
    reason: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = mapped_column(default=1)
    priority: Mapped[str] = mapped_column(sa.String(16), default="ROUTINE")
    patient_id: Mapped[str] = mapped_column(sa.String(64), index=True)
    issuer: Mapped[str] = mapped_column(sa.String(64), default="")
    patient_name: Mapped[str] = mapped_column(default="")
    birth_date: Mapped[str] = mapped_column(sa.String(8), default="")
    sex: Mapped[str] = mapped_column(sa.String(16), default="")
    accession_number: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    study_date: Mapped[str] = mapped_column(sa.String(8), default="")
    study_time: Mapped[str] = mapped_column(sa.String(16), default="")
    description: Mapped[str] = mapped_column(default="")
    indication: Mapped[str] = mapped_column(default="")
    study_id_tag: Mapped[str] = mapped_column(sa.String(16), default="")
    referring_physician: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime] = mapped_column(index=True)
    last_image_at: Mapped[datetime]
    quiet_until: Mapped[datetime]
    stage_since: Mapped[datetime]
    prior_outcome: Mapped[str | None] = mapped_column(sa.String(32))
    prior_reason: Mapped[str] = mapped_column(default="")
    current_draft_id: Mapped[str | None] = mapped_column(sa.String(32))
    addendum_suggested: Mapped[bool] = mapped_column(default=False)

    @property
    def patient(self) -> Patient:
        """The study's patient, as received."""
        return Patient(PatientKey(self.patient_id, self.issuer), self.patient_name, self.birth_date, self.sex)


class Instance(Base):
    """One object as it was received; its bytes are in the object store under `object_key`."""

    __tablename__ = "instances"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str] = _study_key()
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64), unique=True)
    sop_class_uid: Mapped[str] = mapped_column(sa.String(64))
    series_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    transfer_syntax_uid: Mapped[str] = mapped_column(sa.String(64))
    modality: Mapped[str] = mapped_column(sa.String(16), default="")
    view_position: Mapped[str] = mapped_column(sa.String(16), default="")
    object_key: Mapped[str]
    digest: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    revision: Mapped[int]
    received_at: Mapped[datetime]
    calling_ae: Mapped[str] = mapped_column(sa.String(16), default="")


class QuarantinedObject(Base):
    """An object kept aside: hostile, wrong, or another under a SOP Instance UID that we hold."""

    __tablename__ = "quarantine"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str | None] = mapped_column(sa.ForeignKey("studies.id"), index=True)
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64), index=True)
    sop_class_uid: Mapped[str] = mapped_column(sa.String(64))
    object_key: Mapped[str]
    digest: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str]
    calling_ae: Mapped[str] = mapped_column(sa.String(16), default="")
    received_at: Mapped[datetime]


class MovedObject(Base):
    """An object that our own C-MOVE asked for, waiting for whoever asked; it starts no study."""

    __tablename__ = "moved_objects"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    calling_ae: Mapped[str] = mapped_column(sa.String(16))
    move_originator_message_id: Mapped[int | None]
    study_instance_uid: Mapped[str] = mapped_column(sa.String(64), index=True)
    series_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    sop_class_uid: Mapped[str] = mapped_column(sa.String(64))
    object_key: Mapped[str]
    received_at: Mapped[datetime]


class PriorEntry(Base):
    """One line of the prior ledger of one revision of a study (LAW 4).

    standing: app.domain.priors.Standing; fetched_at: since when a reader who asked for it can be shown its images;
    fetch_failure: why the latest such wish came to nothing.
    """

    __tablename__ = "prior_entries"
    __table_args__ = (sa.UniqueConstraint("study_id", "revision", "study_instance_uid"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str] = _study_key()
    revision: Mapped[int]
    rank: Mapped[int]
    study_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    study_date: Mapped[str] = mapped_column(sa.String(8), default="")
    description: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(sa.String(64), default="")
    decision: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str]
    report_text: Mapped[str] = mapped_column(sa.Text, default="")
    report_source: Mapped[str] = mapped_column(default="")
    standing: Mapped[str] = mapped_column(sa.String(16), default="unfit")
    fetched_at: Mapped[datetime | None]
    fetch_failure: Mapped[str] = mapped_column(default="")


class PriorImageRow(Base):
    """A retrieved prior radiograph, shown beside the current one."""

    __tablename__ = "prior_images"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    entry_id: Mapped[str] = mapped_column(sa.ForeignKey("prior_entries.id"), index=True)
    series_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64), index=True)
    view_position: Mapped[str] = mapped_column(sa.String(16), default="")
    object_key: Mapped[str]


class Draft(Base):
    """What the model wrote, with all that is needed to write it again."""

    __tablename__ = "drafts"
    __table_args__ = (
        sa.UniqueConstraint("study_id", "input_hash", "weights_digest", "prompt_version"),
        sa.UniqueConstraint("study_id", "version"),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str] = _study_key()
    revision: Mapped[int]
    version: Mapped[int]
    stale: Mapped[bool] = mapped_column(default=False)
    input_hash: Mapped[str] = mapped_column(sa.String(64))
    model: Mapped[str]
    weights_digest: Mapped[str] = mapped_column(sa.String(64))
    prompt_version: Mapped[str] = mapped_column(sa.String(64))
    image_digests: Mapped[list[Any]]
    text: Mapped[str] = mapped_column(sa.Text)
    finish_reason: Mapped[str] = mapped_column(sa.String(16))
    sentences: Mapped[list[Any]]
    evidence: Mapped[str] = mapped_column(sa.String(32), default="")  # how regions were looked for; "" not (yet)
    prior_study_instance_uid: Mapped[str] = mapped_column(sa.String(64), default="")
    prior_study_date: Mapped[str] = mapped_column(sa.String(8), default="")
    created_at: Mapped[datetime]


class Report(Base):
    """The radiologist's text; after signing only addenda are added (LAW 5). `version` is the ETag."""

    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str] = mapped_column(sa.ForeignKey("studies.id"), unique=True)
    draft_id: Mapped[str | None] = mapped_column(sa.ForeignKey("drafts.id"))
    draft_revision: Mapped[int | None]  # of the latest draft whose wording may be in the text
    reading_mode: Mapped[str] = mapped_column(sa.String(16), default="draft-first")
    status: Mapped[str] = mapped_column(sa.String(24))
    version: Mapped[int] = mapped_column(default=1)
    findings: Mapped[str] = mapped_column(sa.Text, default="")
    impression: Mapped[str] = mapped_column(sa.Text, default="")
    sentences: Mapped[list[Any]]
    author_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    author_name: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    signer_id: Mapped[str | None] = mapped_column(sa.ForeignKey("users.id"))
    signer_name: Mapped[str] = mapped_column(default="")
    signed_at: Mapped[datetime | None]
    meaning: Mapped[str] = mapped_column(default="")
    signed_digest: Mapped[str] = mapped_column(sa.String(64), default="")


class Addendum(Base):
    """Text added to a signed report; signed itself."""

    __tablename__ = "addenda"
    __table_args__ = (sa.UniqueConstraint("report_id", "number"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    number: Mapped[int]
    text: Mapped[str] = mapped_column(sa.Text)
    signer_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    signer_name: Mapped[str]
    signed_at: Mapped[datetime]
    meaning: Mapped[str]
    signed_digest: Mapped[str] = mapped_column(sa.String(64))


class Delivery(Base):
    """One document to one destination; the unique pair makes "once" a constraint."""

    __tablename__ = "deliveries"
    __table_args__ = (sa.UniqueConstraint("sop_instance_uid", "destination"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    study_id: Mapped[str] = _study_key()
    target: Mapped[str] = mapped_column(sa.String(32))  # report id or addendum id
    channel: Mapped[str] = mapped_column(sa.String(32))
    destination: Mapped[str] = mapped_column(sa.String(64))
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    object_key: Mapped[str]
    status: Mapped[str] = mapped_column(sa.String(16), default="pending")  # pending, delivered, dead
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    delivered_at: Mapped[datetime | None]


class Job(Base):
    """Work that must happen. The broker may lose or repeat its message; this row may not.

    token: fencing token of the latest attempt; deadline: when the reconciler takes it up again.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        sa.UniqueConstraint("task", "study_id", "revision", "target", "round"),
        sa.Index("ix_jobs_state_deadline", "state", "deadline"),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    task: Mapped[str] = mapped_column(sa.String(64))
    study_id: Mapped[str] = _study_key()
    revision: Mapped[int]
    target: Mapped[str] = mapped_column(sa.String(32), default="")
    round: Mapped[int] = mapped_column(default=0)  # counts redrafts of one revision
    state: Mapped[str] = mapped_column(sa.String(16), default="queued")  # see app/db/jobs.py
    token: Mapped[str] = mapped_column(sa.String(32), default=new_id)
    attempts: Mapped[int] = mapped_column(default=0)
    deadline: Mapped[datetime]
    last_error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class OutboxMessage(Base):
    """A message the relay has yet to hand to the broker: a job id and a token, nothing else."""

    __tablename__ = "outbox"

    seq: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    task: Mapped[str] = mapped_column(sa.String(64))
    job_id: Mapped[str] = mapped_column(sa.String(32))
    token: Mapped[str] = mapped_column(sa.String(32))
    created_at: Mapped[datetime]


class AuditRow(Base):
    """One link of the audit chain, and one line of the change feed. `seq` has no gaps."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[str] = mapped_column(sa.String(40))
    actor: Mapped[str] = mapped_column(sa.String(80), index=True)
    action: Mapped[str] = mapped_column(sa.String(48), index=True)
    study_id: Mapped[str] = mapped_column(sa.String(32), index=True, default="")
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditHead(Base):
    """The last link; its row lock puts the links in order, and its count shows a cut tail."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    hash: Mapped[str] = mapped_column(sa.String(64))


class User(Base):
    """A person who logs in, or a machine that carries a token (no password)."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str]
    roles: Mapped[list[Any]]
    password_hash: Mapped[str] = mapped_column(default="")
    disabled: Mapped[bool] = mapped_column(default=False)
    keys: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of the review page, by act, where changed
    created_at: Mapped[datetime]


class LoginSession(Base):
    """A browser session or a service token; only hashes of the secrets are kept."""

    __tablename__ = "login_sessions"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))  # browser, service
    csrf_token: Mapped[str] = mapped_column(sa.String(64), default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ReadingLock(Base):
    """Who has a study open for writing, until when."""

    __tablename__ = "reading_locks"

    study_id: Mapped[str] = mapped_column(sa.ForeignKey("studies.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    owner: Mapped[str]
    expires_at: Mapped[datetime]


class Lease(Base):
    """Which of several equal processes may do a thing now (the active relay)."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(80))
    expires_at: Mapped[datetime]


class ExpectedMove(Base):
    """A study that we asked an archive to send us: some archives leave the move originator out of their C-STOREs."""

    __tablename__ = "expected_moves"

    study_instance_uid: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    until: Mapped[datetime]
