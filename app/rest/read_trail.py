"""Every look at a patient's data leaves an entry in the audit chain, before the data leaves the service."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.access import Reader
from app.db.session import Database, unit_of_work
from app.ports import Clock
from app.rest.guard import actor

ONE_LOOK = timedelta(minutes=1)
"""The same reader, the same frame or the same list of studies again within this time is one look: a browser asks
for a frame anew at each visit and for the list at each change. Studies, drafts and reports are noted each time."""
COALESCED = frozenset({"read.frame", "read.worklist"})
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class ReadTrail:
    """Writes the entries; what it remembers of them is this process's alone."""

    database: Database
    clock: Clock
    _looks: OrderedDict[bytes, datetime] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def note(self, reader: Reader, action: str, study_id: str = "", **detail: object) -> None:
        """Write the entry. Raises DatabaseUnavailable: what cannot be noted is not shown."""
        told = json.dumps([reader.user_id, action, study_id, detail], sort_keys=True)
        look = hashlib.sha256(told.encode()).digest()  # a page of the worklist names up to 1,000 studies
        if action in COALESCED and self._seen(look):
            return
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            uow.audit(action, study_id, **detail)
        self._remember(look)

    def _seen(self, look: bytes) -> bool:
        with self._lock:
            at = self._looks.get(look)
        return at is not None and self.clock.now() - at < ONE_LOOK

    def _remember(self, look: bytes) -> None:
        with self._lock:
            self._looks[look] = self.clock.now()
            self._looks.move_to_end(look)
            while len(self._looks) > REMEMBERED:
                self._looks.popitem(last=False)
