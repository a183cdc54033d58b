"""The messages of an established association: requests in, one at a time, each answered before the next is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.intake.scp import command_set
from app.intake.scp.command_set import MAX_COMMAND_BYTES, Answer, Command
from app.intake.scp.endings import InvalidPdu, MessageViolation
from app.intake.scp.observer import ScpObserver
from app.intake.scp.storage import Caller, Context, StorageService
from app.intake.scp.upper_layer import Fragment, UpperLayer


@dataclass(frozen=True, slots=True)
class Association:
    """contexts: the accepted ones by identifier."""

    layer: UpperLayer
    contexts: Mapping[int, Context]
    caller: Caller
    service: StorageService
    observer: ScpObserver

    def run(self) -> None:
        """Serve requests until the peer releases. Raises an Ending for any other end."""
        while (first := self.layer.next_fragment(between_messages=True)) is not None:
            context = self._context(first)
            command = command_set.decode(self._command_set(first))
            if command.field == command_set.C_CANCEL_RQ:  # what it would cancel is answered already
                continue
            if command.field & command_set.RESPONSE:
                raise MessageViolation("a response to nothing we asked")
            self._serve(first.context_id, context, command)

    def _context(self, fragment: Fragment) -> Context:
        context = self.contexts.get(fragment.context_id)
        if context is None:
            raise InvalidPdu("presentation context was not accepted")
        if not fragment.is_command:
            raise MessageViolation("data set without a command set")
        return context

    def _command_set(self, first: Fragment) -> bytes:
        collected = bytearray()
        for piece in self._whole(first):
            if len(collected) + len(piece) > MAX_COMMAND_BYTES:
                raise MessageViolation("command set too long")
            collected += piece
        return bytes(collected)

    def _whole(self, first: Fragment) -> Iterator[memoryview]:
        yield from self.layer.bytes_of(first)
        if not first.is_last:
            yield from self.layer.rest_of_message(first.context_id, is_command=True)

    def _serve(self, context_id: int, context: Context, command: Command) -> None:
        with self.service.receive(command, context, self.caller) as reception:
            if command.has_data_set:
                reception.write(self.layer.rest_of_message(context_id, is_command=False))
            answer = reception.finish()
            self._count(command, answer, reception.size)
            self.layer.send_command(context_id, command_set.encode_response(command, answer))

    def _count(self, command: Command, answer: Answer, size: int) -> None:
        if command.field == command_set.C_STORE_RQ:
            self.observer.instance(answer.status, size)
        elif command.field == command_set.C_ECHO_RQ:
            self.observer.echoed()
