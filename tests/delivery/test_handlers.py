"""Each destination once, through failures, crashes and repeats."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.db import outbox
from app.db.session import unit_of_work
from app.db.tables import Delivery, Job, Study
from app.delivery.handlers import DeliverReport
from app.domain.study import Stage
from app.errors import EndpointRefused, EndpointUnavailable
from app.relay import Relay
from app.worker import JobRunner
from tests.builders.reports import add_addendum, add_signed_report
from tests.fakes.report_endpoint import RememberingEndpoint

AWAY, REFUSED = EndpointUnavailable("pacs: no connection."), EndpointRefused("pacs: SOP class not supported.")


class Service:
    """Relay and worker of one test, without a broker between."""

    def __init__(self, database, clock, store, *endpoints):
        self.database, self.clock = database, clock
        self.use_case = DeliverReport(database, clock, store, endpoints, "Test Hospital")
        self.runner = JobRunner(database, clock, {"delivery.send": self.use_case.send})
        self.relay = Relay(database, clock, store, None, lambda *_: None)

    def work(self):
        """Everything that is due now."""
        self.relay.reconcile()
        sent = []
        with unit_of_work(self.database, self.clock) as uow:
            outbox.relay(uow.session, lambda *message: sent.append(message))
        for _, job_id, token in sent:
            self.runner.run(job_id, token)

    def study(self):
        with self.database.reading() as session:
            return session.scalars(sa.select(Study)).one()

    def deliveries(self):
        with self.database.reading() as session:
            return session.scalars(sa.select(Delivery).order_by(Delivery.destination)).all()


def test_a_signed_report_is_delivered_and_the_study_says_so(database, clock, store):
    add_signed_report(database, clock)
    pacs = RememberingEndpoint()
    service = Service(database, clock, store, pacs)
    service.work()
    assert len(pacs.received) == 1
    assert service.study().stage is Stage.DELIVERED
    assert [(row.status, row.attempts) for row in service.deliveries()] == [("delivered", 1)]


def test_a_receiver_that_is_away_gets_it_later_and_the_others_once(database, clock, store):
    add_signed_report(database, clock)
    first, second = RememberingEndpoint("a", AWAY, AWAY), RememberingEndpoint("b")
    service = Service(database, clock, store, first, second)
    service.work()
    assert service.study().stage is Stage.SIGNED
    for _ in range(2):
        clock.advance(60)
        service.work()
    assert (len(first.received), len(second.received)) == (1, 1)
    assert service.study().stage is Stage.DELIVERED


def test_a_crash_after_the_peer_stored_it_sends_no_second_one(database, clock, store):
    add_signed_report(database, clock)

    class Killed(BaseException):
        pass

    def crash():
        pacs.after_storing = lambda: None
        raise Killed

    pacs = RememberingEndpoint()
    pacs.after_storing = crash
    service = Service(database, clock, store, pacs)
    with pytest.raises(Killed):
        service.work()
    clock.advance(600)
    service.work()
    assert len(pacs.received) == 1
    assert service.study().stage is Stage.DELIVERED
    assert service.deliveries()[0].attempts == 2


def test_a_refusal_is_a_dead_letter_in_sight(database, clock, store):
    add_signed_report(database, clock)
    service = Service(database, clock, store, RememberingEndpoint("a", REFUSED), RememberingEndpoint("b"))
    service.work()
    assert [(row.destination, row.status) for row in service.deliveries()] == [("a", "dead"), ("b", "delivered")]
    assert "SOP class not supported" in service.study().reason
    assert service.study().stage is Stage.SIGNED
    with database.reading() as session:
        assert session.scalars(sa.select(Job)).one().state == "dead"


def test_a_receiver_that_never_comes_back_ends_as_a_dead_letter(database, clock, store):
    add_signed_report(database, clock)
    service = Service(database, clock, store, RememberingEndpoint("a", *[AWAY] * 9))
    for _ in range(8):
        service.work()
        clock.advance(60)
    assert [(row.status, row.attempts) for row in service.deliveries()] == [("dead", 5)]
    assert "no connection" in service.study().reason


def test_an_addendum_is_a_second_document(database, clock, store):
    report = add_signed_report(database, clock)
    pacs = RememberingEndpoint()
    service = Service(database, clock, store, pacs)
    service.work()
    add_addendum(database, clock, report)
    service.work()
    assert len(pacs.received) == 2
    assert service.study().stage is Stage.DELIVERED


def test_a_study_is_delivered_when_its_last_document_is(database, clock, store):
    """The addendum was signed while the report was on its way, and its receiver is away."""
    report = add_signed_report(database, clock)
    pacs = RememberingEndpoint()
    pacs.after_storing = lambda: len(pacs.received) == 1 and add_addendum(database, clock, report)
    pacs.fails = []
    service = Service(database, clock, store, pacs)
    service.work()
    assert len(pacs.received) == 1
    assert service.study().stage is Stage.SIGNED
    pacs.fails = [AWAY]
    service.work()
    assert service.study().stage is Stage.SIGNED
    clock.advance(60)
    service.work()
    assert len(pacs.received) == 2
    assert service.study().stage is Stage.DELIVERED


def test_with_no_receiver_the_report_stays_signed_and_says_why(database, clock, store):
    add_signed_report(database, clock)
    service = Service(database, clock, store)
    service.work()
    assert service.study().stage is Stage.SIGNED
    assert "no peer with the role results" in service.study().reason
