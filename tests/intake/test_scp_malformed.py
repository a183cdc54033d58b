"""Every hostile or broken file of the test data over a real association: stored as it came, C-ECHO after each."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from app.intake.scp.contexts import TRANSFER_SYNTAXES
from tests.intake.landing import ReceiverProcess
from tests.intake.modality import CR, EXPLICIT, Modality, echo_ok
from tests.peers import dcmtk

GROWTH = 100 << 20


def data_set_and_syntax(path: Path) -> tuple[bytes, str]:
    """What a careless sender makes of a file: the bytes behind its meta group, in the syntax the meta group names."""
    content = path.read_bytes()
    if content[128:132] != b"DICM":
        return content, EXPLICIT
    try:
        meta = pydicom.filereader.read_file_meta_info(path)
        syntax = str(meta.get("TransferSyntaxUID", EXPLICIT))
        start = 144 + int(meta.get("FileMetaInformationGroupLength", 0))
    except Exception:  # noqa: BLE001 - the parser meets files made to break it
        syntax, start = EXPLICIT, 132
    return content[start:] or content, syntax if syntax in TRANSFER_SYNTAXES else EXPLICIT


@pytest.fixture(scope="module")
def malformed(test_data: Path) -> list[Path]:
    return sorted((test_data / "malformed").rglob("*.dcm"))


def test_malformed_files_are_stored_as_they_are_and_harm_nothing(malformed: list[Path], tmp_path: Path) -> None:
    assert len(malformed) > 50
    with ReceiverProcess(tmp_path) as receiver:
        assert echo_ok(receiver.port)
        before = receiver.memory()
        for number, path in enumerate(malformed):
            data, syntax = data_set_and_syntax(path)
            with Modality(receiver.port).associate([(CR, (syntax,))]) as peer:
                assert peer.store(data, sop_instance=f"1.2.{number}", context_id=1).status == 0, path
                peer.release()
            assert echo_ok(receiver.port), path
        assert receiver.memory() - before < GROWTH
        assert receiver.under_way == []
        assert receiver.log == ""


@pytest.mark.peer("dcmtk")
def test_what_storescu_can_send_of_them_harms_nothing(malformed: list[Path], tmp_path: Path) -> None:
    """It parses each file first and may give up; whatever it got through, the receiver goes on."""
    with ReceiverProcess(tmp_path) as receiver:
        before = receiver.memory()
        for path in malformed:
            command = ("-R", "+C", "-aec", "UNIRG", "127.0.0.1", str(receiver.port), path)
            dcmtk.dcmtk("storescu", *command, check=False)
            assert echo_ok(receiver.port), path
        assert receiver.memory() - before < GROWTH
        assert receiver.under_way == []
        assert "failed" not in receiver.log
