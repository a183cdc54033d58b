"""Figures from judges: RadCliQ only of its three parts, absent metrics with their reason, never zero."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.rewards import misbehaving_judge as endpoint
from training.evaluate.metrics import BadMetricsFile, Judges, Measured, Setup, figures, read_setup
from training.rewards.batch import Sample

SAMPLES = [
    Sample("Findings: New left pleural effusion.", "Findings: New left pleural effusion. No edema.", has_prior=True),
    Sample("Findings: Left pleural effusion.", "Findings: Right pleural effusion has increased.", has_prior=True),
]


def columns(*values) -> np.ndarray:
    return np.array(values, float)


def test_findings_and_changes_are_counted_with_their_side():
    found = figures(SAMPLES, Measured())
    # Findings: TP 1 of said 2 and true 2. Changes: TP 1, said 1, true 2; one change is missing in the second report.
    assert found["findings_f1"].value == pytest.approx(2 / 4)
    assert found["change_f1"].value == pytest.approx(2 / 3)
    assert found["change_errors"].value == pytest.approx(0.5)
    assert found["length_ratio"].value == pytest.approx((5 + 4) / (7 + 6))


def test_radcliq_of_the_published_anchors():
    measured = Measured(
        values={"radgraph_combined": columns(1, 0), "bertscore": columns(1, 0), "sembscore": columns(1, 0)}
    )
    found = figures(SAMPLES, measured)
    assert found["radcliq_v1"].numerator == pytest.approx([-1.441, 2.450], abs=5e-4)
    assert found["inverse_radcliq_v1"].value == pytest.approx(1 / ((-1.441 + 2.450) / 2), abs=5e-3)


def test_radcliq_of_a_published_row():
    measured = Measured(values={"radgraph_combined": columns(0.3397, 0.3397), "bertscore": columns(0.5421, 0.5421),
                                "sembscore": columns(0.6355, 0.6355)})  # fmt: skip
    assert figures(SAMPLES, measured)["radcliq_v1"].value == pytest.approx(0.5, abs=1e-4)


def test_without_a_part_there_is_no_radcliq_but_a_reason():
    measured = Measured(values={"radgraph_combined": columns(1, 0), "bertscore": columns(1, 0)})
    assert not {"radcliq_v1", "inverse_radcliq_v1"} & set(figures(SAMPLES, measured))
    assert "absent here: sembscore" in measured.absent["inverse_radcliq_v1"]


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(Setup())


@pytest.mark.parametrize(
    ("report", "as_rexrank_writes"),
    [
        ("Impression: Left effusion.", "Findings: None Impression: Left effusion."),
        ("Findings: Left effusion.", "Findings: Left effusion. Impression: None"),
        ("Findings: Left effusion. Impression: Same.", "Findings: Left effusion. Impression: Same."),
    ],
)
def test_rexranks_word_for_a_missing_section_is_read_by_its_metrics_alone(judges, report: str, as_rexrank_writes: str):
    said = "Findings: Left effusion. Impression: Left effusion."
    found = judges.measure([Sample(said, report, has_prior=True)]).values
    other = judges.measure(
        [Sample(said, as_rexrank_writes, has_prior=True, asked="findings")]
    ).values  # as it is: of bare findings
    assert found["bleu_2"] == other["bleu_2"]
    assert judges.measure([Sample(report, report, has_prior=True)]).values["sentence_similarity"] == pytest.approx(1)


def test_judges_without_weights_are_absent_and_say_what_to_fetch(judges):
    for name in ("bertscore", "sembscore", "radgraph_combined", "ratescore", "green"):
        assert "No path is given" in judges.absent[name]
    assert "no judge is configured" in judges.absent["chexprompt_errors"]
    measured = judges.measure(SAMPLES)
    assert set(measured.values) >= {"bleu_2", "findings_errors"}
    assert not {"bertscore", "green"} & set(measured.values)


def test_rule_based_judges_give_reward_and_count(judges):
    found = figures(SAMPLES, judges.measure(SAMPLES))
    count, reward = found["findings_errors"].numerator, found["findings_errors_reward"].numerator
    assert reward == pytest.approx(1 / (1 + count))
    assert count[0] == 0 < count[1]


def test_a_judge_gives_reward_and_count_and_what_it_did_not_answer_is_missing(tmp_path):
    with endpoint.running() as server:
        server.script = [endpoint.answer(endpoint.counts("020000", "000010")), endpoint.status(400)]
        path = tmp_path / "metrics.toml"
        path.write_text(
            f'[rewards.options.chexprompt]\njudgements = "{tmp_path / "judgements.sqlite"}"\n'
            f'[rewards.options.chexprompt.judge]\nurl = "{server.url}"\nmodel = "{endpoint.MODEL}"\nconcurrency = 1\n'
        )
        found = figures(SAMPLES, Judges(read_setup(path)).measure(SAMPLES))
    assert found["chexprompt_errors"].value == 3
    assert found["chexprompt_errors"].judged.tolist() == [True, False]


def test_the_metrics_file(tmp_path):
    path = tmp_path / "metrics.toml"
    path.write_text('[rewards.weights]\ndistilroberta = "/w"\n[rewards.options.bertscore]\ndevice = "cuda"\n')
    assert read_setup(path) == Setup({"distilroberta": "/w"}, {"bertscore": {"device": "cuda"}})
    assert read_setup(None) == Setup()
    path.write_text("[rewards.option.x]\n")
    with pytest.raises(BadMetricsFile, match="unknown option"):
        read_setup(path)
    path.write_text("[")
    with pytest.raises(BadMetricsFile, match="not TOML"):
        read_setup(path)


def test_weights_that_are_not_there_make_the_metric_absent():
    assert "does not exist" in Judges(Setup({"distilroberta": "/nowhere"})).absent["bertscore"]
