"""The dates in a sentence, in the ways reports write them."""

from __future__ import annotations

import pytest

from app.drafting.dates import dates


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("Compared with 2019-01-02.", {"20190102"}),
        ("Compared with 1/2/2019 and 03.04.2020.", {"20190102", "20200403"}),
        ("Compared with January 2nd, 2019.", {"20190102"}),
        ("Nodule of 4.5 cm, T 12.1.", set()),
    ],
)
def test_dates_are_read(sentence: str, found: set[str]) -> None:
    assert dates(sentence) == found
