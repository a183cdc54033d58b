"""A receiver of reports that does as it is told; the real one is under the same contract in tests/contract."""

from __future__ import annotations

import io
from collections.abc import Callable

from pydicom import dcmread

from app.errors import ServiceError


class RememberingEndpoint:
    """Implements app.ports.ReportEndpoint; `fails` are raised first, one for each send."""

    def __init__(self, name: str = "pacs", *fails: ServiceError) -> None:
        self.name = name
        self.fails = list(fails)
        self.received: list[bytes] = []
        self.after_storing: Callable[[], None] = lambda: None

    def send(self, document: bytes) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.received.append(document)
        self.after_storing()

    def holds(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        headers = [dcmread(io.BytesIO(document)) for document in self.received]
        return any((ds.StudyInstanceUID, ds.SOPInstanceUID) == (study_instance_uid, sop_instance_uid) for ds in headers)
