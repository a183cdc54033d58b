"""The service's own receiver process, record included, against every malformed file of the test data."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pydicom

from tests.bench.receivers import Running, receivers
from tests.intake.modality import CR, Modality, echo_ok
from tests.intake.test_scp_malformed import data_set_and_syntax
from tests.peers import dcmtk

GROWTH_MB = 100.0
REFUSALS = {0x0117, 0xA900, 0xC000}


def announced(path: Path, number: int) -> str:
    """The instance UID that a sender finds in the file, or one it makes up."""
    try:
        found = pydicom.dcmread(path, force=True, stop_before_pixels=True).get("SOPInstanceUID")
    except Exception:  # noqa: BLE001 - files made to break the parser
        found = None
    return str(found) if found else f"1.2.{number}"


def test_every_malformed_object_is_stored_or_quarantined_with_a_reason(test_data: Path, tmp_path: Path) -> None:
    malformed = sorted((test_data / "malformed").rglob("*.dcm"))
    folder = tmp_path / "service"
    answers: dict[int, int] = {}
    with Running(receivers()["ours"], folder) as server:
        assert echo_ok(server.port)
        before = server.memory_mb()
        for number, path in enumerate(malformed):
            data, syntax = data_set_and_syntax(path)
            with Modality(server.port).associate([(CR, (syntax,))]) as peer:
                name = announced(path, number)
                answers[number] = peer.store(data, sop_instance=name, context_id=1).status
                peer.release()
            assert echo_ok(server.port), path
        assert server.memory_mb() - before < GROWTH_MB
        with sqlite3.connect(folder / "record.db") as record:
            reasons = [reason for (reason,) in record.execute("SELECT reason FROM quarantine")]
            stored = record.execute("SELECT count(*) FROM instances").fetchone()[0]
        record.close()
    refused = [status for status in answers.values() if status in REFUSALS]
    assert set(answers.values()) <= {0x0000, *REFUSALS}
    assert len(reasons) >= len(refused) > 0
    assert all(reasons)
    assert stored + len(reasons) == len(malformed)
    assert list((folder / "objects" / "incoming").iterdir()) == []


def test_a_good_film_passes_where_the_bad_ones_were_sent(test_data: Path, tmp_path: Path) -> None:
    with Running(receivers()["ours"], tmp_path / "service") as server:
        dcmtk.send(server.port, test_data / "dicom" / "chest" / "highdicom_dx_image_fuji_thorax.dcm", extra=("-R",))
        with sqlite3.connect(tmp_path / "service" / "record.db") as record:
            assert record.execute("SELECT count(*) FROM instances").fetchone() == (1,)
        record.close()
