"""The decoding processes, shared by the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.gateways.pixel_child import ChildPixelReader


@pytest.fixture(scope="module")
def reader() -> Iterator[ChildPixelReader]:
    made = ChildPixelReader()
    yield made
    made.close()
