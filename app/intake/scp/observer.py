"""What the SCP tells whoever counts; telemetry implements it. Called from many threads: never block, never raise."""

from __future__ import annotations

from typing import Protocol


class ScpObserver(Protocol):
    """Counts without patients: no UID, no AE title, no address."""

    def connection_refused(self, reason: str) -> None:
        """A connection was closed before it could ask for an association: `crowded`, `evicted` or an ending."""
        ...

    def association_rejected(self, reason: str) -> None:
        """A-ASSOCIATE-RJ was sent; reason: a word of `association_request.Rejection`."""
        ...

    def association_opened(self) -> None:
        """A-ASSOCIATE-AC was sent."""
        ...

    def association_closed(self, how: str) -> None:
        """An opened association is over: `released` or an ending of `endings`."""
        ...

    def echoed(self) -> None:
        """A C-ECHO was answered."""
        ...

    def instance(self, status: int, size: int) -> None:
        """A C-STORE was answered with `status`; size: bytes of its data set."""
        ...


class Unobserved:
    """Counts nothing."""

    def connection_refused(self, reason: str) -> None:
        """Nothing."""

    def association_rejected(self, reason: str) -> None:
        """Nothing."""

    def association_opened(self) -> None:
        """Nothing."""

    def association_closed(self, how: str) -> None:
        """Nothing."""

    def echoed(self) -> None:
        """Nothing."""

    def instance(self, status: int, size: int) -> None:
        """Nothing."""
