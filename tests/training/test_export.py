"""What leaves training: whole, named as Hugging Face names it, measured as these bytes, and better where it says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.manifest import CHECKPOINTS, WeightsDiffer, load_checkpoint
from training.config import RUNS, load_run

pytest.importorskip("trl", reason="TRL is not installed; make setup")

from training import export
from training.export_card import phantom_results
from training.export_checks import BadExport, check_candidate
from training.export_decision import decide, require_held_out

NANO = CHECKPOINTS / "unirg-cxr-nano"
RUN = RUNS / "nano-first.toml"
SOURCE = "12 phantom studies of each of A, seed 90000"
RULE_FIGURES = ("findings_errors_reward", "findings_f1", "change_f1")


def results(weights, level=0.5, source=SOURCE, **levels):
    """As training.evaluate writes them, of 40 studies whose scores lie around a level."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.02, 40)
    studies = [
        {
            "study": f"s{i}", "patient": f"p{i}", "site": "A", "reference": "Findings: x.",
            "scores": {name: [levels.get(name, level) + noise[i], 1.0] for name in RULE_FIGURES},
        }
        for i in range(40)
    ]  # fmt: skip
    figures = {
        name: {"value": level, "low": level - 0.01, "high": level + 0.01, "n": 40, "patients": 40}
        for name in RULE_FIGURES
    }
    return {
        "format": "unirg-evaluation-1", "system": {"name": "x", "weights": weights}, "figures": figures,
        "data": {"source": source, "split": "reports", "studies": 40, "asked": 41, "not_drafted": {"s40": "film"}},
        "absent": {"green": "no weights"}, "labels": {}, "studies": studies,
    }  # fmt: skip


def written(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    out = tmp_path_factory.mktemp("candidate") / "nano"
    export.prepare(NANO, out, "unirg-cxr-nano", export.Served.like("unirg-cxr-nano"))
    return out


@pytest.fixture
def candidate(prepared, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(prepared, tmp_path / "candidate")


@pytest.fixture
def told():
    notes = Path(export.__file__).parent / "card_nano.md"
    return export.Told(RUN, notes, ("python -m training.train_nano",), ())


def test_a_candidate_is_what_was_trained_and_what_the_service_loads(prepared):
    checkpoint, nano = load_checkpoint(prepared), load_checkpoint(NANO)
    assert checkpoint.weights_digest() == nano.weights_digest()
    assert set(checkpoint.manifest.decoding.suppressed_token_ids) == set(nano.manifest.decoding.suppressed_token_ids)
    assert checkpoint.manifest.limits == nano.manifest.limits


def test_changed_weights_are_refused(candidate):
    path = candidate / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsDiffer):
        check_candidate(candidate)


def test_names_of_a_wrapped_model_are_refused(candidate):
    from safetensors.torch import load_file, save_file

    path = candidate / "model.safetensors"
    save_file({f"module.{name}": tensor for name, tensor in load_file(path).items()}, path)
    with pytest.raises(BadExport, match="unwrap"):
        check_candidate(candidate)


def spoil(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_another_tokenizer_is_refused(candidate):
    spoil(candidate / "config.json", image_token_id=3)
    manifest = candidate / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("suppressed_token_ids = [", "suppressed_token_ids = [3, "))
    with pytest.raises(BadExport, match=r"image_token_id is 3 in config\.json"):
        check_candidate(candidate)


def test_another_image_size_is_refused(candidate):
    manifest = candidate / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("image_size = 128", "image_size = 512"))
    with pytest.raises(BadExport, match="a film of 512 px becomes a grid of 8 x 8 patches, not 32 x 32"):
        check_candidate(candidate)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("adapter_config.json",), "--base"),
        (("config.json", "pytorch_model_fsdp.bin"), "gathered"),
        (("model.safetensors",), "lacks config.json"),
    ],
)
def test_what_is_no_whole_model_is_refused_with_advice(tmp_path, names, wanted):
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(BadExport, match=wanted):
        export.write_weights(tmp_path, tmp_path / "out")


def test_weights_that_do_not_fit_their_configuration_are_refused(candidate, tmp_path):
    (candidate / "manifest.toml").unlink()
    config = json.loads((candidate / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] += 1
    if "layer_types" in config["text_config"]:
        config["text_config"]["layer_types"].append(config["text_config"]["layer_types"][-1])
    (candidate / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadExport, match="missing keys"):
        export.write_weights(candidate, tmp_path / "out")


def test_an_adapter_is_merged_into_its_base(prepared, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    base = AutoModelForImageTextToText.from_pretrained(prepared, dtype=torch.float32)
    wrapped = get_peft_model(base, LoraConfig(r=2, target_modules="all-linear"))
    with torch.no_grad():
        for name, tensor in wrapped.named_parameters():
            if "lora_B" in name:
                tensor.fill_(0.05)
    wrapped.save_pretrained(tmp_path / "adapter")
    out = tmp_path / "merged"
    export.prepare(tmp_path / "adapter", out, "merged", export.Served.like("unirg-cxr-nano"), base=prepared)
    assert load_checkpoint(out).weights_digest() != load_checkpoint(prepared).weights_digest()


def test_publish_writes_everything_that_a_reader_asks_for(candidate, told, tmp_path):
    digest, work = load_checkpoint(candidate).weights_digest(), tmp_path / "work"
    written(work / "sft.done", {"wall_seconds": 12})
    measured = written(tmp_path / "r" / "results.json", results(digest))
    told = export.Told(told.run_file, told.notes, told.commands, (work,))
    out = tmp_path / "out" / "unirg-cxr-nano"
    out.parent.mkdir()
    assert export.publish(candidate, measured, told, out) is None
    assert load_checkpoint(out).weights_digest() == digest
    card = (out / "CARD.md").read_text()
    for words in (
        *("python -m training.train_nano", "sft 12 s", SOURCE, "not a medical", "not computed: no weights"),
        *("1 of 41 held-out studies", "transformers 5", "## Known failures", "Seed 20261122", "4,067,968"),
    ):
        assert words in card, words
    kept = json.loads((out / "evaluation.json").read_text())
    assert "studies" not in kept
    assert len(kept["results_sha256"]) == 64
    assert (out / "run.toml").read_bytes() == RUN.read_bytes()


def test_figures_of_other_weights_are_refused(candidate, told, tmp_path):
    measured = written(tmp_path / "results.json", results("0" * 64))
    with pytest.raises(BadExport, match="the evaluation is of weights 000000000000"):
        export.publish(candidate, measured, told, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("source", ["9 phantom studies of each of A, seed 98", "train part of the manifest mimic"])
def test_figures_of_studies_that_training_saw_are_refused(source):
    with pytest.raises(BadExport, match="held-out"):
        require_held_out(results("0" * 64, source=source), load_run(RUN))


def test_only_a_better_one_is_exported_and_the_reason_is_kept(candidate, told, tmp_path, capsys):
    digest = load_checkpoint(candidate).weights_digest()
    measured = written(tmp_path / "rl" / "results.json", results(digest, 0.5))
    out = tmp_path / "out"
    shutil.copytree(candidate, out)
    better = written(tmp_path / "sft" / "results.json", results("1" * 64, 0.6))
    verdict = export.publish(candidate, measured, told, out, better)
    assert verdict is not None
    assert not verdict.better
    assert "not better: findings_errors_reward -0.1000" in capsys.readouterr().out
    assert json.loads((measured.parent / "decision.json").read_text())["better"] is False
    assert {path.name for path in out.iterdir()}.isdisjoint({"CARD.md", "decision.json"}), "it stays as it is"
    worse = written(tmp_path / "old" / "results.json", results("2" * 64, 0.4))
    verdict = export.publish(candidate, measured, told, out, worse)
    assert verdict is not None
    assert verdict.better
    assert json.loads((out / "decision.json").read_text())["baseline"] == "2" * 64
    assert "## Why this one\n\nBetter: findings_errors_reward +0.1000" in (out / "CARD.md").read_text()


@pytest.fixture
def decided(candidate, told, tmp_path):
    """A served folder whose weights went out by a decision."""
    measured = written(tmp_path / "new" / "results.json", results(load_checkpoint(candidate).weights_digest()))
    out = tmp_path / "served"
    export.publish(candidate, measured, told, out, written(tmp_path / "old.json", results("2" * 64, 0.4)))
    return out


def test_weights_keep_the_decision_they_came_by(decided, prepared, told, tmp_path):
    decision = (decided / "decision.json").read_bytes()
    measured = written(tmp_path / "again" / "results.json", results(load_checkpoint(prepared).weights_digest(), 0.7))
    again = shutil.copytree(prepared, tmp_path / "again" / "candidate")
    export.publish(again, measured, told, decided)
    assert (decided / "decision.json").read_bytes() == decision
    assert "against weights 222222222222" in (decided / "CARD.md").read_text()


def test_other_weights_take_no_decision_over(decided, told, tmp_path):
    from safetensors.torch import load_file, save_file

    trained = shutil.copytree(NANO, tmp_path / "trained")
    (trained / "manifest.toml").unlink()
    tensors = load_file(trained / "model.safetensors")
    save_file({name: tensor * 0.5 for name, tensor in tensors.items()}, trained / "model.safetensors", {"format": "pt"})
    other = tmp_path / "other"
    export.prepare(trained, other, "unirg-cxr-nano", export.Served.like("unirg-cxr-nano"))
    shutil.copy(decided / "decision.json", other)  # as an export into the same candidate folder left it
    digest = load_checkpoint(other).weights_digest()
    assert export.publish(other, written(tmp_path / "o" / "results.json", results(digest)), told, decided) is None
    assert load_checkpoint(decided).weights_digest() == digest
    assert not (decided / "decision.json").exists()
    assert "## Why this one" not in (decided / "CARD.md").read_text()


def test_an_export_that_fails_before_its_end_leaves_what_is_served(decided, tmp_path):
    before = {path.name: path.read_bytes() for path in decided.iterdir()}
    run = load_run(RUN)
    unknown = replace(run, data=replace(run.data, sites=("nowhere",)))  # the weights are written, no film can be drawn
    with pytest.raises(KeyError, match="nowhere"):
        export.export(unknown, RUN, tmp_path, NANO, decided)
    assert load_checkpoint(tmp_path / "candidate").weights_digest()
    assert {path.name: path.read_bytes() for path in decided.iterdir()} == before


def test_what_a_kill_between_two_renamings_left_is_put_back(decided, candidate, told, tmp_path):
    decision = (decided / "decision.json").read_bytes()
    decided.rename(decided.with_name(".served.old"))
    measured = written(tmp_path / "r" / "results.json", results(load_checkpoint(candidate).weights_digest()))
    export.publish(candidate, measured, told, decided)
    assert load_checkpoint(decided).weights_digest()
    assert (decided / "decision.json").read_bytes() == decision, "the same weights keep what was put back"
    assert {path.name for path in tmp_path.glob(".served*")} == set()


def test_the_card_in_the_repository_says_why_these_weights():
    decision = json.loads((NANO / "decision.json").read_text())
    assert decision["candidate"] == load_checkpoint(NANO).weights_digest()
    told = (NANO / "CARD.md").read_text().split("## Why this one")[1]
    assert decision["reason"].removeprefix("better: ") in told
    assert f"against weights {decision['baseline'][:12]}" in told


def test_equal_is_not_better_and_one_bad_figure_is_enough():
    even = decide(results("a"), results("b"))
    assert (even.better, even.reason.startswith("not better")) == (False, True)
    traded = decide(results("a", 0.6, change_f1=0.3), results("b"))
    assert not traded.better
    assert "change_f1 -0.2000" in traded.reason
    assert decide(results("a", 0.6, change_f1=0.5), results("b")).better


def test_what_cannot_be_compared_is_refused():
    short = results("b")
    short["studies"] = short["studies"][:-1]
    other = results("b", source="12 phantom studies of each of B, seed 90000")
    for baseline in (short, other):
        with pytest.raises(BadExport):
            decide(results("a"), baseline)
    with pytest.raises(BadExport, match="the results lack green"):
        decide(results("a"), results("b"), ("green",))


def test_phantom_figures_become_rows():
    part = {"studies": 4, "findings_micro_f1": 0.9}
    made = phantom_results(
        {
            "heldout_seed": 7,
            "all": part,
            "swapped": {**part, "studies": 0},
            "with_prior": {**part, "change_macro_f1": 0.5},
            "wall_seconds": 1,
        }
    )
    assert made["data"]["studies"] == 4
    assert set(made["figures"]) == {
        "findings_micro_f1, all", "findings_micro_f1, with prior", "change_macro_f1, with prior",
    }  # fmt: skip
