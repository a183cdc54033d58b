"""The lead's figures equal a recount that knows nothing of how they are made, and name nobody."""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime

import pytest

from app.access import Role
from app.oversight.rules import SignedText, figures
from app.oversight.signed_reports import KnownFigures
from model.findings import read_findings
from tests.api.acts import signed_report
from tests.api.conftest import build, on_sqlite
from tests.api.recount import DECISIONS, compared, decisions_of, names, rows_of
from tests.api.season import CODES, leave_unsigned, read_one

FIGURES = "/api/v1/oversight/drafts"
DAYS, REPORTS = 10, 220


@pytest.fixture(scope="module")
def season(pixels, empty_record, tmp_path_factory):
    """Some weeks of reading: every report was begun, saved and signed over HTTP."""
    folder = tmp_path_factory.mktemp("season")
    house = build(on_sqlite(empty_record, folder), folder, pixels)
    dice = random.Random(5)
    for day in range(DAYS):
        house.clock.advance(16 * 3600)
        reader = house.reader(("ada", "bob", "cleo")[day % 3])
        for _ in range(REPORTS // DAYS):
            read_one(house, dice, reader)
    house.clock.advance(60)
    leave_unsigned(house, house.reader("ada"))
    yield house
    house.database.close()


def told(house, **asked):
    house.clock.advance(7)  # ten logins a minute are allowed
    lead = house.reader("lena", Role.LEAD)
    answer = lead.get(FIGURES, params={"from": "2026-03-01", "to": "2026-12-31", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def counted(table):
    return {name: {decision: found.get(decision, 0) for decision in DECISIONS} for name, found in table.items()}


def by_name(rows, name):
    return {row[name]: {decision: row[decision] for decision in DECISIONS} for row in rows}


def test_decisions_by_class_equal_a_recount(season):
    by_class, every = defaultdict(Counter), Counter()
    for row in rows_of(season):
        for decision, text, _ in decisions_of(row):
            every[decision] += 1
            for name in {finding.condition for finding in read_findings(text)} or {"none"}:
                by_class[name][decision] += 1
    found = told(season)["decisions"]
    assert found["sentences"] == counted({"all": every})["all"]
    assert by_name(found["by_class"], "finding_class") == counted(by_class)
    assert found["mentions"] == {d: sum(row[d] for row in found["by_class"]) for d in DECISIONS}
    assert len(by_class) > 8
    assert found["sentences"]["pending"] == 0


def test_signed_reports_are_counted_once_whatever_came_after(season):
    rows = rows_of(season)
    assert len(rows) == REPORTS
    drafted = sum(row["drafted"] is not None for row in rows)
    assert told(season)["reports"] == {
        "signed": REPORTS,
        "with_draft": drafted,
        "without_draft": REPORTS - drafted,
    }
    assert 0 < drafted < REPORTS


def test_flags_equal_a_recount_in_sql(season):
    query = """
        SELECT json_extract(flag.value, '$.code') AS code, json_extract(own.value, '$.decision') AS decision, count(*)
        FROM reports r JOIN drafts d ON d.id = r.draft_id, json_each(d.sentences) said,
             json_each(said.value, '$.flags') flag, json_each(r.sentences) own
        WHERE r.signed_at IS NOT NULL
          AND json_extract(own.value, '$.index') = json_extract(said.value, '$.index')
        GROUP BY 1, 2"""
    flagged = """
        SELECT count(*), sum(json_array_length(said.value, '$.flags') > 0)
        FROM reports r JOIN drafts d ON d.id = r.draft_id, json_each(d.sentences) said WHERE r.signed_at IS NOT NULL"""
    table = defaultdict(Counter)
    with season.database.reading() as session:
        for code, decision, count in session.connection().exec_driver_sql(query):
            table[code][decision] += count
        [(said, with_flag)] = session.connection().exec_driver_sql(flagged).all()
    found = told(season)["flags"]
    assert by_name(found["by_code"], "code") == counted(table)
    assert (found["draft_sentences"], found["flagged_sentences"]) == (said, with_flag)
    assert set(table) == set(CODES)


def test_times_to_sign_equal_a_recount(season):
    def seconds(row, since):
        return (datetime.fromisoformat(row["signed_at"]) - datetime.fromisoformat(row[since])).total_seconds()

    rows = rows_of(season)
    for told_as, since in (("since_received", "received_at"), ("since_draft", "drafted_at")):
        waits = sorted(seconds(row, since) for row in rows if row[since])
        middle = (waits[(len(waits) - 1) // 2] + waits[len(waits) // 2]) / 2
        found = told(season)["time_to_sign"][told_as]
        assert found["reports"] == len(waits)
        assert math.isclose(found["median"], middle)
        assert sum(wait <= found["p90"] for wait in waits) >= 0.9 * len(waits)
        assert sum(wait < found["p90"] for wait in waits) < 0.9 * len(waits)


@pytest.mark.parametrize("by", ["model", "site", "device", "view"])
def test_draft_against_signed_text_equals_a_recount(season, by):
    name, groups, whole = names(season, by), defaultdict(Counter), Counter()
    for row in rows_of(season, "d.id IS NOT NULL"):
        groups[name(row)] += compared(row)
        whole += compared(row)
    found = told(season, by=by)["discrepancy"]
    told_groups = {(g["name"], g["weights_digest"], g["prompt_version"]): g for g in found["groups"]}
    assert told_groups.keys() == groups.keys()
    for key, counts in groups.items():
        assert {what: told_groups[key][what] for what in whole} == {what: counts[what] for what in whole}
    assert {what: found["total"][what] for what in whole} == whole
    assert {what: sum(g[what] for g in found["groups"]) for what in whole} == whole
    assert sum(row["in_both"] for row in found["findings"]) == whole["findings_in_both"]
    assert sum(row["only_in_draft"] for row in found["findings"]) == whole["findings_only_in_draft"]
    assert sum(row["only_in_signed"] for row in found["findings"]) == whole["findings_only_in_signed"]
    assert all(whole.values())
    assert len(groups) > (1 if by != "device" else 0)


def test_shares_are_of_the_text_they_speak_of(season):
    total = told(season)["discrepancy"]["total"]
    assert total["unchanged"] + total["reworded"] + total["deleted"] == total["draft_sentences"]
    assert total["unchanged"] + total["reworded"] + total["added"] == total["signed_sentences"]
    shares = total["unchanged_share"] + total["reworded_share"] + total["deleted_share"]
    assert math.isclose(shares, 1)
    assert total["added_share"] == total["added"] / total["signed_sentences"]


def test_days_joined_are_the_whole_period(season):
    whole = told(season)
    days = sorted({row["signed_at"][:10] for row in rows_of(season)})
    assert len(days) > 7
    joined = Counter()
    for day in days:
        part = told(season, **{"from": day, "to": day})
        joined.update({"signed": part["reports"]["signed"], **part["decisions"]["sentences"]})
        joined.update(added_text=part["discrepancy"]["total"]["added"])
    assert joined["signed"] == REPORTS
    assert {d: joined[d] for d in DECISIONS} == whole["decisions"]["sentences"]
    assert joined["added_text"] == whole["discrepancy"]["total"]["added"]


def test_figures_that_are_read_anew_and_in_pieces_are_the_same(season):
    days = {"from": "2026-03-01", "to": "2026-03-03", "by": "view"}
    first, overseen = told(season, **days), season.app.state.oversight
    lead, steps = season.reader("lena", Role.LEAD), []
    season.app.state.oversight = replace(overseen, figures=KnownFigures(patience=0.0))
    while (answer := lead.get(FIGURES, params=days)).status_code == 503:
        assert answer.json()["type"] == "urn:unirg:problem:still-reading"
        assert answer.headers["retry-after"]
        assert answer.json()["reports"] == first["reports"]["signed"]
        steps.append(answer.json()["read"])
    season.app.state.oversight = overseen
    assert answer.json() == first
    assert steps == list(range(1, first["reports"]["signed"]))


def test_too_many_reports_are_said_to_be_too_many(season):
    overseen = season.app.state.oversight
    season.app.state.oversight = replace(overseen, figures=KnownFigures(most=REPORTS - 1))
    season.clock.advance(7)
    answer = season.reader("lena", Role.LEAD).get(FIGURES, params={"from": "2026-03-01", "to": "2026-12-31"})
    season.app.state.oversight = overseen
    assert answer.status_code == 400
    assert "fewer days" in answer.json()["detail"]


def test_no_reader_is_named_anywhere(season):
    with season.database.reading() as session:
        people = session.connection().exec_driver_sql("SELECT id, username, name FROM users").all()
    answer = json.dumps([told(season, by=by) for by in ("model", "site", "device", "view")])
    assert [word for person in people for word in person if word in answer] == []


def test_looking_is_in_the_audit_chain(house):
    told(house, by="site")
    (entry,) = house.audited("read.oversight")
    assert entry.actor == "user:lena"
    assert entry.detail == {"by": "site", "first_day": "2026-03-01", "last_day": "2026-12-31"}


def test_nothing_signed_is_nothing_told(either_house):
    found = told(either_house)
    assert found["reports"] == {"signed": 0, "with_draft": 0, "without_draft": 0}
    assert found["time_to_sign"]["since_received"] == {"reports": 0, "median": None, "p90": None}
    assert found["discrepancy"]["groups"] == []
    assert found["discrepancy"]["total"]["unchanged_share"] is None


def test_both_databases_tell_the_same_of_one_report(either_house):
    signed_report(either_house, either_house.reader("ada"))
    found = told(either_house, by="view")
    assert found["decisions"]["sentences"] == {"accepted": 2, "edited": 0, "rejected": 1, "added": 0, "pending": 0}
    assert by_name(found["decisions"]["by_class"], "finding_class") == {
        "cardiomegaly": {"accepted": 2, "edited": 0, "rejected": 0, "added": 0, "pending": 0},
        "effusion": {"accepted": 0, "edited": 0, "rejected": 1, "added": 0, "pending": 0},
    }
    [group] = found["discrepancy"]["groups"]
    assert (group["name"], group["unchanged"], group["deleted"], group["added"]) == ("PA", 2, 1, 0)
    assert (group["findings_in_both"], group["findings_only_in_draft"]) == (1, 1)


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"from": "2024-01-01", "to": "2026-03-01"},
        {"from": "yesterday"},
        {"to": "9999-12-31"},
        {"by": "reader"},
    ],
)
def test_a_period_that_cannot_be_is_refused(house, asked):
    answer = house.reader("lena", Role.LEAD).get(FIGURES, params=asked)
    assert answer.status_code in {400, 422}


def test_without_days_the_last_thirty_are_told(house):
    found = house.reader("lena", Role.LEAD).get(FIGURES).json()
    assert (found["first_day"], found["last_day"]) == ("2026-01-31", "2026-03-01")


def test_a_sentence_typed_over_is_one_that_went_and_one_that_came():
    drafted = [{"index": 0, "text": "Small left effusion.", "flags": []}]
    decided = [{"index": 0, "decision": "edited", "text": "Small left  effusion."}]
    same = figures(SignedText("Small left effusion.", "", drafted, decided))
    assert (same.unchanged, same.reworded, same.added) == (1, 0, 0)
    decided = [{"index": 0, "decision": "rejected", "text": "Small left effusion."}]
    other = figures(SignedText("Small right effusion.\nNo left effusion.", "", drafted, decided))
    assert (other.deleted, other.added) == (1, 2)
    assert (other.only_draft, other.only_signed) == ({"effusion": 1}, {"effusion": 1})
