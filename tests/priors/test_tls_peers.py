"""A PACS that speaks DICOM TLS only, joined by configuration alone: priors, reports, and whom neither side believes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from app.bootstrap import Deps, instance_sink, scp_settings
from app.bootstrap.stages import archives, endpoints
from app.commands import doctor
from app.config import load
from app.errors import ArchiveUnavailable, EndpointUnavailable
from app.intake.scp import StorageScp
from app.priors.handlers import PriorSearch
from tests.builders.radiographs import save
from tests.intake.certificates import Authority, Pair
from tests.intake.landing import Tally
from tests.peers.orthanc import Modality, Orthanc, running_orthanc
from tests.peers.process import free_port
from tests.priors.conftest import HeaderReader
from tests.priors.documents import FINDINGS, report, section, text
from tests.priors.test_prior_search import prior, uid

pytestmark = pytest.mark.peer("orthanc")
TEMPLATE = """
[dicom]
ae_title = "UNIRG"
port = {our_port}
timeout_seconds = 10
[dicom.tls]
certificate = "{ours.certificate}"
key = "{ours.key}"
ca = "{ca}"
{more}
[[dicom.peers]]
name = "pacs"
ae_title = "ORTHANC"
host = "{host}"
port = {port}
roles = ["send", "query_retrieve", "results"]
retrieve = "{retrieve}"
tls = true
certificate_sha256 = "{pinned}"
[database]
url = "{database}"
[storage]
path = "{store}"
"""


@dataclass
class Hospital:
    """A PACS behind TLS, its authority and another one, and the certificates of both sides."""

    pacs: Orthanc
    ours: Authority
    theirs: Authority
    service: Pair
    server: Pair
    our_port: int

    def deps(self, ward, *, retrieve="get", ca=None, pinned=None, service=None, more="", host="127.0.0.1"):
        """Everything as it is built from a file."""
        path = Path(ward.store.incoming_dir).parent / "unirg.toml"
        path.write_text(
            TEMPLATE.format(
                our_port=self.our_port,
                ours=service or self.service,
                ca=ca or self.ours.path,
                host=host,
                port=self.pacs.port,
                retrieve=retrieve,
                pinned=self.server.sha256 if pinned is None else pinned,
                database=ward.database.url,
                store=ward.store.incoming_dir.parent,
                more=more,
            )
        )
        return Deps(load(path), ward.clock, ward.database, ward.store)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    ours, theirs = Authority(folder, "ours"), Authority(folder, "theirs")
    server, service = ours.issue("pacs", usage=None), ours.issue("unirg", usage=None)  # both call, both are called
    our_port = free_port()
    settings = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(server.certificate),
        "DicomTlsPrivateKey": str(server.key),
        "DicomTlsTrustedCertificates": str(ours.path),
        "DicomTlsRemoteCertificateRequired": True,
    }
    with running_orthanc(folder / "pacs", Modality("UNIRG", our_port, tls=True), **settings) as pacs:
        noise = np.random.default_rng(7).integers(0, 4096, (1024, 1024), dtype=np.uint16)
        film = prior(1, "20250301", Rows=1024, Columns=1024, PixelData=noise.tobytes())
        document = report(section(FINDINGS, text("No effusion.")), study_instance_uid=uid(1), StudyDate="20250301")
        for dataset in (film, document):
            pacs.upload(save(dataset, folder / "upload.dcm"))
        yield Hospital(pacs, ours, theirs, service, server, our_port)


def search(ward, deps, attempts=1):
    use_case = PriorSearch(ward.database, ward.clock, archives(deps), ward.store, HeaderReader())
    study = ward.study()
    use_case.gather(ward.claim(study, attempts))
    return ward.ledger(study)


def listening(stack, deps):
    scp = StorageScp(scp_settings(deps), instance_sink(deps), Tally())
    scp.start()
    stack.callback(scp.stop, 5)


def document(tmp_path, name="SR of ours"):
    dataset = report(section(FINDINGS, text("Normal.")), study_instance_uid=uid(name))
    return dataset, save(dataset, tmp_path / "sr.dcm").read_bytes()


@pytest.mark.parametrize("retrieve", ["get", "move"])
def test_prior_and_report_come_over_tls(ward, hospital, retrieve):
    """A film of 2 MB; with C-MOVE the PACS calls us, with its certificate."""
    deps = hospital.deps(ward, retrieve=retrieve)
    with ExitStack() as stack:
        if retrieve == "move":
            listening(stack, deps)
        written = search(ward, deps)
    assert (written.outcome, written.chosen.report_text) == ("found", "Findings: No effusion.")
    (image,) = written.images[written.chosen.id]
    assert ward.store.path(image.object_key).stat().st_size > 1024 * 1024 * 2


def test_a_report_is_delivered_over_tls(ward, hospital, tmp_path):
    dataset, content = document(tmp_path)
    (endpoint,) = endpoints(hospital.deps(ward))
    endpoint.send(content)
    assert endpoint.holds(dataset.StudyInstanceUID, dataset.SOPInstanceUID)
    assert len(hospital.pacs.instances(StudyInstanceUID=dataset.StudyInstanceUID)) == 1


def strangers(ward, hospital):
    """Why neither side should talk, and the words for it: it is not believed, we are not, it is another's name."""
    stranger = hospital.theirs.issue("unirg", usage=None)
    return {
        "self-signed certificate in certificate chain": hospital.deps(ward, ca=hospital.theirs.path),
        "unknown ca|UNKNOWN_CA": hospital.deps(ward, service=stranger),
        "Hostname mismatch": hospital.deps(ward, host="localhost"),
    }


def test_a_pacs_that_is_not_believed_is_unavailable_not_empty(ward, hospital, tmp_path):
    _, content = document(tmp_path, "never sent")
    for words, deps in strangers(ward, hospital).items():
        for archive in archives(deps):
            with pytest.raises(ArchiveUnavailable, match=f"no TLS connection .*({words}).*dicom.tls.ca"):
                archive.retrieve(uid(1), ("DX",))
        for endpoint in endpoints(deps):
            with pytest.raises(EndpointUnavailable, match="no TLS connection") as raised:
                endpoint.send(content)
            assert raised.value.retry
    assert hospital.pacs.instances(StudyInstanceUID=uid("never sent")) == []


def test_a_search_over_tls_that_fails_is_tried_again_then_written_down(ward, hospital):
    deps = hospital.deps(ward, ca=hospital.theirs.path)
    with pytest.raises(ArchiveUnavailable):
        search(ward, deps)
    ward.clock.advance(timedelta(days=1).total_seconds())
    study = ward.study(study_instance_uid=uid("second"), accession_number="A-2")
    PriorSearch(ward.database, ward.clock, archives(deps), ward.store, HeaderReader()).gather(ward.claim(study, 5))
    assert ward.ledger(study).outcome == "unavailable"
    assert "no TLS connection" in ward.ledger(study).reason


def test_a_revoked_pacs_is_not_called(ward, hospital):
    for revoked, fails in ((hospital.service, False), (hospital.server, True)):
        deps = hospital.deps(ward, more=f'crl = "{hospital.ours.revocation_list(revoked)}"')
        (archive,) = archives(deps)
        if fails:
            with pytest.raises(ArchiveUnavailable, match="certificate revoked"):
                archive.retrieve(uid(1), ("DX",))
        else:
            assert len(archive.retrieve(uid(1), ("DX",))) == 1


def test_another_certificate_than_the_pinned_one_is_turned_away(ward, hospital):
    """The PACS asks us to take what a C-MOVE brings, and shows a certificate of our CA that is not the one we know."""
    deps = hospital.deps(ward, retrieve="move", pinned="00" * 32)
    with ExitStack() as stack:
        listening(stack, deps)
        (archive,) = archives(deps)
        with pytest.raises(ArchiveUnavailable):
            archive.retrieve(uid(1), ("DX",))


def test_without_incoming_the_receiver_stays_plain(ward, hospital):
    deps = hospital.deps(ward, more="incoming = false", pinned="")
    assert scp_settings(deps).tls is None
    assert archives(deps)[0].peer.tls is not None


def test_doctor_echoes_over_tls(ward, hospital):
    def finding(deps):
        (check,) = (check for check in doctor.examine(deps.settings) if check.name == "peer pacs")
        return check

    assert finding(hospital.deps(ward)).finding == "answers C-ECHO over TLS"
    wrong = finding(hospital.deps(ward, ca=hospital.theirs.path))
    assert (wrong.state, "no TLS connection" in wrong.finding) == ("failed", True)
    missing = finding(hospital.deps(ward, ca=hospital.ours.path.with_name("none.pem")))
    assert (missing.state, "dicom.tls.ca names" in missing.finding) == ("failed", True)
