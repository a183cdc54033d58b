"""A prepared manifest as studies: encounters in order, priors as training shows them, phantoms by reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.datasets.manifest import Row, table, write_table, write_text
from training.datasets.priors import invented_date
from training.evaluate.cases import NoStudies
from training.evaluate.manifest_studies import manifest_cases

PHANTOM = "phantom:north:5:0:single:current:64"
FIRST = Row("s1", "p", "mimic", "train", PHANTOM, (PHANTOM,), "PA", "2180-01-01", "Clear.", "", "Cough.", "",
            "findings", "x", sex="F", age=71.0, race="WHITE")  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    given = {"prior_study_id": "s1", "prior_image": PHANTOM, "prior_report": "Findings: Clear."}
    second = replace(FIRST, study_id="s2", order_key="2180-02-01", split="test", prior_date="2180-01-01", **given)
    rows = [
        replace(second, study_id="s3", order_key="2180-03-01", prior_date=None),
        second,
        FIRST,
        replace(FIRST, study_id="s4", split="test", dataset="nih", findings=""),
    ]
    write_table(tmp_path / "shard-0.parquet", table(rows))
    write_text(tmp_path / "card.json", "{}")
    return tmp_path


def test_studies_know_their_encounter_prior_and_groups(folder):
    third, second = manifest_cases(folder, "test")
    assert (third.study, third.encounter) == ("s3", 3)
    assert third.prior.study_date == invented_date("s1"), "an order without dates: the prior is shown all the same"
    assert (second.study, second.encounter, second.patient) == ("s2", 2, "mimic/p")
    assert second.prior.study_date.isoformat() == "2180-01-01"
    assert second.groups == {"sex": "F", "age": "60 to 79", "race": "WHITE"}
    assert second.film(96).size == (96, 96)
    assert "Prior report: ⟦Findings: Clear.⟧" in second.prompt("reports").text


def test_a_split_without_reports_is_refused(folder):
    with pytest.raises(NoStudies, match="no reported studies of split test"):
        manifest_cases(folder, "test", ["nih"])
