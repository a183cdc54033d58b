"""A received object becomes a durable record, or is kept aside with a reason; only then is it acknowledged (LAW 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.db.move_inbox import is_expected
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Draft, Instance, MovedObject, QuarantinedObject, Study
from app.domain.identifiers import DOCUMENT_CLASSES, new_id
from app.domain.intake import ReceivedInstance
from app.domain.study import Stage, Step
from app.errors import CannotUnderstand, Conflict, ObjectMismatch, ServiceError, StorageUnavailable
from app.intake.header import ObjectHeader, check_against_command, read_header
from app.ports import Clock, ObjectStore

SUCCESS = 0x0000
RACES = 5


@dataclass(frozen=True, slots=True)
class StoreInstances:
    """The sink of every way in.

    quiet: how long a study must be still to be complete; min_free_ratio: share of the disk that is kept free;
    own_ae: objects that our own C-MOVE asked for are set aside for the asker and start no study.
    """

    database: Database
    clock: Clock
    store: ObjectStore
    quiet: timedelta
    min_free_ratio: float
    own_ae: str

    def accept(self, received: ReceivedInstance) -> int:
        """File one received object; returns the C-STORE status (PS3.4 B.2.3).

        Raises ServiceError (its dicom_status is the answer); a refused object is in quarantine by then.
        """
        self._require_space()
        try:
            header = read_header(received.temp_path)
            check_against_command(header, received.sop_class_uid, received.sop_instance_uid)
        except (CannotUnderstand, ObjectMismatch) as error:
            self._set_aside(received, error)
            raise
        return self._file(received, header)

    def _was_asked_for(self, uow: UnitOfWork, received: ReceivedInstance, header: ObjectHeader) -> bool:
        if received.move_originator_ae == self.own_ae:
            return True
        # some archives name no originator, others (pynetdicom's) themselves: then it is asked for if we noted so
        return is_expected(uow.session, uow.now, header.study_instance_uid)

    def _require_space(self) -> None:
        if self.store.free_ratio() < self.min_free_ratio:
            message = "The object store is nearly full; free space, then send again."
            raise StorageUnavailable(message)

    def _file(self, received: ReceivedInstance, header: ObjectHeader) -> int:
        key = self.store.publish(received.temp_path, received.sha256)
        for _ in range(RACES):
            try:
                with unit_of_work(self.database, self.clock, _actor(received)) as uow:
                    refusal = self._record(uow, received, header, key)
                break
            except Conflict:  # the same study or object came over another association just now
                continue
        else:
            message = "Too many writers for one study at a time; send the object again."
            raise StorageUnavailable(message)
        if refusal is not None:
            raise refusal
        return SUCCESS

    def _record(
        self, uow: UnitOfWork, received: ReceivedInstance, header: ObjectHeader, key: str
    ) -> ServiceError | None:
        if self._was_asked_for(uow, received, header):
            _keep_for_asker(uow, received, header, key)
            return None
        held = uow.session.scalars(
            sa.select(Instance).where(Instance.sop_instance_uid == header.sop_instance_uid)
        ).one_or_none()
        if held is not None:
            if held.sha256 != received.sha256:
                _quarantine(uow, received, key, "another object under a SOP Instance UID that is held", held.study_id)
            return None
        study = self._held_study(uow, header)
        if study is None:
            study = _new_study(uow, header, self.quiet)
        elif study.patient.key != header.patient.key:
            _quarantine(uow, received, key, "its patient is not the patient of its study", study.id)
            return ObjectMismatch("Patient ID or issuer differ from the study's other objects; correct, then resend.")
        # a document is filed, but is no reason to draft again: the signed report itself may come back this way
        elif not header.sop_class_uid.startswith(DOCUMENT_CLASSES) or study.stage is Stage.RECEIVING:
            self._note_image(uow, study)
        _add_instance(uow, study, received, header, key)
        return None

    def _held_study(self, uow: UnitOfWork, header: ObjectHeader) -> Study | None:
        query = sa.select(Study).where(Study.study_instance_uid == header.study_instance_uid).with_for_update()
        return uow.session.scalars(query).one_or_none()

    def _note_image(self, uow: UnitOfWork, study: Study) -> None:
        study.last_image_at = uow.now
        study.quiet_until = uow.now + self.quiet
        if study.stage in (Stage.SIGNED, Stage.DELIVERED):
            study.addendum_suggested = True
        elif study.stage is not Stage.RECEIVING:
            study.revision += 1
            study.prior_outcome, study.prior_reason = None, ""
            stale = sa.update(Draft).where(Draft.study_id == study.id).values(stale=True)
            uow.session.execute(stale)
        if study.stage is not Stage.RECEIVING:
            uow.move(study, Step.IMAGE_ARRIVED)

    def _set_aside(self, received: ReceivedInstance, error: ServiceError) -> None:
        key = self.store.quarantine(received.temp_path, error.message)
        with unit_of_work(self.database, self.clock, _actor(received)) as uow:
            _quarantine(uow, received, key, error.message, None)


def _keep_for_asker(uow: UnitOfWork, received: ReceivedInstance, header: ObjectHeader, key: str) -> None:
    uow.session.add(
        MovedObject(
            calling_ae=received.calling_ae,
            move_originator_message_id=received.move_originator_message_id,
            study_instance_uid=header.study_instance_uid,
            series_instance_uid=header.series_instance_uid,
            sop_instance_uid=header.sop_instance_uid,
            sop_class_uid=header.sop_class_uid,
            object_key=key,
            received_at=uow.now,
        )
    )


def _actor(received: ReceivedInstance) -> str:
    return f"ae:{received.calling_ae}"


def _new_study(uow: UnitOfWork, header: ObjectHeader, quiet: timedelta) -> Study:
    study = Study(
        id=new_id(),
        study_instance_uid=header.study_instance_uid,
        stage=Stage.RECEIVING,
        reason="",
        revision=1,
        patient_id=header.patient.key.patient_id,
        issuer=header.patient.key.issuer,
        patient_name=header.patient.name,
        birth_date=header.patient.birth_date,
        sex=header.patient.sex,
        accession_number=header.accession_number,
        study_date=header.study_date,
        study_time=header.study_time,
        description=header.description,
        study_id_tag=header.study_id,
        referring_physician=header.referring_physician,
        received_at=uow.now,
        last_image_at=uow.now,
        quiet_until=uow.now + quiet,
        stage_since=uow.now,
    )
    uow.session.add(study)
    uow.session.flush()  # its objects refer to it
    uow.audit("study.received", study.id, state=str(study.stage), revision=1)
    return study


def _add_instance(uow: UnitOfWork, study: Study, received: ReceivedInstance, header: ObjectHeader, key: str) -> None:
    uow.session.add(
        Instance(
            study_id=study.id,
            sop_instance_uid=header.sop_instance_uid,
            sop_class_uid=header.sop_class_uid,
            series_instance_uid=header.series_instance_uid,
            transfer_syntax_uid=received.transfer_syntax_uid,
            modality=header.modality,
            view_position=header.view_position,
            object_key=key,
            sha256=received.sha256,
            size=received.size,
            revision=study.revision,
            received_at=uow.now,
            calling_ae=received.calling_ae,
        )
    )
    uow.audit("instance.stored", study.id, sop_instance_uid=header.sop_instance_uid, sha256=received.sha256)


def _quarantine(uow: UnitOfWork, received: ReceivedInstance, key: str, reason: str, study_id: str | None) -> None:
    uow.session.add(
        QuarantinedObject(
            study_id=study_id,
            sop_instance_uid=received.sop_instance_uid,
            sop_class_uid=received.sop_class_uid,
            object_key=key,
            sha256=received.sha256,
            size=received.size,
            reason=reason,
            calling_ae=received.calling_ae,
            received_at=uow.now,
        )
    )
    uow.audit("instance.quarantined", study_id or "", reason=reason, sha256=received.sha256)
