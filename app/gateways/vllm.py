"""The checkpoint behind vLLM's OpenAI-compatible HTTP API.

The server is trusted with patient data and with nothing else: it gets text and pictures that we made, every key of
the request is fixed here, and its answer is read strictly. What it says about errors is never passed on, for it may
quote the prompt. No call is repeated here: the job is.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.report import DraftInputs, ModelIdentity, ModelText, Region, Token
from app.errors import ConfigError, ModelMisbehaved, ModelUnavailable
from app.gateways import checkpoint_fault
from app.gateways.circuit import Circuit, CircuitOpen
from app.gateways.draft_prompt import pictures, prompt_of
from model.manifest import BadCheckpoint, Checkpoint
from model.prompting import ImageRole
from model.serving import served_name

ANSWER_LIMIT = 8 << 20
"""Bytes; an answer of 512 tokens with log-probabilities takes some 60 kB."""
PROBE_SECONDS = 2.0
SUPPRESS = -100.0
"""The strongest bias that vLLM knows."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


Shape = TypeVar("Shape", bound=_Wire)


class _Card(_Wire):
    id: str
    max_model_len: int


class _Cards(_Wire):
    data: tuple[_Card, ...]


class _Message(_Wire):
    content: str


class _Token(_Wire):
    token: str
    logprob: float = Field(le=1e-6)


class _Tokens(_Wire):
    content: tuple[_Token, ...]


class _Choice(_Wire):
    message: _Message
    finish_reason: Literal["stop", "length"]
    logprobs: _Tokens


class _Answer(_Wire):
    choices: tuple[_Choice] = Field(min_length=1, max_length=1)


class VllmModel:
    """DraftModel on a vLLM server that was started by model.serving.

    url: of the server, without /v1; deadline_seconds: for one draft; circuit: opens after at most five failures.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        url: str,
        *,
        api_key: str | None = None,
        deadline_seconds: float = 60.0,
        circuit: Circuit | None = None,
    ) -> None:
        """Raises ConfigError for a URL that is none; opens no connection."""
        self._checkpoint, self._deadline_seconds = checkpoint, deadline_seconds
        self._circuit = circuit or Circuit()
        self._lock = threading.Lock()
        self._known: ModelIdentity | None = None
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # Proxies of the environment are for the outside world; patient data goes to the named server alone.
        self._client = httpx.Client(
            base_url=_checked(url), headers=headers, trust_env=False, follow_redirects=False, timeout=deadline_seconds
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    @property
    def identity(self) -> ModelIdentity:
        """See DraftModel. Raises ModelUnavailable: no answer, or the server serves something else."""
        with self._lock:
            known = self._known
        if known is None:
            stated = self._stated_digest()
            with self._guarded():
                known = self._identify(stated, self._deadline_seconds)
        return known

    def warm(self) -> None:
        """Nothing: the server loads its weights before it answers."""

    def ready(self) -> bool:
        """See DraftModel: the circuit is closed and the server healthy, with this checkpoint."""
        if not self._circuit.admits():
            return False
        try:
            self._exchange(self._client.build_request("GET", "/health", timeout=PROBE_SECONDS), PROBE_SECONDS)
            self._identify(self._stated_digest(), PROBE_SECONDS)
        except (ModelUnavailable, ModelMisbehaved):
            return False
        return True

    def draft(self, inputs: DraftInputs) -> ModelText:
        """See DraftModel. Raises ModelUnavailable (down, slow, circuit open), ModelMisbehaved (answer unusable)."""
        identity = self.identity
        body = self._body(inputs, served_name(identity.name, identity.weights_digest))
        with self._guarded():
            answer = self._exchange(
                self._client.build_request("POST", "/v1/chat/completions", json=body), self._deadline_seconds
            )
            return _model_text(_read(_Answer, answer))

    @property
    def points(self) -> bool:
        """See DraftModel: no. It would take 50 requests a draft, each scoring the whole prompt with its pictures."""
        return False

    def regions(self, inputs: DraftInputs, text: str, spans: Sequence[tuple[int, int]]) -> Sequence[Region | None]:  # noqa: ARG002
        """See DraftModel. Raises ModelMisbehaved."""
        message = "The model server is not asked for regions; drafts of vLLM come without."
        raise ModelMisbehaved(message)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with self._circuit.attempt():
                yield
        except CircuitOpen:
            message = "The model server failed several times in a row; it is left alone for some seconds."
            raise ModelUnavailable(message) from None

    def _remember(self, identity: ModelIdentity | None) -> None:
        with self._lock:
            self._known = identity

    def _identify(self, stated: str, seconds: float) -> ModelIdentity:
        request = self._client.build_request("GET", "/v1/models", timeout=seconds)
        cards = _read(_Cards, self._exchange(request, seconds)).data
        manifest = self._checkpoint.manifest
        digest = stated or _digest_of(manifest.name, cards)
        card = next((card for card in cards if card.id == served_name(manifest.name, digest)), None)
        if card is None or card.max_model_len < manifest.limits.max_model_len:
            raise ModelUnavailable(self._mismatch(cards))
        identity = ModelIdentity(manifest.name, digest, manifest.prompt_version, manifest.image_size)
        self._remember(identity)
        return identity

    def _stated_digest(self) -> str:
        try:
            return self._checkpoint.stated_digest()
        except BadCheckpoint as error:
            raise checkpoint_fault.unavailable(self._checkpoint.name, error) from error

    def _mismatch(self, cards: tuple[_Card, ...]) -> str:
        served = ", ".join(f"{card.id[:80]} ({card.max_model_len} tokens)" for card in cards[:3]) or "nothing"
        manifest = self._checkpoint.manifest
        return (
            f"The model server serves {served}, not {manifest.name} with the expected weights and "
            f"{manifest.limits.max_model_len} tokens; start it with: python -m model.serving {manifest.name}"
        )

    def _body(self, inputs: DraftInputs, model: str) -> dict[str, Any]:
        manifest, prompt = self._checkpoint.manifest, prompt_of(inputs)
        shown = dict(zip(prompt.image_roles, pictures(inputs, prompt, manifest.image_size), strict=True))

        def entry(role: ImageRole) -> dict[str, Any]:
            url = f"data:image/png;base64,{base64.b64encode(shown[role]).decode('ascii')}"
            return {"type": "image_url", "image_url": {"url": url}}

        return {
            "model": model,
            "messages": prompt.chat_messages(entry),
            "temperature": 0,
            "top_p": 1,
            "repetition_penalty": 1,
            "seed": 0,
            "n": 1,
            "stream": False,
            "max_completion_tokens": manifest.limits.max_new_tokens,
            "stop_token_ids": list(manifest.decoding.stop_token_ids),
            "logit_bias": {str(token): SUPPRESS for token in manifest.decoding.suppressed_token_ids},
            "logprobs": True,
            "top_logprobs": 0,
        }

    def _exchange(self, request: httpx.Request, seconds: float) -> bytes:
        """The body of a 200 answer. Raises ModelUnavailable, ModelMisbehaved; takes twice `seconds` at most."""
        ends = time.monotonic() + seconds
        with _foreign_errors(seconds):
            response = self._client.send(request, stream=True)
            try:
                if response.status_code == httpx.codes.NOT_FOUND:
                    self._remember(None)  # another model, perhaps: it is asked again what it serves
                _check_status(response.status_code)
                return b"".join(_within(response.iter_bytes(), ends, seconds))
            finally:
                response.close()


def _digest_of(name: str, cards: tuple[_Card, ...]) -> str:
    """The digest under which the model is served, where neither its manifest nor this machine knows it."""
    prefix = served_name(name, "")
    return next((card.id.removeprefix(prefix) for card in cards if card.id.startswith(prefix)), "")


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        message = "model.url must be http://HOST:PORT of the vLLM server; correct the configuration."
        raise ConfigError(message)
    return parsed


@contextmanager
def _foreign_errors(seconds: float) -> Iterator[None]:
    """Every httpx exception becomes ours (tests/gateways/test_vllm.py walks them all)."""
    try:
        yield
    except httpx.TimeoutException:
        raise ModelUnavailable(_too_slow(seconds)) from None
    except httpx.TransportError as error:
        message = f"The model server cannot be reached or broke off ({type(error).__name__}); is vLLM running?"
        raise ModelUnavailable(message) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError) as error:
        message = f"The model server answered in a way that cannot be read ({type(error).__name__})."
        raise ModelMisbehaved(message) from None


def _too_slow(seconds: float) -> str:
    return f"The model server did not answer within {seconds:g} s; look at its load, or raise model.deadline_seconds."


def _check_status(status: int) -> None:
    if status == httpx.codes.OK:
        return
    refused = {400, 405, 406, 409, 411, 413, 414, 415, 422}
    if status in refused:
        message = f"The model server refused the request (HTTP {status}); its version or its limits are not ours."
        raise ModelMisbehaved(message)
    hints = {401: "; check model.api_key", 403: "; check model.api_key", 404: "; it serves another model"}
    message = f"The model server cannot draft now (HTTP {status}{hints.get(status, '')})."
    raise ModelUnavailable(message)


def _within(chunks: Iterator[bytes], ends: float, seconds: float) -> Iterator[bytes]:
    """The chunks, as long as time and size permit."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > ANSWER_LIMIT:
            message = f"The model server's answer is larger than {ANSWER_LIMIT >> 20} MB."
            raise ModelMisbehaved(message)
        if time.monotonic() > ends:
            raise ModelUnavailable(_too_slow(seconds))
        yield chunk


def _read(shape: type[Shape], body: bytes) -> Shape:
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        where = ", ".join(sorted({".".join(map(str, entry["loc"])) or "JSON" for entry in error.errors()}))
        message = f"The model server's answer is malformed ({where[:120]})."
        raise ModelMisbehaved(message) from None


def _model_text(answer: _Answer) -> ModelText:
    (choice,) = answer.choices
    text, tokens = choice.message.content, [Token(t.token, t.logprob) for t in choice.logprobs.content]
    if choice.finish_reason == "stop" and tokens:
        tokens = tokens[:-1] if "".join(token.text for token in tokens) != text else tokens  # the stop mark's own
    return ModelText(text, tuple(tokens), choice.finish_reason)
