"""Reading modes: which one holds, what a reader has seen, and that nothing else tells the words of a draft."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.access import Role
from app.config import DicomSettings, PeerSettings, ReviewSettings, Settings, load
from app.db import audit_trail
from app.db.report_tables import ViewReceipt
from app.db.session import unit_of_work
from app.db.tables import Instance, Report
from app.domain.identifiers import derived_uid, new_id
from app.domain.priors import PriorDecision
from app.domain.reading import ReadingMode, ReadingModes
from app.errors import ConfigError
from tests.api.acts import REPORTS, begin
from tests.api.modes import get_draft, images, in_mode, path, reading, refused, say_looked, silent, view
from tests.builders.reading import add_image, add_prior, add_ready_study
from tests.builders.studies import add_study


def test_draft_first_shows_the_draft_at_once(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    uids = images(house, study)
    assert reading(reader, study) == {
        "mode": "draft-first",
        "draft": "shown",
        "reason": None,
        "viewed": [],
        "unviewed": uids,
    }
    assert get_draft(reader, draft).status_code == 200
    report = begin(reader, study, draft)
    assert (report["reading_mode"], report["withheld"]) == ("draft-first", False)
    (entry,) = house.audited("report.started")
    assert entry.detail["reading_mode"] == "draft-first"


def test_a_view_is_recorded_once_with_who_and_when(either_house):
    house = either_house
    study, _ = add_ready_study(house.database, house.clock)
    reader = house.reader()
    (uid,) = images(house, study)
    first = view(reader, study, uid)
    house.clock.advance(60)
    assert view(reader, study, uid) == first
    assert (first["viewed"], first["unviewed"]) == ([uid], [])
    with house.database.reading() as session:
        (receipt,) = session.scalars(sa.select(ViewReceipt))
        assert audit_trail.verify(session).ok
    assert receipt.viewed_at.isoformat() == "2026-03-01T08:00:00+00:00"
    (entry,) = house.audited("view.image")
    assert (entry.actor, entry.study_id, entry.detail["sop_instance_uid"]) == ("user:ada", study.id, uid)


def test_the_chosen_priors_image_may_be_viewed_and_no_other_foreign_one(house):
    study, _ = add_ready_study(house.database, house.clock)
    other, _ = add_ready_study(house.database, house.clock)
    chosen = add_prior(house.database, house.clock, study)
    rejected = add_prior(house.database, house.clock, study, PriorDecision.REJECTED)
    reader = house.reader()
    assert chosen.sop_instance_uid in view(reader, study, chosen.sop_instance_uid)["viewed"]
    for uid in (*images(house, other), rejected.sop_instance_uid, "1.2.3"):
        answer = reader.post(path(study, "/views"), json={"sop_instance_uid": uid})
        assert answer.status_code == 404
    assert reader.post("/api/v1/studies/1.2.3/views", json={"looked": True}).status_code == 404


def test_a_document_is_no_image(house, pixels):
    house = in_mode(house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    add_document(house, study)
    reader = house.reader()
    film, document = images(house, study)
    answer = reader.post(path(study, "/views"), json={"sop_instance_uid": document})
    assert answer.status_code == 404
    view(reader, study, film)
    assert say_looked(reader, study).status_code == 200
    assert get_draft(reader, draft).status_code == 200


def add_document(house, study):
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.add(
            Instance(
                study_id=study.id,
                sop_instance_uid=derived_uid("instance", new_id()),
                sop_class_uid="1.2.840.10008.5.1.4.1.1.88.11",
                series_instance_uid=derived_uid("series", new_id()),
                transfer_syntax_uid="1.2.840.10008.1.2.1",
                object_key=f"objects/00/{new_id()}",
                digest="0" * 64,
                size=1,
                revision=1,
                received_at=house.clock.now() + timedelta(seconds=1),
            )
        )


@pytest.mark.parametrize(
    "body",
    [{}, {"looked": False}, {"looked": True, "sop_instance_uid": "1.2"}, {"sop_instance_uid": "x"}, {"seen": True}],
)
def test_a_view_names_an_image_or_says_looked(house, body):
    study, _ = add_ready_study(house.database, house.clock)
    assert house.reader().post(path(study, "/views"), json=body).status_code == 422


def test_a_machine_looks_at_nothing_whatever_its_role(house, pixels):
    house = in_mode(house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    (uid,) = images(house, study)
    robot = house.machine("robot", Role.RADIOLOGIST)
    for body in ({"sop_instance_uid": uid}, {"looked": True}):
        answer = robot.post(path(study, "/views"), json=body)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:unirg:problem:not-allowed")
    refused(get_draft(robot, draft))
    refused(get_draft(house.machine(), draft))


def test_nobody_has_looked_who_was_not_shown_everything(house, pixels):
    house = in_mode(house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    add_image(house.database, house.clock, study)
    reader = house.reader()
    first, second = images(house, study)
    view(reader, study, first)
    answer = say_looked(reader, study)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:unirg:problem:not-looked-yet")
    assert answer.json()["unviewed"] == [second]
    assert house.audited("view.looked") == []
    refused(get_draft(reader, draft))


@pytest.mark.parametrize("mode", ["look-first", "second-reader"])
def test_what_is_told_of_the_study_and_the_worklist_has_no_word_of_the_draft(house, pixels, mode):
    house = in_mode(house, pixels, mode)
    add_ready_study(house.database, house.clock)
    bob, ris = house.reader("bob"), house.machine()
    (item,) = bob.get("/api/v1/worklist").json()["items"]
    uid = item["study_instance_uid"]
    for answer in (
        bob.get("/api/v1/worklist"),
        bob.get(f"/api/v1/studies/{uid}"),
        ris.get("/api/v1/changes"),
        bob.post(f"/api/v1/studies/{uid}/claim"),
        bob.post(f"/api/v1/studies/{uid}/redraft"),
        house.reader("olga", Role.AUDITOR).get("/api/v1/audit"),
    ):
        assert answer.is_success, answer.text
        silent(answer)
        assert "compares" not in answer.text


def test_an_open_report_keeps_the_mode_it_was_begun_in(house, pixels):
    strict, lax = in_mode(house, pixels, "look-first"), in_mode(house, pixels, "draft-first")
    study, draft = add_ready_study(strict.database, strict.clock)
    report = begin(strict.reader("ada"), study)
    with strict.database.reading() as session:
        assert session.get_one(Report, report["id"]).reading_mode == "look-first"
    refused(get_draft(lax.reader("ada"), draft))
    strict_again = lax.reader("ada").post(f"{REPORTS}/{report['id']}/reject", json={"reason": "begin anew"})
    assert strict_again.status_code == 200
    assert get_draft(lax.reader("ada"), draft).status_code == 200
    assert begin(lax.reader("ada"), study, draft)["reading_mode"] == "draft-first"


def test_the_mode_is_that_of_who_sent_the_images(house, pixels):
    house = in_mode(house, pixels, "draft-first", {"ROOM_TWO": ReadingMode.LOOK_FIRST})
    reader = house.reader()
    for senders, mode in (
        (("ROOM_ONE",), "draft-first"),
        (("ROOM_ONE", "ROOM_TWO"), "look-first"),
        ((), "draft-first"),
    ):
        study = add_study(house.database, house.clock, "ready")
        for sender in senders:
            image = add_image(house.database, house.clock, study)
            with unit_of_work(house.database, house.clock) as uow:
                uow.session.get_one(Instance, image.id).calling_ae = sender
        assert reading(reader, study)["mode"] == mode


def test_the_strictest_of_several_modes_holds():
    modes = ReadingModes(ReadingMode.LOOK_FIRST, {"A": ReadingMode.DRAFT_FIRST, "B": ReadingMode.SECOND_READER})
    assert modes.of(["A"]) is ReadingMode.DRAFT_FIRST
    assert modes.of(["A", "elsewhere"]) is ReadingMode.LOOK_FIRST
    assert modes.of(["A", "B", "elsewhere"]) is ReadingMode.SECOND_READER
    assert modes.of([]) is ReadingMode.LOOK_FIRST


def test_modes_are_configured_by_site(tmp_path):
    file = tmp_path / "unirg.toml"
    peer = '[[dicom.peers]]\nname = "two"\nae_title = "ROOM_TWO"\nhost = "h"\nport = 104\n'
    file.write_text(f'{peer}[review]\nmode = "look-first"\n[review.sites]\nROOM_TWO = "second-reader"\n')
    review = load(file).review
    assert (review.mode, dict(review.sites)) == (ReadingMode.LOOK_FIRST, {"ROOM_TWO": ReadingMode.SECOND_READER})
    assert Settings().review == ReviewSettings()
    for wrong, said in (
        ('[review]\nmode = "draft-last"\n', "review.mode"),
        ('[review.sites]\nROOM_TOO = "look-first"\n', "review.sites names ROOM_TOO"),
        (f'{peer}[review.sites]\nROOM_TWO = "never"\n', "review.sites.ROOM_TWO"),
    ):
        file.write_text(wrong)
        with pytest.raises(ConfigError, match=said):
            load(file)


def test_on_a_network_without_known_peers_any_sender_may_be_named():
    sites = {"ANY": ReadingMode.LOOK_FIRST}
    assert Settings(dicom=DicomSettings(accept_unknown=True), review=ReviewSettings(sites=sites)).review.sites == sites
    peer = PeerSettings(name="any", ae_title="ANY", host="h", port=104)
    assert Settings(dicom=DicomSettings(peers=(peer,)), review=ReviewSettings(sites=sites)).review.sites == sites
