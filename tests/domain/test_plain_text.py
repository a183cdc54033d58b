"""What is left of a hostile string."""

from __future__ import annotations

import pytest

from app.domain.plain_text import lines, one_line

UNSEEN = "\x00\x07\x08\x0b\x0c\r\x1b\x1f\x7f\x85\x9f\u200b\u200f\u202a\u202e\u2060\u2069\ufeff"


@pytest.mark.parametrize("mark", UNSEEN)
def test_nothing_unseen_is_left(mark):
    assert one_line(f"a{mark}b") == lines(f"a{mark}b") == "ab"


def test_a_report_keeps_its_lines_and_a_name_has_one():
    assert lines("a\tb\nc") == "a\tb\nc"
    assert one_line("a\tb\nc") == "abc"


def test_what_people_write_stays():
    words = "Gr\u00f6\u00dfe normal, \u5c71\u7530^\u592a\u90ce 5 \u00b5m \u2013 \u201cno\u201d \U0001fac1"
    assert (one_line(words), lines(words)) == (words, words)
