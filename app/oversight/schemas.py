"""The wire shapes of the lead's figures. No name of a reader is in any of them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from app.rest.words import Told


class By(StrEnum):
    """What draft and signed text may be compared by."""

    MODEL = "model"
    SITE = "site"
    DEVICE = "device"
    VIEW = "view"


class ReportCounts(Told):
    """Reports signed in the period; signed = with_draft + without_draft."""

    signed: int
    with_draft: int
    without_draft: int


class DecisionCounts(Told):
    """Sentences by what the readers did with them; pending: signed without a decision, which the rules refuse."""

    accepted: int
    edited: int
    rejected: int
    added: int
    pending: int


class ClassDecisions(DecisionCounts):
    """finding_class: a condition, or "none" for sentences that state no finding."""

    finding_class: str


class Decisions(Told):
    """sentences: each once. by_class: a sentence counts in the class of each finding it states; mentions: their sum."""

    sentences: DecisionCounts
    mentions: DecisionCounts
    by_class: list[ClassDecisions]


class Spread(Told):
    """Seconds; None of no report. p90: nearest rank."""

    reports: int
    median: float | None
    p90: float | None


class TimeToSign(Told):
    """since_received: from the study's first object; since_draft: from the draft that the report rests on."""

    since_received: Spread
    since_draft: Spread


class FlagDecisions(DecisionCounts):
    """Draft sentences with this guardrail flag."""

    code: str


class Flags(Told):
    """flagged_sentences: with one flag or more; by_code: a sentence counts under each of its flags."""

    draft_sentences: int
    flagged_sentences: int
    by_code: list[FlagDecisions]


class Discrepancy(Told):
    """Draft against signed text. draft_sentences = unchanged + reworded + deleted; signed ones: + added - deleted.

    Shares are of the draft's sentences, added_share of the signed text's; None of none. Findings are conditions with
    their side that are present or uncertain: in both texts, in the draft alone, in the signed report alone.
    """

    reports: int
    draft_sentences: int
    signed_sentences: int
    unchanged: int
    reworded: int
    deleted: int
    added: int
    unchanged_share: float | None
    reworded_share: float | None
    deleted_share: float | None
    added_share: float | None
    findings_in_both: int
    findings_only_in_draft: int
    findings_only_in_signed: int


class Group(Discrepancy):
    """name: None where the record does not say; weights_digest, prompt_version: of a model's group only."""

    name: str | None
    weights_digest: str | None
    prompt_version: str | None


class FindingDiscrepancy(Told):
    """One condition."""

    finding_class: str
    in_both: int
    only_in_draft: int
    only_in_signed: int


class Discrepancies(Told):
    """The reports that rest on a draft; groups and findings each add up to the total."""

    by: By
    total: Discrepancy
    groups: list[Group]
    findings: list[FindingDiscrepancy]


class Oversight(Told):
    """Of all reports signed from first_day to last_day (UTC), both included."""

    first_day: date
    last_day: date
    reports: ReportCounts
    decisions: Decisions
    time_to_sign: TimeToSign
    flags: Flags
    discrepancy: Discrepancies
