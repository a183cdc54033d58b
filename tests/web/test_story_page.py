"""The product as a radiologist meets it: a film in over DICOM, read and signed in Chromium, its report in the PACS."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.builders.phantoms import patient_films
from tests.e2e.stack import PASSWORD, READER, Peer, Stack
from tests.peers import dcmtk
from tests.peers.orthanc import Modality
from tests.peers.process import wait_until
from tests.web.reader import Reader

PATIENT_MODEL = 'backend = "transformers"\ndeadline_seconds = 300'
"""A machine that runs other tests too may take long over a draft."""
pytestmark = pytest.mark.peer("chromium", "node", "orthanc", "dcmtk")


@pytest.fixture
def service(tmp_path, orthanc):
    pacs = Peer("pacs", orthanc.ae_title, orthanc.port, ("send", "query_retrieve", "results"))
    running = Stack(tmp_path, f"sqlite:///{tmp_path}/record.db", peers=[pacs], model=PATIENT_MODEL)
    orthanc.know(Modality("UNIRG", running.dicom_port))
    try:
        running.start()
        yield running
    except (AssertionError, TimeoutError) as failure:
        raise AssertionError(f"{failure}\n{running.logs()}") from failure
    finally:
        running.stop()


@pytest.fixture
def radiologist(chromium, service):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(60_000)
    somebody = Reader(context.new_page(), f"{service.url}/")
    yield somebody
    context.close()
    assert somebody.faults == []


def by_mouse(radiologist: Reader, patient: str, edited: str) -> None:
    """Log in, open the study, decide on each sentence, edit one, sign; with the pointer."""
    page = radiologist.page
    radiologist.log_in(READER, PASSWORD)
    row = page.get_by_role("row").filter(has_text=patient)
    expect(row).to_contain_text("Draft ready", timeout=360_000)  # no reload: the list follows the study by itself
    row.get_by_role("button").click()
    radiologist.await_films(2)
    radiologist.begin()
    cards = page.locator("[data-index]")
    for card in cards.all():
        card.get_by_role("button", name="Accept").click()
    cards.last.get_by_role("button", name="Edit").click()
    page.get_by_label("Wording of the sentence").fill(edited)
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Sign…").click()
    radiologist.sign(PASSWORD)


def by_keyboard(radiologist: Reader, patient: str, edited: str) -> None:
    """The same without a pointer, by no other keys than those of the help overlay, and the browser's own."""
    page = radiologist.page
    keys = page.keyboard
    page.goto(radiologist.url)
    focus_on(page, "User name")
    keys.type(READER)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    row = page.get_by_role("row").filter(has_text=patient)
    expect(row).to_contain_text("Draft ready", timeout=360_000)
    keys.press("/")
    keys.type(patient)
    keys.press("Enter")
    keys.press("Enter")
    radiologist.await_films(2)
    keys.press("Control+Enter")  # start from this draft
    expect(page.get_by_text("Preliminary, not signed")).to_be_visible()
    expect(page.locator("[data-index] button:focus")).to_have_count(1)
    for _ in page.locator("[data-index]").all():
        keys.press("a")
    keys.press("k")
    keys.press("e")
    expect(page.get_by_label("Wording of the sentence")).to_be_focused()
    keys.press("Control+A")
    keys.type(edited)
    keys.press("Control+Enter")
    keys.press("Control+Enter")
    focus_on(page, "Your password, to sign")
    keys.type(PASSWORD)
    keys.press("Enter")


def focus_on(page: Page, label: str) -> None:
    """Tab until the field of this label has the focus."""
    field = page.get_by_label(label)
    expect(field).to_be_visible()
    for _ in range(20):
        if field.evaluate("field => field === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{label} is not reached by Tab")


@pytest.mark.parametrize("hands", [by_mouse, by_keyboard])
def test_from_c_store_through_the_page_to_the_pacs(
    radiologist, service, orthanc, tmp_path, hands: Callable[[Reader, str, str], None]
):
    prior, current = patient_films(tmp_path, "PAGE-1", seed=4)
    orthanc.upload(prior.path)
    dcmtk.send(service.dicom_port, current.path)
    hands(radiologist, "PAGE-1", "Edited by the radiologist.")
    page = radiologist.page
    expect(page.get_by_role("article", name="Signed report")).to_contain_text("Edited by the radiologist.")
    expect(page.get_by_role("region", name="Earlier studies")).to_contain_text("Prior found")
    assert min(radiologist.greys()) >= 50
    drafted = page.get_by_role("article", name="Signed report").inner_text()
    assert f"{prior.study_date[:4]}-{prior.study_date[4:6]}-{prior.study_date[6:]}" in drafted
    expect(page.get_by_role("region", name="Delivery")).to_contain_text("delivered", timeout=120_000)

    def signed_texts():
        files = [orthanc.file(row["ID"]) for row in orthanc.instances(StudyInstanceUID=current.study_instance_uid)]
        return [file for file in files if b"Edited by the radiologist." in file]

    wait_until(lambda: len(signed_texts()) == 1, "the signed report in the PACS")
