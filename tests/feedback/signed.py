"""Reports signed through the real use cases; texts and headers are full of identities."""

from __future__ import annotations

import json

import sqlalchemy as sa

from app.content import content_digest
from app.db.session import unit_of_work
from app.db.tables import Base, Instance, PriorEntry
from app.domain.identifiers import new_id
from app.domain.study import Stage
from app.priors.own_studies import OWN
from tests.api.acts import CRITICAL, REPORTS, SIGNING, begin, save, sign
from tests.builders.radiographs import radiograph
from tests.builders.reading import add_draft, add_prior, draft_sentences
from tests.builders.studies import add_study

PATIENT = {
    "patient_id": "MRN0047113",
    "issuer": "ELSEWHERE",
    "patient_name": "Müller-Lüdenscheidt^Anna Sofía",
    "birth_date": "19340102",
    "accession_number": "ACC-2026-778",
    "referring_physician": "Grünwald^Otto",
    "study_id_tag": "SID4711",
    "study_date": "20260301",
    "indication": "Anna Müller, 92 years old, dyspnea since 2026-02-27, ref. Dr. Gruenwald",
}
DRAFT = (
    ("findings", "Comparison: chest radiograph of 2025-01-15.", "prior", ()),
    ("findings", "The heart is enlarged.", "image", ()),
    ("findings", "Small left pleural effusion.", "image", ()),
    ("findings", "No pneumothorax.", "image", ()),
    ("impression", "Cardiomegaly.", "image", ()),
)
DECISIONS = ("accepted", "accepted", "edited", "rejected", "accepted")
EDITED = "Moderate left pleural effusion, as told to Dr. Ward."
ADDED = "Known to MUELLER since January 15, 2025 (ACC 2026 778)."
FINDINGS = f"Comparison: chest radiograph of 2025-01-15. The heart is enlarged. {EDITED} {ADDED}"
IMPRESSION = "Cardiomegaly."
PRIOR_REPORT = "FINDINGS: Anna M\u00fcller: lungs clear on 15.01.2025. IMPRESSION: Normal, MRN 0047113."
INSTITUTION = "St. Elsewhere Clinic"


def add_film(house, study, calling_ae="ROOM_ONE", **header):
    dataset = radiograph(
        StudyInstanceUID=study.study_instance_uid,
        **{"PatientName": study.patient_name, "PatientID": study.patient_id, "InstitutionName": INSTITUTION,
           "OperatorsName": "Zwiebel^Fritz", "BurnedInAnnotation": "NO", **header},
    )  # fmt: skip
    temp = house.store.incoming_dir / f"{new_id()}.part"
    dataset.save_as(temp, enforce_file_format=True)
    digest = content_digest(temp.read_bytes())
    image = Instance(
        study_id=study.id, sop_instance_uid=dataset.SOPInstanceUID, sop_class_uid=dataset.SOPClassUID,
        series_instance_uid=dataset.SeriesInstanceUID, transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
        modality="DX", view_position="PA", object_key=house.store.publish(temp, digest), digest=digest, size=1,
        revision=1, received_at=house.clock.now(), calling_ae=calling_ae,
    )  # fmt: skip
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.add(image)
    return image


def decisions(texts):
    return [{"index": i, "decision": d, "text": t} for i, (d, t) in enumerate(zip(DECISIONS, texts, strict=True))]


TEXTS = (*(text for _, text, _, _ in DRAFT[:2]), EDITED, *(text for _, text, _, _ in DRAFT[3:]))
TEXT = {
    "findings": FINDINGS,
    "impression": IMPRESSION,
    "sentences": [*decisions(TEXTS), {"index": 9, "decision": "added", "text": ADDED}],
}


def ready_study(house, *, prior=True, header=None, calling_ae="ROOM_ONE", **values):
    """With a film, a prior with its film and report, and a draft that compares."""
    study = add_study(house.database, house.clock, Stage.READY, **{**PATIENT, **values})
    film = add_film(house, study, calling_ae, **(header or {}))
    uid = _give_prior(house, study, film) if prior else ""
    sentences = draft_sentences(DRAFT)
    sentences[0]["author"] = "service"
    draft = add_draft(
        house.database, house.clock, study, sentences=sentences, prior_study_instance_uid=uid,
        prior_study_date="20250115" if prior else "", image_digests=["1" * 64, *(["2" * 64] if prior else [])],
        text="Findings: The heart is enlarged. Small left pleural effusion. No pneumothorax. Unchanged since "
        "2025-01-15. Impression: Cardiomegaly.",
    )  # fmt: skip
    return study, draft


def sent_here(house, study, calling_ae):
    """The prior of the study turns out to be one of our own, with its film, sent by that AE title."""
    with unit_of_work(house.database, house.clock) as uow:
        entry = uow.session.scalars(sa.select(PriorEntry).where(PriorEntry.study_id == study.id)).one()
        entry.source, uid = OWN, entry.study_instance_uid
    values = {**PATIENT, "accession_number": "ACC-2025-1", "study_date": "20250115"}
    prior = add_study(house.database, house.clock, Stage.READY, study_instance_uid=uid, **values)
    add_film(house, prior, calling_ae)


def _give_prior(house, study, film):
    image = add_prior(house.database, house.clock, study)
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.session.get_one(type(image), image.id)
        row.object_key = film.object_key
        entry = uow.session.get_one(PriorEntry, row.entry_id)
        entry.report_text = PRIOR_REPORT
        return entry.study_instance_uid


def signed(house, reader, *, text=TEXT, **values):
    """Study, draft and the signed report's answer."""
    study, draft = ready_study(house, **values)
    answer = sign(reader, save(reader, begin(reader, study, draft), text))
    assert answer.status_code == 200, answer.text
    house.clock.advance(60)
    return study, draft, answer.json()


def withdrawn_then_signed(house, reader, **values):
    """The first wording is given up; another is signed."""
    study, draft = ready_study(house, **values)
    first = save(reader, begin(reader, study, draft), {**TEXT, "findings": f"{FINDINGS} Never to be seen."})
    tag = {"If-Match": f'"{first["etag"]}"'}
    gone = reader.post(f"{REPORTS}/{first['id']}/reject", json={"reason": "wrong side"}, headers=tag)
    assert gone.status_code == 200, gone.text
    answer = sign(reader, save(reader, begin(reader, study, draft), TEXT))
    assert answer.status_code == 200, answer.text
    return study, answer.json()


def add_to(reader, report, text):
    answer = reader.post(f"{REPORTS}/{report['id']}/addenda", json={**SIGNING, "text": text})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def tell(reader, report):
    answer = reader.post(f"{REPORTS}/{report['id']}/critical-result", json=CRITICAL)
    assert answer.status_code in {200, 201}, answer.text


def records(folder):
    return [json.loads(line) for line in (folder / "feedback.jsonl").read_text().splitlines()]


def identifiers(database):
    """Every value of the source database that names a row, an object, a person or a day."""
    named = {"username", "study_instance_uid", "sop_instance_uid", "series_instance_uid", "patient_id", "issuer",
             "accession_number", "study_id_tag", "birth_date", "study_date", "prior_study_date", "object_key",
             "calling_ae", "hash", "signed_digest", "signed_at", "prior_study_instance_uid"}  # fmt: skip
    found = set()
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            wanted = [c for c in table.c if c.name in named or c.name == "id" or c.name.endswith("_id")]
            for row in session.execute(sa.select(*wanted)) if wanted else ():
                found |= {str(value) for value in row if value is not None and len(str(value)) > 2}
    return found
