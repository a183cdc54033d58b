"""The page of a run: plots from its figures, and why it ended."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed; make setup")

from training.monitoring import Progress
from training.run_report import main, page, write

ROWS = [
    {"step": i, "reward/composite": i / 10, "reward/bleu2": 0.3, "entropy": 1 / i, "recall/edema": 0.5}
    for i in range(1, 6)
]


def test_the_page_stands_alone_and_plots_what_is_there(tmp_path):
    progress = Progress(tmp_path)
    for row in ROWS:
        progress.add(row["step"], {k: v for k, v in row.items() if k != "step"})
    (tmp_path / "result.json").write_text(json.dumps({"stage": "step1", "steps": 5, "stopped": None}))
    text = write(tmp_path, "A run").read_text()
    assert text.count("<svg") == 4
    assert "step1" in text
    assert "src=" not in text
    assert "Stopped" not in text


def test_a_stopped_run_says_why_and_markup_is_inert():
    stopped = {"rule": "no finding", "reason": "<b>0.9</b> of the outputs", "weights_of": "checkpoint-20"}
    text = page(ROWS, {"stopped": stopped}, "<script>")
    assert "Stopped: no finding." in text
    assert "<script>" not in text
    assert "<b>0.9</b>" not in text
    assert "checkpoint-20" in text


def test_a_run_under_way_has_a_page(tmp_path, capsys):
    Progress(tmp_path).add(1, {"entropy": 0.5})
    main([str(tmp_path), "Under way"])
    assert "report.html" in capsys.readouterr().out
