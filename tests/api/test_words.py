"""What counts as something said."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from app.rest.words import SaidLine, SaidText


@pytest.mark.parametrize("kind", [SaidLine, SaidText])
def test_blanks_say_nothing(kind):
    said = TypeAdapter(kind)
    assert said.validate_python("  told Dr. Roe \n") == "told Dr. Roe"
    for empty in ("", " ", "\t \n"):
        with pytest.raises(ValidationError):
            said.validate_python(empty)
