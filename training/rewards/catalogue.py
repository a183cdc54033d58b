"""Rewards by the names that TOML files use. A module is imported when its reward is asked for, no sooner.

Options are the keyword arguments of the reward; four more belong to every simple reward:
    workers = 4, chunk = 16        share batches out over processes (parallel.py)
    cache = "rewards.sqlite", cache_version = "judge-2026-01/prompt-3"   keep judgements (cache.py)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from training.rewards import compositions
from training.rewards.batch import Reward
from training.rewards.cache import Cached, Store
from training.rewards.mix import Composite, Term
from training.rewards.parallel import Parallel

# name → module of training/rewards and the class or function in it that makes the reward
REWARDS: dict[str, str] = {
    # by rule
    "bleu2": "bleu:Bleu2",
    "findings_f1": "findings_f1:FindingsF1",
    "agreement": "agreement:Agreement",
    "change_f1": "change_f1:ChangeF1",
    "prior_claims": "prior_claims:PriorClaims",
    "length": "length:Length",
    "repetition": "repetition:Repetition",
    "section_format": "section_format:SectionFormat",
    # offline stand-ins, under their own names
    "findings_errors": "findings_errors:FindingsErrors",
    "sentence_similarity": "sentence_similarity:SentenceSimilarity",
    # by model, on local weights
    "bertscore": "bertscore:BertScore",
    "sembscore": "sembscore:SembScore",
    "radgraph_combined": "radgraph:radgraph",
    "radgraph_simple": "radgraph:radgraph",
    "radgraph_partial": "radgraph:radgraph",
    "radgraph_complete": "radgraph:radgraph",
    # evaluators: held out of every reward that trains
    "ratescore": "ratescore:RaTEScore",
    "green": "green:Green",
    # by a language model
    "chexprompt": "chexprompt:CheXprompt",
}
_PRESET = {f"radgraph_{variant}": {"variant": variant} for variant in ("combined", "simple", "partial", "complete")}
# put together from others, or from tables of a TOML file
ASSEMBLED: dict[str, Callable[..., Reward]] = {
    "radcliq_v1": compositions.radcliq_v1,
    "published_mix": compositions.published_mix,
    "minus_radcliq_v1": compositions.minus_radcliq_v1,
    "offline_composite": compositions.offline_composite,
}
_WRAPPERS = ("workers", "chunk", "cache", "cache_version")
_TERM = ("reward", "weight", "normalise", "required", "floor", "options")


class UnknownReward(ValueError):
    """The name or one of the options is not known; the message lists what is."""


def names() -> list[str]:
    """Everything `build` knows."""
    return sorted([*REWARDS, *ASSEMBLED, "composite"])


def build(name: str, options: Mapping[str, Any] | None = None) -> Reward:
    """The reward of that name. Raises UnknownReward, and what the reward raises where its weights are absent.

    "composite" takes group_size, optional name and patience, and terms: a list of tables with the keys reward (a
    name), weight, and optional normalise, required, floor, options.
    """
    given = dict(options or {})
    if name == "composite":
        return _composite(given)
    if name in ASSEMBLED:
        return _made(name, ASSEMBLED[name], given, {"make": build})
    if name not in REWARDS:
        raise UnknownReward(f"no reward is called {name!r}; known are {', '.join(names())}")
    wrappers = {key: given.pop(key) for key in _WRAPPERS if key in given}
    return _wrapped(_made(name, _maker(name), given, _PRESET.get(name, {})), wrappers)


def takes(name: str, option: str) -> bool:
    """Whether the reward of that name has the option for itself (a mix: for all its parts at once)."""
    if name in ASSEMBLED:
        return option in inspect.signature(ASSEMBLED[name]).parameters
    return name in REWARDS and option in inspect.signature(_maker(name)).parameters


def _maker(name: str) -> Callable[..., Reward]:
    module, attribute = REWARDS[name].split(":")
    return getattr(import_module(f"training.rewards.{module}"), attribute)


def _made(name: str, make: Callable[..., Reward], given: dict[str, Any], preset: Mapping[str, Any]) -> Reward:
    if "weights" in inspect.signature(make).parameters:
        given.setdefault("weights", {})  # the reward itself says which paths it lacks, and what to fetch
    _check(name, given, make, taken=tuple(preset))
    return make(**preset, **given)


def _composite(given: dict[str, Any]) -> Composite:
    terms = [_term(dict(table)) for table in given.pop("terms", ())]
    _check("composite", given | {"terms": terms}, Composite, taken=())
    return Composite(terms=terms, **given)


def _term(table: dict[str, Any]) -> Term:
    unknown = sorted(table.keys() - set(_TERM))
    if unknown or not {"reward", "weight"} <= table.keys():
        raise UnknownReward(f"a term has reward, weight and optional {', '.join(_TERM[2:])}; got {', '.join(table)}")
    reward = build(table.pop("reward"), table.pop("options", {}))
    return Term(reward, **table)


def _check(name: str, given: Mapping[str, Any], make: Callable[..., Any], taken: tuple[str, ...]) -> None:
    known = {key: what for key, what in inspect.signature(make).parameters.items() if key not in taken}
    unknown = sorted(given.keys() - known.keys())
    lacking = [key for key, what in known.items() if what.default is what.empty and key not in given]
    if unknown or lacking:
        wrong = [f"unknown option {key}" for key in unknown] + [f"missing option {key}" for key in lacking]
        raise UnknownReward(f"{name}: {'; '.join(wrong)}; options are {', '.join(known) or 'none'}")


def _wrapped(reward: Reward, wrappers: Mapping[str, Any]) -> Reward:
    if ("cache" in wrappers) != ("cache_version" in wrappers):
        raise UnknownReward(f"{reward.name}: cache and cache_version go together: a cache outlives weights and prompts")
    if "workers" in wrappers:
        reward = Parallel(reward, wrappers["workers"], wrappers.get("chunk", 16))
    if "cache" in wrappers:
        reward = Cached(reward, Store(Path(wrappers["cache"])), str(wrappers["cache_version"]))
    return reward
