"""A signed document to every receiver of reports, once: planned in the record, then sent, then noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.jobs import Claim
from app.db.session import Database, finishing, unit_of_work
from app.db.tables import Addendum, Delivery, Report, Study
from app.delivery.documents import prepare
from app.delivery.structured_report import encode
from app.domain.events import ReportDelivered
from app.domain.study import Stage, Step
from app.errors import EndpointRefused, EndpointUnavailable
from app.ports import Clock, ObjectStore, ReportEndpoint

CHANNEL = "dicom-sr"
PENDING, DELIVERED, DEAD = "pending", "delivered", "dead"
NOBODY = "signed; no peer with the role results is configured, so the report stays here"


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """One job is one document; its rows say to whom it went and how often it was tried."""

    database: Database
    clock: Clock
    store: ObjectStore
    endpoints: Sequence[ReportEndpoint]
    organization: str

    def send(self, claim: Claim) -> None:
        """Deliver the document of `claim.target`.

        Raises EndpointUnavailable (tried again with back-off), EndpointRefused (a dead letter).
        """
        self._plan(claim)
        for endpoint in self.endpoints:
            self._send_to(endpoint, claim)
        self._settle(claim)

    def _plan(self, claim: Claim) -> None:
        """A row for each destination, before anything leaves; the unique pair keeps a repeat from adding one."""
        with self.database.reading() as session:
            prepared = prepare(session, self.store, claim.target, self.organization)
        uid = prepared.document.sop_instance_uid
        key = self.store.put_bytes(encode(prepared.document))
        with unit_of_work(self.database, self.clock) as uow:
            known = set(uow.session.scalars(sa.select(Delivery.destination).where(Delivery.sop_instance_uid == uid)))
            for endpoint in self.endpoints:
                if endpoint.name not in known:
                    uow.session.add(
                        Delivery(
                            report_id=prepared.report_id,
                            study_id=claim.study_id,
                            target=claim.target,
                            channel=CHANNEL,
                            destination=endpoint.name,
                            sop_instance_uid=uid,
                            object_key=key,
                            status=PENDING,
                        )
                    )

    def _send_to(self, endpoint: ReportEndpoint, claim: Claim) -> None:
        delivery = self._begin(endpoint, claim)
        if delivery is None:
            return
        try:
            if delivery.attempts == 1 or not self._arrived_before(endpoint, claim, delivery):
                endpoint.send(self.store.path(delivery.object_key).read_bytes())
        except EndpointUnavailable as error:
            self._note(delivery, DEAD if claim.last else PENDING, error.message)
        except EndpointRefused as error:
            self._note(delivery, DEAD, error.message)
        else:
            self._note(delivery, DELIVERED, "")

    def _begin(self, endpoint: ReportEndpoint, claim: Claim) -> Delivery | None:
        """Count the attempt before it is made: a crash then leaves a trace of an outcome that is not known."""
        with unit_of_work(self.database, self.clock) as uow:
            query = sa.select(Delivery).where(
                Delivery.target == claim.target, Delivery.destination == endpoint.name, Delivery.status == PENDING
            )
            delivery = uow.session.scalars(query.with_for_update()).one_or_none()
            if delivery is not None:
                delivery.attempts += 1
            return delivery

    def _arrived_before(self, endpoint: ReportEndpoint, claim: Claim, delivery: Delivery) -> bool:
        with self.database.reading() as session:
            study_instance_uid = session.get_one(Study, claim.study_id).study_instance_uid
        try:
            return endpoint.holds(study_instance_uid, delivery.sop_instance_uid)
        except EndpointUnavailable:
            return False  # it cannot be asked; the same UID again is harmless

    def _note(self, delivery: Delivery, status: str, error: str) -> None:
        with unit_of_work(self.database, self.clock) as uow:
            row = uow.session.get_one(Delivery, delivery.id)
            row.status, row.last_error = status, error
            if status == DELIVERED:
                row.delivered_at = uow.now
            uow.audit(
                f"delivery.{status}",
                row.study_id,
                destination=row.destination,
                sop_instance_uid=row.sop_instance_uid,
                attempt=row.attempts,
            )

    def _settle(self, claim: Claim) -> None:
        with self.database.reading() as session:
            rows = session.scalars(sa.select(Delivery).where(Delivery.target == claim.target)).all()
        waiting = [row for row in rows if row.status == PENDING]
        if waiting:
            raise EndpointUnavailable("; ".join(f"{row.destination}: {row.last_error}" for row in waiting))
        dead = [row for row in rows if row.status == DEAD]
        if dead:
            raise EndpointRefused("; ".join(f"{row.destination}: {row.last_error}" for row in dead))
        self._finish(claim, delivered=bool(rows))

    def _finish(self, claim: Claim, *, delivered: bool) -> None:
        with finishing(self.database, self.clock, claim) as (uow, study):
            if not delivered:
                study.reason = NOBODY
                uow.audit("delivery.nobody", study.id)
                return
            if study.stage is Stage.SIGNED and not _undelivered(uow.session, study.id):
                uow.move(study, Step.DELIVERED)
                uow.emit(ReportDelivered(study.id))


def _undelivered(session: Session, study_id: str) -> bool:
    """Whether any document of the study has yet to reach a receiver, or is not planned yet: an addendum just signed."""
    addenda = sa.select(Addendum.id).join(Report).where(Report.study_id == study_id)
    documents = {*session.scalars(sa.select(Report.id).where(Report.study_id == study_id)), *session.scalars(addenda)}
    rows = session.scalars(sa.select(Delivery).where(Delivery.study_id == study_id)).all()
    return bool(documents - {row.target for row in rows}) or any(row.status != DELIVERED for row in rows)
