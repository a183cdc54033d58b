"""Checkpoints: read strictly, found by name or path, their weights told apart by digest."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model import manifest, weights_digest
from model.manifest import CHECKPOINTS, BadCheckpoint, load_checkpoint, read_manifest

PUBLISHED = (CHECKPOINTS / "unirg-cxr-8b" / "manifest.toml").read_text()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def checkpoint_folder(tmp_path: Path, text: str = PUBLISHED, shards: tuple[bytes, ...] = (b"one", b"two")) -> Path:
    folder = tmp_path / "checkpoint"
    (folder / "weights").mkdir(parents=True)
    (folder / "manifest.toml").write_text(text)
    (folder / "weights" / "config.json").write_text("{}")
    for number, shard in enumerate(shards):
        (folder / "weights" / f"model-{number}.safetensors").write_bytes(shard)
    return folder


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*/manifest.toml")), ids=lambda path: path.parent.name)
def test_each_shipped_manifest_is_complete_and_named_like_its_folder(path: Path) -> None:
    assert read_manifest(path).name == path.parent.name
    assert (path.parent / "CARD.md").is_file()


def test_the_published_model_without_its_weights_says_what_to_fetch_and_where_to_put_it(tmp_path: Path) -> None:
    checkpoint = load_checkpoint("unirg-cxr-8b", tmp_path / "absent")
    assert checkpoint.manifest.image_size == 512
    with pytest.raises(BadCheckpoint, match=r"fetch all files of microsoft/UniRG-CXR.*model\.weights") as caught:
        checkpoint.weights_digest()
    assert str(tmp_path / "absent") in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BadCheckpoint, match=r"give one of .*unirg-cxr-8b"):
        load_checkpoint("unirg-cxr-9b")
    with pytest.raises(BadCheckpoint):
        load_checkpoint("../checkpoints/unirg-cxr-8b/weights")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("image_size = 512", "image_size = 5000"), "image_size"),
        (("image_size = 512", 'image_size = "512"'), "image_size must be int"),
        (("image_size = 512", "image_sise = 512"), "image_size is missing; image_sise is unknown"),
        (('dtype = "bfloat16"', 'dtype = "int4"'), "dtype"),
        (("max_new_tokens = 512", "max_new_tokens = 8192"), "max_new_tokens"),
        (("max_new_tokens = 512", "max_new_tokens = true"), "limits.max_new_tokens must be int"),
        (("images = 2", "images = 3"), "limits.images"),
        (("[decoding]", "[decoding]\ntemperature = 1"), "decoding.temperature is unknown"),
        (("stop_token_ids = [151645, 151643]", "stop_token_ids = []"), "must name a token"),
        (("[151645, 151643]", "[151645, 151644]"), "each listed once"),
        (('prompt_version = "unirg-cxr-1"', 'prompt_version = "other"'), "prompt_version must be unirg-cxr-1"),
        (('weights_sha256 = ""', 'weights_sha256 = "abc"'), "weights_sha256"),
        (("[limits]", "[limit]"), "limits is missing; limit is unknown"),
        (("name =", "name"), "cannot be read as TOML"),
    ],
)
def test_a_wrong_manifest_names_the_key(tmp_path: Path, change: tuple[str, str], complaint: str) -> None:
    assert change[0] in PUBLISHED
    folder = checkpoint_folder(tmp_path, PUBLISHED.replace(*change))
    with pytest.raises(BadCheckpoint) as caught:
        load_checkpoint(folder)
    assert complaint in str(caught.value)
    assert str(folder) in str(caught.value)


def test_the_digest_is_that_of_the_files_one_after_the_other(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(checkpoint_folder(tmp_path))
    assert checkpoint.weights_digest() == hashlib.sha256(b"onetwo").hexdigest()
    assert checkpoint.stated_digest() == checkpoint.weights_digest()


def test_weights_that_are_not_the_stated_ones_are_refused(tmp_path: Path) -> None:
    stated = hashlib.sha256(b"onetwo").hexdigest()
    folder = checkpoint_folder(tmp_path, PUBLISHED.replace('sha256 = ""', f'sha256 = "{stated}"'))
    assert load_checkpoint(folder).weights_digest() == stated
    assert load_checkpoint(folder, tmp_path / "elsewhere").stated_digest() == stated
    (folder / "weights" / "model-1.safetensors").write_bytes(b"tow")
    with pytest.raises(BadCheckpoint, match="are not those of unirg-cxr-8b"):
        load_checkpoint(folder).weights_digest()


def digest_by_another_process(folder: Path) -> str:
    command = (
        "import sys, pathlib; from model.weights_digest import digest_of; print(digest_of(pathlib.Path(sys.argv[1])))"
    )
    told = subprocess.run([sys.executable, "-c", command, str(folder)], capture_output=True, text=True, check=True)
    return told.stdout.strip()


def test_a_digest_is_remembered_until_a_file_changes(tmp_path: Path) -> None:
    folder = checkpoint_folder(tmp_path) / "weights"
    first = digest_by_another_process(folder)
    shard = folder / "model-0.safetensors"
    times = (shard.stat().st_atime_ns, shard.stat().st_mtime_ns)
    shard.write_bytes(b"ono")
    os.utime(shard, ns=times)
    assert digest_by_another_process(folder) == first, "same size and time: not read again"
    assert weights_digest.digest_of(folder) == first
    os.utime(shard, ns=(times[0], times[1] + 1))
    assert weights_digest.digest_of(folder) == hashlib.sha256(b"onotwo").hexdigest()


@pytest.mark.parametrize("spoilt", ["", "[]", '{"stamp": 1}', "\x00"])
def test_a_spoilt_or_unwritable_cache_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    folder = checkpoint_folder(tmp_path) / "weights"
    expected = weights_digest.digest_of(folder)
    (note,) = (tmp_path / "cache" / "unirg").iterdir()
    note.write_text(spoilt)
    assert digest_by_another_process(folder) == expected
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "config.json"))
    assert digest_by_another_process(folder) == expected


def test_the_manifest_knows_every_field_kind() -> None:
    assert manifest._KINDS.keys() >= {str(field.type) for field in manifest.fields(manifest.Manifest)}
