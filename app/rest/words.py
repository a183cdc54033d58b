"""Strings that a client may send: no NUL (PostgreSQL keeps none), no control characters, a length."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("control characters are not allowed")
    return value


Line = Annotated[str, StringConstraints(max_length=256), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(max_length=65_536), AfterValidator(_printable)]
_SAID = StringConstraints(min_length=1)  # a constraint of its own: beside strip_whitespace, spaces would count
SaidLine = Annotated[Line, StringConstraints(strip_whitespace=True), _SAID]
SaidText = Annotated[Text, StringConstraints(strip_whitespace=True), _SAID]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=256)]
RowId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Uid = Annotated[str, StringConstraints(pattern=r"^[0-9.]{1,64}$")]  # PS3.5 9.1


class Asked(BaseModel):
    """A request body: unknown members are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Told(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)
