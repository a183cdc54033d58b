"""Which site a study came from, and every name under which that site may opt out. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.db.tables import Instance, Study
from app.feedback.headers import HeaderIdentity
from app.feedback.source import PriorShown


def same(name: str) -> str:
    """Names are compared so: without regard to case and white space."""
    return " ".join(name.split()).casefold()


def names_of_site(study: Study, images: Iterable[Instance], seen: HeaderIdentity, prior: PriorShown | None) -> set[str]:
    """Senders, institutions, the issuer, and who sent or gave the prior, each as `same` has it."""
    senders = [image.calling_ae for image in images]
    gave = [*prior.senders, prior.entry.source if prior.entry else ""] if prior else []
    return {same(name) for name in (*senders, *seen.institutions, study.issuer, *gave) if name}


def site_of(study: Study, images: Iterable[Instance], seen: HeaderIdentity) -> str:
    """The institution; where no header names one, the issuer of patient IDs; else who sent the images."""
    senders = sorted({image.calling_ae for image in images})
    named = [*sorted(seen.institutions), study.issuer, *senders]
    return same(next(filter(None, named), ""))


def opted_out(names: set[str], out: Iterable[str]) -> str | None:
    """The name in `out`, as it is written there, under which the site takes no part; None where it does."""
    return next((name for name in out if same(name) in names), None)
