"""The vLLM gateway against a server that misbehaves in every way we know."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.report import DraftInputs
from app.errors import ConfigError, ModelMisbehaved, ModelUnavailable, ServiceError
from app.gateways import vllm
from app.gateways.circuit import Circuit
from app.gateways.vllm import VllmModel
from model.manifest import Checkpoint, load_checkpoint
from model.serving import served_name
from tests.fakes import random_checkpoint
from tests.fakes.model_pictures import picture
from tests.fakes.model_server import CARD, ModelServer, answer, running_model_server

SIZE = random_checkpoint.IMAGE_SIZE
DIGEST = "0" * 64
INPUTS = DraftInputs(picture(1, SIZE), "Cough.", picture(2, SIZE), "20190102", "The lungs are clear.")


def stated_checkpoint(folder: Path) -> Checkpoint:
    """A checkpoint whose weights are elsewhere, as on a GPU machine; the manifest states their digest."""
    ids = {"stop": [3, 4], "suppressed": [5, 6]}
    text = random_checkpoint.MANIFEST.format(name="random", size=SIZE, new=48, **ids)
    (folder / "manifest.toml").write_text(text.replace('sha256 = ""', f'sha256 = "{DIGEST}"'))
    return load_checkpoint(folder)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stated_checkpoint(tmp_path)


@pytest.fixture
def model(server: ModelServer, checkpoint: Checkpoint) -> Iterator[VllmModel]:
    made = VllmModel(checkpoint, server.url, api_key="secret-key", deadline_seconds=5, circuit=Circuit(limit=1000))
    yield made
    made.close()


def test_a_sound_answer_becomes_text_with_its_tokens(model: VllmModel, server: ModelServer) -> None:
    told = model.draft(INPUTS)
    assert told.text == "Findings: Clear."
    assert "".join(token.text for token in told.tokens) == told.text, "the stop mark's own token is none of the text"
    assert {token.logprob for token in told.tokens} == {-0.5}
    assert told.finish_reason == "stop"
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    assert server.requests[0]["model"] == served_name("random", DIGEST)


def test_a_cut_answer_says_so(model: VllmModel, server: ModelServer) -> None:
    server.body = json.dumps(answer("Findings: Cl", "length")).encode()
    assert model.draft(INPUTS).finish_reason == "length"


SOUND = answer()


def changed(**choice: Any) -> bytes:
    return json.dumps({**SOUND, "choices": [{**SOUND["choices"][0], **choice}]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        json.dumps(SOUND).encode()[:-20],
        json.dumps({**SOUND, "choices": []}).encode(),
        json.dumps({**SOUND, "choices": SOUND["choices"] * 2}).encode(),
        changed(message={"content": None}),
        changed(message={"content": 7}),
        changed(finish_reason="tool_calls"),
        changed(finish_reason=None),
        changed(logprobs=None),
        changed(logprobs={"content": [{"token": "x"}]}),
        changed(logprobs={"content": [{"token": "x", "logprob": float("nan")}]}),
        changed(logprobs={"content": [{"token": "x", "logprob": 3.0}]}),
        b"[" * 100_000,
        b" " * (vllm.ANSWER_LIMIT + 1),
    ],
    ids=lambda body: repr(body[-30:]),
)
def test_noise_is_never_a_draft(model: VllmModel, server: ModelServer, body: bytes) -> None:
    server.body = body
    with pytest.raises(ModelMisbehaved):
        model.draft(INPUTS)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, ModelMisbehaved) for status in (400, 413, 422)),
        *((status, ModelUnavailable) for status in (401, 403, 404, 408, 429, 500, 502, 503, 504, 302, 204)),
    ],
)
def test_each_status_says_who_must_act(
    model: VllmModel, server: ModelServer, status: int, error: type[ServiceError]
) -> None:
    server.status, server.body = status, b'{"error": "prompt was: SECRET PATIENT TEXT"}' if status != 204 else b""
    server.location = "http://127.0.0.1:1/"
    with pytest.raises(error, match=str(status)) as caught:
        model.draft(INPUTS)
    assert "SECRET" not in caught.value.message
    assert len(server.requests) == 1, "neither repeated nor redirected"


def test_a_server_that_is_slow_drips_or_breaks_off_is_unavailable(checkpoint: Checkpoint, server: ModelServer) -> None:
    model = VllmModel(checkpoint, server.url, deadline_seconds=0.3)
    assert model.identity.name == "random"
    server.silence_seconds = 0.6
    with pytest.raises(ModelUnavailable, match="within"):
        model.draft(INPUTS)
    server.silence_seconds, server.drip_seconds, server.body = 0.0, 0.05, b"x" * 100
    with pytest.raises(ModelUnavailable, match="within"):
        model.draft(INPUTS)
    server.drip_seconds, server.promised_bytes = None, 4000
    with pytest.raises(ModelUnavailable):
        model.draft(INPUTS)
    model.close()


def test_nobody_listening_is_unavailable_and_not_ready(checkpoint: Checkpoint) -> None:
    with running_model_server() as server:
        url = server.url
    model = VllmModel(checkpoint, url, deadline_seconds=2)
    assert not model.ready()
    with pytest.raises(ModelUnavailable, match="is vLLM running"):
        model.draft(INPUTS)
    with pytest.raises(ModelUnavailable):
        _ = model.identity
    model.close()


@pytest.mark.parametrize(
    "cards",
    [
        [],
        [{"id": "random", "max_model_len": 2048}],
        [{"id": served_name("random", "1" * 64), "max_model_len": 2048}],
        [{"id": served_name("other", DIGEST), "max_model_len": 2048}],
        [{"id": CARD["id"], "max_model_len": 2047}],
    ],
)
def test_a_server_with_another_model_or_smaller_limits_is_not_asked(
    model: VllmModel, server: ModelServer, cards: list[dict[str, Any]]
) -> None:
    server.cards = cards
    with pytest.raises(ModelUnavailable, match=r"python -m model\.serving random"):
        model.draft(INPUTS)
    assert server.requests == []
    assert not model.ready()


def test_weights_known_to_the_server_alone_are_named_by_it(tmp_path: Path, server: ModelServer) -> None:
    stated_checkpoint(tmp_path)
    path = tmp_path / "manifest.toml"
    path.write_text(path.read_text().replace(DIGEST, ""))
    model = VllmModel(load_checkpoint(tmp_path), server.url)
    assert model.identity.weights_digest == DIGEST
    model.close()


def test_weights_here_that_are_not_the_stated_ones_are_named_without_their_folder(
    tmp_path: Path, checkpoint: Checkpoint, model: VllmModel, server: ModelServer
) -> None:
    for name in ("config.json", "model.safetensors"):
        (checkpoint.weights / name).write_bytes(b"{}")
    with pytest.raises(ModelUnavailable, match="its weights are not the ones that its manifest states") as raised:
        model.draft(INPUTS)
    assert str(tmp_path) in str(raised.value.__cause__)
    assert "/" not in raised.value.message
    assert server.requests == []


def test_a_server_that_comes_back_with_another_model_is_noticed(model: VllmModel, server: ModelServer) -> None:
    model.draft(INPUTS)
    server.status = 404
    server.cards = [{"id": served_name("random", "1" * 64), "max_model_len": 2048}]
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            model.draft(INPUTS)
    assert len(server.requests) == 2, "the second time it is asked what it serves, and not for a draft"


class Watch:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_circuit_opens_and_one_probe_closes_it(checkpoint: Checkpoint, server: ModelServer) -> None:
    watch = Watch()
    model = VllmModel(checkpoint, server.url, circuit=Circuit(monotonic=watch))
    server.status = 500
    for _ in range(12):
        with pytest.raises(ModelUnavailable):
            model.draft(INPUTS)
    assert len(server.requests) == 5
    assert not model.ready()
    server.status = 200
    with pytest.raises(ModelUnavailable, match="left alone"):
        model.draft(INPUTS)
    watch.seconds += 60
    assert model.ready()
    assert model.draft(INPUTS).text == "Findings: Clear."
    model.close()


def test_the_environments_proxy_sees_no_patient(
    checkpoint: Checkpoint, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    model = VllmModel(checkpoint, server.url)
    assert model.draft(INPUTS).text
    model.close()


@pytest.mark.parametrize("url", ["", "vllm:8000", "ftp://127.0.0.1", "http://", "http://[::1", "\x00"])
def test_a_url_that_is_none_is_a_configuration_error(checkpoint: Checkpoint, url: str) -> None:
    with pytest.raises(ConfigError, match=r"model\.url"):
        VllmModel(checkpoint, url)


def everything_below(root: type[Exception]) -> list[type[Exception]]:
    return [root, *(kind for child in root.__subclasses__() for kind in everything_below(child))]


FOREIGN = [
    kind
    for root in (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
    for kind in everything_below(root)
]


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_becomes_one_of_ours(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    with pytest.raises((ModelUnavailable, ModelMisbehaved)), vllm._foreign_errors(1.0):
        raise error


ALLOWED_KEYS = {
    *("model", "messages", "temperature", "top_p", "repetition_penalty", "seed", "n", "stream"),
    *("max_completion_tokens", "stop_token_ids", "logit_bias", "logprobs", "top_logprobs"),
}


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> VllmModel:
    return VllmModel(stated_checkpoint(tmp_path_factory.mktemp("builder")), "http://127.0.0.1:9")


@settings(max_examples=1000, deadline=None)
@given(indication=st.text(), report=st.text(), with_prior=st.booleans())
def test_no_text_adds_a_key_a_link_or_a_picture(
    builder: VllmModel, indication: str, report: str, with_prior: bool
) -> None:
    prior = (INPUTS.prior_image, "20190102", report) if with_prior else (None, "", "")
    body = builder._body(DraftInputs(INPUTS.image, indication, *prior), "m")
    assert set(body) == ALLOWED_KEYS
    ((message),) = body["messages"]
    assert set(message) == {"role", "content"}
    *images, text = message["content"]
    assert [entry["type"] for entry in images] == ["image_url"] * (1 + with_prior)
    expected = [INPUTS.prior_image, INPUTS.image] if with_prior else [INPUTS.image]
    shown = [entry["image_url"]["url"].removeprefix("data:image/png;base64,") for entry in images]
    assert [base64.b64decode(data, validate=True) for data in shown] == expected
    assert set(text) == {"type", "text"}
    assert "<|" not in text["text"]


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"http://127.0.0.1/x.png",
        picture(1, SIZE * 2),
        picture(1, SIZE, "RGB"),
        picture(1, SIZE, "L", "JPEG"),
        picture(1, SIZE)[:20],
    ],
)
def test_only_our_own_pictures_are_sent(builder: VllmModel, image: bytes) -> None:
    with pytest.raises(ModelMisbehaved, match="not made by this service"):
        builder._body(DraftInputs(image), "m")
    with pytest.raises(ModelMisbehaved):
        builder._body(DraftInputs(INPUTS.image, "", image, "20190102"), "m")


@pytest.mark.parametrize("day", ["", "2019", "20191340", "today"])
def test_a_prior_without_a_date_is_not_compared_with(builder: VllmModel, day: str) -> None:
    with pytest.raises(ModelMisbehaved, match="study date"):
        builder._body(DraftInputs(INPUTS.image, "", INPUTS.prior_image, day), "m")
