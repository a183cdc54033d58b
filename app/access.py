"""Who may do what: one table, one function."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.errors import NotAllowed


class Role(StrEnum):
    """Roles of people (first five) and of machines: a RIS, and an archive or gateway that speaks DICOMweb."""

    RADIOLOGIST = "radiologist"
    VIEWER = "viewer"
    LEAD = "lead"
    AUDITOR = "auditor"
    ADMIN = "admin"
    RIS = "ris"
    PACS = "pacs"


class Action(StrEnum):
    """What a route asks leave for."""

    READ_STUDIES = "read_studies"
    READ_IN_PERSON = "read_in_person"
    WRITE_REPORTS = "write_reports"
    SIGN_REPORTS = "sign_reports"
    KEEP_TEXTS = "keep_texts"
    REQUEST_DRAFTS = "request_drafts"
    READ_CHANGES = "read_changes"
    READ_AUDIT = "read_audit"
    READ_OVERSIGHT = "read_oversight"
    ADMINISTER = "administer"
    STORE_OBJECTS = "store_objects"


GRANTS: dict[Role, frozenset[Action]] = {
    Role.RADIOLOGIST: frozenset(
        {
            Action.READ_STUDIES,
            Action.READ_IN_PERSON,
            Action.WRITE_REPORTS,
            Action.SIGN_REPORTS,
            Action.KEEP_TEXTS,
            Action.REQUEST_DRAFTS,
            Action.READ_CHANGES,
        }
    ),
    Role.VIEWER: frozenset({Action.READ_STUDIES, Action.READ_IN_PERSON}),
    Role.LEAD: frozenset({Action.READ_OVERSIGHT}),
    Role.AUDITOR: frozenset({Action.READ_AUDIT}),
    Role.ADMIN: frozenset(
        {
            Action.READ_STUDIES,
            Action.READ_IN_PERSON,
            Action.KEEP_TEXTS,
            Action.READ_AUDIT,
            Action.REQUEST_DRAFTS,
            Action.READ_CHANGES,
            Action.ADMINISTER,
        }
    ),
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
