"""Drafting in this process, with weights that never stop and would write image marks if they might."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.report import DraftInputs
from app.errors import ModelMisbehaved, ModelUnavailable
from app.gateways.transformers_local import TransformersModel
from model.generation import spelled
from model.manifest import load_checkpoint
from tests.fakes import random_checkpoint
from tests.fakes.model_pictures import picture

SIZE = random_checkpoint.IMAGE_SIZE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint.build(tmp_path_factory.mktemp("random"))


@pytest.fixture(scope="module")
def model(folder: Path) -> TransformersModel:
    return TransformersModel(load_checkpoint(folder))


@contextmanager
def manifest_with(folder: Path, old: str, new: str) -> Iterator[TransformersModel]:
    path = folder / "manifest.toml"
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    try:
        yield TransformersModel(load_checkpoint(folder), deadline_seconds=20)
    finally:
        path.write_text(before)


def test_a_text_that_never_stops_ends_at_the_limit_and_says_so(model: TransformersModel) -> None:
    told = [model.draft(DraftInputs(picture(seed, SIZE))) for seed in range(8)]
    assert {text.finish_reason for text in told} >= {"length"}
    for text in told:
        assert len(text.tokens) <= random_checkpoint.MAX_NEW_TOKENS
        assert "".join(token.text for token in text.tokens) == text.text
        assert not any(mark in text.text for mark in random_checkpoint.SPECIAL)


def test_pictures_and_texts_decide_what_is_written(model: TransformersModel) -> None:
    inputs = [DraftInputs(picture(1, SIZE)), DraftInputs(picture(2, SIZE)), DraftInputs(picture(1, SIZE), "Cough.")]
    assert len({model.draft(one).text for one in inputs}) == len(inputs)


def test_missing_weights_name_their_place_to_the_operator_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = TransformersModel(load_checkpoint("unirg-cxr-8b", tmp_path))
    assert not model.ready()
    for ask in (lambda: model.identity, lambda: model.draft(DraftInputs(picture(1, 512))), model.load):
        caplog.clear()
        with pytest.raises(ModelUnavailable, match=r"its weights are not on this machine\. Read .* by hand") as raised:
            ask()
        assert "/" not in raised.value.message
        (entry,) = caplog.records
        assert str(tmp_path) in entry.reason  # type: ignore[attr-defined]
        assert "microsoft/UniRG-CXR" in entry.reason  # type: ignore[attr-defined]


def test_the_weights_can_be_loaded_before_they_are_needed(folder: Path) -> None:
    model = TransformersModel(load_checkpoint(folder))
    model.load()
    assert model._loaded is not None


def test_a_draft_that_takes_too_long_is_unavailable(folder: Path) -> None:
    model = TransformersModel(load_checkpoint(folder), deadline_seconds=1e-3)
    with pytest.raises(ModelUnavailable, match=r"model\.deadline_seconds"):
        model.draft(DraftInputs(picture(1, SIZE)))


def test_whoever_waits_too_long_for_the_other_draft_is_told(folder: Path) -> None:
    model = TransformersModel(load_checkpoint(folder), deadline_seconds=0.05)
    with model._turns.first(), pytest.raises(ModelUnavailable, match="was busy"):
        model.draft(DraftInputs(picture(1, SIZE)))


def test_pointing_that_takes_too_long_says_how_to_do_without(folder: Path) -> None:
    model = TransformersModel(load_checkpoint(folder), deadline_seconds=1e-3)
    with pytest.raises(ModelUnavailable, match=r"or set drafting\.evidence = false"):
        model.regions(DraftInputs(picture(1, SIZE)), "The heart is enlarged.", [(0, 22)])


def test_a_draft_in_between_is_the_same_draft_and_so_are_the_regions(model: TransformersModel) -> None:
    inputs = DraftInputs(picture(1, SIZE), "Cough.", picture(2, SIZE), "20190102")
    text = "The heart is enlarged. No pleural effusion."
    spans = [(0, 22), (23, len(text))]
    alone, pointed = model.draft(inputs), model.regions(inputs, text, spans)
    found: list[object] = []
    pointing = threading.Thread(target=lambda: found.extend(model.regions(inputs, text, spans)))
    pointing.start()
    told = [model.draft(inputs) for _ in range(3)]
    pointing.join()
    assert told == [alone] * 3
    assert found == pointed


def test_drafts_of_several_threads_do_not_mix(model: TransformersModel) -> None:
    inputs = [DraftInputs(picture(seed, SIZE)) for seed in range(4)]
    alone = [model.draft(one).text for one in inputs]
    together: dict[int, str] = {}

    def write(number: int) -> None:
        together[number] = model.draft(inputs[number]).text

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(4)] == alone


def test_a_prompt_that_leaves_no_room_is_refused(folder: Path) -> None:
    with (
        manifest_with(folder, "max_model_len = 2048", "max_model_len = 100") as model,
        pytest.raises(ModelMisbehaved, match="leaves no room"),
    ):
        model.draft(DraftInputs(picture(1, SIZE)))


def test_a_manifest_that_allows_image_marks_is_refused(folder: Path) -> None:
    with (
        manifest_with(folder, "suppressed_token_ids = [", "suppressed_token_ids = [1999]#") as model,
        pytest.raises(ModelUnavailable, match="manifest or its configuration is wrong") as raised,
    ):
        model.draft(DraftInputs(picture(1, SIZE)))
    assert "suppressed_token_ids lacks image_token_id" in str(raised.value.__cause__)


@pytest.mark.parametrize("spoil", ["config.json", "model.safetensors", "tokenizer.json"])
def test_spoilt_files_are_unavailable_not_a_crash(tmp_path: Path, folder: Path, spoil: str) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(b"{}" if path.name == spoil else path.read_bytes())
    with pytest.raises(ModelUnavailable):
        TransformersModel(load_checkpoint(tmp_path)).draft(DraftInputs(picture(1, SIZE)))


@pytest.mark.parametrize("text", ["", "Clear lungs.", "Größe 4 µm, 胸部, é.", "🫁 ok"])
def test_pieces_join_to_the_text(text: str) -> None:
    tokenizer = random_checkpoint._tokenizer()
    ids = tokenizer.encode(text)
    pieces = spelled(tokenizer, ids)
    assert "".join(pieces) == text
    assert len(pieces) == len(ids)


def test_half_a_character_at_the_end_is_left_out() -> None:
    tokenizer = random_checkpoint._tokenizer()
    ids = tokenizer.encode("ok 胸")[:-1]
    assert "".join(spelled(tokenizer, ids)) == "ok "
