"""Nothing that was read or written by a model becomes markup."""

from __future__ import annotations

from PIL import Image

from training.evaluate.cases import Draft, StudyCase
from training.evaluate.drafting import Drafted
from training.evaluate.examples import examples
from training.evaluate.metrics import Measured
from training.evaluate.page import render
from training.evaluate.run import Plan, judge_arms

EVIL = "<img src=x onerror=alert(1)>&\"'</svg><script>alert(2)</script>$x$"


class NoJudges:
    def measure(self, samples):  # noqa: ARG002 - the signature of Judges
        return Measured(absent={"green": EVIL})


def picture(size: int) -> Image.Image:
    return Image.new("L", (size, size), 80)


def lost(size: int) -> Image.Image:
    raise FileNotFoundError(EVIL)


def outcome(tmp_path, count=4):
    cases = [
        StudyCase(f"{EVIL}{k}", f"p{k}", EVIL, lost if k == 0 else picture, f"Left effusion. {EVIL}", EVIL,
                  groups={"race": EVIL})
        for k in range(count)
    ]  # fmt: skip
    drafts = {case.study: Draft(f"Findings: {EVIL} Left pleural effusion.") for case in cases}
    plan = Plan({"name": EVIL, "weights": EVIL}, EVIL, "reports", tmp_path, draws=20)
    return judge_arms(plan, {"main": (cases, Drafted(drafts, {EVIL: EVIL}))}, NoJudges())


def test_hostile_text_stays_text(tmp_path):
    found = outcome(tmp_path)
    page = render(found.results, examples(found.results, found.cases, seed=0))
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "onerror=alert(1)&gt;" in page
    assert page.count("<svg") == page.count("</svg>")


def test_worst_best_and_random_are_different_studies(tmp_path):
    found = outcome(tmp_path, count=12)
    shown = examples(found.results, found.cases, seed=0)
    assert [one.kind for one in shown] == ["worst"] * 3 + ["best"] * 3 + ["random"] * 3
    assert len({one.study for one in shown}) == 9
    assert [one.films for one in shown if one.study == f"{EVIL}0"] in ([()], [])
