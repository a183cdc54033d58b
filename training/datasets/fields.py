"""Single fields of the collections in one form: texts, ages, sexes, views, dates."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any

_MISSING = {"", "nan", "none", "null", "n/a", "<na>"}
_AGE = re.compile(r"0*(\d{1,3})(?:\.\d+)?\s*([YMWD]?)", re.IGNORECASE)
_AGE_RANGE = re.compile(r"(\d{1,3})\s*-\s*(\d{1,3})")
_PER_YEAR = {"": 1.0, "Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
_OLDEST = 120
_LABELS = {"1.0": 1, "0.0": 0, "-1.0": -1, "1": 1, "0": 0, "-1": -1}

_PA = {"PA", "POSTERO-ANTERIOR", "POSTEROANTERIOR"}
_AP = {"AP", "ANTERO-POSTERIOR", "ANTEROPOSTERIOR"}
_LATERAL = {"LATERAL", "LL", "RL", "LLAT", "RLAT", "LAT", "XTABLE LATERAL", "LEFT LATERAL", "RIGHT LATERAL"}


def text(value: Any) -> str:
    """Single-spaced text; "" for None, NaN and the words that stand for nothing."""
    if not value and value != 0:
        return ""
    joined = " ".join(str(value).split())
    return "" if len(joined) < 5 and joined.lower() in _MISSING else joined


def optional(value: Any) -> str | None:
    """Text, None where there is none or where the source says "Unknown"."""
    found = text(value)
    return None if found.lower() in {"", "unknown", "unable to obtain", "patient declined to answer"} else found


def age(value: Any) -> float | None:
    """Years of "58", "58.0", "058Y", "006M" (PS3.5 AS) or the middle of "50-60"; None where absent or above 120."""
    found = text(value)
    between = _AGE_RANGE.fullmatch(found)
    if between:
        return (int(between[1]) + int(between[2])) / 2
    match = _AGE.fullmatch(found)
    years = int(match[1]) / _PER_YEAR[match[2].upper()] if match else None
    return None if years is None or years > _OLDEST else round(years, 2)


def sex(value: Any) -> str | None:
    """F or M; None for anything else."""
    first = text(value)[:1].upper()
    return first if first in {"F", "M"} else None


def view(value: Any) -> str:
    """PA, AP, FRONTAL, LATERAL, OTHER (decubitus, oblique, lordotic ...) or "" where the source does not say."""
    said = text(value).upper().replace("_", "-")
    if said in _PA:
        return "PA"
    if said in _AP:
        return "AP"
    if said in _LATERAL:
        return "LATERAL"
    if said == "FRONTAL":
        return "FRONTAL"
    return "OTHER" if said else ""


def dicom_date(value: Any) -> date | None:
    """YYYYMMDD (PS3.5 DA), also as a number or with hyphens; None where it is no date."""
    digits = re.sub(r"\.0$", "", text(value)).replace("-", "")
    if not re.fullmatch(r"\d{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def dicom_time(value: Any) -> time | None:
    """HHMMSS.FFF (PS3.5 TM) that went through a number and so may lack leading zeros; None where it is no time."""
    match = re.fullmatch(r"(\d{1,6})(?:\.(\d+))?", text(value))
    if not match:
        return None
    whole = match[1].zfill(6)
    micro = int((match[2] or "0")[:6].ljust(6, "0"))
    try:
        return time(int(whole[:2]), int(whole[2:4]), int(whole[4:]), micro)
    except ValueError:
        return None


def label(value: Any) -> int | None:
    """1, 0 or -1 of "1.0", "0.0", "-1.0"; None for an empty field."""
    return _LABELS.get(str(value).strip())
