"""The rules alone: what a report may say of its draft, and the diff that gives both texts back."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.report import Decision
from app.review import rules
from app.review.locks import StudyLocked
from app.review.rules import Contradiction, DecidedSentence, DraftLine, NotReadyToSign

WORDS = st.sampled_from(["No", "pleural", "effusion.", "The", "heart", "is", "enlarged.", "left", "\n", "  "])
TEXTS = st.lists(WORDS, max_size=25).map(" ".join)
LINES = st.lists(st.tuples(TEXTS, st.booleans()), max_size=6).map(
    lambda rows: [DraftLine(index, text, flagged) for index, (text, flagged) in enumerate(rows)]
)


@given(TEXTS | st.text(), TEXTS | st.text())
def test_the_diff_gives_both_texts_back(draft, report):
    edits = rules.word_diff(draft, report)
    assert "".join(edit.text for edit in edits if edit.op != "inserted") == draft
    assert "".join(edit.text for edit in edits if edit.op != "deleted") == report


@given(LINES)
def test_a_report_as_begun_is_never_ready_to_sign(lines):
    begun = rules.begun(lines)
    assert rules.checked(lines, begun) == begun
    text = " ".join(line.text for line in lines)
    assert rules.objections(lines, begun, text, text) or not lines
    assert "the report is empty" in rules.objections([], [], " ", "\n")


@given(LINES, st.data())
def test_only_a_fully_decided_report_that_says_what_was_decided_is_ready(lines, data):
    options = (Decision.PENDING, Decision.ACCEPTED, Decision.REJECTED)
    decided = [DecidedSentence(line.index, data.draw(st.sampled_from(options)), line.text) for line in lines]
    text = " ".join(s.text for s in decided if s.decision is Decision.ACCEPTED)
    findings = data.draw(st.sampled_from([text, f"{text} And a clip.", ""]))
    objections = rules.objections(lines, rules.checked(lines, decided), findings, "")
    if objections:
        return
    assert Decision.PENDING not in {sentence.decision for sentence in decided}
    said = rules.squeezed(findings)
    assert said
    assert all(rules.squeezed(s.text) in said for s in decided if s.decision is Decision.ACCEPTED)


@given(LINES, st.lists(st.tuples(st.integers(0, 8), st.sampled_from(Decision), TEXTS), max_size=8))
def test_what_is_kept_has_each_draft_sentence_once_or_is_refused(lines, rows):
    given_rows = [DecidedSentence(*row) for row in rows]
    try:
        kept = rules.checked(lines, given_rows)
    except Contradiction:
        return
    known = {line.index for line in lines}
    assert [s.index for s in kept][: len(lines)] == [line.index for line in lines]
    assert len({s.index for s in kept}) == len(kept)
    assert all((s.decision is Decision.ADDED) == (s.index not in known) for s in kept)
    assert all(s in kept for s in given_rows)


def test_a_sentence_that_was_rejected_once_and_accepted_once_is_no_contradiction():
    lines = [DraftLine(0, "Normal heart.", False), DraftLine(1, "Normal heart.", True)]
    decided = [
        DecidedSentence(0, Decision.ACCEPTED, "Normal heart."),
        DecidedSentence(1, Decision.REJECTED, "Normal heart."),
    ]
    assert rules.objections(lines, decided, "Normal heart.", "") == []
    assert rules.objections(lines, decided, "Normal heart.", "Normal heart.") != []


@pytest.mark.parametrize("error", [StudyLocked("m", "Dr Ada"), NotReadyToSign("m", "one", "two"), Contradiction("m")])
def test_errors_survive_pickling_with_their_members(error):
    again = pickle.loads(pickle.dumps(error))
    assert again.message == "m"
    assert getattr(again, "members", {}) == getattr(error, "members", {})
