"""Reports as some weeks of reading leave them: begun, saved and signed over HTTP, by chance but always the same."""

from __future__ import annotations

from app.db.session import unit_of_work
from app.db.tables import Instance
from app.domain.study import Stage
from tests.api.acts import SIGNING, begin, save, sign
from tests.builders.reading import add_draft, add_image, add_ready_study, draft_sentences
from tests.builders.studies import add_study

SAID = (
    "The heart is mildly enlarged.",
    "Small left pleural effusion.",
    "Small right pleural effusion with adjacent atelectasis.",
    "No pneumothorax.",
    "There may be consolidation at the right base.",
    "A right jugular line ends in the superior vena cava.",
    "The bones are intact.",
    "Mild pulmonary edema.",
    "No focal consolidation, effusion or pneumothorax.",
    "Clear lungs.",
)
REWORDED = ("Large left pleural effusion.", "Pulmonary edema has resolved.", "The cardiac silhouette is normal.")
TYPED = ("Fracture of the left sixth rib.", "A pacemaker is in place.", "Correlate with the history.")
CODES = ("contradicts-findings", "side-contradiction", "repeated-text")
MODELS = (("unirg-cxr-nano", "a" * 64, "1"), ("unirg-cxr-nano", "a" * 64, "2"), ("unirg-cxr-8b", "b" * 64, "1"))


def read_one(house, dice, reader):
    model, digest, prompt = dice.choice(MODELS)
    study = add_study(house.database, house.clock, Stage.READY, issuer=dice.choice(("NORTH", "SOUTH", "")))
    for view in dice.sample(("PA", "LL", ""), dice.choice((1, 2))):
        image_of(house, study, view, dice.choice(("DX1", "DX2")))
    house.clock.advance(dice.uniform(20, 400))
    draft = None
    if dice.random() < 0.85:
        rows = draft_rows(dice)
        made_by = {"model": model, "weights_digest": digest, "prompt_version": prompt}
        draft = add_draft(house.database, house.clock, study, sentences=draft_sentences(rows), **made_by)
    house.clock.advance(dice.uniform(20, 400))
    report = begin(reader, study, draft)
    answer = sign(reader, save(reader, report, written(dice, draft)))
    assert answer.status_code == 200, answer.text
    house.clock.advance(5)
    if dice.random() < 0.2:
        image_of(house, study, "AP", "LATE")
    if dice.random() < 0.2:
        path = f"/api/v1/reports/{report['id']}/addenda"
        assert reader.post(path, json={"text": "Pneumothorax after all.", **SIGNING}).status_code == 201


def image_of(house, study, view, sender):
    image = add_image(house.database, house.clock, study)
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.session.get_one(Instance, image.id)
        row.view_position, row.calling_ae = view, sender


def draft_rows(dice):
    said = dice.sample(SAID, dice.randint(2, 7))
    flags = [[{"code": code, "reason": "why"} for code in dice.sample(CODES, dice.choice((0, 0, 1, 2)))] for _ in said]
    places = ["findings"] * (len(said) - 1) + ["impression"]
    return [(place, text, "image", flag) for place, text, flag in zip(places, said, flags, strict=True)]


def written(dice, draft):
    """Text and decisions of a reader who may also type a sentence without calling it one of his own."""
    texts, decided = {"findings": [], "impression": []}, []
    for row in draft.sentences if draft else ():
        decision = dice.choice(("accepted", "accepted", "edited", "rejected"))
        text = dice.choice(REWORDED) if decision == "edited" else row["text"]
        decided.append({"index": row["index"], "decision": decision, "text": text})
        if decision != "rejected":
            texts[row["section"]].append(text)
    for at, text in enumerate(dice.sample(TYPED, dice.choice((0, 1, 2)) if draft else 2)):
        texts["findings"].append(text)
        if dice.random() < 0.7:
            decided.append({"index": 100 + at, "decision": "added", "text": text})
    texts["impression"] = texts["impression"] or ["Read by hand."]
    return {"sentences": decided, **{section: "\n ".join(said) for section, said in texts.items()}}


def leave_unsigned(house, reader):
    study, draft = add_ready_study(house.database, house.clock)
    save(reader, begin(reader, study, draft))
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    assert reader.post(f"/api/v1/reports/{report['id']}/reject", json={"reason": "no"}).status_code == 200
