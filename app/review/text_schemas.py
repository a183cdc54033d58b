"""The wire shapes of templates, macros and saved worklist lists: what a reader keeps for himself or for the site."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.domain import plain_text
from app.rest.words import Asked, Line, SaidLine, Text, Told


class Scope(StrEnum):
    """Whose text it is."""

    PERSONAL = "personal"
    SITE = "site"


class Kind(StrEnum):
    """A template fills both sections, a macro is put in where the reader types its shortcut."""

    TEMPLATE = "template"
    MACRO = "macro"


def _seen_in_full(value: str) -> str:
    if value != plain_text.one_line(value) or not any(map(str.isalnum, value)):
        raise ValueError("a name has letters or digits, and nothing that cannot be seen")
    return value


PlainText = Annotated[Text, Field(max_length=20_000), AfterValidator(plain_text.lines)]
PlainLine = Annotated[Line, Field(max_length=128), AfterValidator(plain_text.one_line)]
Shortcut = Annotated[str, StringConstraints(pattern=r"^\w[\w.\-]{1,31}$", to_lower=True)]
ListName = Annotated[SaidLine, StringConstraints(max_length=64), AfterValidator(_seen_in_full)]
Criterion = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,31}$")]
Value = Annotated[Line, Field(max_length=64)]
Wanted = bool | Annotated[int, Field(ge=0, le=1_000_000)] | Value | Annotated[list[Value], Field(max_length=200)]


class WriteText(Asked):
    """A template has findings, impression or both, a macro has text; either is plain text.

    shortcut: what the reader types, two characters or more, whatever its case. procedure_code,
    procedure_description: of the procedure that a template is the default for.
    """

    scope: Scope
    kind: Kind
    shortcut: Shortcut
    title: Annotated[PlainLine, Field(min_length=1)]
    findings: PlainText = ""
    impression: PlainText = ""
    text: PlainText = ""
    procedure_code: Annotated[PlainLine, Field(max_length=64)] = ""
    procedure_description: PlainLine = ""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        sections, macro = f"{self.findings}{self.impression}", self.text
        procedure = f"{self.procedure_code}{self.procedure_description}"
        if self.kind is Kind.TEMPLATE and (macro or not sections.strip()):
            raise ValueError("a template has findings, impression or both, and no text")
        if self.kind is Kind.MACRO and (sections or procedure or not macro.strip()):
            raise ValueError("a macro has text, and neither findings, impression nor a procedure")
        return self


class TextOut(Told):
    """A template or macro. etag: for If-Match of its next write."""

    id: str
    scope: Scope
    kind: Kind
    shortcut: str
    title: str
    findings: str
    impression: str
    text: str
    procedure_code: str
    procedure_description: str
    etag: str
    updated_at: datetime


class TextsOut(Told):
    """The site's and the asker's own, by shortcut."""

    items: list[TextOut]


class WriteList(Asked):
    """filter: query parameters of GET /worklist and their values; a client skips those that it does not know.

    name: the asker's only one of it. It may be a patient's, and stands in no address.
    """

    name: ListName
    filter: Annotated[dict[Criterion, Wanted], Field(max_length=24)]


class ListOut(Told):
    """A worklist filter under its name. id: what addresses call it by."""

    id: str
    name: str
    filter: dict[str, bool | int | str | list[str]]
    updated_at: datetime


class ListsOut(Told):
    """All of the asker's, by name."""

    items: list[ListOut]
