"""Which abstract and transfer syntaxes are served, and how a proposal is answered (PS3.7 D.3.2, PS3.8 7.1.1.13).

Few on purpose: every supported context costs time in each association. Data sets that are deflated as a whole are not
among them (a bomb for whoever parses the header), nor are pixels that live elsewhere (JPIP) or in a live stream.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from pynetdicom import presentation
from pynetdicom._globals import ALL_TRANSFER_SYNTAXES
from pynetdicom.presentation import PresentationContext

VERIFICATION = "1.2.840.10008.1.1"

STORAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography Image",
    "1.2.840.10008.5.1.4.1.1.1.1": "Digital X-Ray Image, for presentation",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "Digital X-Ray Image, for processing",
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.1": "Multi-frame Single Bit Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.3": "Multi-frame Grayscale Word Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.59": "Key Object Selection Document",
}

_ELSEWHERE = {f"1.2.840.10008.1.2.4.{last}" for last in ("94", "95", "204", "205")}
_LIVE = "1.2.840.10008.1.2.7."
_NEWER = tuple(  # PS3.6 2025: JPEG XL, and frames deflated one by one
    f"1.2.840.10008.1.2.{last}" for last in ("4.110", "4.111", "4.112", "8.1")
)
_RETIRED = tuple(f"1.2.840.10008.1.2.4.{last}" for last in (*range(52, 57), *range(58, 67)))

TRANSFER_SYNTAXES = tuple(
    dict.fromkeys(
        str(uid)
        for uid in (*ALL_TRANSFER_SYNTAXES, *_NEWER, *_RETIRED)
        if uid != DeflatedExplicitVRLittleEndian and uid not in _ELSEWHERE and not uid.startswith(_LIVE)
    )
)
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")

_SERVED = {uid: frozenset(TRANSFER_SYNTAXES) for uid in STORAGE_CLASSES} | {VERIFICATION: frozenset(UNCOMPRESSED)}


def negotiate(proposed: Iterable[PresentationContext]) -> list[PresentationContext]:
    """One result per proposed context, by pynetdicom's acceptor rules and in the proposer's order of preference."""
    return [_negotiate_one(context) for context in proposed]


def _negotiate_one(proposed: PresentationContext) -> PresentationContext:
    ours = []
    if proposed.abstract_syntax in _SERVED:
        ours = [_preferring(proposed, _SERVED[proposed.abstract_syntax])]
    results, _roles = presentation.negotiate_as_acceptor([proposed], ours)
    return results[0]


def _preferring(proposed: PresentationContext, served: frozenset[str]) -> PresentationContext:
    """Our context with its transfer syntaxes in the proposer's order: pynetdicom takes the acceptor's first match."""
    ours = PresentationContext()
    ours.abstract_syntax = proposed.abstract_syntax
    ours.transfer_syntax = [UID(uid) for uid in proposed.transfer_syntax if uid in served]
    return ours
