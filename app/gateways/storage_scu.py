"""C-STORE and C-ECHO as a modality does them: for `unirg send`, `unirg demo` and `unirg doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from app.errors import ArchiveUnavailable, InvalidRequest

MAX_CONTEXTS = 128  # PS3.8 9.3.2.2: odd numbers 1 to 255


@dataclass(frozen=True, slots=True)
class Sent:
    """One answer: the file and its C-STORE status; None where the association broke off."""

    path: Path
    status: int | None


def echo(host: str, port: int, calling: str, called: str, timeout: float = 5.0) -> None:
    """C-ECHO on a new association. Raises ArchiveUnavailable."""
    entity = _entity(calling, timeout)
    entity.add_requested_context(Verification)
    association = _associate(entity, host, port, called)
    try:
        status = association.send_c_echo()
    finally:
        association.release()
    if "Status" not in status or status.Status != 0:
        message = f"{called} at {host}:{port} did not answer C-ECHO with success; look at its log."
        raise ArchiveUnavailable(message)


def send_files(
    paths: Iterable[Path], host: str, port: int, calling: str, called: str, answered: Callable[[Sent], None]
) -> None:
    """Store each file over one association, as its bytes are; `answered` hears of each.

    Raises InvalidRequest for a file that is no DICOM object, ArchiveUnavailable where no association comes about.
    """
    files = list(paths)
    entity = _entity(calling, 30.0)
    for sop_class, syntax in sorted({_kind(path) for path in files}):
        entity.add_requested_context(sop_class, syntax)
    if len(entity.requested_contexts) > MAX_CONTEXTS:
        message = "The files have over 128 pairs of SOP class and transfer syntax; send fewer kinds at a time."
        raise InvalidRequest(message)
    association = _associate(entity, host, port, called)
    try:
        for path in files:
            answered(Sent(path, _store(association, path)))
    finally:
        if association.is_established:
            association.release()


def _entity(calling: str, timeout: float) -> AE:
    entity = AE(ae_title=calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout
    entity.connection_timeout = timeout
    return entity


def _associate(entity: AE, host: str, port: int, called: str) -> Association:
    association = entity.associate(host, port, ae_title=called, max_pdu=131072)
    if not association.is_established:
        why = "refused the association" if association.is_rejected else "did not answer"
        message = f"{called} at {host}:{port} {why}; check address, AE titles and that it knows {entity.ae_title}."
        raise ArchiveUnavailable(message)
    return association


def _kind(path: Path) -> tuple[str, str]:
    try:
        dataset = dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
        return str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, OSError, ValueError) as error:
        message = f"{path} is no DICOM file that can be sent ({type(error).__name__}); leave it out."
        raise InvalidRequest(message) from error


def _store(association: Association, path: Path) -> int | None:
    if not association.is_established:
        return None
    status = association.send_c_store(path)
    return int(status.Status) if "Status" in status else None
