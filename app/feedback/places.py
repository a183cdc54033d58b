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
    department dept der district division east eastern emergency for foundation general group health healthcare
    hospital hospitals house imaging institute institution intensive klinik klinikum krankenhaus lab laboratory lane
    medical medicine memorial mount municipal national new north northern nursing office outpatient pediatric
    pediatrics practice private public radiology regional road room saint san school science sciences service services
    site south southern state street suite surgery surgical system teaching the town trauma trust und unit university
    universitatsklinikum veterans von ward west western women womens xray
"""
_OF_REPORTS = """
    acute air apex area back base basal bay black bone bones bridge bright broad cancer cardiac cardiology
    cardiothoracic care catheter central chest chronic clear critical cross diagnostic disease field fields film films
    first free good grand great green grey head heart high hill interval lake large last left light line lines long low
    lower lung lungs main middle mild moderate neck normal oncology old park patient point port portable prior
    pulmonary ray red report respiratory right river second severe short side small soft spine stable stone third
    thoracic tube upper valley vascular view views wall white wide
"""
_ORDINARY = frozenset(f"{_SHARED} {_OF_REPORTS}".split())
_SHORTEST = 3  # letters
_SAINT = r"(?:(?<![^\W_])(?:st|saint|mt|mount)\W{1,2})?"


def place_patterns(place: str) -> Iterator[re.Pattern[str]]:
    """Over folded text: each word that is this place's own, with the "St." before it."""
    for word in dict.fromkeys(re.findall(r"[^\W\d_]+", re.sub(r"['’]", "", folded(place)))):
        if len(word) >= _SHORTEST and word not in _ORDINARY:
            yield re.compile(rf"{_SAINT}(?<![^\W_]){re.escape(word)}(?![^\W_])")
