"""The judge against an endpoint that fails in every way: what cannot be judged is missing, never without errors."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from tests.training.rewards import misbehaving_judge as endpoint
from tests.training.rewards.misbehaving_judge import MODEL, answer, counts, raw, status
from training.rewards.batch import RewardUnusable, Sample
from training.rewards.chexprompt import PROMPT_VERSION, CheXprompt
from training.rewards.judge import Breaker, JudgeOptions, JudgeUnusable

GOOD = answer(counts("010000", "000010"))  # one significant, one insignificant error
CUT_ANSWER = answer(counts(), finish="length")


@pytest.fixture
def server():
    with endpoint.running() as one:
        yield one


@pytest.fixture
def make(server, tmp_path):
    def judge(**changes):
        options = {"url": server.url, "model": MODEL, "timeout": 30.0, "attempts": 3, "concurrency": 4} | changes
        reward = CheXprompt(tmp_path / "judgements.sqlite", judge=options)
        reward.judge.sleep = reward_sleeps.append
        return reward

    reward_sleeps: list[float] = []
    judge.sleeps = reward_sleeps
    return judge


def samples(count: int = 1) -> list[Sample]:
    return [Sample(f"Findings: effusion {n}.", "Findings: clear.", has_prior=False) for n in range(count)]


def test_good_answer(server, make):
    server.script = [answer(counts("012000", "300001"))]
    found = make()(samples())
    assert found.values == pytest.approx([1 / 8])
    assert {name: values[0] for name, values in found.components.items()} == {
        "judge_significant": 3, "judge_insignificant": 4, "judge_A": 3, "judge_B": 1, "judge_C": 2, "judge_D": 0,
        "judge_E": 0, "judge_F": 1, "unanswered": 0,
    }  # fmt: skip


PASSING = {
    "malformed JSON": raw("{not json"),
    "no choices": raw('{"model": "judge-32b-2026-01", "choices": []}'),
    "not an object": raw("[1, 2]"),
    "no text": answer(None),
    "prose": answer("The candidate has no errors."),
    "letter missing": answer(counts().replace(', "F": 0', "", 1)),
    "cut answer": CUT_ANSWER,
    "rate limit": status(429),
    "server error": status(500),
    "bad gateway": status(502),
    "hang": endpoint.hang,
    "trickle": endpoint.trickle,
    "cut connection": endpoint.cut,
}


def patience(fault: str) -> float:
    """Seconds to wait for an answer: short only where it never comes."""
    return 1.5 if fault in ("hang", "trickle") else 30.0


@pytest.mark.parametrize("fault", PASSING)
def test_passing_fault_is_asked_again(server, make, fault):
    server.script = [PASSING[fault], GOOD]
    assert make(timeout=patience(fault))(samples()).values == pytest.approx([1 / 3])
    assert len(server.seen) == 2


@pytest.mark.parametrize("fault", PASSING)
def test_lasting_fault_is_missing_never_zero_errors(server, make, fault):
    server.script = [PASSING[fault]]
    found = make(attempts=2, timeout=patience(fault))(samples())
    assert found.missing.all()
    said = {name: values[0] for name, values in found.components.items()}
    assert said.pop("unanswered") == 1
    assert all(value != value for value in said.values()), "NaN, each"  # noqa: PLR0124
    assert len(server.seen) == 2


FINAL = {"too long": 400, "too large": 413, "key refused": 401, "forbidden": 403, "no such model": 404}


@pytest.mark.parametrize("fault", FINAL)
def test_final_fault_is_missing_at_once(server, make, fault):
    server.script = [status(FINAL[fault])]
    assert make()(samples()).missing.all()
    assert len(server.seen) == 1


def test_answer_of_another_model_is_none_of_the_pinned_one(server, make):
    server.script = [answer(counts(), model="judge-32b-2026-02")]
    assert make()(samples()).missing.all()


def test_endless_answer_is_refused(server, make):
    server.script = [raw(b" " * (2 << 20))]
    assert make()(samples()).missing.all()


def test_nobody_listens(make):
    assert make(url="http://127.0.0.1:9/v1")(samples()).missing.all()


def test_one_sample_missing_leaves_the_others(server, make):
    server.script = [status(400), GOOD]
    assert sorted(make(concurrency=1)(samples(3)).missing.tolist()) == [False, False, True]


def test_pauses_double_with_jitter_and_honour_retry_after(server, make):
    server.script = [status(429), status(503, Retry_After="7"), status(500), GOOD]
    make(attempts=4, first_pause=1.0)(samples())
    first, second, third = make.sleeps
    assert 0.5 <= first <= 1
    assert second == 7
    assert 2 <= third <= 4


def test_retry_after_is_bounded(server, make):
    server.script = [status(429, Retry_After="86400"), GOOD]
    make()(samples())
    assert make.sleeps == [30.0]


def test_request_is_pinned_cold_and_signed(server, make, monkeypatch):
    monkeypatch.setenv("UNIRG_JUDGE_API_KEY", "secret")
    make()(samples())
    headers, body = server.seen[0]
    assert headers["Authorization"] == "Bearer secret"
    assert (body["model"], body["temperature"], body["n"]) == (MODEL, 0, 1)
    assert "effusion 0." in body["messages"][-1]["content"]


def test_judgements_are_kept_and_failures_are_not(server, make):
    server.script = [GOOD, status(400), GOOD]
    assert make(concurrency=1)(samples(2)).missing.sum() == 1
    again = make(concurrency=1)(samples(2))  # another process, the same file
    assert not again.missing.any()
    assert len(server.seen) == 3


def test_equal_pairs_are_asked_for_once(server, make):
    assert make()(samples(1) * 6).values == pytest.approx([1] * 6)
    assert len(server.seen) == 1


def test_another_judge_or_prompt_finds_nothing_of_the_old(server, make):
    former = make()
    of_now, former.version = former.version, former.version.replace(PROMPT_VERSION, "unirg-errors-0")
    assert former.version != of_now, "the prompt's version is part of what an answer is kept under"
    former(samples())
    make()(samples())
    assert len(server.seen) == 2
    server.script = [answer(counts(), model="other")]
    make(model="other")(samples())
    assert len(server.seen) == 3


def test_no_more_requests_at_once_than_allowed(server, make):
    meet = threading.Barrier(3)

    def together(handler):
        meet.wait(timeout=10)  # answers only once three are under way
        GOOD(handler)

    server.script = [together]
    assert not make(concurrency=3, timeout=20)(samples(6)).missing.any()
    assert server.busiest == 3


def test_judge_that_is_down_is_left_alone(server, make):
    server.script = [status(500)]
    judge = make(attempts=1, concurrency=1, outage_after=3)
    assert judge(samples(10)).missing.all()
    assert len(server.seen) == 3


def test_breaker_tries_once_after_its_rest():
    now = [0.0]
    breaker = Breaker(after=2, rest=60, clock=lambda: now[0])
    breaker.failed()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    now[0] = 61
    assert breaker.allows()
    assert not breaker.allows(), "one trial at a time"
    breaker.failed()
    now[0] = 100
    assert not breaker.allows()
    now[0] = 122
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.allows()


def test_unreadable_answers_are_no_outage(server, make):
    server.script = [answer("prose")]
    make(attempts=1, concurrency=1, outage_after=2)(samples(6))
    assert len(server.seen) == 6


def test_file_of_judgements_that_is_no_database(server, tmp_path):
    path = tmp_path / "judgements.sqlite"
    path.write_bytes(b"no database" * 200)
    reward = CheXprompt(path, judge={"url": server.url, "model": MODEL})
    with pytest.raises(RewardUnusable, match="cannot be used") as error:
        reward(samples())
    assert isinstance(error.value.__cause__, sqlite3.Error)


def test_check_at_the_start(server, make):
    make().judge.check()
    server.models = ["something else"]
    with pytest.raises(JudgeUnusable, match=f"serves something else, not the pinned judge {MODEL}"):
        make().judge.check()
    with pytest.raises(JudgeUnusable, match="did not list its models"):
        make(url="http://127.0.0.1:9/v1").judge.check()


def test_url_and_model_from_the_environment(monkeypatch):
    with pytest.raises(
        JudgeUnusable, match=r"No judge url: serve a model .* set `url` in \[rl.rewards.options.judge\]"
    ):
        JudgeOptions()
    monkeypatch.setenv("UNIRG_JUDGE_URL", "http://127.0.0.1:1/v1/")
    with pytest.raises(JudgeUnusable, match="UNIRG_JUDGE_MODEL"):
        JudgeOptions()
    monkeypatch.setenv("UNIRG_JUDGE_MODEL", "m")
    assert (JudgeOptions().url, JudgeOptions().model) == ("http://127.0.0.1:1/v1", "m")


@pytest.mark.parametrize("wrong", [{"modle": "x"}, {"attempts": 0}, {"timeout": 0}])
def test_wrong_options_are_told(make, wrong):
    with pytest.raises(JudgeUnusable):
        make(**wrong)
