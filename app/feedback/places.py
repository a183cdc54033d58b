"""By which words of its name a place is known: "at St. Elsewhere" is "St. Elsewhere Hospital". Pure.

A word that institutions share, or that a chest report says without meaning a place, gives no place away alone; it goes
only as part of the whole name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.feedback.known import folded

_SHARED = """
    academic and avenue building campus center centre childrens city clinic clinical clinics college community county
    department dept der district division drive east eastern emergency for foundation general group health healthcare
    hospital hospitals house imaging institute institution intensive klinik klinikum krankenhaus lab laboratory lane
    medical medicine memorial mount municipal national new north northern nursing office outpatient pediatric pediatrics
    practice private public radiology regional road room saint san school science sciences service services site south
    southern state street suite surgery surgical system teaching the town trauma trust und unit university
    universitatsklinikum veterans von ward west western women womens xray
"""
_OF_REPORTS = """
    abdomen abdominal acute air angle aortic apex area back basal base bay black bone bones border breast bridge bright
    broad bronchial cancer cardiac cardiology cardiothoracic care catheter central chest chronic clear column corner
    coronary crest critical cross device diagnostic diaphragm disease diseases dome field fields film films first free
    good grand great green grey head heart high hill icu internal interval interventional lake large last lead leads
    left level levels light line lines long low lower lung lungs main margin mass masses mediastinal middle mild
    moderate neck nodule normal old oncology opacity pacemaker park patient pelvis pleural point port portable presence
    prior pulmonary ray red report respiratory rib ribs ridge right river second severe sharp short shoulder side small
    soft spinal spine stable stone surface third thoracic tube union upper valley vascular vertebral view views wall
    white wide
"""
_ORDINARY = frozenset(f"{_SHARED} {_OF_REPORTS}".split())
_SHORTEST = 3  # letters
APOSTROPHE = "['’ʼ`]"
_SAINT = r"(?:(?<![^\W_])(?:st|saint|mt|mount)\W{1,2})?"


def place_patterns(place: str) -> Iterator[re.Pattern[str]]:
    """Over folded text: each word that is this place's own, with the "St." before it."""
    for word in dict.fromkeys(re.findall(r"[^\W\d_]+", re.sub(APOSTROPHE, "", folded(place)))):
        if len(word) >= _SHORTEST and word not in _ORDINARY:
            yield re.compile(rf"{_SAINT}(?<![^\W_]){with_apostrophes(word)}(?![^\W_])")


def with_apostrophes(word: str) -> str:
    """A pattern of the folded word, which may have an apostrophe anywhere in it: Mary's, O'Brien."""
    return f"{APOSTROPHE}?".join(map(re.escape, word))
