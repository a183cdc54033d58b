"""Signed reports and addenda as the review stage leaves them."""

from __future__ import annotations

from app.db.session import Database, unit_of_work
from app.db.tables import Addendum, Instance, Report, Study, User
from app.domain.events import AddendumSigned, ReportSigned
from app.domain.identifiers import derived_uid, new_id
from app.domain.report import ReportStatus
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import Stage, Step
from app.ports import Clock
from tests.builders.studies import add_study

DX = "1.2.840.10008.5.1.4.1.1.1.1"


def add_signer(database: Database, clock: Clock) -> User:
    user = User(
        id=new_id(), username=f"u{new_id()[:8]}", name="Curie^Marie", roles=["radiologist"], created_at=clock.now()
    )
    with unit_of_work(database, clock) as uow:
        uow.session.add(user)
    return user


def add_signed_report(
    database: Database, clock: Clock, findings: str = "Clear lungs.", **study_values: object
) -> Report:
    """A study with one image and a signed report whose delivery is queued."""
    study = add_study(database, clock, Stage.IN_REVIEW, accession_number="A-1", **study_values)
    user = add_signer(database, clock)
    signature = Signature(user.id, user.name, clock.now(), "I read the images.")
    about = SignedStudy(study.study_instance_uid, study.patient.key)
    report = Report(
        id=new_id(), study_id=study.id, status=ReportStatus.FINAL, version=2, findings=findings,
        impression="No acute abnormality.", sentences=[], author_id=user.id, author_name=user.name,
        created_at=clock.now(), updated_at=clock.now(), signer_id=user.id, signer_name=user.name,
        signed_at=clock.now(), meaning=signature.meaning,
    )  # fmt: skip
    report.signed_digest = report_digest(report.id, about, report.findings, report.impression, signature)
    with unit_of_work(database, clock) as uow:
        uow.session.add(_image(study, clock))
        uow.session.add(report)
        uow.move(uow.study(study.id), Step.SIGNED)
        uow.emit(ReportSigned(study.id, report.id))
    return report


def add_addendum(
    database: Database, clock: Clock, report: Report, text: str = "A line was moved.", number: int = 1
) -> Addendum:
    signature = Signature(str(report.signer_id), report.signer_name, clock.now(), "I add this.")
    addendum = Addendum(
        id=new_id(), report_id=report.id, number=number, text=text, signer_id=signature.signer_id,
        signer_name=signature.name, signed_at=signature.signed_at, meaning=signature.meaning,
        signed_digest=addendum_digest(report.signed_digest, number, text, signature),
    )  # fmt: skip
    with unit_of_work(database, clock) as uow:
        uow.session.add(addendum)
        uow.session.get_one(Report, report.id).status = ReportStatus.APPENDED
        uow.move(uow.study(report.study_id), Step.ADDENDUM_SIGNED)
        uow.emit(AddendumSigned(report.study_id, addendum.id))
    return addendum


def _image(study: Study, clock: Clock) -> Instance:
    return Instance(
        study_id=study.id, sop_instance_uid=derived_uid("image", study.id), sop_class_uid=DX,
        series_instance_uid=derived_uid("images", study.id), transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality="DX", view_position="PA", object_key="none", digest="0" * 64, size=1, revision=1,
        received_at=clock.now(),
    )  # fmt: skip
