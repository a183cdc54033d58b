"""The product as a radiologist meets it: a film in over DICOM, read and signed in Chromium, its report in the PACS."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

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


def test_from_c_store_through_the_page_to_the_pacs(radiologist, service, orthanc, tmp_path):
    prior, current = patient_films(tmp_path, "PAGE-1", seed=4)
    orthanc.upload(prior.path)
    radiologist.log_in(READER, PASSWORD)
    row = radiologist.page.get_by_role("row").filter(has_text="PAGE-1")

    dcmtk.send(service.dicom_port, current.path)
    # no reload: the list follows the study by itself
    expect(row).to_contain_text("Draft ready", timeout=360_000)
    row.get_by_role("button").click()
    radiologist.await_films(2)
    assert min(radiologist.greys()) >= 50
    page = radiologist.page
    expect(page.get_by_role("region", name="Earlier studies")).to_contain_text("Prior found")

    radiologist.begin()
    cards = page.locator("[data-index]")
    drafted = " ".join(cards.all_inner_texts())
    assert f"{prior.study_date[:4]}-{prior.study_date[4:6]}-{prior.study_date[6:]}" in drafted
    for card in cards.all():
        card.get_by_role("button", name="Accept").click()
    first = cards.first
    first.get_by_role("button", name="Edit").click()
    page.get_by_label("Wording of the sentence").fill("Edited by the radiologist.")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Sign…").click()
    radiologist.sign(PASSWORD)
    expect(page.get_by_role("article", name="Signed report")).to_contain_text("Edited by the radiologist.")
    expect(page.get_by_role("region", name="Delivery")).to_contain_text("delivered", timeout=120_000)

    def signed_texts():
        files = [orthanc.file(row["ID"]) for row in orthanc.instances(StudyInstanceUID=current.study_instance_uid)]
        return [file for file in files if b"Edited by the radiologist." in file]

    wait_until(lambda: len(signed_texts()) == 1, "the signed report in the PACS")
