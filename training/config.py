"""Frozen run configuration: one TOML file is one experiment. Imports no torch, so every file is checked in CI.

A run takes its studies from phantoms ([data]) or from a prepared manifest ([manifest]), and its network from a table of
sizes ([architecture], trained from nothing) or from a local folder ([checkpoint]). pydantic checks the file strictly:
unknown keys, wrong types and values out of range are refused by name.
"""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

RUNS = Path(__file__).parent / "runs"
_STRICT = ConfigDict(extra="forbid", strict=True)

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
PriorWords = Literal["own", "any"]
"""A phantom prior's report in training is in its site's own words, or in any (training/phantom/hands.py)."""


class BadRunConfig(ValueError):
    """The TOML file has a missing, unknown or wrong key; the message names file and key."""


@dataclass(frozen=True, config=_STRICT)
class Data:
    """Phantom studies by seed; `heldout_*` seeds are never trained or tuned on.

    sites: names of training/phantom/sites.py, in turn over the studies; none: films and case mix without a site.
    unseen_site: evaluated only. rl_singles, rl_pairs: further studies, behind the others, that only RL asks about (of
    what SFT has learned by heart every rollout is right, and nothing is left to choose between); 0: about the others.
    """

    single_seed: Seed
    singles: Count
    pair_seed: Seed
    pairs: Count
    validation_seed: Seed
    validation: Count
    heldout_seed: Seed
    heldout_singles: Count
    heldout_pairs: Count
    prior_report_rate: Share
    sites: tuple[str, ...] = ()
    unseen_site: str = ""
    rl_singles: Annotated[int, Field(ge=0)] = 0
    rl_pairs: Annotated[int, Field(ge=0)] = 0

    def of_sft(self, *, with_prior: bool) -> range:
        """Indices of the studies that the vision tower and SFT learn from."""
        return range(self.pairs if with_prior else self.singles)

    def of_rl(self, *, with_prior: bool) -> range:
        """Indices of the studies that RL asks about."""
        first = self.pairs if with_prior else self.singles
        more = self.rl_pairs if with_prior else self.rl_singles
        return range(first, first + more) if more else range(first)

    def rendered(self, *, with_prior: bool) -> int:
        """How many studies of a kind there are in all."""
        return self.pairs + self.rl_pairs if with_prior else self.singles + self.rl_singles


@dataclass(frozen=True, config=_STRICT)
class Manifest:
    """Studies of a manifest made by training/datasets; paths are local, relative ones to the working directory.

    datasets: names of its `dataset` column to train on, all where empty. prior_report_rate: how often the prior's
    report is given beside its film.
    """

    path: str
    image_root: str
    image_size: Count
    datasets: tuple[str, ...] = ()
    validation: Annotated[int, Field(ge=0)] = 0
    prior_report_rate: Share = 1.0


@dataclass(frozen=True, config=_STRICT)
class Architecture:
    """Sizes of the Qwen3-VL network and of its own tokenizer."""

    image_size: Count
    patch: Count
    vision_hidden: Count
    vision_depth: Count
    text_hidden: Count
    text_layers: Count
    vocabulary: Count
    max_positions: Count


@dataclass(frozen=True, config=_STRICT)
class Checkpoint:
    """A local folder in Hugging Face layout, and how it is trained. lora_rank 0: all weights."""

    path: str
    dtype: Literal["float32", "bfloat16"] = "bfloat16"
    freeze_vision: bool = False
    gradient_checkpointing: bool = True
    lora_rank: Annotated[int, Field(ge=0)] = 0
    lora_alpha: Annotated[int, Field(ge=0)] = 0
    lora_dropout: Share = 0.0


@dataclass(frozen=True, config=_STRICT)
class VisionStage:
    """Supervised pretraining of the vision tower on the labels."""

    steps: Count
    batch: Count
    learning_rate: Rate
    warmup: Seed
    weight_decay: Rate


@dataclass(frozen=True, config=_STRICT)
class SftStage:
    """One run of training/sft.py on phantoms; `pair_share` of the rows are current + prior, the others are of tasks.

    steps: of the learning-rate schedule; stop: where training ends, at most `steps`. save_every: steps
    between the checkpoints that a killed run continues from.
    """

    name: str
    steps: Count
    stop: Count
    batch: Count
    learning_rate: Rate
    vision_learning_rate: Rate
    vision_wait: Share
    warmup: Seed
    pair_share: Share
    list_share: Share
    findings_share: Share
    changes_share: Share
    prior_words: PriorWords = "own"
    save_every: Count = 400


@dataclass(frozen=True, config=_STRICT)
class SftEpochs:
    """One fine-tuning over a manifest; `batch` counts studies per optimiser step over all processes."""

    name: str
    epochs: Annotated[float, Field(gt=0)]
    batch: Count
    micro_batch: Count
    learning_rate: Rate
    warmup_ratio: Share
    weight_decay: Rate
    max_length: Count
    save_every: Count = 500


@dataclass(frozen=True, config=_STRICT)
class RewardTerm:
    """One reward of training/rewards/catalogue.py. normalise "group": z-scored among the rollouts of its prompt."""

    name: str
    weight: float
    normalise: Literal["none", "group"] = "none"
    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class StopRules:
    """Limits of training/stop_rules.py, over the mean of the last `window` steps; 0 as a limit never stops.

    length_ratio: generated over reference words. no_finding_excess and duplicate_excess: how far the share of outputs
    may lie above that of the references. entropy: nats per token. kl: to the reference policy, nats per token.
    """

    window: Count = 10
    min_length_ratio: Rate = 0.6
    max_length_ratio: Rate = 1.6
    max_no_finding_excess: Share = 0.25
    max_duplicate_excess: Share = 0.35
    min_entropy: Rate = 0.002
    max_kl: Rate = 0.5


@dataclass(frozen=True, config=_STRICT)
class RlStage:
    """One run of training/rl.py. Exactly one of `steps` and `epochs` is above 0.

    prompts: per optimiser step over all processes, of `rollouts` completions each; micro_batch: completions per
    backward pass and process. beta: weight of the KL to the policy this stage starts from. warmup: steps. schedule: of
    the learning rate after them, to zero at the last step unless constant.
    abnormal_share: of the prompts whose film shows something. pair_share, findings_share: of prompts with a prior film,
    of the findings-only template. prior_dropout: share of the pairs shown without their prior; of a manifest, of those
    whose reference does not compare. oversample: prompts generated per prompt kept, where zero_variance is "resample".
    vllm_url: a running `trl vllm-serve`; "": transformers generates. save_every: steps between checkpoints, of which
    the last keep_checkpoints stay: one from before the stop rules' window must be among them.
    """

    name: str
    prompts: Count
    rollouts: Annotated[int, Field(ge=2)]
    micro_batch: Count
    learning_rate: Rate
    max_new_tokens: Count
    rewards: Annotated[tuple[RewardTerm, ...], Field(min_length=1)]
    steps: Annotated[int, Field(ge=0)] = 0
    epochs: Rate = 0.0
    warmup: Seed = 0
    schedule: Literal["constant_with_warmup", "linear", "cosine"] = "constant_with_warmup"
    weight_decay: Rate = 0.0
    temperature: Annotated[float, Field(gt=0)] = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    epsilon: Rate = 0.2
    epsilon_high: Rate = 0.28
    beta: Rate = 0.0
    iterations: Count = 1
    loss: Literal["dapo", "dr_grpo", "grpo", "bnpo"] = "dapo"
    scale_rewards: Literal["group", "batch", "none"] = "group"
    zero_variance: Literal["keep", "drop", "resample"] = "drop"
    oversample: Annotated[int, Field(ge=2)] = 2
    abnormal_share: Share = 0.85
    pair_share: Share = 0.5
    findings_share: Share = 0.1
    prior_dropout: Share = 0.0
    prior_words: PriorWords = "own"
    vllm_url: str = ""
    save_every: Count = 10
    keep_checkpoints: Count = 3
    stop: StopRules = StopRules()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.steps > 0) == (self.epochs > 0):
            raise ValueError("give steps or epochs, one of them above 0")
        if self.prompts * self.rollouts % self.micro_batch:
            raise ValueError(f"micro_batch {self.micro_batch} must divide {self.prompts} x {self.rollouts} rollouts")
        can_stop = self.epochs > 0 or self.steps >= self.stop.window
        if can_stop and self.stop.window > self.save_every * (self.keep_checkpoints - 1):
            raise ValueError(
                f"stop.window {self.stop.window} reaches behind the oldest of {self.keep_checkpoints} checkpoints, one "
                f"every {self.save_every} steps, so a broken stop rule would lead back to the stage's start: "
                f"keep_checkpoints must be {math.ceil(self.stop.window / self.save_every) + 1} or more"
            )
        return self


@dataclass(frozen=True, config=_STRICT)
class Run:
    """Everything that decides the resulting weights, except the versions of the libraries.

    data, architecture and vision: a network trained from nothing on phantoms. manifest and checkpoint: real studies, a
    network that exists. [[sft]] is SftStage with `data`, SftEpochs with `manifest`.
    """

    name: str
    seed: Seed
    sft: tuple[SftStage | SftEpochs, ...] = ()
    rl: tuple[RlStage, ...] = ()
    data: Data | None = None
    manifest: Manifest | None = None
    architecture: Architecture | None = None
    checkpoint: Checkpoint | None = None
    vision: VisionStage | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.data is None) == (self.manifest is None):
            raise ValueError("give [data] (phantoms) or [manifest] (prepared studies), one of them")
        if (self.architecture is None) == (self.checkpoint is None):
            raise ValueError("give [architecture] (from nothing) or [checkpoint] (a local folder), one of them")
        if (self.architecture is None) != (self.vision is None):
            raise ValueError("[vision] belongs to [architecture]: a network made from nothing first learns to see")
        kind = SftStage if self.data else SftEpochs
        if not all(isinstance(stage, kind) for stage in self.sft):
            raise ValueError(f"[[sft]] of this run must have the keys of {kind.__name__}")
        return self

    @property
    def phantoms(self) -> Data:
        """[data]. Raises BadRunConfig in a run on a manifest."""
        if self.data is None:
            raise BadRunConfig(f"{self.name}: this command needs phantom [data], the run has a [manifest]")
        return self.data

    @property
    def sizes(self) -> Architecture:
        """[architecture]. Raises BadRunConfig in a run on a checkpoint."""
        if self.architecture is None:
            raise BadRunConfig(f"{self.name}: this command needs an [architecture], the run starts from a [checkpoint]")
        return self.architecture

    @property
    def seeing(self) -> VisionStage:
        """[vision]. Raises BadRunConfig in a run on a checkpoint."""
        if self.vision is None:
            raise BadRunConfig(f"{self.name}: this command needs [vision], the run starts from a [checkpoint]")
        return self.vision


_RUN = TypeAdapter(Run)


def _told(error: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in ("SftStage", "SftEpochs"))
    return f"{place or 'file'}: {error['msg']}"


def load_run(path: Path) -> Run:
    """Read training/runs/*.toml. Raises BadRunConfig, or OSError where the file cannot be read."""
    try:
        raw = tomllib.loads(path.read_text())
        return _RUN.validate_json(json.dumps(raw))
    except tomllib.TOMLDecodeError as error:
        raise BadRunConfig(f"{path.name} is not TOML: {error}") from error
    except ValidationError as error:
        raise BadRunConfig(f"{path.name}: " + "; ".join(_told(dict(one)) for one in error.errors())) from error
