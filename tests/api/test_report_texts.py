"""Templates and macros: whose they are, what may be in them, and that nobody overwrites one unseen."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.db import audit_trail
from app.db.report_tables import SavedText
from app.db.session import unit_of_work
from app.domain.identifiers import new_id
from app.review.texts import MOST

TEXTS = "/api/v1/report-texts"
MACRO = {"scope": "personal", "kind": "macro", "shortcut": "ne", "title": "No effusion", "text": "No effusion."}
TEMPLATE = {
    "scope": "personal",
    "kind": "template",
    "shortcut": "two-views",
    "title": "Chest, two views",
    "findings": "Heart:\nLungs:",
    "impression": "No acute finding.",
    "procedure_code": "36643-5",
    "procedure_description": "XR CHEST 2 VIEWS",
}
SITE_MACRO = {**MACRO, "scope": "site"}


def add(reader, base=MACRO, **changes):
    answer = reader.post(TEXTS, json={**base, **changes})
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["etag"]}"'
    return answer.json()


def tag(text):
    return {"If-Match": f'"{text["etag"]}"'}


def listed(reader):
    return reader.get(TEXTS).json()["items"]


def own(reader):
    return [text for text in listed(reader) if text["scope"] == "personal"]


def test_a_template_and_a_macro_are_kept_read_changed_and_removed(either_house):
    house = either_house
    reader = house.reader()
    template, macro = add(reader, TEMPLATE), add(reader)
    assert own(reader) == [macro, template]
    assert {key: template[key] for key in TEMPLATE} == TEMPLATE
    changed = reader.put(f"{TEXTS}/{macro['id']}", json={**MACRO, "text": "No pleural effusion."}, headers=tag(macro))
    assert changed.status_code == 200, changed.text
    assert (changed.json()["text"], changed.json()["etag"] != macro["etag"]) == ("No pleural effusion.", True)
    assert reader.delete(f"{TEXTS}/{macro['id']}", headers=tag(changed.json())).status_code == 204
    assert own(reader) == [template]
    actions = [(e.action, e.actor) for e in house.audited() if e.action.startswith("report_text.")]
    assert [action for action, _ in actions] == [
        "report_text.added",
        "report_text.added",
        "report_text.changed",
        "report_text.removed",
    ]
    assert {actor for _, actor in actions} == {"user:ada"}
    with house.database.reading() as session:
        assert audit_trail.verify(session).ok
    assert "effusion" not in str([entry.detail for entry in house.audited()])


def test_a_normal_chest_of_the_site_is_there_from_the_start(house):
    ada, root = house.reader(), house.reader("root", Role.ADMIN)
    template = next(text for text in listed(ada) if text["kind"] == "template")
    macro = next(text for text in listed(ada) if text["kind"] == "macro")
    assert {(text["scope"], text["title"]) for text in (template, macro)} == {("site", "Normal chest")}
    assert template["findings"] == macro["text"]
    assert template["impression"]
    for text in (template, macro):
        assert root.delete(f"{TEXTS}/{text['id']}", headers=tag(text)).status_code == 204
    assert listed(ada) == []


def test_the_site_s_texts_are_everybodys_to_read_and_an_administrators_to_write(house):
    ada, root = house.reader(), house.reader("root", Role.ADMIN)
    refused = ada.post(TEXTS, json=SITE_MACRO)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:unirg:problem:not-allowed")
    text = add(root, SITE_MACRO)
    assert text in listed(ada)
    for answer in (
        ada.put(f"{TEXTS}/{text['id']}", json=SITE_MACRO, headers=tag(text)),
        ada.delete(f"{TEXTS}/{text['id']}", headers=tag(text)),
    ):
        assert answer.status_code == 403
    assert text in listed(ada)


def test_nobody_sees_or_touches_another_readers_texts(house):
    ada, bob = house.reader("ada"), house.reader("bob")
    text = add(ada)
    assert own(bob) == []
    assert bob.put(f"{TEXTS}/{text['id']}", json=MACRO, headers=tag(text)).status_code == 404
    assert bob.delete(f"{TEXTS}/{text['id']}", headers=tag(text)).status_code == 404
    assert house.reader("root", Role.ADMIN).delete(f"{TEXTS}/{text['id']}", headers=tag(text)).status_code == 404
    assert own(ada) == [text]


def test_a_shortcut_is_taken_once_by_each_reader_and_once_by_the_site(either_house):
    house = either_house
    ada, bob, root = house.reader("ada"), house.reader("bob"), house.reader("root", Role.ADMIN)
    mine = add(ada)
    for shortcut in ("ne", "NE"):
        taken = ada.post(TEXTS, json={**TEMPLATE, "shortcut": shortcut})
        assert taken.status_code == 409
        assert "No effusion" in taken.json()["detail"]
    add(bob)
    add(root, SITE_MACRO)
    assert root.post(TEXTS, json=SITE_MACRO).status_code == 409
    other = add(ada, shortcut="other")
    assert ada.put(f"{TEXTS}/{other['id']}", json=MACRO, headers=tag(other)).status_code == 409
    assert next(text["id"] for text in listed(ada) if text["shortcut"] == "ne") == mine["id"]


def test_the_database_itself_refuses_a_second_shortcut(either_house):
    """For two that come at the same time."""
    house = either_house
    add(house.reader())
    with house.database.reading() as session:
        rows = session.scalars(sa.select(SavedText)).all()
    for row in rows:
        columns = {c.key: getattr(row, c.key) for c in sa.inspect(SavedText).columns}
        with pytest.raises(Exception, match="same time"), unit_of_work(house.database, house.clock) as uow:
            uow.session.add(SavedText(**{**columns, "id": new_id()}))


def test_writes_need_the_version_they_change(house):
    reader = house.reader()
    text = add(reader)
    address = f"{TEXTS}/{text['id']}"
    assert reader.put(address, json=MACRO).status_code == 428
    assert reader.delete(address).status_code == 428
    reader.put(address, json={**MACRO, "title": "Other"}, headers=tag(text))
    for answer in (reader.put(address, json=MACRO, headers=tag(text)), reader.delete(address, headers=tag(text))):
        assert (answer.status_code, answer.json()["type"]) == (412, "urn:unirg:problem:text-changed")
    assert own(reader)[0]["title"] == "Other"


def test_a_text_keeps_its_scope(house):
    root = house.reader("root", Role.ADMIN)
    text = add(root)
    assert root.put(f"{TEXTS}/{text['id']}", json=SITE_MACRO, headers=tag(text)).status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        {**MACRO, "shortcut": "n"},
        {**MACRO, "shortcut": "n e"},
        {**MACRO, "shortcut": "/ne"},
        {**MACRO, "shortcut": "n" * 33},
        {**MACRO, "title": ""},
        {**MACRO, "title": "\u200b"},
        {**MACRO, "text": "\u200b \u2060"},
        {**MACRO, "title": "t" * 129},
        {**MACRO, "text": " \n"},
        {**MACRO, "text": "x" * 20_001},
        {**MACRO, "text": "bell\x07"},
        {**MACRO, "findings": "of a template"},
        {**MACRO, "procedure_code": "36643-5"},
        {**MACRO, "kind": "poem"},
        {**MACRO, "scope": "world"},
        {**MACRO, "html": "<b>x</b>"},
        {**TEMPLATE, "findings": "", "impression": ""},
        {**TEMPLATE, "text": "of a macro"},
        {**TEMPLATE, "impression": "x" * 20_001},
        {**TEMPLATE, "procedure_code": "9" * 65},
        {key: value for key, value in MACRO.items() if key != "title"},
    ],
)
def test_what_does_not_fit_is_refused(house, text):
    reader = house.reader()
    assert reader.post(TEXTS, json=text).status_code == 422
    assert own(reader) == []


def test_only_plain_text_is_kept(house):
    reader = house.reader()
    said = "No\u202e effusion\u200b.\n\tSecond <script>line</script>."
    text = add(reader, text=said, title="No\u2066 effusion")
    assert text["text"] == "No effusion.\n\tSecond <script>line</script>."
    assert text["title"] == "No effusion"


def test_there_is_an_end_to_how_many_are_kept(house):
    reader = house.reader()
    first = add(reader)
    with house.database.reading() as session:
        row = session.get_one(SavedText, first["id"])
        columns = {c.key: getattr(row, c.key) for c in sa.inspect(SavedText).columns}
    with unit_of_work(house.database, house.clock) as uow:
        many = ({**columns, "id": new_id(), "shortcut": f"m{n}"} for n in range(MOST - 1))
        uow.session.add_all(SavedText(**row) for row in many)
    assert reader.post(TEXTS, json={**MACRO, "shortcut": "onemore"}).status_code == 409
