"""An archive that misbehaves in one way at a time, and sockets that are no archive at all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileDataset
from pynetdicom import AE, StoragePresentationContexts, evt
from pynetdicom.dimse_primitives import C_FIND, C_GET, C_MOVE

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
OBJECT_CLASSES = ("1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.88.11")
AE_TITLE = "FAULTY"


@dataclass
class Faulty:
    """What to do wrong.

    held: objects it has; listed: what C-FIND answers instead; find_status, retrieve_status: final statuses;
    change: told of each answer before it leaves; deliver: how many of the held objects are really sent;
    abort_after: matches or objects after which it breaks off; pause: seconds before each match or object.
    """

    held: list[FileDataset] = field(default_factory=list)
    listed: list[Dataset] | None = None
    offers: tuple[str, ...] = (FIND, GET, MOVE)
    find_status: int = 0x0000
    retrieve_status: int | None = None
    change: Callable[[Any], None] | None = None
    deliver: int | None = None
    abort_after: int | None = None
    pause: float = 0.0
    endless: bool = False
    move_to: tuple[str, int] | None = None
    rejects: bool = False

    def handlers(self) -> list[Any]:
        return [
            (evt.EVT_REQUESTED, self._on_request),
            (evt.EVT_C_FIND, self._on_find),
            (evt.EVT_C_GET, self._on_get),
            (evt.EVT_C_MOVE, self._on_move),
        ]

    def _on_request(self, event: evt.Event) -> None:
        send = event.assoc.dimse.send_msg

        def changed(primitive: Any, context_id: int) -> None:
            if self.change and isinstance(primitive, C_FIND | C_GET | C_MOVE):
                self.change(primitive)
            send(primitive, context_id)

        event.assoc.dimse.send_msg = changed

    def _on_find(self, event: evt.Event) -> Iterator[Any]:
        at_series = event.identifier.QueryRetrieveLevel == "SERIES"
        matches = self._series() if at_series else (self.listed or [])
        for number, match in enumerate(self._repeated(matches)):
            if number == self.abort_after and not at_series:
                event.assoc.abort()
                return
            time.sleep(0 if at_series else self.pause)
            yield 0xFF00, match
        if not at_series:
            time.sleep(self.pause)
            yield self.find_status, None

    def _repeated(self, matches: list[Dataset]) -> Iterator[Dataset]:
        yield from matches
        while self.endless and matches:
            yield from matches

    def _series(self) -> list[Dataset]:
        if self.listed is not None and not self.held:
            return []
        first = self.held[0]
        match = Dataset()
        match.QueryRetrieveLevel = "SERIES"
        match.StudyInstanceUID, match.SeriesInstanceUID = first.StudyInstanceUID, first.SeriesInstanceUID
        match.Modality = first.Modality
        return [match]

    def _on_get(self, event: evt.Event) -> Iterator[Any]:
        yield from self._sent(event)

    def _on_move(self, event: evt.Event) -> Iterator[Any]:
        yield ("127.0.0.1", self.move_to[1], {"ae_title": self.move_to[0]}) if self.move_to else (None, None)
        if self.move_to:
            yield from self._sent(event)

    def _sent(self, event: evt.Event) -> Iterator[Any]:
        objects = self.held[: self.deliver]
        yield len(objects)
        if self.retrieve_status is not None:
            yield self.retrieve_status, None
            return
        for number, dataset in enumerate(objects):
            if number == self.abort_after:
                event.assoc.abort()
                return
            time.sleep(self.pause)
            yield 0xFF00, dataset


@contextmanager
def faulty(how: Faulty) -> Iterator[int]:
    """Run it; yields its port."""
    entity = AE(ae_title=AE_TITLE)
    entity.require_called_aet = True
    for sop_class in how.offers:
        entity.add_supported_context(sop_class)
    for context in StoragePresentationContexts:
        if str(context.abstract_syntax) in OBJECT_CLASSES:
            entity.add_supported_context(str(context.abstract_syntax), scu_role=True, scp_role=True)
            entity.add_requested_context(str(context.abstract_syntax))
    if how.rejects:
        entity.require_calling_aet = ["SOMEBODY"]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=how.handlers())
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()


def count(**numbers: int | None) -> Callable[[Any], None]:
    """A liar: overwrites sub-operation numbers in final answers, e.g. ``count(Completed=5)``."""

    def change(answer: Any) -> None:
        if not isinstance(answer, C_FIND) and answer.Status != 0xFF00:
            for name, number in numbers.items():
                setattr(answer, f"NumberOf{name}Suboperations", number)

    return change


def final(status: int) -> Callable[[Any], None]:
    """Ends a retrieval with this status, whatever was sent."""

    def change(answer: Any) -> None:
        if not isinstance(answer, C_FIND) and answer.Status != 0xFF00:
            answer.Status = status

    return change


def unreadable(answer: Any) -> None:
    """Matches that are no data set."""
    if isinstance(answer, C_FIND) and answer.Identifier is not None:
        answer.Identifier = BytesIO(b"\x08\x00\x05\x00\xff\xff\xff\x7f" + b"\xff" * 64)


@contextmanager
def socket_that(talks: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server that hands each connection to `talks`."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=_quietly, args=(talks, connection), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()
        for connection in connections:
            connection.close()


def _quietly(talks: Callable[[socket.socket], None], connection: socket.socket) -> None:
    try:
        talks(connection)
    except OSError:
        return
