"""Held-out phantom studies of several sites, reported in each site's own words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PIL import Image

from model.prompting import target_text
from training.evaluate.cases import UNKNOWN, NoStudies, PriorStudy, StudyCase, age_band
from training.phantom.film import Scene, model_film
from training.phantom.reports import SITES, report_sections
from training.phantom.studies import Study, study


def phantom_film(scene: Scene, size: int) -> Image.Image:
    """Square 8-bit picture, drawn at that size."""
    return Image.fromarray(model_film(scene, size))


def _prior(made: Study, site: str) -> PriorStudy | None:
    if made.prior is None or made.prior_date is None:
        return None
    report = target_text(*report_sections(site, made.prior.findings, None))
    return PriorStudy(partial(phantom_film, made.prior), report, made.prior_date)


def phantom_case(seed: int, index: int, site: str, *, with_prior: bool) -> StudyCase:
    """One study of a site: its machines, patients and words. No two sites share a patient."""
    made = study(seed, index * len(SITES) + list(SITES).index(site), with_prior=with_prior, site=site)
    findings, impression = report_sections(site, made.current.findings, made.prior.findings if made.prior else None)
    name = f"{site}-{seed}-{'pair' if with_prior else 'single'}-{index}"
    return StudyCase(
        study=name,
        patient=name,
        site=site,
        film=partial(phantom_film, made.current),
        findings=findings,
        impression=impression,
        indication=made.indication,
        prior=_prior(made, site),
        encounter=2 if with_prior else 1,
        groups={
            "sex": made.patient.sex,
            "age": age_band(made.patient.age),
            "race": UNKNOWN,
            "build": made.patient.build,
        },
    )


def phantom_cases(seed: int, per_site: int, sites: Sequence[str], pair_share: float = 0.5) -> list[StudyCase]:
    """`per_site` studies of each site, `pair_share` of them with a prior. Raises NoStudies for an unknown site."""
    unknown = [site for site in sites if site not in SITES]
    if unknown:
        raise NoStudies(f"no phantom site {', '.join(unknown)}; there are {', '.join(SITES)}")
    pairs = round(per_site * pair_share)
    return [phantom_case(seed, index, site, with_prior=index < pairs) for site in sites for index in range(per_site)]
