"""OHIF itself on this service: its list, its search, and that it draws what the film's header asks for.

OHIF is no part of the project: UNIRG_OHIF_DIST names the folder of its build (docs/operations/dicomweb.md).
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app.access import Role
from app.accounts.handlers import Accounts
from app.domain.study import Stage
from tests.builders.reading import PASSWORD, quick_passwords
from tests.peers import presence
from tests.web.conftest import FLAGS, PATHS, SLOW
from tests.web.ohif import ROOT, ohif_in_front
from tests.web.room import EDGE, film

pytestmark = [pytest.mark.peer("chromium", "node"), pytest.mark.timeout(1200)]

DIST = os.environ.get("UNIRG_OHIF_DIST", "")
BUSY = 6 * SLOW
"""Milliseconds: OHIF is 17 MB of script."""
POINTS = [(x, y) for x in range(24, EDGE, 52) for y in range(24, EDGE, 52)]
DRAWN = """points => {
  const [engine] = window.cornerstone?.getRenderingEngines() ?? []
  const viewport = engine?.getViewports()[0]
  const image = viewport?.getImageData?.()
  if (!image) return null
  const canvas = document.querySelector('canvas.cornerstone-canvas')
  const context = canvas.getContext('2d')
  const scale = canvas.width / canvas.clientWidth
  const greys = points.map(([x, y]) => {
    const [across, down] = viewport.worldToCanvas(image.imageData.indexToWorld([x, y, 0]))
    return context.getImageData(Math.round(across * scale), Math.round(down * scale), 1, 1).data[0]
  })
  return new Set(greys).size > 1 ? greys : null
}"""
"""Grey levels on OHIF's canvas where these image pixels are, or null as long as there is no picture."""


@pytest.fixture
def dist():
    if not (Path(DIST) / "index.html").is_file() or not DIST:
        pytest.skip(f"UNIRG_OHIF_DIST={DIST} is no build of OHIF; see docs/operations/dicomweb.md")
    return Path(DIST)


@pytest.fixture
def page(playwright):
    """A tab of a browser that has WebGL."""
    presence.require("chromium")
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + PATHS["webgl"]
    browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=flags)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(BUSY)
    yield context.new_page()
    browser.close()


def voi_lut():
    item = Dataset()
    item.LUTDescriptor = [4096, 0, 12]
    item.LUTData = (4095 * (np.arange(4096) / 4095) ** 2).astype("<u2").tobytes()
    return {"VOILUTSequence": Sequence([item]), "WindowCenter": None, "WindowWidth": None}


SIGMOID = {"VOILUTFunction": "SIGMOID", "WindowCenter": "2048", "WindowWidth": "1500"}
EXACT = {"VOILUTFunction": "LINEAR_EXACT", "PhotometricInterpretation": "MONOCHROME1"}


def test_a_reader_finds_a_study_in_ohif_and_it_is_drawn_right(page, room, dist):
    room.person("ada")
    studies = {}
    for name, elements in {"Doe^Jane": SIGMOID, "Roe^Richard": voi_lut(), "Poe^Edgar": EXACT}.items():
        studies[name] = room.study(Stage.READY, with_film=False, patient_name=name, description="XR CHEST PA")
        uid = studies[name].study_instance_uid
        room.add_film(studies[name], film(1, StudyInstanceUID=uid, PatientName=name, **elements))
    with ohif_in_front(dist, room.url) as viewer:
        page.goto(viewer)
        expect(page.get_by_text("Data Source Connection Error")).to_be_visible(timeout=BUSY)  # nobody is logged in
        login = page.request.post(f"{room.url}api/v1/auth/login", data={"username": "ada", "password": PASSWORD})
        assert login.ok

        page.goto(f"{viewer}?patientName=doe&description=chest&modalities=CR,DX")
        expect(page.get_by_text("Doe, Jane").first).to_be_visible(timeout=BUSY)
        expect(page.get_by_text("Roe, Richard")).to_have_count(0)

        for name, study in studies.items():
            page.goto(f"{viewer}viewer?StudyInstanceUIDs={study.study_instance_uid}")
            drawn = page.wait_for_function(DRAWN, arg=POINTS, timeout=BUSY).json_value()
            assert np.abs(np.array(drawn) - wanted(page, room, study)).max() <= 4, name
            thumbnail = page.locator("img[src^='blob:']").first
            assert thumbnail.evaluate("async image => (await image.decode(), image.naturalWidth)") == EDGE
            expect(page.get_by_text("XR CHEST PA")).to_have_count(1)  # not the others' of the same PatientID


def wanted(page, room, study):
    """Grey levels of the picture that the service itself draws."""
    found = page.request.get(f"{room.url.rstrip('/')}{ROOT}/studies/{study.study_instance_uid}/instances")
    picture = page.request.get(f"{found.json()[0]['00081190']['Value'][0]}/rendered?accept=image/png")
    pixels = np.asarray(Image.open(io.BytesIO(picture.body()))).astype(int)
    return np.array([pixels[y, x] for x, y in POINTS])


def test_a_proxy_with_a_token_needs_no_login_here(page, room, dist):
    room.study(Stage.READY, patient_name="Doe^Jane")
    token = Accounts(room.database, room.clock, quick_passwords()).create_token("ohif", [Role.RIS])
    with ohif_in_front(dist, room.url, token) as viewer:
        page.goto(viewer)
        expect(page.get_by_text("Doe, Jane").first).to_be_visible(timeout=BUSY)
