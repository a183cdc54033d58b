"""What stands before a reader: images, a prior, a draft, and the people who look at them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from argon2 import PasswordHasher

from app.access import Role
from app.accounts.handlers import Accounts
from app.accounts.passwords import Passwords
from app.content import content_digest
from app.db.session import Database, unit_of_work
from app.db.tables import Draft, Instance, PriorEntry, PriorImageRow, Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage
from app.ports import Clock, ObjectStore
from tests.builders.radiographs import radiograph
from tests.builders.studies import add_study

PASSWORD = "correct horse battery"
SENTENCES = (
    ("findings", "The heart is enlarged.", "image", ()),
    ("findings", "New small left pleural effusion.", "prior", ({"code": "comparison", "reason": "compares"},)),
    ("impression", "Cardiomegaly.", "image", ()),
)


def quick_passwords() -> Passwords:
    """Argon2id at its lowest cost: the tests log in often."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def add_person(database: Database, clock: Clock, username: str, *roles: Role) -> str:
    """Somebody with PASSWORD; returns the id."""
    return Accounts(database, clock, quick_passwords()).set_user(username, f"Dr {username.title()}", roles, PASSWORD)


def draft_sentences(rows: Sequence[tuple[str, str, str, Sequence[object]]] = SENTENCES) -> list[dict[str, object]]:
    """As the drafting stage stores them."""
    return [
        {"index": index, "section": section, "text": text, "source": source, "logprob": -0.1, "flags": list(flags)}
        for index, (section, text, source, flags) in enumerate(rows)
    ]


def add_draft(database: Database, clock: Clock, study: Study, **values: object) -> Draft:
    """The next draft of a study, its current one; older ones are stale."""
    with unit_of_work(database, clock) as uow:
        row = uow.study(study.id)
        mine = sa.select(sa.func.count()).where(Draft.study_id == study.id)
        columns = {
            "id": new_id(),
            "study_id": study.id,
            "revision": row.revision,
            "version": (uow.session.scalar(mine) or 0) + 1,
            "stale": False,
            "input_hash": hashlib.sha256(new_id().encode()).hexdigest(),
            "model": "unirg-cxr-nano",
            "weights_digest": "0" * 64,
            "prompt_version": "test-1",
            "image_digests": ["1" * 64],
            "text": " ".join(text for _, text, _, _ in SENTENCES),
            "finish_reason": "stop",
            "sentences": draft_sentences(),
            "created_at": uow.now,
        }
        draft = Draft(**{**columns, **values})
        uow.session.execute(sa.update(Draft).where(Draft.study_id == study.id).values(stale=True))
        uow.session.add(draft)
        row.current_draft_id = draft.id
    return draft


def add_image(database: Database, clock: Clock, study: Study, store: ObjectStore | None = None) -> Instance:
    """A radiograph of the study; its bytes are in `store` where one is given."""
    dataset = radiograph(StudyInstanceUID=study.study_instance_uid)
    key = _keep(store, dataset) if store else f"objects/00/{new_id()}"
    image = Instance(
        study_id=study.id,
        sop_instance_uid=dataset.SOPInstanceUID,
        sop_class_uid=dataset.SOPClassUID,
        series_instance_uid=dataset.SeriesInstanceUID,
        transfer_syntax_uid=dataset.file_meta.TransferSyntaxUID,
        modality="DX",
        view_position="PA",
        object_key=key,
        digest=content_digest(key.encode()),
        size=1,
        revision=study.revision,
        received_at=clock.now(),
    )
    with unit_of_work(database, clock) as uow:
        uow.session.add(image)
    return image


def _keep(store: ObjectStore, dataset: object) -> str:
    temp = store.incoming_dir / f"{new_id()}.part"
    dataset.save_as(temp, enforce_file_format=True)  # type: ignore[attr-defined]
    return store.publish(temp, content_digest(temp.read_bytes()))


def add_prior(
    database: Database, clock: Clock, study: Study, decision: PriorDecision = PriorDecision.CHOSEN
) -> PriorImageRow:
    """An earlier study in the ledger, with its image."""
    entry = PriorEntry(
        id=new_id(),
        study_id=study.id,
        revision=study.revision,
        rank=1,
        study_instance_uid=derived_uid("study", new_id()),
        study_date="20250115",
        description="XR CHEST",
        source="pacs",
        decision=decision,
        reason="newest earlier frontal chest radiograph",
    )
    image = PriorImageRow(
        entry_id=entry.id,
        series_instance_uid=derived_uid("series", new_id()),
        sop_instance_uid=derived_uid("instance", new_id()),
        view_position="PA",
        object_key=f"objects/00/{new_id()}",
    )
    with unit_of_work(database, clock) as uow:
        uow.study(study.id).prior_outcome = PriorOutcome.FOUND
        uow.session.add(entry)
        uow.session.flush()
        uow.session.add(image)
    return image


def add_ready_study(database: Database, clock: Clock, **values: object) -> tuple[Study, Draft]:
    """A study that waits for a radiologist: one image, one prior, a draft of three sentences, the second flagged."""
    study = add_study(database, clock, Stage.READY, **values)
    add_image(database, clock, study)
    add_prior(database, clock, study)
    return study, add_draft(database, clock, study)
