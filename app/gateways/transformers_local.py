"""The checkpoint in this process: transformers on the CPU, greedy, one draft at a time."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from app.domain.report import DraftInputs, ModelIdentity, ModelText, Region, Token
from app.errors import ModelMisbehaved, ModelUnavailable, ServiceError
from app.gateways import checkpoint_fault
from app.gateways.draft_prompt import pictures, prompt_of
from app.gateways.turns import Turns
from model.generation import greedy, spelled
from model.manifest import BadCheckpoint, Checkpoint

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Loaded:
    network: Any
    processor: Any


class TransformersModel:
    """DraftModel on torch; the weights are loaded with the first draft.

    threads: of torch for one draft; deadline_seconds: for waiting and writing together.
    """

    def __init__(self, checkpoint: Checkpoint, *, threads: int = 1, deadline_seconds: float = 60.0) -> None:
        self._checkpoint, self._threads, self._deadline_seconds = checkpoint, threads, deadline_seconds
        self._turns = Turns()
        self._loaded: _Loaded | None = None

    @property
    def identity(self) -> ModelIdentity:
        """See DraftModel. Raises ModelUnavailable where the weights are missing or not the stated ones."""
        manifest = self._checkpoint.manifest
        try:
            digest = self._checkpoint.weights_digest()
        except BadCheckpoint as error:
            raise checkpoint_fault.unavailable(manifest.name, error) from error
        return ModelIdentity(manifest.name, digest, manifest.prompt_version, manifest.image_size)

    def ready(self) -> bool:
        """See DraftModel."""
        return self._checkpoint.present()

    def warm(self) -> None:
        """Load the weights; a failure shows with the first draft, which names it."""
        with contextlib.suppress(ModelUnavailable):
            self.load()

    def load(self) -> None:
        """Load the weights now rather than with the first draft. Raises ModelUnavailable."""
        with self._turns.first():
            self._guarded(self._load)

    def draft(self, inputs: DraftInputs) -> ModelText:
        """See DraftModel. Raises ModelUnavailable (no weights, out of memory, too slow), ModelMisbehaved."""
        ends = time.monotonic() + self._deadline_seconds
        with self._in_time(self._turns.first, ends):
            return self._guarded(lambda: self._write(inputs, ends))

    @property
    def points(self) -> bool:
        """See DraftModel."""
        return True

    def regions(self, inputs: DraftInputs, text: str, spans: Sequence[tuple[int, int]]) -> Sequence[Region | None]:
        """See DraftModel; between two passes of a few films a draft may come first. Raises as `draft`."""
        ends = time.monotonic() + self._deadline_seconds
        return self._guarded(lambda: self._point(inputs, text, spans, ends))

    @contextlib.contextmanager
    def _in_time(self, turn: Callable[[float], AbstractContextManager[None]], ends: float) -> Iterator[None]:
        """The network for oneself. Raises ModelUnavailable where the time is over first."""
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(turn(ends - time.monotonic()))
            except TimeoutError:
                raise ModelUnavailable(self._too_slow("was busy")) from None
            yield

    @staticmethod
    def _guarded(work: Callable[[], Result]) -> Result:
        """Whatever torch and transformers raise over broken files or a full memory is ours to explain."""
        try:
            return work()
        except ServiceError:
            raise
        except Exception as error:
            message = f"The model failed in this process ({type(error).__name__}); see the log of the worker."
            raise ModelUnavailable(message) from error

    def _too_slow(self, what: str) -> str:
        return (
            f"The model {what} for {self._deadline_seconds:g} s; raise model.deadline_seconds, "
            "or draft on a machine with vLLM."
        )

    def _write(self, inputs: DraftInputs, ends: float) -> ModelText:
        import torch

        loaded = self._load()
        torch.set_num_threads(self._threads)  # OpenMP keeps the count for each thread of the worker
        with torch.inference_mode():
            encoded = self._encode(loaded, inputs)
            answer = loaded.network.generate(**encoded, **self._decoding(ends))
        start = encoded["input_ids"].shape[1]
        ids: list[int] = answer.sequences[0, start:].tolist()
        if time.monotonic() > ends:
            raise ModelUnavailable(self._too_slow("wrote"))
        logprobs = [
            float(torch.log_softmax(step[0].float(), -1)[token]) for step, token in zip(answer.logits, ids, strict=True)
        ]
        return self._spell(loaded.processor.tokenizer, ids, logprobs)

    def _point(
        self, inputs: DraftInputs, text: str, spans: Sequence[tuple[int, int]], ends: float
    ) -> Sequence[Region | None]:
        import numpy as np
        import torch

        from model.occlusion import losses

        def turn() -> AbstractContextManager[None]:
            if time.monotonic() > ends:
                message = f"{self._too_slow('pointed')[:-1]}; or set drafting.evidence = false."
                raise ModelUnavailable(message)
            return self._in_time(self._turns.after_others, ends)

        with turn():
            loaded = self._load()
            torch.set_num_threads(self._threads)
        prompt, size = prompt_of(inputs), self._checkpoint.manifest.image_size
        films = [np.asarray(_opened(png)) for png in pictures(inputs, prompt, size)]
        ids: list[int] = loaded.processor.tokenizer(text, add_special_tokens=False)["input_ids"]
        pieces = spelled(loaded.processor.tokenizer, ids)
        if "".join(pieces) != text:
            message = "The text is not one that this model writes; it points at nothing."
            raise ModelMisbehaved(message)
        shown = loaded.processor.apply_chat_template(prompt.chat_messages(), add_generation_prompt=True, tokenize=False)
        current = prompt.image_roles.index("current")
        lost = losses(loaded.network, loaded.processor, shown, films, current, ids, turn=turn)
        return [_region(lost, pieces, *span) for span in spans]

    def _load(self) -> _Loaded:
        if self._loaded is None:
            from transformers import AutoModelForImageTextToText, AutoProcessor

            try:
                folder = self._checkpoint.require_weights()
                self._checkpoint.check_decoding()
            except BadCheckpoint as error:
                raise checkpoint_fault.unavailable(self._checkpoint.name, error) from error
            local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
            processor = AutoProcessor.from_pretrained(folder, **local)
            network = AutoModelForImageTextToText.from_pretrained(
                folder, dtype=self._checkpoint.manifest.dtype, **local
            )
            self._loaded = _Loaded(network.eval(), processor)
        return self._loaded

    def _encode(self, loaded: _Loaded, inputs: DraftInputs) -> Any:
        manifest = self._checkpoint.manifest
        prompt = prompt_of(inputs)
        images = [_opened(png).convert("RGB") for png in pictures(inputs, prompt, manifest.image_size)]
        text = loaded.processor.apply_chat_template(prompt.chat_messages(), add_generation_prompt=True, tokenize=False)
        encoded = loaded.processor(text=[text], images=images, return_tensors="pt")
        limits, length = manifest.limits, int(encoded["input_ids"].shape[1])
        if length + limits.max_new_tokens > limits.max_model_len:
            message = f"The prompt of {length} tokens leaves no room for an answer within {limits.max_model_len}."
            raise ModelMisbehaved(message)
        return encoded

    def _decoding(self, ends: float) -> dict[str, Any]:
        from transformers import GenerationConfig, StoppingCriteriaList

        config = GenerationConfig(**greedy(self._checkpoint.manifest))
        return {"generation_config": config, "stopping_criteria": StoppingCriteriaList([_late(ends)])}

    def _spell(self, tokenizer: Any, ids: Sequence[int], logprobs: Sequence[float]) -> ModelText:
        stops = self._checkpoint.manifest.decoding.stop_token_ids
        stopped = bool(ids) and ids[-1] in stops
        written = ids[:-1] if stopped else ids
        pieces = spelled(tokenizer, written)
        tokens = tuple(Token(piece, logprob) for piece, logprob in zip(pieces, logprobs, strict=False))
        return ModelText("".join(pieces), tokens, "stop" if stopped else "length")


def _opened(png: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(png))


def _region(lost: Any, pieces: Sequence[str], start: int, end: int) -> Region | None:
    from model.evidence import region, span_heat

    box = region(span_heat(lost, pieces, start, end))
    return Region(box.left, box.top, box.right, box.bottom, box.nats) if box else None


def _late(ends: float) -> Any:
    """A stopping criterion that is met once the time is over; the caller sees it by the same clock."""
    import torch

    def over(input_ids: Any, _scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), time.monotonic() > ends, dtype=torch.bool)

    return over
