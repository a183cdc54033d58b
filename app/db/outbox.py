"""The outbox: messages leave for the broker only after the transaction that asked for them is durable."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import OutboxMessage

Publish = Callable[[str, str, str], None]
"""(task, job id, token) to the broker; raises where the broker is not there."""


def relay(session: Session, publish: Publish, limit: int = 100) -> int:
    """Publish the oldest messages and forget them; returns how many.

    A crash between publishing and the commit repeats messages: the claim of a job makes that harmless.
    """
    query = sa.select(OutboxMessage).order_by(OutboxMessage.seq).limit(limit).with_for_update(skip_locked=True)
    messages = list(session.scalars(query))
    for message in messages:
        publish(message.task, message.job_id, message.token)
        session.delete(message)
    return len(messages)
