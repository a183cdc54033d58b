"""How a connection can end before its release; each one knows what to tell the peer."""

from __future__ import annotations


class Ending(Exception):  # noqa: N818, RUF100
    """Root: the connection is over; `how` is its name in metrics and logs."""

    how = "ended"


class PeerClosed(Ending):
    """The transport was closed or reset from the other side."""

    how = "peer_closed"


class PeerAborted(Ending):
    """The peer sent A-ABORT."""

    how = "peer_aborted"


class HandshakeFailed(Ending):
    """No TLS, or not with what we ask for."""

    how = "tls_refused"


class AbortNeeded(Ending):
    """We abort; source and reason of the A-ABORT PDU as PS3.8 table 9-26."""

    how, source, reason = "aborted", 2, 0


class DeadlinePassed(AbortNeeded):
    """The peer was too slow."""

    how = "deadline"


class Stopping(AbortNeeded):
    """We shut down while the peer was idle."""

    how = "stopped"


class UnknownPdu(AbortNeeded):
    """A PDU type that does not exist."""

    how, reason = "unknown_pdu", 1


class UnexpectedPdu(AbortNeeded):
    """A PDU type that may not come now."""

    how, reason = "unexpected_pdu", 2


class InvalidPdu(AbortNeeded):
    """Lengths, identifiers or values that cannot be."""

    how, reason = "invalid_pdu", 6


class MessageViolation(AbortNeeded):
    """The DIMSE message exchange went wrong beyond a status: aborted by the service user."""

    how, source = "message_violation", 0


class ObjectTooLarge(MessageViolation):
    """The data set passed the cap; nothing but an abort stops its sender."""

    how = "object_too_large"
