"""The one place where gateways are constructed and joined to the use cases.

Here: what every process has, and the receiver's part, which must stay light. `stages`: what workers and API have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app import telemetry
from app.bootstrap.tls_files import readable
from app.config import Settings, TlsSettings
from app.db.group_commit import GroupCommit
from app.db.session import Database
from app.gateways.clock import SystemClock
from app.gateways.object_store import LocalObjectStore
from app.intake.handlers import StoreInstances
from app.intake.scp.settings import AllowedPeer, ScpSettings, TlsFiles
from app.ports import Clock, ObjectStore


@dataclass(frozen=True, slots=True)
class Deps:
    """What every process has."""

    settings: Settings
    clock: Clock
    database: Database
    store: ObjectStore

    def close(self) -> None:
        """Give connections back."""
        self.database.close()


def connect(settings: Settings, process: str) -> Deps:
    """Logging, database and object store of one process."""
    telemetry.configure_logging(settings.log, process)
    database = Database(settings.database.url.get_secret_value())
    return Deps(settings, SystemClock(), database, LocalObjectStore(settings.storage.path))


def prepare(settings: Settings, process: str) -> Deps:
    """As `connect`, with the schema brought to the newest version."""
    from app.db import migrations  # Alembic is heavy, and the receiver never needs it

    deps = connect(settings, process)
    migrations.upgrade(deps.database)
    return deps


def instance_sink(deps: Deps) -> StoreInstances:
    """Where every received object goes."""
    settings = deps.settings
    return StoreInstances(
        GroupCommit(deps.database, deps.clock),
        deps.store,
        timedelta(seconds=settings.completeness.quiet_seconds),
        settings.storage.min_free_ratio,
        settings.dicom.ae_title,
    )


def scp_settings(deps: Deps) -> ScpSettings:
    """The storage SCP as configured: every peer may send, whatever its role, for a C-MOVE comes as a C-STORE.

    Raises ConfigError for TLS files that cannot be read.
    """
    dicom = deps.settings.dicom
    return ScpSettings(
        ae_title=dicom.ae_title,
        incoming_dir=deps.store.incoming_dir,
        host=dicom.host,
        port=dicom.port,
        peers=tuple(AllowedPeer(peer.ae_title, peer.host, peer.certificate_sha256) for peer in dicom.peers),
        accept_unknown=dicom.accept_unknown,
        max_pdu=dicom.max_pdu,
        max_object_bytes=dicom.max_object_bytes,
        max_associations=dicom.max_associations,
        tls=_incoming_tls(dicom.tls),
        reuse_port=dicom.processes > 1,
    )


def _incoming_tls(tls: TlsSettings | None) -> TlsFiles | None:
    if tls is None or not tls.incoming:
        return None
    files = readable(tls)
    return TlsFiles(files.certificate, files.key, files.ca, files.crl)
