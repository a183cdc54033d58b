"""How radiology departments write "chest": study and series descriptions are free text in the site's language."""

from __future__ import annotations

import re
import unicodedata

_CHEST = (
    # English and Latin stems that many languages share
    r"\b(?:chest|cxr|th?ora[xckz]\w*|lungs?|pulmon\w*)\b",
    # German, Dutch, Scandinavian
    r"\b(?:brustkorb|lunge\w*|longen?|longfoto|borstkas|lungor|lungorna|lungr\w+|brostkorg\w*|brystkasse\w*)\b",
    # French, Italian, Romanian; Slavic in Latin script; Finnish, Hungarian, Turkish
    r"\b(?:poumons?|polmon\w*|plaman\w*|klatk\w* piersiow\w*|klp|pluc\w*|plic\w*|hrud\w*)\b",
    r"\b(?:keuhko\w*|mellkas\w*|tudo(?:rontgen|felvetel)\w*|akciger\w*|gogus)\b",
    # Cyrillic, Greek
    r"(?:груд\w*\s+кл[еі]т\w*|органов? грудн\w*|\bогк\b|\bлегк(?:их|ие)\b|гръд\w*|θωρακ\w*|πνευμον\w*)",
    # East Asian, Arabic, Hebrew, Thai, Hindi
    r"(?:胸部|胸片|胸正|胸側|肺|흉부|폐|صدر|רנטגן חזה|חזה|ทรวงอก|ปอด|छाती)",
)
_SPINE = r"(?:spine|spinal|rachis|columna|colonna|coluna|col\.|vertebr\w*|wirbel\w*|kregoslup\w*|ryggrad|позвоночн\w*)"
_NOT_CHEST = (
    # the thoracic spine and the bony thorax carry the chest's name, and are other examinations
    rf"\b(?:thora\w*|tora\w*|dors\w*|chest)[\s-]+{_SPINE}",
    rf"\b{_SPINE}[\s-]+(?:\w+[\s-]+)?(?:thora\w*|tora\w*|dors\w*)",
    r"\b(?:t[\s-]?spine|bws|brustwirbel\w*|thorakalwirbel\w*|thoraco-?\s?lumb\w*|toraco-?\s?lomb\w*|toraco-?\s?lumb\w*)\b",
    r"\b(?:knocherner? (?:hemi)?thorax|rippenthorax|thoracic (?:outlet|inlet|duct))\b",
    r"(?:胸椎|胸骨|胸腰椎|흉추|грудн\w* отдел\w*)",
)
_ELSEWHERE = (
    r"\b(?:abdom\w*|knees?|knie\w*|genou\w*|rodilla\w*|ginocchi\w*|hands?|wrists?|fingers?|thumb|feet|foot|toes?|ankles?|"
    r"hips?|huft\w*|hanche\w*|cadera\w*|pelvis|becken\w*|bassin|skull|schadel\w*|crane|shoulders?|schulter\w*|epaule\w*|"
    r"hombro\w*|elbows?|ellenbogen|coude|forearm|humerus|femur|tibia|fibula|neck|cervical|lumbar|spine|rachis|lws|hws|lend\w*|sacr\w*|"
    r"sinus\w*|dental|mandib\w*|mammo\w*|breasts?|urogra\w*|hip joint)\b"
)


def _normal(words: str) -> str:
    """Without case and accents: how they are written depends on the keyboard."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("_", " "))


_SAYS_CHEST = re.compile("|".join(_normal(part) for part in _CHEST))
_SAYS_NOT = re.compile("|".join(_normal(part) for part in _NOT_CHEST))
_SAYS_ELSEWHERE = re.compile(_ELSEWHERE)


def says_chest(words: str) -> bool:
    """Whether the words name the chest as what was radiographed; the thoracic spine does not count."""
    return bool(_SAYS_CHEST.search(_SAYS_NOT.sub(" ", _normal(words))))


def says_elsewhere(words: str) -> bool:
    """Whether the words name another part of the body, and not the chest."""
    normal = _normal(words)
    return not says_chest(words) and bool(_SAYS_NOT.search(normal) or _SAYS_ELSEWHERE.search(normal))
