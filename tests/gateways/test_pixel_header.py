"""Header facts that need no decoding process to be shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app.gateways.pixel_header import header_facts
from tests.builders.radiographs import radiograph

SPECIES = Dataset()
SPECIES.CodeValue, SPECIES.CodingSchemeDesignator, SPECIES.CodeMeaning = "448771007", "SCT", "Canis lupus"


@pytest.mark.parametrize(
    ("header", "species"),
    [
        ({}, ""),
        ({"PatientSpeciesDescription": "Canine species"}, "Canine species"),
        ({"PatientSpeciesCodeSequence": Sequence([SPECIES])}, "Canis lupus"),
        ({"PatientBreedDescription": "Beagle"}, "animal"),
    ],
)
def test_an_animal_is_told_from_a_person(tmp_path: Path, header: dict[str, object], species: str) -> None:
    made = radiograph()
    for keyword, value in header.items():
        setattr(made, keyword, value)
    made.save_as(tmp_path / "film.dcm", enforce_file_format=True)
    assert header_facts(tmp_path / "film.dcm").patient_species == species
