"""What an administrator finds: an archive that answers, and jobs that gave up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from pynetdicom import AE, evt

from app.db import jobs, outbox
from app.db.session import Database, unit_of_work
from app.db.tables import Study
from app.domain.events import StudyCompleted
from app.domain.study import Step
from app.errors import EndpointRefused
from app.ports import Clock
from app.worker import JobRunner
from tests.builders.studies import add_study

VERIFICATION = "1.2.840.10008.1.1"
NO_SUCH_QUERY = "the archive wants no such query."


class Service(Protocol):
    """A service under test: its record and its clock."""

    database: Database
    clock: Clock


@contextmanager
def answering_archive() -> Iterator[tuple[int, list[str]]]:
    """A foreign storage archive that answers C-ECHO: its port, and who asked."""
    echoes: list[str] = []
    entity = AE(ae_title="PACS")
    entity.add_supported_context(VERIFICATION)

    def answer(event: evt.Event) -> int:
        echoes.append(event.assoc.requestor.ae_title)
        return 0x0000

    running = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, answer)])
    yield running.socket.getsockname()[1], echoes
    running.shutdown()


def handed_over(service: Service) -> list[tuple[str, str, str]]:
    """The messages that the relay would hand to the broker now."""
    sent: list[tuple[str, str, str]] = []
    with unit_of_work(service.database, service.clock) as uow:
        outbox.relay(uow.session, lambda *message: sent.append(message))
    return sent


def refuse(_claim: jobs.Claim) -> None:
    """A task whose peer refuses it for good."""
    raise EndpointRefused(NO_SUCH_QUERY)


def failed_study(service: Service, why: str = NO_SUCH_QUERY) -> Study:
    """A study whose search for priors was refused for good: one dead letter."""

    def refused(_claim: jobs.Claim) -> None:
        raise EndpointRefused(why)

    study = add_study(service.database, service.clock)
    with unit_of_work(service.database, service.clock) as uow:
        row = uow.study(study.id)
        uow.move(row, Step.COMPLETED)
        uow.emit(StudyCompleted(row.id))
    runner = JobRunner(service.database, service.clock, {"priors.gather": refused})
    for _, job_id, token in handed_over(service):
        runner.run(job_id, token)
    return study
