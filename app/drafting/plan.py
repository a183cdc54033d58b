"""Everything that decides a draft's text, fixed before the model is asked."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.identifiers import digest
from app.domain.report import DraftInputs, Flag, ModelIdentity
from app.drafting.case import DraftCase, StoredPrior
from app.drafting.eligibility import NotEligible
from app.drafting.films import Film, Films
from app.drafting.guardrails import GUARDRAILS_VERSION, Context
from model.report_text import compose, section_text

INDICATION_BYTES = 400
PRIOR_REPORT_BYTES = 1600
"""Of UTF-8: no token is shorter than a byte, so the prompt always fits the model."""


@dataclass(frozen=True, slots=True)
class Plan:
    """prior: the one the model is shown, or None; notes: what the reader must know beside the sentences.

    film: whose picture is `inputs.image`.
    """

    film: Film
    inputs: DraftInputs
    identity: ModelIdentity
    context: Context
    image_digests: tuple[str, ...]
    prior: StoredPrior | None
    notes: tuple[Flag, ...]

    @property
    def input_hash(self) -> str:
        """Equal for equal pictures, texts, model and rules, whose draft is then equal too; 64 hexadecimal digits."""
        seen = (*self.image_digests, self.inputs.indication, self.inputs.prior_date, self.inputs.prior_report)
        model = (self.identity.name, self.identity.weights_digest, self.identity.prompt_version)
        judged = (self.context.sex, GUARDRAILS_VERSION, *(f"{flag.code} {flag.reason}" for flag in self.notes))
        return digest(str(len(self.image_digests)), *seen, *model, *judged)


def planned(case: DraftCase, identity: ModelIdentity, films: Films) -> Plan | NotEligible:
    """The plan for the case's film, or why there is none. Raises StorageUnavailable, NotFound."""
    film = films.current(case.object_keys, identity.image_size)
    if isinstance(film, NotEligible):
        return film
    prior = films.prior(case.prior.object_keys, identity.image_size) if case.prior else None
    return plan(case, identity, film, prior)


def plan(case: DraftCase, identity: ModelIdentity, film: Film, prior: Film | NotEligible | None) -> Plan:
    """The plan for a film. prior: the case's prior as a film, or why it has none; None without a prior."""
    indication = clipped(case.indication or film.facts.reason_for_study, INDICATION_BYTES)
    sex = case.sex or film.facts.patient_sex
    if case.prior is None or not isinstance(prior, Film):
        notes = (_unused(case.prior.date, prior.reason),) if case.prior and isinstance(prior, NotEligible) else ()
        inputs = DraftInputs(film.image.png, indication)
        context = Context("", sex, indication)
        return Plan(film, inputs, identity, context, (film.image.sha256,), None, (*film.notes, *notes))
    report = clipped(_as_drafted(case.prior.report_text), PRIOR_REPORT_BYTES)
    inputs = DraftInputs(film.image.png, indication, prior.image.png, case.prior.date, report)
    digests = (film.image.sha256, prior.image.sha256)
    return Plan(film, inputs, identity, Context(case.prior.date, sex, indication), digests, case.prior, film.notes)


def _unused(date: str, reason: str) -> Flag:
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    words = reason.removeprefix("not eligible: ")
    return Flag(
        "prior-not-used", f"The prior of {day} could not be shown to the model ({words}); nothing was compared."
    )


def _as_drafted(report: str) -> str:
    """Findings and impression in the form the model writes itself; a report without headings is all findings."""
    return compose(section_text(report, "findings"), section_text(report, "impression"))


def clipped(text: str, limit: int) -> str:
    """The beginning of the text, at most `limit` bytes of UTF-8, no character cut."""
    return text.encode()[:limit].decode(errors="ignore")
