"""What stands on the screen is what the file asks for, pixel by pixel, by WebGL and without."""

from __future__ import annotations

import numpy as np
import pytest

from app.domain.study import Stage
from tests.builders.display_films import DISPLAY_CLASSES, EDGE, display_film, shown_by_pydicom
from tests.web.light_box import RECORD, Pane, draws_by_webgl

pytestmark = pytest.mark.peer("chromium", "node")

GREY_LEVELS = 2
"""Of 255, that a shown pixel may be away from pydicom's."""


@pytest.fixture
def chromium(each_path):
    return each_path


@pytest.mark.parametrize("name", DISPLAY_CLASSES)
def test_a_film_is_drawn_one_to_one_as_pydicom_shows_it(reader, room, request, name):
    study = room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name="Doe^Jane")
    film = display_film(name, StudyInstanceUID=study.study_instance_uid)
    room.add_film(study, film)
    reader.page.add_init_script(RECORD)
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.await_films(1)
    assert draws_by_webgl(reader.page) == ("webgl" in request.node.callspec.id)

    pane = Pane(reader.page)
    pane.press("o")
    difference = np.abs(pane.middle(EDGE, EDGE) - shown_by_pydicom(film))
    assert difference.max() <= GREY_LEVELS
