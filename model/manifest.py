"""A checkpoint's manifest: what the weights are, how they are prompted and decoded, and where they lie.

A checkpoint is a folder with `manifest.toml`: one of model/checkpoints by name, or any folder by path. The weights
stand in the folder the manifest names, or in one the caller names; nothing here ever downloads. Every key is
required and no other is known, so that a misspelt limit cannot pass as a default.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from model.prompting import PROMPT_VERSION
from model.weights_digest import digest_of, weight_files

CHECKPOINTS = Path(__file__).parent / "checkpoints"
MANIFEST = "manifest.toml"
IMAGE_SIZES = range(32, 2049)

_IMAGE_MARKS = ("image_token_id", "video_token_id", "vision_start_token_id", "vision_end_token_id")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "tuple[int, ...]": list,
    "Limits": dict,
    "Decoding": dict,
    "Dtype": str,
}

Dtype = Literal["float32", "bfloat16"]


class BadCheckpoint(Exception):
    """The checkpoint cannot be used; the message says which file or key, why, and what to do.

    why: the same in few words without a path, for those who are no operators.
    """

    why = "its manifest or its configuration is wrong"


class WeightsMissing(BadCheckpoint):
    """They are not where they are looked for."""

    why = "its weights are not on this machine"


class WeightsDiffer(BadCheckpoint):
    """They are there, and not the ones that the manifest states."""

    why = "its weights are not the ones that its manifest states"


@dataclass(frozen=True, slots=True)
class Limits:
    """max_model_len: tokens of prompt, images and answer together; max_new_tokens: of the answer; images: a prompt."""

    max_model_len: int
    max_new_tokens: int
    images: int


@dataclass(frozen=True, slots=True)
class Decoding:
    """Token ids: those that end the answer, and those that must never be generated (vision and chat marks)."""

    stop_token_ids: tuple[int, ...]
    suppressed_token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one checkpoint is.

    weights: folder of the weights, relative to the manifest; weights_sha256: of all *.safetensors files, one after
    the other in order of name, or "" where we could not see them; source: where public weights come from, or "here";
    image_size: px of the square model image; prompt_version: the model.prompting it was trained with.
    """

    name: str
    architecture: str
    source: str
    licence: str
    weights: str
    weights_sha256: str
    prompt_version: str
    image_size: int
    dtype: Dtype
    limits: Limits
    decoding: Decoding


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A manifest and the folder where its weights are looked for."""

    manifest: Manifest
    weights: Path

    @property
    def name(self) -> str:
        """The manifest's name."""
        return self.manifest.name

    def present(self) -> bool:
        """Whether configuration and weights are there."""
        return (self.weights / "config.json").is_file() and bool(weight_files(self.weights))

    def require_weights(self) -> Path:
        """Folder of the weights. Raises WeightsMissing saying what to fetch and where to put it."""
        if self.present():
            return self.weights
        origin = self.manifest.source
        what = "its own folder must hold them" if origin == "here" else f"fetch all files of {origin}"
        message = (
            f"No weights of {self.name} in {self.weights}: {what} (config.json, tokenizer, *.safetensors) and put them "
            "there, or name the folder where they are in the configuration (model.weights). Nothing is downloaded."
        )
        raise WeightsMissing(message)

    def check_decoding(self) -> None:
        """Compare the manifest's token ids with the weights' config.json.

        Raises BadCheckpoint where a mark of an image could be generated: an answer with one ends in no report.
        """
        path = self.require_weights() / "config.json"
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            marks = {name: config[name] for name in _IMAGE_MARKS}
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path} is not the configuration of a {self.manifest.architecture} ({type(error).__name__})."
            raise BadCheckpoint(message) from None
        missing = [f"{name} = {token}" for name, token in marks.items() if token not in self._suppressed]
        _refuse([f"decoding.suppressed_token_ids lacks {entry}" for entry in missing], path)

    @property
    def _suppressed(self) -> tuple[int, ...]:
        return self.manifest.decoding.suppressed_token_ids

    def weights_digest(self) -> str:
        """SHA-256 of the weights here, cached by size and time of change; 64 hexadecimal digits.

        Raises WeightsMissing, WeightsDiffer.
        """
        found, stated = digest_of(self.require_weights()), self.manifest.weights_sha256
        if stated and found != stated:
            message = (
                f"The weights in {self.weights} are not those of {self.name}: SHA-256 {found}, the manifest states "
                f"{stated}. Fetch them again, or correct the manifest if they were meant to change."
            )
            raise WeightsDiffer(message)
        return found

    def stated_digest(self) -> str:
        """The manifest's digest; else that of the weights here; else "" (they are only on the model server).

        Raises BadCheckpoint as `weights_digest` does.
        """
        if self.manifest.weights_sha256 and not self.present():
            return self.manifest.weights_sha256
        return self.weights_digest() if self.present() else ""


def load_checkpoint(where: str | Path, weights: Path | None = None) -> Checkpoint:
    """The checkpoint of that name under model/checkpoints, or of that folder; `weights`: their folder, if elsewhere.

    Raises BadCheckpoint.
    """
    folder = find_folder(where)
    manifest = read_manifest(folder / MANIFEST)
    return Checkpoint(manifest, (weights or folder / manifest.weights).expanduser().resolve())


def find_folder(where: str | Path) -> Path:
    """Folder with the manifest. Raises BadCheckpoint naming the checkpoints there are."""
    named = CHECKPOINTS / where
    if _NAME.fullmatch(str(where)) and (named / MANIFEST).is_file():
        return named
    folder = Path(where).expanduser()
    if (folder / MANIFEST).is_file():
        return folder
    known = ", ".join(sorted(path.parent.name for path in CHECKPOINTS.glob(f"*/{MANIFEST}")))
    message = f"There is no checkpoint {where}: give one of {known}, or the path of a folder with {MANIFEST}."
    raise BadCheckpoint(message)


def read_manifest(path: Path) -> Manifest:
    """Raises BadCheckpoint naming the file and each wrong key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path} cannot be read as TOML: {error}."
        raise BadCheckpoint(message) from None
    manifest = _manifest(table, path)
    _check(manifest, path)
    return manifest


def _manifest(table: dict[str, Any], path: Path) -> Manifest:
    _check_keys(Manifest, table, path, "")
    _check_keys(Limits, table["limits"], path, "limits.")
    _check_keys(Decoding, table["decoding"], path, "decoding.")
    decoding = {key: tuple(ids) for key, ids in table["decoding"].items()}
    return Manifest(**{**table, "limits": Limits(**table["limits"]), "decoding": Decoding(**decoding)})


def _check_keys(kind: type, table: dict[str, Any], path: Path, prefix: str) -> None:
    known = {field.name: str(field.type) for field in fields(kind)}
    wrong = [f"{prefix}{key} is missing" for key in known if key not in table]
    wrong += [f"{prefix}{key} is unknown" for key in table if key not in known]
    wrong += [
        f"{prefix}{key} must be {known[key]}, not {value!r}"
        for key, value in table.items()
        if key in known and (not isinstance(value, _KINDS[known[key]]) or isinstance(value, bool))
    ]
    _refuse(wrong, path)


def _check(manifest: Manifest, path: Path) -> None:
    limits, ids = manifest.limits, (*manifest.decoding.stop_token_ids, *manifest.decoding.suppressed_token_ids)
    rules = {
        "name must be lower-case letters, digits, '.', '_' or '-'": bool(_NAME.fullmatch(manifest.name)),
        "weights_sha256 must be 64 hexadecimal digits, or empty": not manifest.weights_sha256
        or bool(_SHA256.fullmatch(manifest.weights_sha256)),
        f"prompt_version must be {PROMPT_VERSION}, the one this code writes": manifest.prompt_version == PROMPT_VERSION,
        "image_size must be 32 to 2048 px": manifest.image_size in IMAGE_SIZES,
        "dtype must be float32 or bfloat16": manifest.dtype in {"float32", "bfloat16"},
        "limits.images must be 1 or 2": limits.images in {1, 2},
        "limits.max_new_tokens must be positive and below max_model_len": 0
        < limits.max_new_tokens
        < limits.max_model_len,
        "decoding: token ids must be whole numbers, not negative, and each listed once": all(
            isinstance(token, int) and token >= 0 for token in ids
        )
        and len(set(ids)) == len(ids),
        "decoding.stop_token_ids must name a token": bool(manifest.decoding.stop_token_ids),
    }
    _refuse([rule for rule, kept in rules.items() if not kept], path)


def _refuse(wrong: list[str], path: Path) -> None:
    if wrong:
        message = f"{path} is wrong: {'; '.join(wrong)}. Correct these keys."
        raise BadCheckpoint(message)
