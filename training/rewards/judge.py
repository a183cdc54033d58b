"""A language model as judge, behind any OpenAI-compatible chat endpoint (vLLM serves one).

What can go wrong ends in None, "missing", and never in a judgement: no answer in time, a cut connection, an error
status, an answer that cannot be read, a model that is not the pinned one. Passing faults are retried with growing,
jittered pauses; a judge that is down is left alone for a while (circuit breaker), so that a run goes on without it.
Logs name statuses and counts, never texts.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import httpx

from training.rewards.batch import RewardUnusable

T = TypeVar("T")
Messages = Sequence[Mapping[str, str]]

WHERE = "in [rl.rewards.options.judge] of a run's file or [rewards.options.chexprompt.judge] of `evaluate --metrics`"
_LOG = logging.getLogger(__name__)
_LARGEST = 1 << 20  # bytes of a response
_LONGEST_PAUSE = 30.0  # seconds
_PASSING = frozenset({408, 409, 425, 429})
_ABOUT_THE_PROMPT = frozenset({400, 413, 422})  # too long, most of all


class JudgeUnusable(RewardUnusable):
    """The judge is not configured, or the endpoint does not serve the pinned model; someone must act."""


class Fault(Exception):
    """One request failed. again: worth another try; outage: not the prompt's fault; wait: seconds asked for."""

    def __init__(self, why: str, *, again: bool = True, outage: bool = True, wait: float = 0.0) -> None:
        super().__init__(why)
        self.again, self.outage, self.wait = again, outage, wait


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """The option `judge` of a reward that asks one; WHERE says in which table that is.

    url: up to and including "/v1"; model: the exact, pinned name, which every answer must repeat (a moving alias as
    "gpt-4" is refused by its own answers). Empty ones are taken from UNIRG_JUDGE_URL and UNIRG_JUDGE_MODEL; the key,
    a secret, only from the environment variable `key_from`. timeout: seconds for one whole answer. attempts: requests
    per judgement at most. concurrency: requests under way. After `outage_after` failures in a row the judge rests for
    `outage_rest` seconds. proxy: URL, none by default whatever the environment says.
    """

    url: str = ""
    model: str = ""
    key_from: str = "UNIRG_JUDGE_API_KEY"
    timeout: float = 120.0
    attempts: int = 4
    concurrency: int = 16
    max_tokens: int = 512
    first_pause: float = 1.0
    outage_after: int = 16
    outage_rest: float = 60.0
    proxy: str | None = None

    def __post_init__(self) -> None:
        for name, variable in (("url", "UNIRG_JUDGE_URL"), ("model", "UNIRG_JUDGE_MODEL")):
            value = getattr(self, name) or os.environ.get(variable, "")
            if not value:
                raise JudgeUnusable(
                    f"No judge {name}: serve a model (`vllm serve MODEL`), and set `{name}` {WHERE}, or {variable}"
                )
            object.__setattr__(self, name, value.rstrip("/") if name == "url" else value)
        if min(self.attempts, self.concurrency, self.max_tokens, self.outage_after) < 1 or self.timeout <= 0:
            raise JudgeUnusable(
                f"The judge's attempts, concurrency, max_tokens, outage_after and timeout must be above 0 {WHERE}"
            )


def judge_options(table: Mapping[str, Any]) -> JudgeOptions:
    """Options from a TOML table. Raises JudgeUnusable, also on a name that is no option."""
    known = [one.name for one in fields(JudgeOptions)]
    unknown = sorted(table.keys() - set(known))
    if unknown:
        raise JudgeUnusable(f"A judge has no option {', '.join(unknown)}; options are {', '.join(known)}, {WHERE}")
    return JudgeOptions(**table)


class Breaker:
    """Closed, the judge is asked; after `after` failures in a row it is not for `rest` seconds, then once on trial."""

    def __init__(self, after: int, rest: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._after, self._rest, self._clock = after, rest, clock
        self._failures, self._asked_at = 0, 0.0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """May one request be sent now?"""
        with self._lock:
            if self._failures < self._after:
                return True
            if self._clock() - self._asked_at < self._rest:
                return False
            self._asked_at = self._clock()
            return True

    def succeeded(self) -> None:
        """The judge answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The judge did not answer."""
        with self._lock:
            self._failures += 1
            self._asked_at = self._clock()


@dataclass
class Judge(Generic[T]):
    """Asks the pinned model; `read` turns an answer's text into a judgement, None where it cannot be read."""

    options: JudgeOptions
    read: Callable[[str], T | None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    breaker: Breaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = Breaker(self.options.outage_after, self.options.outage_rest, self.clock)

    def check(self) -> None:
        """Does the endpoint serve the pinned model? For the start of a run. Raises JudgeUnusable."""
        url = f"{self.options.url}/models"
        try:
            with self._client() as client:
                reply = client.get(url)
            served = [one["id"] for one in reply.raise_for_status().json()["data"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise JudgeUnusable(f"The judge at {url} did not list its models ({_kind(error)})") from error
        if self.options.model not in served:
            raise JudgeUnusable(f"{url} serves {', '.join(served)}, not the pinned judge {self.options.model}")

    def ask_all(self, prompts: Sequence[Messages]) -> Iterator[tuple[int, T | None]]:
        """(index of the prompt, judgement or None) in order of arrival; every index comes exactly once."""
        missing: Counter[str] = Counter()
        with self._client() as client, ThreadPoolExecutor(self.options.concurrency) as threads:
            pending = {threads.submit(self._ask, client, prompt): index for index, prompt in enumerate(prompts)}
            for done in as_completed(pending):
                judgement, why = done.result()
                missing.update([why] if judgement is None else [])
                yield pending[done], judgement
        if missing:
            _LOG.warning(
                "judge %s: %d of %d judgements missing: %s",
                self.options.model,
                missing.total(),
                len(prompts),
                dict(missing),
            )

    def _ask(self, client: httpx.Client, prompt: Messages) -> tuple[T | None, str]:
        why = "no attempt"
        for attempt in range(self.options.attempts):
            if not self.breaker.allows():
                return None, "judge is down, not asked"
            try:
                judgement = self.read(self._answer(client, prompt))
            except Fault as fault:
                why, again, wait = str(fault), fault.again, fault.wait
                if fault.outage:
                    self.breaker.failed()
            else:
                self.breaker.succeeded()
                if judgement is not None:
                    return judgement, ""
                why, again, wait = "unreadable answer", True, 0.0
            if not again:
                break
            if attempt + 1 < self.options.attempts:
                self.sleep(max(wait, self._pause(attempt)))
        return None, why

    def _pause(self, attempt: int) -> float:
        """Doubling, at most half a minute, jittered so that many workers do not return at once."""
        return min(_LONGEST_PAUSE, self.options.first_pause * 2.0**attempt) * random.uniform(0.5, 1.0)

    def _client(self) -> httpx.Client:
        key = os.environ.get(self.options.key_from, "")
        return httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=self.options.timeout,
            limits=httpx.Limits(max_connections=self.options.concurrency),
            proxy=self.options.proxy,
            trust_env=False,
        )

    def _answer(self, client: httpx.Client, prompt: Messages) -> str:
        body = {
            "model": self.options.model,
            "messages": list(prompt),
            "temperature": 0,
            "max_tokens": self.options.max_tokens,
            "n": 1,
        }
        try:
            with client.stream("POST", f"{self.options.url}/chat/completions", json=body) as reply:
                _raise_for(reply)
                raw = self._whole(reply)
        except httpx.TimeoutException as error:
            raise Fault("no answer in time") from error
        except httpx.HTTPError as error:
            raise Fault(f"connection failed ({_kind(error)})") from error
        return _text(raw, self.options.model)

    def _whole(self, reply: httpx.Response) -> bytes:
        """The body, within the time of one answer also where it trickles."""
        started, parts, size = self.clock(), [], 0
        for part in reply.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > _LARGEST:
                raise Fault("answer too large", again=False)
            if self.clock() - started > self.options.timeout:
                raise Fault("no answer in time")
        return b"".join(parts)


def _raise_for(reply: httpx.Response) -> None:
    status = reply.status_code
    if status == httpx.codes.OK:
        return
    if status in _ABOUT_THE_PROMPT:
        raise Fault(f"status {status}", again=False, outage=False)
    passing = status in _PASSING or status >= 500
    raise Fault(f"status {status}", again=passing, wait=_retry_after(reply))


def _retry_after(reply: httpx.Response) -> float:
    asked = reply.headers.get("Retry-After", "")
    return min(_LONGEST_PAUSE, float(asked)) if asked.isascii() and asked.isdigit() else 0.0


def _text(raw: bytes, model: str) -> str:
    """What the model wrote. Raises Fault where the envelope is broken or another model answered."""
    try:
        envelope = json.loads(raw)
        answered, choice = envelope["model"], envelope["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise Fault(f"broken response ({_kind(error)})") from error
    if answered != model:
        raise Fault("answered by a model that is not the pinned one", again=False)
    if not isinstance(text, str) or finish == "length":
        return ""
    return text


def _kind(error: Exception) -> str:
    return type(error).__name__
