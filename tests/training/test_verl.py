"""The verl recipe: its settings against the installed verl's own schema, its data, its rewards, its advantage."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.training import shrunken
from tests.training.rewards import misbehaving_judge as endpoint
from tests.training.rewards.misbehaving_judge import MODEL, answer, counts
from training.config import RUNS, BadRunConfig, Run, load_run
from training.rewards.batch import RewardUnusable, Sample
from training.verl import settings

RECIPE = Path(settings.__file__).parent / "recipe.yaml"
FILES = (("unirg-cxr-8b-rl-1", "rl-1"), ("unirg-cxr-8b-rl-2", "rl-2"))


def schema_folder() -> Path:
    """verl's configuration files, without importing verl (it wants a GPU machine's packages)."""
    found = importlib.util.find_spec("verl")
    if found is None or not found.submodule_search_locations:
        pytest.skip("verl is not installed")
    return Path(found.submodule_search_locations[0]) / "trainer" / "config"


@pytest.fixture(scope="module")
def composed():
    """verl's whole default configuration; no key may be added to it."""
    hydra = pytest.importorskip("hydra", reason="hydra-core is not installed")
    from omegaconf import OmegaConf

    with hydra.initialize_config_dir(str(schema_folder()), version_base=None):
        made = hydra.compose("ppo_trainer")
    OmegaConf.set_struct(made, value=True)
    return made


def whole(composed, run: Run, stage: str):
    """As Hydra puts it together: defaults, then the recipe, then the overrides."""
    from omegaconf import OmegaConf

    recipe = OmegaConf.load(RECIPE)
    assert recipe.pop("defaults") == ["ppo_trainer", "_self_"]
    assert recipe.pop("hydra").searchpath == ["pkg://verl.trainer.config"]
    made = OmegaConf.merge(composed, recipe)
    OmegaConf.set_struct(made, value=True)
    values = settings.overrides(run, stage, Path("/data"), nodes=4, gpus=8)
    for key, value in values.items():
        before = OmegaConf.select(made, key, throw_on_missing=False)
        assert before is None or isinstance(value, type(before)) or {type(before), type(value)} == {int, float}, key
        OmegaConf.update(made, key, value)
    return made


@pytest.mark.parametrize(("run_name", "stage"), FILES)
def test_every_setting_is_one_of_the_installed_verl(composed, run_name: str, stage: str):
    run = load_run(RUNS / f"{run_name}.toml")
    made = whole(composed, run, stage)
    actor, rollout = made.actor_rollout_ref.actor, made.actor_rollout_ref.rollout
    assert (made.data.train_batch_size, rollout.n, actor.optim.lr) == (256, 16, 5e-6)
    assert (actor.clip_ratio_low, actor.clip_ratio_high) == (0.2, 0.28)
    assert (actor.use_kl_loss, actor.kl_loss_coef) == ((False, 0.0) if stage == "rl-1" else (True, 0.03))
    assert made.actor_rollout_ref.model.path == f"checkpoints/unirg-cxr-8b-{'sft' if stage == 'rl-1' else 'rl-1'}"
    assert rollout.max_model_len >= made.data.max_prompt_length + made.data.max_response_length
    assert (made.trainer.nnodes, made.trainer.n_gpus_per_node) == (4, 8)
    assert made.data.train_batch_size % actor.ppo_mini_batch_size == 0
    assert (actor.optim.lr_scheduler_type, actor.optim.lr_warmup_steps) == ("constant", 10)
    assert (made.trainer.save_freq, made.trainer.max_actor_ckpt_to_keep) == (50, 3)
    told = settings.differs(run, stage)
    assert [one.split(":")[0] for one in told] == ["checkpoint.freeze_vision", "zero_variance drop"]


def test_other_choices_of_a_run_file_reach_verl(composed, tmp_path: Path):
    text = (RUNS / "unirg-cxr-8b-rl-1.toml").read_text().replace("lora_rank = 0", "lora_rank = 16")
    text = text.replace("gradient_checkpointing = true", "gradient_checkpointing = false")
    path = tmp_path / "run.toml"
    path.write_text(text.replace('zero_variance = "drop"', 'zero_variance = "keep"\nschedule = "cosine"'))
    run = load_run(path)
    made = whole(composed, run, "rl-1")
    model = made.actor_rollout_ref.model
    assert made.actor_rollout_ref.actor.optim.lr_scheduler_type == "cosine"
    assert (model.lora_rank, model.lora_alpha, model.enable_gradient_checkpointing) == (16, 32, False)
    assert re.fullmatch(model.exclude_modules, "model.visual.blocks.0.attn.qkv")
    assert not re.fullmatch(model.exclude_modules, "model.language_model.layers.0.self_attn.q_proj")
    assert settings.differs(run, "rl-1") == []


def test_an_unknown_setting_would_be_noticed(composed):
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    with pytest.raises(OmegaConfBaseException):
        OmegaConf.merge(composed, {"actor_rollout_ref": {"rollout": {"temprature": 1.0}}})


def test_overrides_are_printed_as_hydra_reads_them(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("hydra", reason="hydra-core is not installed")
    from hydra.core.override_parser.overrides_parser import OverridesParser

    settings.main([str(RUNS / "unirg-cxr-8b-rl-2.toml"), "rl-2", "/data/a b", "2", "8"])
    printed = capsys.readouterr()
    assert "rl-2: checkpoint.freeze_vision: verl 0.9 trains the vision tower" in printed.err
    lines = printed.out.splitlines()
    read = {one.key_or_group: one.value() for one in OverridesParser.create().parse_overrides(lines)}
    assert read["actor_rollout_ref.actor.kl_loss_coef"] == 0.03
    assert read["actor_rollout_ref.actor.use_kl_loss"] is True
    assert str(read["data.train_files"]) == "/data/a b/train.parquet"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('scale_rewards = "group"', 'scale_rewards = "batch"', "scale_rewards batch"),
        ('zero_variance = "drop"', 'zero_variance = "resample"', "resample"),
        ('zero_variance = "drop"', 'schedule = "linear"', "not linear"),
        ("lora_rank = 0", "lora_rank = 16\nlora_dropout = 0.05", "no dropout"),
        ("weight = 0.370", 'weight = 0.370\n  normalise = "group"', "one by one"),
    ],
)
def test_what_verl_cannot_do_is_refused(tmp_path: Path, old: str, new: str, message: str):
    path = tmp_path / "run.toml"
    path.write_text((RUNS / "unirg-cxr-8b-rl-1.toml").read_text().replace(old, new, 1))
    with pytest.raises(BadRunConfig, match=message):
        settings.stage_of(load_run(path), "rl-1")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from training.verl import prepare

    folder = tmp_path_factory.mktemp("verl")
    shrunken.manifest(folder / "manifest")
    run = shrunken.run_file("unirg-cxr-8b-rl-1", folder, prompts=4, epochs=1.0)
    prepare.main([str(run), "rl-1", str(folder / "data")])
    return folder / "data"


def test_prompts_of_one_and_two_films_in_verls_columns(prepared: Path):
    import pyarrow.parquet as pq
    from PIL import Image

    rows = pq.read_table(prepared / "train.parquet").to_pylist()
    assert len(rows) == 8
    assert {len(row["images"]) for row in rows} == {1, 2}
    for row in rows:
        told = row["prompt"][0]["content"]
        assert told.count("<image>") == len(row["images"])
        assert told.startswith("<image>")
        assert row["extra_info"]["has_prior"] == (len(row["images"]) == 2) == ("Prior frontal" in told)
        assert row["reward_model"]["ground_truth"].startswith(("Findings: ", "Impression: "))
        with Image.open(row["images"][-1]) as film:
            assert (film.size, film.mode) == ((64, 64), "RGB")
    assert pq.read_table(prepared / "validate.parquet").num_rows >= 1
    assert not list((prepared / "films").glob("*.part"))


def test_reward_function_judges_what_waits_as_one_batch_and_says_what_is_missing():
    from training.rewards.batch import scores
    from training.verl.reward import Desk

    sizes: list[int] = []

    def reward(batch):
        sizes.append(len(batch))
        found = [None if one.prediction == "unreadable" else 0.5 for one in batch]
        return scores(found, {"bertscore": found, "bertscore/inner": found})

    async def ask() -> list[dict[str, float]]:
        desk = Desk(reward)
        texts = ["Clear.", "unreadable", "Clear."]
        samples = [SimpleNamespace(prediction=text) for text in texts]
        return await asyncio.gather(*(desk.judge(one) for one in samples))

    made = asyncio.run(ask())
    assert sizes == [3]
    assert made[0] == {"score": 0.5, "bertscore": 0.5}
    assert np.isnan(made[1]["score"])


def test_rewards_of_the_run_file_reach_verl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from training.verl import reward

    rewards = (
        '  [[rl.rewards]]\n  name = "bleu2"\n  weight = 1.0\n  [[rl.rewards]]\n  name = "length"\n  weight = 0.5\n'
    )
    monkeypatch.setenv("UNIRG_RL_RUN", str(run_file_with(tmp_path, rewards)))
    monkeypatch.setenv("UNIRG_RL_STAGE", "rl-1")
    extra = {"has_prior": False, "prior_report": "", "asked": "findings", "study": "s1"}
    text = "Findings: The lungs are clear."
    reward._desk.cache_clear()
    made = asyncio.run(reward.compute_score("harbour", f" {text} ", text, extra, reward_router_address=None))
    assert made["bleu2"] == pytest.approx(1.0)
    assert made["score"] == pytest.approx(made["bleu2"] + 0.5 * made["length"])
    assert made["missing"] == 0
    reward._desk.cache_clear()


def run_file_with(folder: Path, rewards: str, rollouts: int = 16, prompts: int = 256) -> Path:
    head, _, _ = (RUNS / "unirg-cxr-8b-rl-1.toml").read_text().partition("  [[rl.rewards]]")
    head = head.replace("rollouts = 16", f"rollouts = {rollouts}").replace("prompts = 256", f"prompts = {prompts}")
    path = folder / "run.toml"
    path.write_text(head + rewards)
    return path


def judged_by(judge_url: str, folder: Path) -> str:
    return f"""
  [[rl.rewards]]
  name = "findings_f1"
  weight = 1.0
  [[rl.rewards]]
  name = "chexprompt"
  weight = 0.5
  options = {{ judgements = "{folder}/judgements", judge = {{ url = "{judge_url}", model = "{MODEL}", attempts = 1 }} }}
  [[rl.rewards]]
  name = "agreement"
  weight = 0.0
"""


def test_breaking_the_judge_neither_pays_nor_costs(tmp_path: Path):
    import torch

    from training.verl.advantage import group_advantages
    from training.verl.reward import reward_of

    truth = "Findings: Cardiomegaly. Small left pleural effusion."
    group = [Sample(f"Findings: Cardiomegaly. {end}", truth, has_prior=False) for end in ("Clear.", "Broken.", truth)]
    with endpoint.running() as server:
        reward = reward_of(run_file_with(tmp_path, judged_by(server.url, tmp_path)), "rl-1")
        scored = []
        for one, reply in zip(group, (counts("900000"), "I cannot say.", counts()), strict=True):
            server.script = [answer(reply)]
            scored += reward([one]).values.tolist()
    assert scored == pytest.approx([2 / 3 + 0.5 / 10, np.nan, 1 + 0.5], nan_ok=True)
    worse, broken, better = group_advantages(torch.tensor(scored), np.array(["a"] * 3), by_deviation=False).tolist()
    assert (worse, better) == pytest.approx((-better, better))
    assert broken == 0


def test_a_judge_that_is_down_ends_the_verl_run_after_as_many_completions_as_with_trl(tmp_path: Path):
    from training.verl.reward import reward_of

    rewards = judged_by("http://127.0.0.1:9/v1", tmp_path)
    reward = reward_of(run_file_with(tmp_path, rewards, rollouts=2, prompts=4), "rl-1")
    one = Sample("Findings: Clear.", "Findings: Clear lungs.", has_prior=False)
    for _ in range(7):  # one completion a step for each of eight workers
        assert reward([one]).missing.all()
    with pytest.raises(RewardUnusable, match="8 batches in a row"):
        reward([one])


def test_a_film_that_was_changed_is_rendered_anew(tmp_path: Path):
    from training.verl.prepare import film_file, render

    path = tmp_path / "film.png"
    for level in (40, 200):
        Image.new("L", (48, 64 + level), level).save(path)
        render(str(path), tmp_path, 32)
        assert film_file(str(path), tmp_path, 32).is_file()
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert film_file("phantom:1", tmp_path, 32) == film_file("phantom:1", tmp_path, 32)


def test_a_missing_reward_moves_nothing_and_does_not_count_in_its_group():
    import torch

    from training.verl.advantage import grpo_missing

    scored = torch.tensor([0.2, 0.4, torch.nan, 0.6, torch.nan, 0.9, 0.5, 0.5])
    rewards = torch.zeros(8, 3)
    rewards[:, 1] = scored
    mask = torch.tensor([[1.0, 1.0, 0.0]] * 8)
    groups = np.array(["a"] * 4 + ["b"] * 2 + ["c"] * 2)
    plain, _ = grpo_missing(rewards, mask, groups, SimpleNamespace(norm_adv_by_std_in_grpo=False))
    assert plain[:, 0].tolist() == pytest.approx([-0.2, 0, 0, 0.2, 0, 0, 0, 0])
    assert plain[:, 2].abs().sum() == 0
    scaled, _ = grpo_missing(rewards, mask, groups, SimpleNamespace(norm_adv_by_std_in_grpo=True))
    assert scaled[:4, 0].tolist() == pytest.approx([-1, 0, 0, 1], abs=1e-4)


def test_launch_script_says_how_to_use_it():
    import subprocess

    done = subprocess.run([RECIPE.parent / "launch.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "RUN.toml STAGE DATA NODES GPUS_PER_NODE" in done.stderr
