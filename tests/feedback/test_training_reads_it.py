"""From a signed report over the export into manifest rows and preference pairs: nothing is lost or made up."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from app.db.session import unit_of_work
from app.db.tables import Draft, Instance
from app.feedback.pictures import Pictures
from model.manifest import CHECKPOINTS
from tests.feedback import signed as made
from training.datasets import feedback
from training.datasets.problems import BadSource
from training.datasets.source import Source


@pytest.fixture
def exported(house, export, pixels):
    """An export with pictures of an edited report with a prior, and of one that was signed as drafted."""
    reader = house.reader("ada")
    kept = [*made.decisions([text for _, text, _, _ in made.DRAFT])]
    kept = [{**row, "decision": "accepted"} for row in kept]
    as_drafted = {
        "findings": " ".join(text for section, text, _, _ in made.DRAFT if section == "findings"),
        "impression": made.IMPRESSION,
        "sentences": kept,
    }
    edited, _, _ = made.signed(house, reader)
    made.signed(house, reader, text=as_drafted, patient_id="OTHER-22")
    with house.database.reading() as session:
        key = session.scalars(sa.select(Instance.object_key).where(Instance.study_id == edited.id)).one()
    digest = pixels.model_image(house.store.path(key), 64).sha256
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.execute(sa.update(Draft).values(image_digests=[digest, digest]))
    return export(pictures=Pictures(house.store, pixels, lambda _name: 64))[0]


def outcomes(folder, **options):
    source = Source("feedback", folder, options)
    return [feedback.read(record, source) for record in feedback.plan(source).records]


def test_rows_hold_the_signed_text_without_marks_and_without_the_services_words(exported):
    read = {outcome.problems[0].reason: outcome.row for outcome in outcomes(exported)}
    # of the edited report the only sentence about the effusion names somebody
    assert read.keys() == {"sentences left out", feedback.UNTAUGHT}
    assert read[feedback.UNTAUGHT] is None
    row = read["sentences left out"]
    assert row.findings == "The heart is enlarged. Small left pleural effusion. No pneumothorax."
    assert (row.impression, row.sections, row.sex, row.age) == ("Cardiomegaly.", "both", "F", 90.0)
    assert row.dataset.startswith("feedback/site-")
    assert row.image == row.prior_image == row.image_paths[0]
    assert row.prior_date.startswith("21")
    assert "lungs clear on ..." in row.prior_report
    assert row.order_key == ""


def test_preferences_are_in_trls_format(exported):
    pairs, problems = feedback.preferences(Source("feedback", exported))
    assert [problem.reason for problem in problems] == ["signed as it was drafted"]
    [pair] = pairs
    assert pair.chosen == "Findings: The heart is enlarged. Impression: Cardiomegaly."
    assert pair.rejected == "Findings: The heart is enlarged. No pneumothorax. Impression: Cardiomegaly."
    assert pair.changed == pytest.approx(3 / 6)
    dataset = feedback.preference_dataset(pairs)
    trl = pytest.importorskip("trl.data_utils", reason="TRL is not installed; make setup")
    assert trl.is_conversational(dataset[0])
    assert dataset[0]["images"][0].size == (64, 64)
    assert dataset[0]["prompt"][0]["content"].startswith("This is a radiology report generation task.")
    told = decoded_by_trls_collator(dataset[0])
    assert told[0].endswith(f"assistant\n{pair.chosen}")
    assert told[1].endswith(f"assistant\n{pair.rejected}")


def decoded_by_trls_collator(row):
    """The chosen and the rejected sequence as DPOTrainer would train on them, with the nano checkpoint's processor."""
    from transformers import AutoProcessor
    from trl.trainer.dpo_trainer import DataCollatorForVisionPreference

    processor = AutoProcessor.from_pretrained(CHECKPOINTS / "unirg-cxr-nano")
    batch = DataCollatorForVisionPreference(processor)([row])
    assert len(batch["pixel_values"]) > 0
    texts = processor.tokenizer.batch_decode(batch["input_ids"])
    return [text.replace("<|endoftext|>", "").replace("<|im_end|>", "\n").strip() for text in texts]


def test_prepare_makes_a_manifest_of_it(exported, tmp_path):
    from training.datasets.manifest import read_table
    from training.datasets.prepare import job_of, prepare

    out = tmp_path / "manifest"
    prepare(job_of({"dataset": "feedback", "path": str(exported), "out": str(out)}))
    [row] = read_table(out).to_pylist()  # the other report would teach to miss an effusion
    assert row["dataset"].startswith("feedback/site-")
    assert row["prior_image"] == row["image"]


def changed(folder, tmp_path, **values):
    lines = (folder / "feedback.jsonl").read_text().splitlines()
    copy = tmp_path / "changed"
    (copy / "images").mkdir(parents=True)
    text = "".join(json.dumps({**json.loads(line), **values}) + "\n" for line in lines)
    (copy / "feedback.jsonl").write_text(text)
    return copy


def test_a_report_with_an_addendum_is_taught_only_when_asked_for(exported, tmp_path):
    folder = changed(exported, tmp_path, status="appended", addenda=["The effusion is on the right."])
    assert [outcome.row for outcome in outcomes(folder)] == [None, None]
    assert {outcome.problems[0].reason for outcome in outcomes(folder)} == {"has an addendum, which may correct it"}
    kept = outcomes(folder, addenda="as_signed", images=str(exported / "images"))
    assert ["right" in outcome.row.findings for outcome in kept if outcome.row] == [False]


def test_a_missing_film_is_said(exported, tmp_path):
    folder = changed(exported, tmp_path)
    assert {o.problems[-1].reason for o in outcomes(folder)} == {"no readable image", feedback.UNTAUGHT}
    folder.joinpath("feedback.jsonl").write_text("{}\nnonsense\n")
    assert [p.reason for p in feedback.plan(Source("feedback", folder)).problems] == ["unreadable entry"] * 2
    with pytest.raises(BadSource, match="unirg feedback export"):
        feedback.plan(Source("feedback", tmp_path))


def test_both_sides_know_the_same_marks():
    from app.feedback import scrubbing

    assert feedback.MARKS == scrubbing.MARKS
