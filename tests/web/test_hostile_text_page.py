"""300 texts that try to be more than text, wherever the page shows text: they stay text, and leave no trace."""

from __future__ import annotations

import io
import warnings
from datetime import timedelta
from urllib.parse import unquote

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from app.access import Role
from app.accounts.handlers import Accounts
from app.db.report_tables import CriticalResult, DraftRemark, SavedText, WorklistList
from app.db.session import unit_of_work
from app.db.tables import Delivery, Instance, PriorEntry, ReadingLock, Report, User
from app.domain import plain_text
from app.domain.identifiers import derived_uid, new_id
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage
from tests.builders.radiographs import radiograph
from tests.builders.reading import PASSWORD, add_draft, quick_passwords
from tests.web.payloads import CARELESS, PAYLOADS, RAN, Seen, careless
from tests.web.report_page import own, rows

pytestmark = pytest.mark.peer("chromium", "node")
TEXTS = [payload.text for payload in PAYLOADS]
BATCHES = [TEXTS[first : first + 30] for first in range(0, 300, 30)]
FOREIGN = """() => [...document.querySelectorAll('*')].filter(one =>
  /^(a|audio|base|embed|frame|frameset|iframe|image|img|marquee|math|object|picture|template|video|xmp)$/.test(one.localName)
  || (one.localName === 'script' && one.src === '') || [...one.attributes].some(({ name }) => name.startsWith('on'))
).map(one => one.outerHTML.slice(0, 120))"""
"""Elements and attributes that the page itself has none of."""


def test_the_texts_are_300_and_a_careless_page_runs_them(chromium):
    """Without this, texts that are dull by mistake would pass everywhere."""
    assert len({payload.text for payload in PAYLOADS}) == 300
    dangerous = {payload.number for payload in PAYLOADS if payload.sink}
    with chromium.new_context() as context:
        seen = Seen(context.new_page())
        context.route("**/*", careless)
        focused = [payload for payload in PAYLOADS if payload.sink and "autofocus" in payload.text]
        for payload in focused:  # of several frames only one gets the focus
            seen.page.goto(f"{CARELESS}/{payload.number}")
            seen.await_all({payload.number})
        seen.page.goto(f"{CARELESS}/all")
        seen.await_all(dangerous)
    assert seen.numbers == dangerous


@pytest.fixture
def reader(reader):
    reader.page.add_init_script(RAN)
    return reader


def folded(text):
    """As a reader sees it: runs of white space are one space, and a byte order mark is nothing."""
    return " ".join(text.replace("\ufeff", "").split())


def shows(place, texts):
    """The place has each of the texts, as its own text."""
    expect(place.first).to_be_attached()
    lacking = texts
    for _ in range(40):  # an answer may still be on its way to the page
        there = folded("\n".join(place.all_text_contents()))
        lacking = [text for text in texts if folded(text) not in there]
        if not lacking:
            return
        place.page.wait_for_timeout(250)
    pytest.fail(f"{len(lacking)} of {len(texts)} texts are not shown, the first of them {lacking[0]!r}")


def unharmed(reader, room):
    """Nothing ran, nothing was asked of anybody else, no text became an element, and none is kept by the browser."""
    assert reader.faults == []
    assert [asked for asked in reader.requests if not asked.startswith(room.url)] == []
    assert reader.page.evaluate(FOREIGN) == []
    traces = unquote(reader.traces())
    assert "__ran" not in traces
    assert "canary" not in traces
    assert reader.page.title() == "UniRG review"


def said_name(name):
    """A DICOM person name as the page says it (PS3.5 6.2.1)."""
    groups = [group for group in map(_said_group, name.split("=")) if group]
    return (groups[0] + (f" ({', '.join(groups[1:])})" if groups[1:] else "")) if groups else "Name unknown"


def _said_group(group):
    parts = [part.strip("\ufeff\t\n\r \u2028\u2029\xa0") for part in group.split("^")]
    family, given, middle, prefix, suffix = (*parts, "", "", "", "")[:5]
    rest = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, rest, suffix) if part)


def user_id(room, username):
    with room.database.reading() as session:
        return session.scalars(sa.select(User.id).where(User.username == username)).one()


def keep(room, *things):
    with unit_of_work(room.database, room.clock) as uow:
        uow.session.add_all(things)


def image_of(room, study, **values):
    """The row of an image whose bytes nobody asks for."""
    uids = {name: derived_uid(name, new_id()) for name in ("sop_instance_uid", "series_instance_uid", "sop_class_uid")}
    columns = {"transfer_syntax_uid": "1.2", "object_key": new_id(), "digest": "0", "size": 1, "revision": 1}
    return Instance(study_id=study.id, received_at=room.clock.now(), **{**uids, **columns, **values})


def lock_of(room, study, holder, owner):
    return ReadingLock(study_id=study.id, user_id=holder, owner=owner, expires_at=room.clock.now() + timedelta(hours=1))


def cell(reader, column):
    return reader.page.locator(f".lines .cell-{column}")


def all_rows(reader, count):
    """The worklist with every row drawn."""
    reader.page.set_viewport_size({"width": 1440, "height": 9400})
    expect(reader.page.get_by_role("grid", name="Studies")).to_have_attribute("aria-rowcount", str(count + 1))
    expect(reader.page.locator(".lines [role=row]")).to_have_count(count)


def test_in_the_worklist(reader, room):
    room.person("max")
    holder, made = user_id(room, "max"), []
    for text in TEXTS:
        study = room.study(
            Stage.DRAFT_UNAVAILABLE,
            with_film=False,
            **dict.fromkeys(("patient_name", "patient_id", "accession_number", "description", "reason"), text),
        )
        made += [image_of(room, study, modality=text, calling_ae=text), lock_of(room, study, holder, text)]
    keep(room, *made)
    reader.log_in("ada")
    all_rows(reader, 300)
    shows(cell(reader, "patient"), map(said_name, TEXTS))
    for column in ("number", "accession", "state", "lock"):
        shows(cell(reader, column), TEXTS)
    shows(cell(reader, "exam"), [f"{text} {text} from {text}" for text in TEXTS])
    unharmed(reader, room)


def test_from_the_headers_of_received_objects(reader, room):
    """Through the receiver's own parser: markup, backslashes, component marks, two ways of writing characters."""
    files = [film_file(text, ("ISO_IR 192", "GB18030")[number % 2]) for number, text in enumerate(TEXTS)]
    token = Accounts(room.database, room.clock, quick_passwords()).create_token("archive", [Role.PACS])
    for first in range(0, 300, 50):
        assert stow(room, token, files[first : first + 50]) == 200
    reader.log_in("ada")
    all_rows(reader, 300)
    kept = [plain_text.one_line(text).strip() for text in TEXTS]
    shows(cell(reader, "patient"), map(said_name, kept))
    for column in ("number", "accession", "exam"):
        shows(cell(reader, column), [text[:64] for text in kept])
    unharmed(reader, room)


def film_file(text, character_set):
    with warnings.catch_warnings():  # what no modality should send
        warnings.simplefilter("ignore")
        words = dict.fromkeys(("PatientName", "PatientID", "StudyDescription", "AccessionNumber"), text)
        places = dict.fromkeys(("InstitutionName", "ReferringPhysicianName", "IssuerOfPatientID"), text)
        file = io.BytesIO()
        film = radiograph(SpecificCharacterSet=character_set, **words, **places)
        film.save_as(file, enforce_file_format=True)
    return file.getvalue()


def stow(room, token, files):
    parts = [b"--edge\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n" for file in files]
    kind = 'multipart/related; type="application/dicom"; boundary=edge'
    head = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
    body = b"".join([*parts, b"--edge--\r\n"])
    with httpx.Client(trust_env=False, timeout=60) as archive:
        return archive.post(f"{room.url}dicom-web/studies", content=body, headers=head).status_code


def sentence(index, text, *flags):
    return {"index": index, "section": "findings", "source": "image", "text": text, "logprob": -0.1, "flags": flags}


def hostile_study(room, number, texts, holder):
    """Every text of a study is several of the texts; its draft and its ledger have one in each of their parts."""
    words = " ".join(texts)
    facts = ("patient_id", "issuer", "sex", "accession_number", "description", "indication", "prior_reason")
    study = room.study(
        patient_name=f"Batch-{number}", prior_outcome=PriorOutcome.UNAVAILABLE, **dict.fromkeys(facts, words)
    )
    ledger = [
        PriorEntry(
            study_id=study.id,
            revision=1,
            rank=rank,
            study_instance_uid=derived_uid("study", new_id()),
            decision=PriorDecision.REJECTED,
            **dict.fromkeys(("study_date", "description", "source", "reason", "report_text"), text),
        )
        for rank, text in enumerate(texts)
    ]
    keep(room, *ledger, lock_of(room, study, holder, words))
    sentences = [sentence(index, text, {"code": text, "reason": text}) for index, text in enumerate(texts)]
    facts = {"model": words, "prompt_version": words, "image_digests": [words]}
    add_draft(room.database, room.clock, study, sentences=sentences, **facts)
    with unit_of_work(room.database, room.clock) as uow:
        uow.session.execute(sa.update(Instance).where(Instance.study_id == study.id).values(view_position=words))


@pytest.mark.parametrize("half", [0, 1])
def test_in_a_study_its_ledger_its_draft_and_a_refusal(reader, room, half):
    """The refusal is a problem whose detail has the words: somebody of that name has the study."""
    room.person("max")
    holder = user_id(room, "max")
    batches = dict(enumerate(BATCHES[half::2]))
    for number, texts in batches.items():
        hostile_study(room, number, texts, holder)
    page = reader.page
    reader.log_in("ada")
    for number, texts in batches.items():
        reader.open(f"Batch-{number}")
        start = page.get_by_role("button", name="Start from this draft")
        expect(start).to_be_visible()
        identity = page.get_by_role("region", name="Patient and study")
        facts = [fact.text_content() for fact in identity.locator("dd").all()]
        assert sum(folded(" ".join(texts)) in folded(fact) for fact in facts) == 5
        shows(page.locator(".caption"), texts)
        shows(page.locator(".priors > p"), texts)
        shows(page.locator(".priors li"), [f", {text} — Not used: {text}" for text in texts])
        shows(page.locator(".sentence .wording"), texts)
        shows(page.locator(".flags li"), texts)
        shows(page.locator(".draft-facts dd"), texts)
        shows(page.get_by_role("status").filter(has_text="has this study open"), texts)
        start.click()
        shows(page.get_by_role("alert").filter(has_text="wait, or talk to them"), texts)
        page.get_by_role("button", name="← Worklist").click()
    unharmed(reader, room)


def paste(field, text):
    field.evaluate(
        """(field, text) => {
          const data = new DataTransfer()
          data.setData('text/plain', text)
          data.setData('text/html', text)
          field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
        }""",
        text,
    )


def facts_about(room, report):
    """What others say around a report: who was told of what, and what hinders its delivery."""
    now = room.clock.now()
    common = {"report_id": report.id}
    told = {"found_at": now, "told_at": now, "read_back": True, "recorded_by": report.author_id}
    sent = {"study_id": report.study_id, "target": report.id, "status": "dead", "object_key": "x"}
    for number, text in enumerate(TEXTS):
        said = dict.fromkeys(("finding", "told_to", "method", "recorded_name"), text)
        yield CriticalResult(**common, **told, **said, recorded_at=now + timedelta(seconds=number))
        said = dict.fromkeys(("channel", "destination", "last_error"), text)
        yield Delivery(**common, **sent, **said, sop_instance_uid=derived_uid("instance", new_id()))


def test_in_a_report_from_its_draft_to_its_addendum(reader, room):
    """Draft, own words, feedback, critical results, signer, deliveries: read, decided on, signed, added to."""
    writable = [text for text in TEXTS if "[" not in text]  # a field that nobody filled in is not signed
    study = room.study(patient_name="Doe^Jane")
    add_draft(room.database, room.clock, study, sentences=[sentence(*one) for one in enumerate(TEXTS)])
    signer = f"Dr {' '.join(TEXTS[96:104])}"
    with unit_of_work(room.database, room.clock) as uow:
        uow.session.execute(sa.update(User).values(name=signer))
    page = reader.page
    reader.log_in("ada")
    shows(page.get_by_role("banner"), [signer])
    reader.open("Doe, Jane")
    reader.begin()
    page.get_by_role("button", name="Changes").click()
    shows(page.get_by_role("region", name="Changes against the draft"), [" ".join(TEXTS)])
    page.get_by_role("button", name="Changes").click()
    give_feedback(page, "\n".join(TEXTS[:40]))
    assert [remark.note for remark in rows(room, DraftRemark)] == ["\n".join(TEXTS[:40])]
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator("[data-decision=accepted]")).to_have_count(300)
    paste(own(reader, "impression"), "\n".join(writable))
    shows(own(reader, "impression").locator("div"), writable)
    reader.await_saved()
    keep(room, *facts_about(room, rows(room, Report)[0]))
    page.get_by_role("button", name="Sign…").click()
    shows(page.get_by_role("group", name="What is sent"), [*TEXTS, *writable, f"to be signed by {signer}"])
    unharmed(reader, room)
    reader.sign()
    shows(page.get_by_role("article", name="Signed report"), [*TEXTS, *writable, f"Signed by {signer}"])
    shows(page.locator(".critical-results li"), TEXTS)
    shows(page.locator(".deliveries li"), [f"{text} to {text}: given up — {text}." for text in TEXTS])
    page.get_by_role("button", name="Add an addendum…").click()
    page.get_by_role("dialog").get_by_role("textbox").first.fill("\n".join(TEXTS))
    page.get_by_label("Your password, to sign").fill(PASSWORD)
    page.get_by_role("button", name="Sign and send the addendum").click()
    shows(page.get_by_role("region", name="Addendum 1"), TEXTS)
    unharmed(reader, room)


def give_feedback(page, note):
    page.get_by_role("button", name="Wrong…").first.click()
    page.get_by_label("Style").check()
    page.get_by_label("Note, if you like").fill(note)
    page.get_by_role("button", name="Send feedback").click()
    expect(page.get_by_text("Feedback sent: ")).to_be_visible()


def test_in_templates_macros_saved_lists_and_what_the_service_says_of_them(reader, room):
    mine = {"owner_id": user_id(room, "ada"), "kind": "macro", "updated_at": room.clock.now()}
    keep(room, *(SavedText(**mine, shortcut=f"x{number}", title=t, text=t) for number, t in enumerate(TEXTS)))
    listed = {"user_id": mine["owner_id"], "updated_at": mine["updated_at"]}
    keep(room, *(WorklistList(**listed, name=text, filter={"q": text}) for text in TEXTS))
    room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name="Doe^Jane")
    page = reader.page
    reader.log_in("ada")
    shows(page.get_by_label("Saved lists").locator("option"), TEXTS)
    page.get_by_role("button", name="Keep this list…").click()
    shows(page.get_by_role("list", name="Kept").get_by_role("listitem"), TEXTS)
    page.get_by_role("button", name="Cancel").click()

    reader.open("Doe, Jane")
    page.get_by_role("button", name="Report by hand").click()
    expect(own(reader)).to_be_focused()
    page.get_by_role("button", name="Templates…").click()
    shows(page.get_by_role("listbox", name="Found").get_by_role("option"), TEXTS)
    found = previews(page, len(TEXTS) + 10)
    assert [text for text in TEXTS if folded(text) not in {folded(one) for one in found}] == []
    page.get_by_role("button", name="Manage…").click()
    shows(page.get_by_role("list", name="Templates and macros").get_by_role("listitem"), TEXTS)
    page.get_by_role("button", name="New…").click()
    page.get_by_role("textbox", name="Title").fill("Mine")
    page.get_by_label("Text; a place").fill("Mine.")
    for number in range(0, 300, 20):  # each refusal names the title of the text that has the shortcut
        page.get_by_role("textbox", name="Shortcut").fill(f"x{number}")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert").filter(has_text=f"x{number} is the shortcut of")).to_be_visible()
        shows(page.get_by_role("alert"), [f"“{TEXTS[number]}”"])
    unharmed(reader, room)


def previews(page, most):
    """What the list of texts shows of each, on the way down by the arrow key."""
    return page.evaluate(
        """async most => {
          const field = document.querySelector('dialog [type=search]')
          const found = []
          for (let at = 0; at < most; at += 1) {
            found.push(document.querySelector('dialog .preview').textContent)
            field.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, cancelable: true }))
            await new Promise(requestAnimationFrame)
          }
          return found
        }""",
        most,
    )


def test_in_the_audit_chain(reader, room):
    with unit_of_work(room.database, room.clock) as uow:
        for text in TEXTS:
            uow.acting_as(text).audit(text, **{text: text, "several": [text, {text: text}]})
    page = reader.page
    room.person("ann", Role.AUDITOR)
    page.goto(reader.url)
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    entries, left = page.get_by_role("table").locator("tbody tr"), set(map(folded, TEXTS))
    further = page.get_by_role("button", name="Next page")
    for number in range(1, 5):
        expect(page.get_by_text(f"Entries {100 * number - 99} to")).to_be_visible()
        there = [folded(row) for row in entries.all_text_contents()]
        left -= {text for text in left if any(row.count(text) >= 5 for row in there)}
        if further.is_disabled():
            break
        further.click()
    assert left == set()
    unharmed(reader, room)
