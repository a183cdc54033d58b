"""The whole search against a real PACS and the real reader of headers."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from app.errors import ArchiveUnavailable
from app.gateways.archive_dimse import DimseArchive
from app.gateways.pixel_child import ChildPixelReader
from app.priors.handlers import PriorSearch
from tests.builders.radiographs import save
from tests.contract.archives import OUR_AE, dimse_peer, receiver
from tests.peers.orthanc import Modality, running_orthanc
from tests.priors.documents import FINDINGS, report, section, text
from tests.priors.test_other_prior import entry_of, images_of, wanted
from tests.priors.test_prior_search import prior, uid

pytestmark = pytest.mark.peer("orthanc")


@pytest.fixture(scope="module")
def pixels():
    reader = ChildPixelReader()
    yield reader
    reader.close()


@pytest.fixture(params=["get", "move"])
def pacs(request, ward, tmp_path):
    """Orthanc with two earlier chests, one of them reported, a knee, and another patient's chest."""
    with ExitStack() as stack:
        ours = stack.enter_context(receiver(tmp_path / "ours", ward.store))
        orthanc = stack.enter_context(running_orthanc(tmp_path / "pacs", Modality(OUR_AE, ours.port)))
        old, new = prior(1, "20240301"), prior(2, "20250301")
        knee = prior(3, "20251201", BodyPartExamined="KNEE", StudyDescription="XR KNEE")
        document = report(
            section(FINDINGS, text("Kleiner Erguß links.")), study_instance_uid=uid(2), StudyDate="20250301"
        )
        for dataset in (old, new, knee, document, prior(4, "20250601", PatientID="P-10")):
            orthanc.upload(save(dataset, tmp_path / "upload.dcm"))
        archive = DimseArchive(dimse_peer(orthanc.port, orthanc.ae_title), ward.store, request.param, ours.inbox)
        orthanc.start_again = lambda: (orthanc.start(), orthanc.know(Modality(OUR_AE, ours.port)))
        yield orthanc, archive


def search(ward, archive, pixels, study, attempts=1):
    use_case = PriorSearch(ward.database, ward.clock, [archive], ward.store, pixels)
    use_case.gather(ward.claim(study, attempts))
    return ward.ledger(study)


def test_the_prior_and_its_report_come_from_the_pacs(ward, pacs, pixels):
    _, archive = pacs
    written = search(ward, archive, pixels, ward.study())
    assert (written.outcome, written.reason) == ("found", "prior study of 20250301 from pacs")
    assert written.chosen.report_text == "Findings: Kleiner Erguß links."
    assert [entry.study_instance_uid for entry in written.entries] == [uid(3), uid(2), uid(1)]
    (image,) = written.images[written.chosen.id]
    assert pixels.inspect(ward.store.path(image.object_key)).view_position == "PA"


def test_a_pacs_that_is_killed_is_unavailable_until_it_is_back(ward, pacs, pixels):
    orthanc, archive = pacs
    orthanc.server.kill()
    study = ward.study()
    claim = ward.claim(study, attempts=1)
    use_case = PriorSearch(ward.database, ward.clock, [archive], ward.store, pixels)
    with pytest.raises(ArchiveUnavailable, match="no connection"):
        use_case.gather(claim)
    assert ward.ledger(study).outcome is None
    orthanc.start_again()
    use_case.gather(claim)
    assert ward.ledger(study).outcome == "found"


def test_a_pacs_that_stays_away_is_written_down(ward, pacs, pixels):
    orthanc, archive = pacs
    orthanc.server.kill()
    written = search(ward, archive, pixels, ward.study(), attempts=5)
    assert written.outcome == "unavailable"
    assert "no connection" in written.reason


def test_another_prior_is_fetched_for_a_reader_and_a_killed_pacs_is_told(ward, pacs, pixels):
    orthanc, archive = pacs
    study = ward.study()
    search(ward, archive, pixels, study)
    use_case = PriorSearch(ward.database, ward.clock, [archive], ward.store, pixels)
    orthanc.server.kill()
    claim = wanted(ward, study)
    with pytest.raises(ArchiveUnavailable, match="no connection"):
        use_case.fetch(claim)
    use_case.fetch(replace(claim, attempts=5))
    assert "no connection" in entry_of(ward, study).fetch_failure
    orthanc.start_again()
    use_case.fetch(wanted(ward, study))
    (image,) = images_of(ward, entry_of(ward, study))
    assert pixels.inspect(ward.store.path(image.object_key)).view_position == "PA"


def test_a_patient_it_does_not_know_has_no_prior(ward, pacs, pixels):
    _, archive = pacs
    written = search(ward, archive, pixels, ward.study(patient_id="NOBODY"))
    assert (written.outcome, written.entries) == ("none_exist", [])
