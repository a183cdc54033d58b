"""What tests of the report side share: a draft to read, and the parts of the page where text is written."""

from __future__ import annotations

import re

import sqlalchemy as sa
from playwright.sync_api import expect

LUNGS, HEART, CARDIOMEGALY = "The lungs are clear.", "The heart is larger than before.", "Cardiomegaly."
FLAG = {"code": "comparison-without-prior", "reason": "compares with a prior that was not verified"}
FLAGGED = [
    {"section": "findings", "text": LUNGS, "source": "image"},
    {"section": "findings", "text": HEART, "source": "prior", "flags": [FLAG]},
    {"section": "impression", "text": CARDIOMEGALY, "source": "image"},
]
CLEAN = [FLAGGED[0], FLAGGED[2]]


def flagged_study(room):
    """A study whose draft has three sentences, the second flagged."""
    made = room.study(patient_name="Doe^Jane", accession_number="ACC-7", description="Chest PA")
    room.draft(made, *FLAGGED)
    return made


def begin(reader):
    """Starts from the draft; keys are taken from here on."""
    reader.begin()
    expect(reader.sentence(LUNGS).get_by_role("button", name="Accept")).to_be_focused()


def rows(room, table):
    with room.database.reading() as session:
        return session.scalars(sa.select(table)).all()


def own(reader, section="findings"):
    return reader.page.get_by_role("textbox", name=re.compile(f"(Add to|Your) {section}"))


def text_of(field):
    return field.evaluate("field => [...field.children].map(line => line.textContent).join('\\n')")


def expect_text(field, text):
    expect(field).to_have_text(text.replace("\n", ""))
    assert text_of(field) == text
