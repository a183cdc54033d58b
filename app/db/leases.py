"""Leases: of several equal processes one is active."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.db.tables import Lease


def acquire(session: Session, now: datetime, name: str, holder: str, ttl: timedelta) -> bool:
    """Take or renew the lease; False while another holder's runs."""
    lease = session.get(Lease, name, with_for_update=True)
    if lease is None:
        session.add(Lease(name=name, holder=holder, expires_at=now + ttl))
        session.flush()
        return True
    if lease.holder != holder and lease.expires_at > now:
        return False
    lease.holder, lease.expires_at = holder, now + ttl
    return True
