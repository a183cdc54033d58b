"""Phantom reports in the words of several sites.

A site is a `Site`: its phrases, no logic. Three sites are for training, SITES["harbour"] is never trained on (it
measures how a reader fares with words of a hospital it has not seen). Statements about change are written only
where a prior film is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.phantom.findings import SIDES, Change, Findings, Hemithorax, Side, changes

TRAINED_SITES = ("north", "lake", "city")
HELD_OUT_SITE = "harbour"


@dataclass(frozen=True)
class Site:
    """How one site says it; {side}, {zone}, {size} are filled in. "" means the site does not say it."""

    heart: tuple[str, str]
    edema: tuple[str, str]
    effusion: tuple[str, str]
    pneumothorax: tuple[str, str]
    consolidation: tuple[str, str]
    atelectasis: str
    tube: str
    line: str
    pacemaker: str
    change: dict[str, str]
    no_change: str
    normal: str
    summary: dict[str, str]
    order: tuple[str, ...]


_SUMMARY = {
    "cardiomegaly": "Cardiomegaly.",
    "edema": "{size} pulmonary edema.",
    "effusion": "{size} {side} pleural effusion.",
    "pneumothorax": "{size} {side} pneumothorax.",
    "consolidation": "{side} {zone} zone consolidation.",
    "atelectasis": "{side} basal atelectasis.",
}

SITES: dict[str, Site] = {
    "north": Site(
        heart=("The heart is enlarged.", "The heart is normal in size."),
        edema=("There is {size} pulmonary edema.", "There is no pulmonary edema."),
        effusion=("There is a {size} {side} pleural effusion.", "There is no pleural effusion."),
        pneumothorax=("There is a {size} {side} pneumothorax.", "There is no pneumothorax."),
        consolidation=("There is consolidation in the {side} {zone} zone.", "There is no consolidation."),
        atelectasis="There is {side} basal atelectasis.",
        tube="An endotracheal tube is in place.",
        line="A {side} central line is in place.",
        pacemaker="A {side} pacemaker is in place.",
        change={
            "new": "The {name} is new.",
            "worse": "The {name} has increased.",
            "improved": "The {name} has decreased.",
            "resolved": "The {name} has resolved.",
            "stable": "The {name} is unchanged.",
        },
        no_change="No change from the prior radiograph.",
        normal="No acute cardiopulmonary abnormality.",
        summary=_SUMMARY,
        order=("devices", "heart", "edema", "consolidation", "atelectasis", "effusion", "pneumothorax"),
    ),
    "lake": Site(
        heart=("Heart: enlarged.", "Heart: normal."),
        edema=("Edema: {size}.", "Edema: none."),
        effusion=("Effusion: {size} {side}.", "Effusion: none."),
        pneumothorax=("Pneumothorax: {size} {side}.", "Pneumothorax: none."),
        consolidation=("Consolidation: {side} {zone} zone.", "Consolidation: none."),
        atelectasis="Atelectasis: {side} base.",
        tube="Device: endotracheal tube.",
        line="Device: {side} central line.",
        pacemaker="Device: {side} pacemaker.",
        change={
            "new": "Change: {name} new.",
            "worse": "Change: {name} worse.",
            "improved": "Change: {name} improved.",
            "resolved": "Change: {name} resolved.",
            "stable": "Change: {name} stable.",
        },
        no_change="Change: none.",
        normal="No acute abnormality.",
        summary=_SUMMARY,
        order=("heart", "edema", "consolidation", "atelectasis", "effusion", "pneumothorax", "devices"),
    ),
    "city": Site(
        heart=("Cardiomegaly is present.", "Cardiac silhouette within normal limits."),
        edema=("{size} pulmonary edema is seen.", "No pulmonary edema."),
        effusion=("{size} {side} pleural effusion is seen.", "No pleural effusion."),
        pneumothorax=("{size} {side} pneumothorax is seen.", "No pneumothorax."),
        consolidation=("{side} {zone} zone consolidation is seen.", "No focal consolidation."),
        atelectasis="{side} basal atelectasis is seen.",
        tube="Endotracheal tube noted.",
        line="{side} central line noted.",
        pacemaker="{side} pacemaker noted.",
        change={
            "new": "New {name}.",
            "worse": "Worsened {name}.",
            "improved": "Improved {name}.",
            "resolved": "Resolved {name}.",
            "stable": "Stable {name}.",
        },
        no_change="No interval change.",
        normal="No acute disease.",
        summary=_SUMMARY,
        order=("consolidation", "atelectasis", "edema", "effusion", "pneumothorax", "heart", "devices"),
    ),
    "harbour": Site(
        heart=("The cardiac silhouette is enlarged.", "Heart size is unremarkable."),
        edema=("Findings of {size} edema are noted.", "No evidence of edema."),
        effusion=("A {size} effusion is noted on the {side}.", "The costophrenic angles are clear, no effusion."),
        pneumothorax=("A {size} pneumothorax is noted on the {side}.", "No evidence of pneumothorax."),
        consolidation=(
            "Airspace consolidation is noted in the {side} {zone} zone.",
            "The lungs are clear of consolidation.",
        ),
        atelectasis="Linear atelectasis is noted at the {side} base.",
        tube="The patient is intubated, endotracheal tube above the carina.",
        line="A central venous catheter enters from the {side}.",
        pacemaker="A pacemaker is noted on the {side}.",
        change={
            "new": "Interval development of {name}.",
            "worse": "Interval progression of {name}.",
            "improved": "Interval regression of {name}.",
            "resolved": "Interval resolution of {name}.",
            "stable": "Persistent {name}, without change.",
        },
        no_change="No interval change since the previous study.",
        normal="No active disease.",
        summary=_SUMMARY,
        order=("heart", "devices", "effusion", "pneumothorax", "consolidation", "atelectasis", "edema"),
    ),
}


FULL_NAMES = {"edema": "pulmonary edema", "effusion": "pleural effusion", "atelectasis": "basal atelectasis"}
"""Of findings that are not called by their short names."""


def change_name(change: Change) -> str:
    """The compared finding in words: "left pleural effusion", "right upper zone consolidation", "cardiomegaly"."""
    noun = FULL_NAMES.get(change.finding, change.finding)
    if change.finding in ("cardiomegaly", "edema"):
        return noun
    return f"{change.side} {change.zone} zone {noun}" if change.zone else f"{change.side} {noun}"


def _sentence(template: str, **words: object) -> str:
    text = template.format(**words)
    return text[:1].upper() + text[1:]


def _sided(template: str, chest: Findings, name: str) -> list[str]:
    texts = []
    for side in SIDES:
        value = getattr(chest.side(side), name)
        if value:
            texts.append(_sentence(template, side=side, size=value, zone=value))
    return texts


def _devices(site: Site, chest: Findings) -> list[str]:
    tube = [site.tube] if chest.tube else []
    return [*tube, *_sided(site.line, chest, "line"), *_sided(site.pacemaker, chest, "pacemaker")]


def organ_sentences(site: Site, chest: Findings, organ: str) -> list[str]:
    """What a site says of one item of its `order`."""
    if organ == "devices":
        return _devices(site, chest)
    if organ == "heart":
        return [site.heart[0] if chest.cardiomegaly else site.heart[1]]
    if organ == "edema":
        return [_sentence(site.edema[0], size=chest.edema) if chest.edema else site.edema[1]]
    if organ == "atelectasis":
        return _sided(site.atelectasis, chest, organ)
    present, absent = getattr(site, organ)
    return _sided(present, chest, organ) or [absent]


def findings_text(site_name: str, chest: Findings) -> str:
    """The findings of one film, without comparison."""
    site = SITES[site_name]
    return " ".join(sentence for organ in site.order for sentence in organ_sentences(site, chest, organ))


def change_text(site_name: str, prior: Findings, current: Findings) -> str:
    """One sentence per compared finding, or the site's words for no change."""
    site = SITES[site_name]
    found = [_sentence(site.change[change.word], name=change_name(change)) for change in changes(prior, current)]
    return " ".join(found) or site.no_change


def _side_summary(words: dict[str, str], half: Hemithorax, side: Side) -> list[str]:
    said = []
    for name in ("consolidation", "atelectasis", "effusion", "pneumothorax"):
        value = getattr(half, name)
        if value:
            said.append(_sentence(words[name], side=side, size=value, zone=value))
    return said


def impression_text(site_name: str, chest: Findings) -> str:
    """The present findings in short, devices left out."""
    site = SITES[site_name]
    said = [site.summary["cardiomegaly"]] if chest.cardiomegaly else []
    if chest.edema:
        said.append(_sentence(site.summary["edema"], size=chest.edema))
    for side in SIDES:
        said += _side_summary(site.summary, chest.side(side), side)
    return " ".join(said) or site.normal


def report_sections(site_name: str, current: Findings, prior: Findings | None) -> tuple[str, str]:
    """Findings and impression; change sentences end the findings only where a prior film is given."""
    findings = findings_text(site_name, current)
    if prior is not None:
        findings = f"{findings} {change_text(site_name, prior, current)}"
    return findings, impression_text(site_name, current)


def short_list(current: Findings, prior: Findings | None) -> str:
    """Everything present in the fewest words, then the changes: an exercise of training, never a report."""
    said = ["cardiomegaly"] if current.cardiomegaly else []
    if current.edema:
        said.append(f"{current.edema} edema")
    for side in SIDES:
        half = current.side(side)
        for name in ("consolidation", "atelectasis", "effusion", "pneumothorax", "line", "pacemaker"):
            value = getattr(half, name)
            if value:
                said.append(f"{side} {name}" if value is True else f"{side} {value} {name}")
    if current.tube:
        said.append("tube")
    text = "; ".join(said) or "normal"
    return text if prior is None else f"{text} | {short_changes(prior, current)}"


def short_changes(prior: Findings, current: Findings) -> str:
    """Every change in the fewest words: an exercise of training, never a report."""
    return "; ".join(f"{change_name(change)} {change.word}" for change in changes(prior, current)) or "no change"
