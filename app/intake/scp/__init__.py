"""Storage and Verification SCP: pynetdicom's PDUs and negotiation rules over a transport of our own.

Why not pynetdicom's: it takes PDUs of any length before anybody is known, has no deadline for a PDU, and shakes hands
for TLS inside its accept loop; and it spends ten times the CPU on each image.
"""

from app.intake.scp.observer import ScpObserver, Unobserved
from app.intake.scp.settings import AllowedPeer, Deadlines, ScpSettings, TlsFiles
from app.intake.scp.storage import InstanceSink
from app.intake.scp.storage_scp import StorageScp

__all__ = [
    "AllowedPeer",
    "Deadlines",
    "InstanceSink",
    "ScpObserver",
    "ScpSettings",
    "StorageScp",
    "TlsFiles",
    "Unobserved",
]
