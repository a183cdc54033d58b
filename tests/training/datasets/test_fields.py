"""Single fields in the spellings that the collections use, and tables with broken lines."""

from __future__ import annotations

import csv
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.datasets import fields
from training.datasets.problems import BadSource, Problem
from training.datasets.tables import read_csv


@pytest.mark.parametrize(
    ("said", "years"),
    [
        *(("058Y", 58.0), ("58", 58.0), (58, 58.0), ("61.0", 61.0), ("006M", 0.5), ("50-60", 55.0)),
        *(("414", None), ("", None), ("nan", None), ("old", None), (None, None)),
    ],
)
def test_ages(said: object, years: float | None):
    assert fields.age(said) == years


@pytest.mark.parametrize(
    ("said", "view"),
    [
        *(("PA", "PA"), ("pa", "PA"), ("POSTERO_ANTERIOR", "PA"), ("antero-posterior", "AP"), ("Lateral", "LATERAL")),
        *(("LL", "LATERAL"), ("Frontal", "FRONTAL"), ("AP LLD", "OTHER"), ("SWIMMERS", "OTHER"), ("", ""), (None, "")),
    ],
)
def test_views(said: object, view: str):
    assert fields.view(said) == view


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        *(("213014.531", time(21, 30, 14, 531000)), ("85433.7", time(8, 54, 33, 700000)), ("0.0", time(0, 0))),
        *(("5.25", time(0, 0, 5, 250000)), ("999999", None), ("", None), ("noon", None)),
    ],
)
def test_times_that_lost_their_zeros(said: str, moment: time | None):
    assert fields.dicom_time(said) == moment


def test_dates():
    assert fields.dicom_date("21800506") == fields.dicom_date(21800506.0) == date(2180, 5, 6)
    assert fields.dicom_date("2180-05-06") == date(2180, 5, 6)
    assert fields.dicom_date("21801399") is fields.dicom_date("") is fields.dicom_date(None) is None


def test_labels_and_words():
    assert [fields.label(value) for value in ("1.0", "0.0", "-1.0", "", None, 1, "2")] == [
        1,
        0,
        -1,
        None,
        None,
        1,
        None,
    ]
    assert fields.text(" a\n b ") == "a b"
    assert fields.text(float("nan")) == fields.text("None") == fields.text(None) == ""
    assert fields.text("None.") == "None."
    assert fields.optional("Unknown") is None
    assert (fields.sex("Female"), fields.sex("m"), fields.sex("Unknown"), fields.sex("")) == ("F", "M", None, None)


def records(path: Path) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    found = list(read_csv(path, "x", ("a",)))
    return [item for item in found if not isinstance(item, Problem)], [p for p in found if isinstance(p, Problem)]


def test_a_missing_column_and_an_empty_file_are_refused(tmp_path: Path):
    path = tmp_path / "t.csv"
    for text in ("b,c\n1,2\n", ""):
        path.write_text(text)
        with pytest.raises(BadSource, match="no column a"):
            records(path)


def test_a_mark_of_order_windows_bytes_and_trailing_commas_are_read(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffa,b\n1,2,\n".encode() + b"caf\xe9,3\n" + "naïve,4\n".encode())
    rows, problems = records(path)
    assert rows == [(2, {"a": "1", "b": "2"}), (3, {"a": "café", "b": "3"}), (4, {"a": "naïve", "b": "4"})]
    assert [(p.reason, p.source, p.dropped) for p in problems] == [("not UTF-8", "t.csv:3", False)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text("ab,\"'\n é", max_size=8), st.text('xy\n"', max_size=8)), max_size=8))
def test_whatever_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, str]]):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("a", "b"), *values])
    rows, problems = records(path)
    assert [tuple(row.values()) for _, row in rows] == values
    assert problems == []


def test_each_open_quote_costs_only_its_own_line(tmp_path: Path):
    path = tmp_path / "t.csv"
    lines = ["a,b"] + [f'{n},"open' if n % 10 == 3 else f'{n},"{n}"' for n in range(50)]
    path.write_text("\n".join(lines) + "\n")
    rows, problems = records(path)
    assert {row["a"] for _, row in rows} | {lines[int(p.source[6:]) - 1].split(",")[0] for p in problems} == set(
        map(str, range(50))
    )
    assert all(p.reason == "unreadable line" for p in problems)
