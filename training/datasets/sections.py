"""Sections of a MIMIC-CXR report file, by the conventions of its publishers' parser.

Headings stand at the start of a line, in capitals with a colon ("FINDINGS:", "CHEST, PA AND LATERAL:"). Of several
sections of one kind the last that holds text counts. A heading that is not known ("LUNGS:") below findings is part of
them; elsewhere it starts a text of its own, which is left out. The film of another part of the body ends them
("ABDOMEN, SINGLE VIEW:"), and so does who read it. A heading that names the film ("CHEST RADIOGRAPH:",
"PORTABLE AP:") opens findings, "FINDINGS AND IMPRESSION:" and "CONCLUSION:" an impression. Where neither is there, what
follows the first paragraph of the last section is the `last_paragraph`. Source: github.com/MIT-LCP/mimic-cxr,
txt/section_parser.py; written anew, but for the headings below findings.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Name = Literal["findings", "impression", "indication", "comparison", "history", "other", "unknown"]

_HEADING = re.compile(r"(?:(?<=\n)|(?<=\A))[ \t]{0,3}([A-Z][A-Z ()/,&-]{2,60}):(?=\s|\Z)")
_EXACT: dict[str, Name] = {
    "findings and impression": "impression",
    "findings/impression": "impression",
    "findings/ impression": "impression",
    "conclusion": "impression",
    "reference findings": "findings",
    "reason for examination": "indication",
    "reason for exam": "indication",
    "reason for study": "indication",
    "clinical indication": "indication",
    "clinical information": "history",
    "reference exam": "comparison",
    "pfi": "history",
    "type of examination": "other",
    "wet read": "other",
    "summary": "impression",
    "opinion": "impression",
    "exam": "other",
    "study": "other",
    "clinical data": "history",
}
_CORRECT: dict[str, Name] = {
    "impression": "impression",
    "conclusion": "impression",
    "findings": "findings",
    "indication": "indication",
    "comparison": "comparison",
    "history": "history",
}
_OTHER = ("examination", "technique", "recommendation", "notification")
# Other, where no film is named.
_ENDS = ("addendum", "procedure", "dictat", "signed", "physician", "radiologist", "attending", "interpreted", "date of")
_OTHER_FILM = re.compile(
    r"^kub\b|^(?!.*\b(?:chest|ribs)\b)(?=.*\b(?:abdom\w*|pelvis|spine|knee|hip|shoulder|hand|foot)\b)"
    r".*\b(?:views?|portable|supine|upright|films?|radiographs?|ap|lateral)\b"
)
_ALIKE = 0.8  # difflib ratio: IMPRSSION, FINIDNGS, COMPARISION are above, TECHNIQUE and EXAMINATION below
_CONTAINED: tuple[Name, ...] = ("impression", "findings", "history", "comparison")
_FILM = re.compile(
    r"chest|portable|pa and lat|lateral and pa|ap and lat|lateral and ap|frontal|(?:one|two|three) views?"
    r"|\b(?:pa|ap|lateral) view|ribs"
)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class ReportSections:
    """Single-spaced text of each section, "" where missing; `from_last_paragraph`: the findings had no heading."""

    findings: str = ""
    impression: str = ""
    indication: str = ""
    comparison: str = ""
    from_last_paragraph: bool = False


@lru_cache(maxsize=4096)
def section_name(heading: str) -> Name:
    """What a heading opens."""
    words = " ".join(heading.lower().split())
    if words in _EXACT:
        return _EXACT[words]
    misspelt = difflib.get_close_matches(words, _CORRECT, n=1, cutoff=_ALIKE)
    if misspelt:
        return _CORRECT[misspelt[0]]
    for name in _CONTAINED:
        if name in words:
            return name
    if any(word in words for word in _OTHER) or _OTHER_FILM.search(words):
        return "other"
    if _FILM.search(words):
        return "findings"
    return "other" if words == "date" or any(word in words for word in _ENDS) else "unknown"


def _blocks(report: str) -> Iterator[tuple[Name, str]]:
    name: Name = "other"
    start, in_findings = 0, False
    for heading in _HEADING.finditer(report):
        opened = section_name(heading[1])
        if opened == "unknown" and in_findings:
            continue
        yield name, report[start : heading.start()]
        name, start = opened, heading.end()
        in_findings = opened == "findings" or "FINDINGS" in heading[1]
    yield name, report[start:]


def _tidy(text: str) -> str:
    """Single-spaced, without the lines of underscores under which letters and signatures stand."""
    return " ".join(re.sub(r"_{10,}", " ", text).split())


def mimic_sections(report: str, *, last_paragraph: bool = True) -> ReportSections:
    """The sections of one report.

    last_paragraph: a report without findings and impression gives its last paragraphs as findings.
    """
    blocks = list(_blocks(report.replace("\r\n", "\n")))
    found: dict[Name, str] = {name: said for name, text in blocks if (said := _tidy(text))}
    findings, impression = found.get("findings", ""), found.get("impression", "")
    rest = ""
    if last_paragraph and not findings and not impression:
        rest = _tidy("\n".join(_PARAGRAPH.split(blocks[-1][1].strip())[1:]))
    return ReportSections(
        findings or rest,
        impression,
        found.get("indication") or found.get("history", ""),
        found.get("comparison", ""),
        bool(rest),
    )
