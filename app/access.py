"""Who may do what: one table, one function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.errors import NotAllowed


class Role(StrEnum):
    """Roles of people (first four) and of machines: a RIS, and an archive or gateway that speaks DICOMweb."""

    RADIOLOGIST = "radiologist"
    VIEWER = "viewer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    RIS = "ris"
    PACS = "pacs"


class Action(StrEnum):
    """What a route asks leave for."""

    READ_STUDIES = "read_studies"
    WRITE_REPORTS = "write_reports"
    SIGN_REPORTS = "sign_reports"
    REQUEST_DRAFTS = "request_drafts"
    READ_CHANGES = "read_changes"
    READ_AUDIT = "read_audit"
    STORE_OBJECTS = "store_objects"


GRANTS: dict[Role, frozenset[Action]] = {
    Role.RADIOLOGIST: frozenset(
        {
            Action.READ_STUDIES,
            Action.WRITE_REPORTS,
            Action.SIGN_REPORTS,
            Action.REQUEST_DRAFTS,
            Action.READ_CHANGES,
        }
    ),
    Role.VIEWER: frozenset({Action.READ_STUDIES}),
    Role.AUDITOR: frozenset({Action.READ_AUDIT}),
    Role.ADMIN: frozenset({Action.READ_STUDIES, Action.READ_AUDIT, Action.REQUEST_DRAFTS, Action.READ_CHANGES}),
    Role.RIS: frozenset({Action.READ_STUDIES, Action.READ_CHANGES, Action.REQUEST_DRAFTS}),
    Role.PACS: frozenset({Action.READ_STUDIES, Action.STORE_OBJECTS}),
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever is behind a request."""

    user_id: str
    username: str
    name: str
    roles: tuple[Role, ...]


def may(reader: Reader, action: Action) -> bool:
    """Whether one of the reader's roles grants `action`."""
    return any(action in GRANTS[role] for role in reader.roles)


def require(reader: Reader, action: Action) -> None:
    """Raises NotAllowed unless the reader may do this."""
    if not may(reader, action):
        roles = ", ".join(reader.roles) or "no role"
        message = f"{action} is not granted to {roles}; ask an administrator for a role that has it."
        raise NotAllowed(message)
