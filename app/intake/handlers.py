"""A received object becomes a durable record, or is kept aside with a reason; only then is it acknowledged (LAW 2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import sqlalchemy as sa

from app.db.group_commit import GroupCommit
from app.db.move_inbox import is_expected
from app.db.session import UnitOfWork
from app.db.tables import Draft, Instance, MovedObject, QuarantinedObject, Study
from app.domain.identifiers import DOCUMENT_CLASSES, new_id
from app.domain.intake import ReceivedInstance
from app.domain.study import Stage, Step
from app.errors import CannotUnderstand, Conflict, ObjectMismatch, ServiceError, StorageUnavailable
from app.intake.header import ObjectHeader, check_against_command, read_header
from app.ports import ObjectStore

SUCCESS = 0x0000
RACES = 5
# prepared once, and on tables instead of mapped classes: this transaction is paid for each object that comes in
_INSTANCE, _STUDY = cast("sa.Table", Instance.__table__), cast("sa.Table", Study.__table__)
_HELD = sa.select(_INSTANCE.c.digest, _INSTANCE.c.study_id).where(_INSTANCE.c.sop_instance_uid == sa.bindparam("uid"))
_STUDY_HELD = sa.select(_STUDY.c.id).where(_STUDY.c.study_instance_uid == sa.bindparam("uid"))
_ADD_STUDY, _ADD_INSTANCE = sa.insert(_STUDY), sa.insert(_INSTANCE)


@dataclass(frozen=True, slots=True)
class StoreInstances:
    """The sink of every way in.

    quiet: how long a study must be still to be complete; min_free_ratio: share of the disk that is kept free;
    own_ae: objects that our own C-MOVE asked for are set aside for the asker and start no study.
    """

    commits: GroupCommit
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
        return is_expected(uow.connection, uow.now, header.study_instance_uid)

    def _require_space(self) -> None:
        if self.store.free_ratio() < self.min_free_ratio:
            message = "The object store is nearly full; free space, then send again."
            raise StorageUnavailable(message)

    def _file(self, received: ReceivedInstance, header: ObjectHeader) -> int:
        key = self.store.publish(received.temp_path, received.digest)
        for _ in range(RACES):
            try:
                refusal = self.commits.run(_actor(received), lambda uow: self._record(uow, received, header, key))
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
        held = uow.connection.execute(_HELD, {"uid": header.sop_instance_uid}).one_or_none()
        if held is not None:
            if held.digest != received.digest:
                _quarantine(uow, received, key, "another object under a SOP Instance UID that is held", held.study_id)
            return None
        study = _held_study(uow, header)
        if study is None:
            _add_instance(uow, _new_study(uow, header, self.quiet), 1, received, header, key)
            return None
        if study.patient.key != header.patient.key:
            _quarantine(uow, received, key, "its patient is not the patient of its study", study.id)
            return ObjectMismatch("Patient ID or issuer differ from the study's other objects; correct, then resend.")
        # a document is filed, but is no reason to draft again: the signed report itself may come back this way
        if not header.sop_class_uid.startswith(DOCUMENT_CLASSES) or study.stage is Stage.RECEIVING:
            self._note_image(uow, study)
        _add_instance(uow, study.id, study.revision, received, header, key)
        return None

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
        self.commits.run(_actor(received), lambda uow: _quarantine(uow, received, key, error.message, None))


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
    return f"user:{received.username}" if received.username else f"ae:{received.calling_ae}"


def _held_study(uow: UnitOfWork, header: ObjectHeader) -> Study | None:
    study_id = uow.connection.execute(_STUDY_HELD, {"uid": header.study_instance_uid}).scalar_one_or_none()
    return None if study_id is None else uow.study(study_id)


def _new_study(uow: UnitOfWork, header: ObjectHeader, quiet: timedelta) -> str:
    study_id = new_id()
    row = {
        "id": study_id,
        "study_instance_uid": header.study_instance_uid,
        "stage": Stage.RECEIVING,
        "reason": "",
        "revision": 1,
        "patient_id": header.patient.key.patient_id,
        "issuer": header.patient.key.issuer,
        "patient_name": header.patient.name,
        "birth_date": header.patient.birth_date,
        "sex": header.patient.sex,
        "accession_number": header.accession_number,
        "study_date": header.study_date,
        "study_time": header.study_time,
        "description": header.description,
        "study_id_tag": header.study_id,
        "referring_physician": header.referring_physician,
        "received_at": uow.now,
        "last_image_at": uow.now,
        "quiet_until": uow.now + quiet,
        "stage_since": uow.now,
    }
    uow.connection.execute(_ADD_STUDY, row)
    uow.audit("study.received", study_id, state=str(Stage.RECEIVING), revision=1)
    return study_id


def _add_instance(
    uow: UnitOfWork, study_id: str, revision: int, received: ReceivedInstance, header: ObjectHeader, key: str
) -> None:
    row = {
        "id": new_id(),
        "study_id": study_id,
        "sop_instance_uid": header.sop_instance_uid,
        "sop_class_uid": header.sop_class_uid,
        "series_instance_uid": header.series_instance_uid,
        "transfer_syntax_uid": received.transfer_syntax_uid,
        "modality": header.modality,
        "view_position": header.view_position,
        "object_key": key,
        "digest": received.digest,
        "size": received.size,
        "revision": revision,
        "received_at": uow.now,
        "calling_ae": received.calling_ae,
    }
    uow.connection.execute(_ADD_INSTANCE, row)
    uow.audit("instance.stored", study_id, sop_instance_uid=header.sop_instance_uid, digest=received.digest)


def _quarantine(uow: UnitOfWork, received: ReceivedInstance, key: str, reason: str, study_id: str | None) -> None:
    uow.session.add(
        QuarantinedObject(
            study_id=study_id,
            sop_instance_uid=received.sop_instance_uid,
            sop_class_uid=received.sop_class_uid,
            object_key=key,
            digest=received.digest,
            size=received.size,
            reason=reason,
            calling_ae=received.calling_ae,
            received_at=uow.now,
        )
    )
    uow.audit("instance.quarantined", study_id or "", reason=reason, digest=received.digest)
