"""The product in one test: a radiograph in over C-STORE, a signed report in the PACS."""

from __future__ import annotations

import json
import subprocess

import pytest
from pydicom import dcmread

from tests.builders.phantoms import patient_films
from tests.peers import dcmtk
from tests.peers.presence import program
from tests.peers.process import wait_until

pytestmark = pytest.mark.peer("orthanc", "dcmtk", "dicom3tools")


def test_from_c_store_to_the_signed_report_in_the_pacs(stack, orthanc, tmp_path):
    prior, current = patient_films(tmp_path, "STORY-1", seed=4)
    orthanc.upload(prior.path)

    dcmtk.send(stack.dicom_port, current.path)

    with stack.client() as reader:
        study = reader.wait_for(current.study_instance_uid, "ready", seconds=180)
        assert study["priors"]["outcome"] == "found"
        [chosen] = [entry for entry in study["priors"]["entries"] if entry["decision"] == "chosen"]
        assert chosen["study_instance_uid"] == prior.study_instance_uid

        draft = reader.draft(study)
        year, month, day = prior.study_date[:4], prior.study_date[4:6], prior.study_date[6:]
        assert any(f"{year}-{month}-{day}" in sentence["text"] for sentence in draft["sentences"])

        roles = {image["role"] for image in study["images"]}
        assert roles == {"current", "prior"}
        for image in study["images"]:
            frame = reader.http.get(image["display_url"]).raise_for_status()
            assert len(set(frame.content[::2])) >= 50

        report = reader.sign(study)
        assert report["status"] == "final"
        reader.wait_for(current.study_instance_uid, "delivered")

    wait_until(lambda: len(signed_reports(orthanc, current)) == 1, "the signed SR in the PACS")
    path = tmp_path / "report.dcm"
    path.write_bytes(orthanc.file(signed_reports(orthanc, current)[0]["ID"]))
    assert dcmtk.dciodvfy(path) == []
    document = dcmread(path)
    assert (document.CompletionFlag, document.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert document.StudyInstanceUID == current.study_instance_uid
    dumped = subprocess.run([program("dsrdump"), path], capture_output=True, text=True, check=True).stdout
    assert report["impression"].split(".")[0][:40] in dumped.replace("\n", " ")

    assert stack.unirg("audit", "verify").returncode == 0
    traced = json.loads(stack.unirg("trace", current.study_instance_uid, "--json").stdout)
    actions = [moment["action"] for moment in traced[0]["moments"]]
    steps = ["study.received", "study.completed", "study.priors_gathered", "study.draft_written", "study.signed"]
    assert [action for action in actions if action in steps] == steps


def signed_reports(orthanc, film):
    found = orthanc.instances(StudyInstanceUID=film.study_instance_uid)
    return [
        row for row in found if orthanc.http.get(f"/instances/{row['ID']}/simplified-tags").json()["Modality"] == "SR"
    ]
