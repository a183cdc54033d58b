"""What workers and the API have beyond `app.bootstrap`: use cases joined to peers, pixels and the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app import telemetry
from app.bootstrap import Deps
from app.bootstrap.peers import called_peer
from app.config import Settings
from app.db.jobs import Claim
from app.db.move_inbox import MoveInbox
from app.delivery.handlers import DeliverReport
from app.drafting.eligibility import EligibilityRules
from app.drafting.evidence import PointAtEvidence
from app.drafting.handlers import WriteDraft
from app.errors import ConfigError
from app.gateways.archive_dimse import DimseArchive
from app.gateways.pixel_child import ChildPixelReader
from app.gateways.report_dimse import DimseReportEndpoint
from app.ports import Archive, DraftModel, PixelReader, ReportEndpoint
from app.priors.handlers import PriorSearch
from app.priors.rules import PriorRules
from model.manifest import BadCheckpoint, load_checkpoint


def pixel_reader(children: int = 1) -> ChildPixelReader:
    """Headers and pixels, read in child processes."""
    return ChildPixelReader(children)


def draft_model(settings: Settings) -> DraftModel:
    """The configured checkpoint behind its backend. Raises ConfigError for a checkpoint that is none."""
    model = settings.model
    try:
        checkpoint = load_checkpoint(model.checkpoint, model.weights)
    except BadCheckpoint as error:
        raise ConfigError(str(error)) from error
    if model.backend == "vllm":
        from app.gateways.vllm import VllmModel

        key = model.api_key.get_secret_value() if model.api_key else None
        return VllmModel(checkpoint, model.url, api_key=key, deadline_seconds=model.deadline_seconds)
    from app.gateways.transformers_local import TransformersModel

    return TransformersModel(checkpoint, deadline_seconds=model.deadline_seconds)


def archives(deps: Deps) -> tuple[Archive, ...]:
    """Every peer that can be asked for priors. Raises ConfigError for TLS files that cannot be used."""
    inbox = MoveInbox(deps.database, deps.clock)
    return tuple(
        DimseArchive(called_peer(deps.settings, peer), deps.store, peer.retrieve, inbox)
        for peer in deps.settings.dicom.peers
        if "query_retrieve" in peer.roles
    )


def endpoints(deps: Deps) -> tuple[ReportEndpoint, ...]:
    """Every peer that takes signed reports. Raises ConfigError as `archives`."""
    peers = deps.settings.dicom.peers
    return tuple(DimseReportEndpoint(called_peer(deps.settings, peer)) for peer in peers if "results" in peer.roles)


def use_cases(deps: Deps, pixels: PixelReader, model: DraftModel) -> Mapping[str, Callable[[Claim], None]]:
    """The tasks of `app.pipeline.FLOW` and who does them."""
    priors, drafting = deps.settings.priors, deps.settings.drafting
    points = drafting.evidence and model.points
    eligible = EligibilityRules(minimum_age_years=drafting.minimum_age_years, assume_chest=drafting.assume_chest)
    rules = PriorRules(priors.lookback_days, priors.max_priors)
    search = PriorSearch(deps.database, deps.clock, archives(deps), deps.store, pixels, rules)
    return {
        "priors.gather": search.gather,
        "priors.fetch": search.fetch,
        "drafting.write": WriteDraft(
            deps.database, deps.clock, deps.store, pixels, model, eligible, _count_draft, points
        ).write,
        "evidence.point": PointAtEvidence(deps.database, deps.clock, deps.store, pixels, model, eligible).point,
        "delivery.send": DeliverReport(
            deps.database, deps.clock, deps.store, endpoints(deps), deps.settings.delivery.organization
        ).send,
    }


def _count_draft(outcome: str, codes: Sequence[str]) -> None:
    telemetry.drafts.labels(outcome).inc()
    for code in codes:
        telemetry.guard_flags.labels(code).inc()
