"""Free text: what identifies goes, what a radiologist measured stays."""

from __future__ import annotations

import pytest

from app.feedback.known import folded, known
from app.feedback.pseudonyms import Pseudonyms
from app.feedback.scrubbing import Scrubber

KNOWN = known(
    names=["Müller-Lüdenscheidt^Anna Sofía^^Dr", "O'Brien^Li", "山田^太郎"],
    identifiers=["MRN0047113", "A-1", "7", "1.2.840.113619.2.55"],
    places=["St. Elsewhere Hospital", "NORTH"],
    dates=["19600102", "20260304"],
)
SCRUBBER = Scrubber(KNOWN)


def scrubbed(text):
    return SCRUBBER.scrub(text).text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Anna Müller-Lüdenscheidt has an effusion.", "[name] [name]-[name] has an effusion."),
        ("Seen by MUELLER and Sofia's aunt.", "Seen by [name] and [name] aunt."),
        ("Mu\u0308ller again.", "[name] again."),
        ("Patient O’Brien, Li.", "Patient [name], [name]."),
        ("患者山田さん", "患者[name]さん"),
        ("MRN 0047113, mrn0047113.", "[id], [id]."),
        ("Accession A1 and A 1.", "[id] and [id]."),
        ("Object 1.2.840.113619.2.55.3 moved.", "Object [id] moved."),
        ("Transfer from St Elsewhere Hospital.", "Transfer from [place]."),
        ("Compared with 2025-01-15 and 15.01.2025.", "Compared with [date] and [date]."),
        ("Compared with 1/15/2025, 20250115, January 15, 2025.", "Compared with [date], [date], [date]."),
        ("Since 3 Feb 2024 and March 2023.", "Since [date] and [date]."),
        ("Film on 3/14 at 08:15.", "Film on [date] at [time]."),
        ("Call (555) 123-4567 or pager 4711.", "Call [contact] or [contact]."),
        ("Mail a.b@c.org.", "Mail [contact]."),
        ("Dr. Ward and Mrs Jones-Smith were told.", "[name] and [name] were told."),
        ("told dr ward", "told [name]"),
        ("A 93-year-old woman.", "A [age] woman."),
        ("Compared to 3/4.", "Compared to [date]."),
        ("Comparison: 3/4 film.", "Comparison: [date] film."),
        ("Compared with the 4/3 and 2/28 films.", "Compared with the [date] films."),
        ("Prior 3/4, film of 03/04, CXR 11/30.", "Prior [date], film of [date], CXR [date]."),
        ("Unchanged from 3/3 to 3/4.", "Unchanged from [date] to [date]."),
        ("A 2/28 chest radiograph, and 04/03.", "A [date] chest radiograph, and [date]."),
        ("Seen at St. Elsewhere and Elsewhere Hosp.", "Seen at [place] and [place] Hosp."),
        ("92F with cough, age 92, aged 101.", "[age] with cough, age [age], aged [age]."),
        ("Age: 90. 94 y/o, 95 M, 96 year old male, woman of 97.", "Age: [age]. [age], [age], [age] male, [age]."),
        ("92, female; 92-F; F, 92; pt age=92.", "[age]; [age]; [age]; pt age=[age]."),
        ("Female (92), a 92 -year-old.", "[age]), a [age]."),
        ("patient 92F", "patient [age]"),
        ("call 555 1234, 555.1234 or 555-1234", "call [contact], [contact] or [contact]"),
        ("obriens film, OBrien's film", "[name] film, [name] film"),
        ("Order 12345678 and XR20260077.", "Order [number] and [number]."),
    ],
)
def test_what_identifies_goes(text, wanted):
    assert scrubbed(text) == wanted
    assert SCRUBBER.residue(scrubbed(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Tube 4.5 cm above the carina.", "Nodule of 10-12 mm at T10-T12.", "Effusion of 1500 mL.", "A 64-year-old man.",
        "About 2/3 of the hemithorax.", "The apex may be obscured.", "C7 and rib 5.", "Heart 16 x 12 cm, ratio 0.55.",
        "1. Clear lungs. 2. Normal heart.", "COVID-19 pneumonia.", "Effusion over 3/4 of the lung, T 3/4, grade 3/4.",
        "Loss of 1/3 to 1/2 of the height.", "Filled up to 2/3.", "Murmur 2/6. Nodule of 1.5 cm, 3.4 cm, 12/15 mm.",
        "Fever of 101 F, Tc-99m scan, image 2/2.", "Febrile to 101 F, T 101F, Tmax 102 F, 92 bpm.",
        "Saturation 92%, at 95 mm, aged 64.", "Volumes of 120 1500 mL.",
        "Hospital bed; the clinic asks for a department of medicine.",
    ],
)  # fmt: skip
def test_what_was_measured_stays(text):
    assert scrubbed(text) == text
    assert SCRUBBER.residue(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "MüllerA came", "xMuller", "M u l l e r", "MRN-00-471-13 left", "xmrn0047113y", "North wing", "04 03 2026", "7",
        "St. Elsewhere Hospital", "as elsewhere", "3/4: effusion", "Film (04/03)", "on 03-04", "04.03. film",
        "O'Briens", "xobrien", "seen at 3/4", "the left 3/4",
    ],
)  # fmt: skip
def test_residue_is_found_in_odd_spellings(text):
    assert SCRUBBER.residue(text)


@pytest.mark.parametrize(
    "text", ["[name] [id] [date]", "Normal heart of 7.5 cm.", "27 ribs", "northern lobe", "4.3 cm", "T3/4", "3/5"]
)
def test_residue_is_not_seen_everywhere(text):
    assert SCRUBBER.residue(text) is None


def test_a_scrubbed_text_is_scrubbed():
    text = "Anna Müller, born 02.01.1960, MRN0047113, seen 2026-03-04 by Dr. No at 12:30."
    once = scrubbed(text)
    assert scrubbed(once) == once


@pytest.mark.parametrize(
    ("place", "text", "wanted"),
    [
        (
            "St. Mary's Hospital",
            "Seen at St. Mary's, St Mary’s and St. Marys.",
            "Seen at [place], [place] and [place].",
        ),
        ("St. Marys Hospital", "Seen at St. Mary's Hospital.", "Seen at [place] Hospital."),
        ("Mass General Hospital", "No mass or nodule.", "No mass or nodule."),
        ("Department of Internal Medicine", "Right internal jugular line.", "Right internal jugular line."),
        ("Presence Sharp Hospital", "Presence of sharp angles.", "Presence of sharp angles."),
    ],
)
def test_a_place_goes_by_its_own_words_only(place, text, wanted):
    scrubber = Scrubber(known(names=[], identifiers=[], places=[place], dates=[]))
    assert scrubber.scrub(text).text == wanted
    assert scrubber.residue(scrubber.scrub(text).text) is None


def test_folding_keeps_every_place():
    for text in ("Ärger İstanbul ﬁne ß", "山田", "Zoë e\u0301"):
        assert len(folded(text)) == len(text)


def test_pseudonyms_hold_within_an_export_and_not_beyond():
    one, other = Pseudonyms(), Pseudonyms()
    assert one.of("patient", "P", "1") == one.of("patient", "P", "1")
    assert len({one.of("patient", "P", "1"), one.of("patient", "P1", ""), one.of("study", "P", "1"),
                other.of("patient", "P", "1")}) == 4  # fmt: skip
    assert repr(one) == repr(other)
