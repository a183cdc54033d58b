"""What a reader may see of the model's text, and what they are told about each sentence.

Pure rules over sentences. A flag is an objection in words; one class of sentence is withheld: a comparison without a
verified prior behind it (LAW 4). Its neighbour carries the flag, so that the reader looks for what it was about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.domain.report import Flag, Section, Sentence, Source
from app.drafting.dates import dates
from model.comparison import compares
from model.findings import BROAD, Finding, read_findings
from model.findings import sides as finding_sides
from model.report_text import SectionName, Span, mean_logprobs, sentences

GUARDRAILS_VERSION = "2"
"""Part of a draft's input hash: changed rules make a new draft of the same text."""
WITHHELD = "comparison-without-prior"
TRUNCATED = Flag("truncated", "The model was cut off at its length limit here; what would have followed is missing.")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the text. prior_date: YYYYMMDD of the prior the model saw, or ""; sex: M, F, O or ""."""

    prior_date: str = ""
    sex: str = ""
    indication: str = ""


@dataclass(frozen=True, slots=True)
class _Said:
    span: Span
    logprob: float | None
    flags: tuple[Flag, ...]


def review(
    text: str, tokens: Sequence[tuple[str, float]], context: Context, finish_reason: str = "stop"
) -> tuple[Sentence, ...]:
    """The sentences of a draft that may be read, findings first, flagged; () where none is left.

    tokens: text and natural-log probability; finish_reason: "stop" or "length" (cut off).
    """
    spans = sentences(text)
    figures = mean_logprobs(text, tokens, spans)
    crossed = _contradictions(spans)
    if spans and finish_reason == "length":
        crossed[len(spans) - 1] = (*crossed.get(len(spans) - 1, ()), TRUNCATED)
    said = [
        _Said(span, figure, (*_flags(span, index, spans, context), *crossed.get(index, ())))
        for index, (span, figure) in enumerate(zip(spans, figures, strict=True))
    ]
    ordered = sorted(said, key=lambda one: _section(one.span.section) is Section.IMPRESSION)
    return tuple(replace(one, index=index) for index, one in enumerate(_shown(ordered, context)))


def _shown(said: Sequence[_Said], context: Context) -> list[Sentence]:
    """What may be read; the flags of what is withheld or missing stand on the sentence before, else on the first."""
    shown: list[Sentence] = []
    carried: tuple[Flag, ...] = ()
    for one in said:
        if not any(flag.code == WITHHELD for flag in one.flags):
            shown.append(_sentence(one, context, carried))
            carried = ()
        elif shown:
            shown[-1] = _flagged(shown[-1], one.flags)
        else:
            carried += one.flags
    missing = [section for section in Section if not any(_section(one.span.section) is section for one in said)]
    return [*shown[:-1], _flagged(shown[-1], tuple(map(_missing, missing)))] if shown else []


def _flagged(sentence: Sentence, flags: tuple[Flag, ...]) -> Sentence:
    return replace(sentence, flags=(*sentence.flags, *flags))


def _section(name: SectionName) -> Section:
    return Section.IMPRESSION if name == "impression" else Section.FINDINGS


def _missing(section: Section) -> Flag:
    return Flag("section-missing", f"The model wrote no {section}.")


def _sentence(one: _Said, context: Context, carried: tuple[Flag, ...]) -> Sentence:
    text = one.span.text
    flags = (*carried, *one.flags)
    return Sentence(0, _section(one.span.section), text, _source(text, context), one.logprob, flags)


def _source(text: str, context: Context) -> Source:
    if compares(text):
        return Source.PRIOR
    told = _words(context.indication)
    return Source.ORDER if len(told) > 8 and told in _words(text) else Source.IMAGE


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


# --- one sentence by itself ---------------------------------------------------------------------------


def _flags(span: Span, index: int, spans: Sequence[Span], context: Context) -> Iterator[Flag]:
    yield from _comparison_flags(span.text, span.section, context)
    yield from _sex_flags(span.text, context.sex)
    yield from _repetition_flags(index, spans)
    if span.section == "other":
        yield Flag("unexpected-section", "The model wrote this under a heading that a report from us does not have.")
    if _FORM.search(span.text):
        yield Flag("template-text", "This repeats the form of the prompt or a placeholder; it is no finding.")


_FORM = re.compile(r"\[write the|\[\*\*|_{3,}|[⟦⟧]|<\|", re.IGNORECASE)
_OTHER_STUDY = re.compile(r"\b(?:ct|cta|mri|pet|ultrasound|sonogra\w+|scans?|tomogra\w+|outside)\b", re.IGNORECASE)


def _comparison_flags(text: str, section: SectionName, context: Context) -> Iterator[Flag]:
    if not compares(text):
        return
    if not context.prior_date:
        yield Flag(
            WITHHELD,
            f"A sentence of the {_section(section)} next to this one was withheld: it compared with an earlier image, "
            f"and no verified prior stands behind it{_about(text)}. Look at the image.",
        )
        return
    others = dates(text) - {context.prior_date}
    if others:
        yield Flag("prior-date-mismatch", f"Names a date that is not the prior's ({_day(context.prior_date)}).")
    if _OTHER_STUDY.search(text):
        yield Flag("other-prior-named", "Speaks of another study than the prior radiograph that the model was shown.")


def _about(text: str) -> str:
    """The findings that a withheld sentence named, never what it said of them."""
    named = dict.fromkeys(_name(finding) for finding in read_findings(text))
    return f"; it was about {', '.join(named)}" if named else ""


def _name(finding: Finding) -> str:
    return f"{finding.side} {finding.condition}" if finding.side else finding.condition


def _day(date: str) -> str:
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}"


_FEMALE = re.compile(
    r"\b(?:she|her|hers|wom[ae]n|female|uter(?:us|ine)|ovar(?:y|ies|ian)|pregnan\w*|gravid\w*|intrauterine|iud|"
    r"hysterectom\w*|oophorectom\w*|menopaus\w*|lactat\w*|gynecolog\w*|fetal|fetus|mastectom\w*|"
    r"breasts?\s+(?:implant|prosthe|augment|tissue|shadow|reconstruct)\w*)\b",
    re.IGNORECASE,
)
_MALE = re.compile(
    r"\b(?:he|his|him|m[ae]n|male|prostat\w*|testi(?:s|cle|cular)\w*|scrot\w*|gyn(?:a)?ecomasti\w*|vasectom\w*)\b",
    re.IGNORECASE,
)


def _sex_flags(text: str, sex: str) -> Iterator[Flag]:
    impossible, patient = {"M": (_FEMALE, "male"), "F": (_MALE, "female")}.get(sex, (None, ""))
    found = impossible.search(text) if impossible else None
    if found:
        yield Flag("sex-impossible", f'"{found.group().lower()}" does not fit: the patient is {patient}.')


_LOOP = re.compile(r"(\b\w.{5,80}?)(?:[\s,;.]*\1){2,}", re.IGNORECASE)


def _repetition_flags(index: int, spans: Sequence[Span]) -> Iterator[Flag]:
    """The same sentence twice in a section, or a phrase three times in a row: a model in a loop."""
    span = spans[index]
    again = any(other.section == span.section and _words(other.text) == _words(span.text) for other in spans[:index])
    if again or _LOOP.search(span.text):
        yield Flag("repeated-text", "The model repeated itself here.")


# --- sentences against each other ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Statement:
    index: int
    concluding: bool
    finding: Finding


def _contradictions(spans: Sequence[Span]) -> dict[int, tuple[Flag, ...]]:
    """Flags by index of the sentence, at most one of each class."""
    read = [
        _Statement(index, span.section == "impression", finding)
        for index, span in enumerate(spans)
        for finding in read_findings(span.text)
    ]
    found: dict[int, dict[str, Flag]] = {}
    for claim in read:
        for flag in filter(None, (_denied(claim, read), _elsewhere(claim, read))):
            found.setdefault(claim.index, {}).setdefault(flag.code, flag)
    return {index: tuple(flags.values()) for index, flags in found.items()}


def _denied(claim: _Statement, read: Sequence[_Statement]) -> Flag | None:
    """A sentence before says the opposite of the same condition at the same place."""
    for before in read:
        if before.index < claim.index and _opposite(claim.finding, before.finding):
            named, where = _name(claim.finding), "an earlier sentence" if not claim.concluding else "the findings"
            return Flag(
                "contradicts-findings", f"Says {named}: {claim.finding.presence}; {where}: {before.finding.presence}."
            )
    return None


def _opposite(claim: Finding, before: Finding) -> bool:
    """Absence without a side is absence everywhere; what has resolved since the prior contradicts nothing."""
    if claim.condition in BROAD:
        return False
    if claim.condition != before.condition or {claim.presence, before.presence} != {"present", "absent"}:
        return False
    one, other = set(finding_sides(claim)), set(finding_sides(before))
    placed = None in one or None in other or bool(one & other)
    zoned = claim.zone is None or before.zone is None or claim.zone == before.zone
    return placed and zoned and "resolved" not in {claim.change, before.change}


def _elsewhere(claim: _Statement, read: Sequence[_Statement]) -> Flag | None:
    """The impression names a side that the findings, which name sides, do not."""
    stated = claim.finding
    if not claim.concluding or stated.presence != "present" or stated.side is None or stated.condition in BROAD:
        return None
    same = [one.finding for one in read if not one.concluding and one.finding.condition == stated.condition]
    told = {side for one in same if one.presence == "present" for side in finding_sides(one)}
    if not told or None in told or set(finding_sides(stated)) <= told:
        return None
    words = " and ".join(sorted(side for side in told if side))
    return Flag("side-contradiction", f"Puts {stated.condition} on the {stated.side} side; the findings: {words}.")
