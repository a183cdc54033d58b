"""Every error the service raises on purpose; each says who must act.

The HTTP handler reads `http_status`, the storage SCP `dicom_status` (PS3.4 B.2.3, PS3.7 C), the job runner `retry`.
An error takes one message, says what, why and what to do, and survives pickling.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Root of the tree; raised bare it means a fault of our own."""

    http_status: int = 500
    dicom_status: int = 0xC001
    retry: bool = False
    title: str = "Internal error"

    @property
    def message(self) -> str:
        """The sentence a person reads."""
        return str(self.args[0]) if self.args else self.title


# --- the caller must change the request -------------------------------------------------------------


class InvalidRequest(ServiceError):
    """The request cannot be understood as it stands."""

    http_status, dicom_status, title = 400, 0xC000, "Invalid request"


class NotAuthenticated(ServiceError):
    """Nobody is logged in, or the token is unknown or expired."""

    http_status, title = 401, "Not authenticated"


class NotAllowed(ServiceError):
    """Logged in, but the role does not permit this."""

    http_status, dicom_status, title = 403, 0x0124, "Not allowed"


class NotFound(ServiceError):
    """No such thing, or none this reader may know of."""

    http_status, dicom_status, title = 404, 0x0112, "Not found"


class UnsupportedMedia(ServiceError):
    """The body is of a kind that is not taken here."""

    http_status, title = 415, "Unsupported media type"


class NotAcceptable(ServiceError):
    """None of the representations that the client takes can be had."""

    http_status, title = 406, "Not acceptable"


class Conflict(ServiceError):
    """Somebody or something else came first; read again, then decide."""

    http_status, title = 409, "Conflict"


class IllegalTransition(Conflict):
    """The study's state machine has no such step."""

    title = "Not possible in this state"


class StaleVersion(ServiceError):
    """The text was changed since it was read (If-Match failed)."""

    http_status, title = 412, "The report has changed"


class VersionRequired(ServiceError):
    """A write without If-Match would overwrite blindly."""

    http_status, title = 428, "If-Match is required"


class TooManyRequests(ServiceError):
    """Slow down, then try again."""

    http_status, title = 429, "Too many requests"


# --- the sender of DICOM objects must change something ----------------------------------------------


class CannotUnderstand(ServiceError):
    """The object lacks what identifies it, or cannot be parsed."""

    http_status, dicom_status, title = 422, 0xC000, "Cannot understand the object"


class ObjectMismatch(ServiceError):
    """Data set and command disagree (SOP class or instance UID)."""

    http_status, dicom_status, title = 422, 0xA900, "Data set does not match SOP class"


# --- the operator must act; senders try again -------------------------------------------------------


class StorageUnavailable(ServiceError):
    """Disk full or not writable: refuse now, the sender keeps the image."""

    http_status, dicom_status, retry, title = 507, 0xA700, True, "Out of resources"


class DatabaseUnavailable(ServiceError):
    """The database did not answer; nothing was acknowledged."""

    http_status, dicom_status, retry, title = 503, 0xA700, True, "Database unavailable"


class ConfigError(ServiceError):
    """The configuration is wrong; the process must not start (exit code 78)."""

    title = "Configuration error"


# --- a peer did not do its part; the scheduler tries again -------------------------------------------


class ArchiveUnavailable(ServiceError):
    """The PACS did not answer, refused or broke off; never to be read as "no prior"."""

    http_status, dicom_status, retry, title = 503, 0xA700, True, "Archive unavailable"


class ArchiveIncomplete(ArchiveUnavailable):
    """The PACS said it sent all, yet fewer objects arrived than were counted."""

    title = "Archive delivered a part"


class EndpointUnavailable(ServiceError):
    """A receiver of reports did not answer."""

    http_status, retry, title = 503, True, "Report receiver unavailable"


class EndpointRefused(ServiceError):
    """A receiver of reports refused this object for good; a person must look."""

    http_status, title = 502, "Report receiver refused"


class ModelUnavailable(ServiceError):
    """The model server is down, slow or its circuit is open; the study can still be read by hand."""

    http_status, retry, title = 503, True, "Model unavailable"


class ModelMisbehaved(ServiceError):
    """The model answered something that is no draft (empty, malformed); never stored as one."""

    http_status, title = 502, "Model answer unusable"


class PixelsUnreadable(ServiceError):
    """The pixels cannot be decoded, or only beyond the limits of the decoding process."""

    http_status, dicom_status, title = 422, 0xC000, "Pixels unreadable"


# --- work that lost its claim -------------------------------------------------------------------------


class ClaimLost(ServiceError):
    """Another attempt owns the job now; this one's result is dropped."""

    http_status, title = 409, "Claim lost"
