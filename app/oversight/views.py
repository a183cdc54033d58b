"""Figures of a period, summed and grouped for the lead's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from app.domain.report import Decision
from app.oversight.rules import Figures, median, p90
from app.oversight.schemas import (
    By,
    ClassDecisions,
    DecisionCounts,
    Decisions,
    Discrepancies,
    Discrepancy,
    FindingDiscrepancy,
    FlagDecisions,
    Flags,
    Group,
    Oversight,
    ReportCounts,
    Spread,
    TimeToSign,
)
from app.oversight.signed_reports import KnownFigures, Origin, SignedReport, origins, signed_reports


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first moment after."""
        return datetime.combine(self.last, time(), UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Of a group; "" where the record does not say."""

    name: str
    weights_digest: str = ""
    prompt_version: str = ""


def oversight(session: Session, known: KnownFigures, period: Period, by: By) -> Oversight:
    """All of it. Raises InvalidRequest, StillReading."""
    reports = signed_reports(session, period.since, period.until)
    figures = known.of(session, reports)
    total = _sum(figures.values())
    drafted = [report for report in reports if figures[report.id].with_draft]
    places = origins(session, period.since, period.until) if by in (By.SITE, By.VIEW) else {}
    groups: dict[Key, list[Figures]] = {}
    for report in drafted:
        groups.setdefault(_key(by, report, places), []).append(figures[report.id])
    return Oversight(
        first_day=period.first,
        last_day=period.last,
        reports=ReportCounts(signed=len(reports), with_draft=len(drafted), without_draft=len(reports) - len(drafted)),
        decisions=_decisions(total),
        time_to_sign=_time_to_sign(reports),
        flags=_flags(total),
        discrepancy=Discrepancies(
            by=by,
            total=_discrepancy(total),
            groups=[_group(key, _sum(groups[key])) for key in sorted(groups)],
            findings=_findings(total),
        ),
    )


def _sum(figures: Iterable[Figures]) -> Figures:
    total = Figures()
    for one in figures:
        total.add(one)
    return total


def _key(by: By, report: SignedReport, places: Mapping[str, Origin]) -> Key:
    origin = places.get(report.study_id, Origin())
    ways: dict[By, Callable[[], Key]] = {
        By.MODEL: lambda: Key(report.model or "", report.weights_digest or "", report.prompt_version or ""),
        By.SITE: lambda: Key(report.issuer or " + ".join(origin.senders)),
        By.DEVICE: lambda: Key(""),  # the record keeps no manufacturer and no model name of the device
        By.VIEW: lambda: Key(" + ".join(origin.views)),
    }
    return ways[by]()


def _counts(counted: Mapping[Decision, int]) -> dict[str, int]:
    return {str(decision): counted.get(decision, 0) for decision in Decision}


def _by_name(counted: Mapping[tuple[str, Decision], int]) -> dict[str, Counter[Decision]]:
    names: dict[str, Counter[Decision]] = {}
    for (name, decision), count in sorted(counted.items()):
        names.setdefault(name, Counter())[decision] += count
    return names


def _decisions(total: Figures) -> Decisions:
    classes = _by_name(total.by_class)
    mentions: Counter[Decision] = Counter()
    for counted in classes.values():
        mentions.update(counted)
    return Decisions(
        sentences=DecisionCounts(**_counts(total.decisions)),
        mentions=DecisionCounts(**_counts(mentions)),
        by_class=[ClassDecisions(finding_class=name, **_counts(counted)) for name, counted in classes.items()],
    )


def _flags(total: Figures) -> Flags:
    codes = _by_name(total.by_flag)
    return Flags(
        draft_sentences=total.unchanged + total.reworded + total.deleted,
        flagged_sentences=total.flagged,
        by_code=[FlagDecisions(code=code, **_counts(counted)) for code, counted in codes.items()],
    )


def _time_to_sign(reports: Sequence[SignedReport]) -> TimeToSign:
    return TimeToSign(
        since_received=_spread([(one.signed_at - one.received_at).total_seconds() for one in reports]),
        since_draft=_spread([(one.signed_at - one.drafted_at).total_seconds() for one in reports if one.drafted_at]),
    )


def _spread(seconds: Sequence[float]) -> Spread:
    return Spread(reports=len(seconds), median=median(seconds), p90=p90(seconds))


def _discrepancy(total: Figures) -> Discrepancy:
    drafted = total.unchanged + total.reworded + total.deleted
    signed = total.unchanged + total.reworded + total.added
    return Discrepancy(
        reports=total.with_draft,
        draft_sentences=drafted,
        signed_sentences=signed,
        unchanged=total.unchanged,
        reworded=total.reworded,
        deleted=total.deleted,
        added=total.added,
        unchanged_share=_share(total.unchanged, drafted),
        reworded_share=_share(total.reworded, drafted),
        deleted_share=_share(total.deleted, drafted),
        added_share=_share(total.added, signed),
        findings_in_both=total.both.total(),
        findings_only_in_draft=total.only_draft.total(),
        findings_only_in_signed=total.only_signed.total(),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _group(key: Key, total: Figures) -> Group:
    return Group(
        **_discrepancy(total).model_dump(),
        name=key.name or None,
        weights_digest=key.weights_digest or None,
        prompt_version=key.prompt_version or None,
    )


def _findings(total: Figures) -> list[FindingDiscrepancy]:
    return [
        FindingDiscrepancy(
            finding_class=name,
            in_both=total.both[name],
            only_in_draft=total.only_draft[name],
            only_in_signed=total.only_signed[name],
        )
        for name in sorted(total.both.keys() | total.only_draft.keys() | total.only_signed.keys())
    ]
