"""Which signed sentence is which of the draft; whatever an editor does, both texts can be put together again."""

from __future__ import annotations

import random

import pytest

from app.feedback.alignment import Piece, align, pieces

SENTENCES = (
    "The heart is enlarged.", "No pleural effusion.", "No pneumothorax.", "Small left pleural effusion.",
    "The lungs are clear.", "1. Right basal atelectasis.", "Endotracheal tube 4.5 cm above the carina.",
    "No acute osseous abnormality.", "Comparison: chest radiograph of [date].", "Mild pulmonary edema is unchanged.",
)  # fmt: skip
WORDS = ("mild", "moderate", "right", "left", "again", "no", "small", "interval", "probable", "3.5", "cm")


def of(*texts, section="findings"):
    return [Piece(section, text) for text in texts]


def changes(draft, signed, recorded=None):
    return [(pair.change, pair.draft, pair.signed) for pair in align(of(*draft), of(*signed), recorded)]


def test_kept_reworded_deleted_added():
    draft = ["The heart is enlarged.", "Small left pleural effusion.", "No pneumothorax."]
    signed = ["The heart is enlarged.", "Moderate left pleural effusion.", "Rib fracture on the right."]
    assert changes(draft, signed) == [
        ("kept", 0, 0), ("reworded", 1, 1), ("added", None, 2), ("deleted", 2, None),
    ]  # fmt: skip


def test_a_sentence_about_something_else_is_no_rewording():
    assert changes(["No pleural effusion."], ["No pneumothorax."]) == [("added", None, 0), ("deleted", 0, None)]


def test_what_the_desk_recorded_counts_more_than_common_words():
    draft, signed = ["Lungs clear."], ["There is no focal consolidation."]
    assert changes(draft, signed)[0][0] == "added"
    assert changes(draft, signed, {0: signed}) == [("reworded", 0, 0)]


def test_a_moved_sentence_is_kept_and_said_to_be_moved():
    draft = of("A is here.", "B was seen there.") + of("C concludes.", section="impression")
    signed = [draft[1], draft[2], draft[0]]
    found = align(draft, signed)
    assert [(pair.change, pair.draft, pair.signed, pair.moved) for pair in found] == [
        ("kept", 1, 0, False), ("kept", 2, 1, False), ("kept", 0, 2, True),
    ]  # fmt: skip


def test_a_list_number_is_no_rewording():
    assert changes(["Cardiomegaly."], ["1. Cardiomegaly."]) == [("kept", 0, 0)]


def test_the_same_texts_give_the_same_pairs():
    draft, signed = of(*SENTENCES), of(*reversed(SENTENCES))
    assert align(draft, signed) == align(draft, signed)


def test_an_empty_side():
    assert changes([], ["New."]) == [("added", None, 0)]
    assert changes(["Old."], []) == [("deleted", 0, None)]
    assert changes([], []) == []


@pytest.mark.parametrize(
    "text",
    [
        "Heart normal. Lungs clear.", "1. Cardiomegaly.\n2. No effusion", "", "  ", "...", "No full stop\nNext line.",
        "Comparison: film of 2025. Heart large. Impression: none", "Tube 4.5 cm above carina.Heart normal.",
    ],
)  # fmt: skip
def test_pieces_are_the_text(text):
    assert " ".join(piece.text for piece in pieces("findings", text)) == " ".join(text.split())


def edited(rng, sentences):
    """What a reader may do: drop, swap, duplicate, reword, add."""
    out = list(sentences)
    for _ in range(rng.randrange(6)):
        act, at = rng.randrange(5), rng.randrange(max(1, len(out)))
        if act == 0 and out:
            del out[at]
        elif act == 1 and out:
            words = out[at].split()
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            out[at] = " ".join(words)
        elif act == 2:
            out.insert(at, rng.choice(SENTENCES))
        elif act == 3 and out:
            out.insert(rng.randrange(len(out)), out.pop(at))
        elif out:
            out.insert(at, out[at])
    return out


def test_a_thousand_random_edits_lose_nothing_and_invent_nothing():
    rng = random.Random(20261122)
    for _ in range(1000):
        draft = of(*rng.choices(SENTENCES, k=rng.randrange(9)))
        signed = [piece for text in edited(rng, [p.text for p in draft]) for piece in pieces("findings", text)]
        found = align(draft, signed)
        of_draft = [pair.draft for pair in found if pair.change in {"kept", "reworded", "deleted"}]
        of_signed = [pair.signed for pair in found if pair.change in {"kept", "reworded", "added"}]
        assert sorted(of_draft) == list(range(len(draft)))
        assert of_signed == list(range(len(signed)))
        assert all(draft[p.draft].key == signed[p.signed].key for p in found if p.change == "kept")
        assert all(draft[p.draft].key != signed[p.signed].key for p in found if p.change == "reworded")
