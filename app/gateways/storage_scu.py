"""C-STORE and C-ECHO as a modality does them: for `unirg send`, `unirg demo` and `unirg doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pynetdicom.presentation import build_context

from app.errors import ArchiveUnavailable, InvalidRequest
from app.gateways.dimse_peer import Call, DimsePeer, Patience, TlsContext

VERIFICATION = "1.2.840.10008.1.1"
MAX_CONTEXTS = 128  # PS3.8 9.3.2.2: odd numbers 1 to 255
QUICK, LONG = Patience(connect=5, answer=5, total=10), Patience(connect=10, answer=60, total=24 * 3600)


@dataclass(frozen=True, slots=True)
class Sent:
    """One answer: the file and its C-STORE status; None where the association broke off."""

    path: Path
    status: int | None


def echo(host: str, port: int, calling: str, called: str, tls: TlsContext | None = None) -> None:
    """C-ECHO on a new association. Raises ArchiveUnavailable."""
    peer = DimsePeer(called, called, host, port, calling, QUICK, tls)
    with peer.association([build_context(VERIFICATION)], ArchiveUnavailable) as call:
        with call.guarded("C-ECHO"):
            answer = call.association.send_c_echo()
        if call.status(answer, "C-ECHO") != 0:
            raise call.fails("it did not answer C-ECHO with success; look at its log")


def send_files(
    paths: Iterable[Path], host: str, port: int, calling: str, called: str, answered: Callable[[Sent], None]
) -> None:
    """Store each file over one association, as its bytes are; `answered` hears of each.

    Raises InvalidRequest for a file that is no DICOM object, ArchiveUnavailable where no association comes about.
    """
    files = list(paths)
    kinds = sorted({_kind(path) for path in files})
    if len(kinds) > MAX_CONTEXTS:
        message = "The files have over 128 pairs of SOP class and transfer syntax; send fewer kinds at a time."
        raise InvalidRequest(message)
    peer = DimsePeer(called, called, host, port, calling, LONG)
    with peer.association([build_context(*kind) for kind in kinds], ArchiveUnavailable) as call:
        for path in files:
            answered(Sent(path, _store(call, path)))


def _kind(path: Path) -> tuple[str, str]:
    try:
        dataset = dcmread(path, specific_tags=["SOPClassUID"], stop_before_pixels=True)
        return str(dataset.SOPClassUID), str(dataset.file_meta.TransferSyntaxUID)
    except (InvalidDicomError, AttributeError, OSError, ValueError) as error:
        message = f"{path} is no DICOM file that can be sent ({type(error).__name__}); leave it out."
        raise InvalidRequest(message) from error


def _store(call: Call, path: Path) -> int | None:
    if not call.association.is_established:
        return None
    try:
        status = call.association.send_c_store(path)
    except ValueError:  # the receiver did not accept this file's context
        return 0x0122
    return int(status.Status) if "Status" in status else None
