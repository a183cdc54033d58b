"""IU X-ray (Indiana University, Open-I) in its two layouts.

Open-I: ecgen-radiology/*.xml (perhaps below NLMCXR_reports/) with AbstractText of COMPARISON, INDICATION, FINDINGS and
IMPRESSION, and the PNG files of parentImage below images/, NLMCXR_png/ or the root. R2Gen: annotation.json
({"train": [{"id", "report", "image_path"}], "val": …, "test": …}; the report is the findings) and images/<id>/0.png.
Where both are there the texts come from the XML and the split from R2Gen.

`test_ids` names the studies of ReXrank's test set (590): a text file with one id a line, a JSON list, or a JSON object
keyed by id, such as ReXrank's own file; they are `test`, everything else `train`. An id is its CXR number. Without
either list the layout is refused, or hashed by `split = "hash"`. Views are not told (Open-I's header is unreliable);
`projections` names an indiana_projections.csv (uid, filename, projection) that tells frontal from lateral. Each study
is a patient of its own: the collection links none, so there are no priors.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.datasets import fields
from training.datasets.films import Film
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish
from training.datasets.tables import decode, rows_of

OPTIONS = ("test_ids", "split", "projections", "images")
_NUMBER = re.compile(r"(?:^|/)(?:CXR)?(\d+)(?:_|$|\.xml$)", re.IGNORECASE)
_ANNOTATED = {"train": "train", "val": "validate", "test": "test"}
_LABELS = ("findings", "impression", "indication", "comparison")


def _number(name: str) -> str:
    """The CXR number of an id, a folder or a file name, "" where it has none."""
    match = _NUMBER.search(name.strip())
    return str(int(match[1])) if match else ""


def _ids(path: Path) -> dict[str, str]:
    """The CXR number of each entry of a list of ids, "" where it has none. Raises BadSource where none has one."""
    text, _ = decode(path.read_bytes())
    try:
        listed: Any = json.loads(text)
    except ValueError:
        listed = text.split()
    names = listed if isinstance(listed, list | dict) else [listed]
    found = {str(name): _number(str(name)) for name in names}
    if not any(found.values()):
        raise BadSource(f"{path} names no study such as CXR2384_IM-0942 or 2384")
    return found


def _annotation(source: Source) -> dict[str, list[Any]]:
    path = source.root / "annotation.json"
    if not path.is_file():
        return {}
    try:
        annotation = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadSource(f"{path} is not JSON ({error}); fetch it again") from error
    if not isinstance(annotation, dict) or not set(annotation) & set(_ANNOTATED):
        raise BadSource(f"{path} must be an object with the keys train, val and test")
    if not all(isinstance(annotation.get(name, []), list) for name in _ANNOTATED):
        raise BadSource(f"{path}: train, val and test must each be a list of studies; fetch it again")
    return {name: annotation.get(name, []) for name in _ANNOTATED}


def _xml_folder(source: Source) -> Path | None:
    names = ("ecgen-radiology", "NLMCXR_reports/ecgen-radiology", "reports", "NLMCXR_reports")
    return next((source.root / name for name in names if any((source.root / name).glob("*.xml"))), None)


def _views(source: Source, problems: list[Problem]) -> dict[str, dict[str, str]]:
    """CXR number -> file stem -> view, of indiana_projections.csv."""
    path = source.file("projections")
    views: dict[str, dict[str, str]] = defaultdict(dict)
    for _, row in rows_of(path, source.dataset, ("uid", "filename", "projection"), problems) if path else ():
        views[_number(row["uid"])][_stem(row["filename"])] = fields.view(row["projection"])
    return views


def _stem(name: str) -> str:
    """File name without folders, .png and .dcm, and without the number that Kaggle's copy puts before IM-."""
    return re.sub(r"^(?:(?:CXR)?\d+_)+(?=IM-)", "", Path(name).name.removesuffix(".png").removesuffix(".dcm"))


def _split_of(source: Source, annotation: dict[str, list[Any]]) -> dict[str, str]:
    """Split by CXR number; what is in none is train, or hashed where the whole collection is."""
    path = source.file("test_ids")
    entries = [(split, entry) for name, split in _ANNOTATED.items() for entry in annotation.get(name, [])]
    listed = {_number(str(entry.get("id", ""))): split for split, entry in entries if isinstance(entry, dict)}
    if path:
        train = {number: "train" for number, split in listed.items() if split == "test"}
        return train | dict.fromkeys(_ids(path).values(), "test")
    if not listed and source.choice("split", ("listed", "hash")) == "listed":
        raise BadSource(
            f"{source.dataset}: name ReXrank's test studies with test_ids = …, so that none is trained on "
            '(or hash the split yourself: split = "hash")'
        )
    return listed


def plan(source: Source) -> Plan:
    """One record per XML file or, without these, per annotated study."""
    result = Plan()
    annotation, folder = _annotation(source), _xml_folder(source)
    if not annotation and folder is None:
        raise BadSource(f"{source.root} has neither ecgen-radiology/*.xml (Open-I) nor annotation.json (R2Gen)")
    splits = _split_of(source, annotation)
    others = "train" if splits else ""
    views_of = _views(source, result.problems)
    found = _of_xml(folder) if folder else _of_annotation(annotation, source, result.problems)
    for record in found:
        record["split"] = splits.get(record["patient"], others)
        record["views"] = views_of.get(record["patient"], {})
        result.records.append(record)
    result.problems += _unmatched(source, {record["patient"] for record in result.records})
    return result


def _unmatched(source: Source, numbers: set[str]) -> list[Problem]:
    """Entries of test_ids that are no study here: the study they mean may be trained on. Raises BadSource for all."""
    path = source.file("test_ids")
    if path is None:
        return []
    ids = _ids(path)
    unknown = [name for name, number in ids.items() if number not in numbers]
    if len(unknown) == len(ids):
        raise BadSource(f"{path} names no study of {source.root}; give the list that belongs to this collection")
    return [Problem(source.dataset, path.name, "test id without a study", name, dropped=False) for name in unknown]


def _of_xml(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.glob("*.xml"), key=lambda path: (len(path.stem), path.stem)):
        number = _number(path.name) or path.stem
        yield {"patient": number, "study": f"CXR{number}", "at": path.name, "xml": str(path)}


def _of_annotation(annotation: dict[str, list[Any]], source: Source, problems: list[Problem]) -> Iterator[Record]:
    for split in _ANNOTATED:
        for place, entry in enumerate(annotation.get(split, [])):
            at = f"annotation.json:{split}[{place}]"
            if not isinstance(entry, dict) or not _number(str(entry.get("id", ""))):
                problems.append(Problem(source.dataset, at, "identifier missing", str(entry)[:80]))
                continue
            images, name = entry.get("image_path") or [], str(entry["id"])
            if not isinstance(images, list):
                problems.append(Problem(source.dataset, at, "unreadable entry", "image_path is no list", name))
                continue
            record = {"patient": _number(name), "study": name, "at": at}
            yield record | {"findings": fields.text(entry.get("report")), "images": [str(image) for image in images]}


def _parsed(path: Path) -> tuple[dict[str, str], list[str]]:
    """(sections, image ids) of an Open-I report. Raises ParseError."""
    root = ET.fromstring(path.read_bytes())  # noqa: S314 expat refuses entity bombs; the files are local
    texts: dict[str, list[str]] = defaultdict(list)
    for element in root.iter("AbstractText"):
        texts[(element.get("Label") or "").lower()].append("".join(element.itertext()))
    sections = {name: fields.text(" ".join(texts[name])) for name in _LABELS}
    return sections, [image for element in root.iter("parentImage") if (image := element.get("id"))]


def _file(name: str, source: Source) -> Path:
    """Where an image of either layout is, or should be."""
    given = source.option("images")
    folders = [Path(given)] if given else [source.root / part for part in ("images", "NLMCXR_png", "")]
    names = (name,) if name.endswith(".png") else (f"{name}.png", name)
    candidates = [folder / name for folder in folders for name in names]
    return next((path for path in candidates if path.is_file()), candidates[0])


def files(record: Record, source: Source) -> list[Path]:
    """The XML, where there is one, and the images of one study."""
    if "xml" not in record:
        return [_file(name, source) for name in record["images"]]
    path = Path(record["xml"])
    try:
        return [path, *(_file(name, source) for name in _parsed(path)[1])]
    except (ET.ParseError, OSError):
        return [path]


def read(record: Record, source: Source) -> Outcome:
    """Read the XML of a study, where there is one, and find its images."""
    sections, images = {"findings": record.get("findings", "")}, record.get("images", [])
    if "xml" in record:
        try:
            sections, images = _parsed(Path(record["xml"]))
        except (ET.ParseError, OSError) as error:
            problem = Problem(source.dataset, record["at"], "unreadable XML", str(error), record["study"])
            return Outcome(None, (problem,))
    views = record["views"]
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key="",
        source_row=record["at"],
        films=[Film(str(_file(name, source)), views.get(name) or views.get(_stem(name), "")) for name in images],
        **sections,
        split=record["split"],
    )
    return finish(found, source)
