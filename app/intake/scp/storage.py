"""C-ECHO and C-STORE (PS3.4 A and B, PS3.7 9.1): what is answered, and the road of a data set to the sink."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from app.domain.intake import ReceivedInstance
from app.errors import ServiceError
from app.intake.scp import command_set
from app.intake.scp.command_set import SUCCESS, Answer, Command
from app.intake.scp.contexts import STORAGE_CLASSES
from app.intake.scp.endings import ObjectTooLarge
from app.intake.scp.part10 import IncomingFile, meta_header
from app.intake.scp.settings import ScpSettings

log = logging.getLogger(__name__)

OUT_OF_RESOURCES, CANNOT_UNDERSTAND, PROCESSING = 0xA700, 0xC000, 0xC001
NO_SUCH_CLASS, INVALID_INSTANCE, UNKNOWN_OPERATION, MISTYPED = 0x0122, 0x0117, 0x0211, 0x0212


class InstanceSink(Protocol):
    """Where complete objects go."""

    def accept(self, received: ReceivedInstance) -> int:
        """Make it durable and record it, then return the DIMSE status; called from many threads.

        May move `temp_path` away; what is left of it is removed afterwards. A ServiceError answers its `dicom_status`.
        An object without a usable `sop_instance_uid` comes too, to be kept aside; its sender is told 0x0117 anyway.
        """
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Both ends of the association."""

    calling_ae: str
    called_ae: str
    host: str


@dataclass(frozen=True, slots=True)
class Context:
    """An accepted presentation context."""

    sop_class_uid: str
    transfer_syntax_uid: str


def refusal(command: Command, context: Context) -> Answer | None:
    """Why a request is refused before its data set is looked at; None where it may go on."""
    if command.field not in (command_set.C_ECHO_RQ, command_set.C_STORE_RQ):
        return Answer(UNKNOWN_OPERATION, "only C-ECHO and C-STORE are served")
    stores = command.field == command_set.C_STORE_RQ
    if command.sop_class_uid != context.sop_class_uid or stores != (context.sop_class_uid in STORAGE_CLASSES):
        return Answer(NO_SUCH_CLASS, "SOP class is not that of the presentation context")
    if command.has_data_set != stores:
        return Answer(MISTYPED, "data set missing" if stores else "C-ECHO has no data set")
    return None


@dataclass(frozen=True, slots=True)
class StorageService:
    """What all associations share."""

    settings: ScpSettings
    sink: InstanceSink

    def receive(self, command: Command, context: Context, caller: Caller) -> Reception:
        """Get ready for the request's data set, if it has one."""
        return Reception(self, command, context, caller)


class Reception:
    """One request from its command set to its answer; leaving its `with` block removes the temporary file."""

    def __init__(self, service: StorageService, command: Command, context: Context, caller: Caller) -> None:
        self._service, self._command, self._context, self._caller = service, command, context, caller
        self._refused = refusal(command, context)
        self._file: IncomingFile | None = None
        self.size = 0

    def __enter__(self) -> Self:
        if self._refused is None and self._command.has_data_set:
            try:
                self._file = self._create()
            except OSError as error:
                self._refused = _disk_failed(error)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.discard()

    def write(self, pieces: Iterator[memoryview]) -> None:
        """The data set. Raises ObjectTooLarge; what is refused, or fails on disk, is read to its end and dropped."""
        most = self._service.settings.max_object_bytes
        for piece in pieces:
            self.size += len(piece)
            if self.size > most:
                raise ObjectTooLarge(f"data set over {most} bytes")
            if self._refused is None and self._file is not None:
                self._append(self._file, piece)

    def finish(self) -> Answer:
        """The answer, once everything is here."""
        if self._refused is not None:
            return self._refused
        if self._file is None:
            return SUCCESS
        if not self.size:
            return Answer(CANNOT_UNDERSTAND, "data set is empty")
        self._file.close()
        answer = self._hand_over(self._file)
        if self._command.sop_instance_uid or answer.status == OUT_OF_RESOURCES:
            return answer
        return Answer(INVALID_INSTANCE, "SOP Instance UID missing or no UID")  # never success, whatever the sink says

    def _create(self) -> IncomingFile:
        settings = self._service.settings
        header = meta_header(
            sop_class=self._context.sop_class_uid,
            sop_instance=self._command.sop_instance_uid or "",
            transfer_syntax=self._context.transfer_syntax_uid,
            calling_ae=self._caller.calling_ae,
            class_uid=settings.implementation_class_uid,
            version=settings.implementation_version_name,
        )
        return IncomingFile(settings.incoming_dir, header)

    def _append(self, file: IncomingFile, piece: memoryview) -> None:
        try:
            file.write(piece)
        except OSError as error:
            file.discard()
            self._refused = _disk_failed(error)

    def _hand_over(self, file: IncomingFile) -> Answer:
        try:
            return Answer(self._service.sink.accept(self._received(file)))
        except ServiceError as error:
            log.warning("instance.refused", extra={"error": type(error).__name__, "status": error.dicom_status})
            return Answer(error.dicom_status, error.title)
        except OSError as error:
            return _disk_failed(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender keeps its object and hears of it
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{last.filename}:{last.lineno}"
            log.error("instance.failed", extra={"error": type(error).__name__, "where": where})  # noqa: TRY400 - the message may name a patient
            return Answer(PROCESSING, "internal error; see the receiver's log")

    def _received(self, file: IncomingFile) -> ReceivedInstance:
        return ReceivedInstance(
            sop_class_uid=self._context.sop_class_uid,
            sop_instance_uid=self._command.sop_instance_uid or "",
            transfer_syntax_uid=self._context.transfer_syntax_uid,
            calling_ae=self._caller.calling_ae,
            called_ae=self._caller.called_ae,
            peer_host=self._caller.host,
            temp_path=file.path,
            size=file.size,
            digest=file.digest(),
            move_originator_ae=self._command.move_originator_ae,
            move_originator_message_id=self._command.move_originator_message_id,
        )


def _disk_failed(error: OSError) -> Answer:
    log.error("storage.failed", extra={"errno": error.errno})
    return Answer(OUT_OF_RESOURCES, "storage full or not writable; send again later")
