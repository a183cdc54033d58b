"""The decoding processes: what they read, what they refuse, and that nothing they meet ends the service."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, RLELossless

from app.domain.imaging import Code
from app.errors import CannotUnderstand, PixelsUnreadable, StorageUnavailable
from app.gateways.pixel_child import ChildLimits, ChildPixelReader
from model.imaging import to_display_frame, to_model_png
from tests.model.films import film, saved, sequence, transcoded

RAMP = np.arange(4096, dtype="<u2").reshape(64, 64)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return saved(film(RAMP, WindowCenter=2000, WindowWidth=3000, PatientOrientation=["L", "F"]), tmp_path / "film.dcm")


@pytest.fixture
def limited() -> Iterator[Any]:
    made: list[ChildPixelReader] = []

    def make(**limits: Any) -> ChildPixelReader:
        made.append(ChildPixelReader(limits=ChildLimits(**limits)))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def test_the_picture_is_the_one_made_in_process(reader, written):
    found, expected = reader.model_image(written, 32), to_model_png(written, 32)
    assert (found.png, found.sha256, found.width, found.height) == (expected.png, expected.sha256, 32, 32)
    assert found.film == expected.film == (0, 0, 32, 32)


def test_the_frame_is_the_one_made_in_process(reader, written):
    found, expected = reader.display_frame(written), to_display_frame(written)
    assert (found.rows, found.columns) == (64, 64)
    assert found.pixels == expected.pixels.astype("<u2").tobytes()
    assert (found.window_center, found.window_width) == (2000, 3000)
    assert (found.max_value, found.orientation, found.row_spacing_mm) == (4095, ("L", "F"), None)


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def test_facts_of_a_header(reader, tmp_path):
    request = Dataset()
    request.ReasonForTheRequestedProcedure = "Cough,\r\n fever\x00 since  Monday"
    request.RequestedProcedureDescription = "XR CHEST PA"
    made = film(
        RAMP,
        BodyPartExamined="CHEST",
        ViewPosition="PA",
        ViewCodeSequence=sequence(coded("399348003", "SCT", "antero-posterior")),
        AnatomicRegionSequence=sequence(coded("43799004", "SCT", "Chest")),
        PatientOrientation=["L", "F"],
        PatientAge="018M",
        PatientSex="F",
        ImageLaterality="U",
        BurnedInAnnotation="NO",
        Manufacturer="Maker",
        StudyDescription="Chest",
        SeriesDescription="PA erect",
        ReasonForStudy="not this one",
        RequestAttributesSequence=sequence(request),
        NumberOfFrames=2,
    )
    facts = reader.inspect(saved(made, tmp_path / "film.dcm"))
    assert (facts.modality, facts.body_part_examined, facts.view_position) == ("CR", "CHEST", "PA")
    assert facts.view_code == Code("399348003", "SCT", "antero-posterior")
    assert facts.anatomic_regions == (Code("43799004", "SCT", "Chest"),)
    assert facts.patient_orientation == ("L", "F")
    assert (facts.patient_age_years, facts.patient_sex) == (1.5, "F")
    assert (facts.rows, facts.columns, facts.bits_stored, facts.number_of_frames, facts.has_pixels) == (
        64,
        64,
        12,
        2,
        True,
    )
    assert facts.reason_for_study == "Cough, fever since Monday"
    assert facts.requested_procedure_description == "XR CHEST PA"
    assert facts.transfer_syntax_uid == made.file_meta.TransferSyntaxUID
    assert "Cough" not in repr(facts)


@pytest.mark.parametrize(
    ("header", "years"),
    [
        ({"PatientAge": "045Y"}, 45.0),
        ({"PatientAge": "002W"}, 0.038),
        ({"PatientBirthDate": "19600101", "StudyDate": "20250101"}, 65.002),
        ({"PatientBirthDate": "19600101", "AcquisitionDate": "19600701"}, 0.498),
        ({"PatientBirthDate": "20250102", "StudyDate": "20250101"}, None),
        ({"PatientBirthDate": "19600101"}, None),
        ({"PatientAge": "old"}, None),
        ({}, None),
    ],
)
def test_age_of_the_patient(reader, tmp_path, header, years):
    made = film(RAMP)
    for keyword, value in header.items():
        made.add_new(keyword, "LO", value)
    assert reader.inspect(saved(made, tmp_path / "film.dcm")).patient_age_years == years


def test_one_bad_element_does_not_condemn_the_header(reader, written):
    rows = b"\x28\x00\x10\x00US\x02\x00"
    assert written.read_bytes().count(rows) == 1
    written.write_bytes(written.read_bytes().replace(rows, rows.replace(b"US", b"FD")))
    facts = reader.inspect(written)
    assert (facts.rows, facts.columns, facts.patient_orientation) == (None, 64, ("L", "F"))


def test_what_is_no_dicom_object(reader, tmp_path):
    path = tmp_path / "text.dcm"
    path.write_text("Dear colleague")
    with pytest.raises(CannotUnderstand, match="DICM"):
        reader.inspect(path)
    with pytest.raises(PixelsUnreadable, match="DICM"):
        reader.model_image(path, 32)


def test_a_file_that_cannot_be_opened_is_a_fault_of_the_store(reader, tmp_path):
    with pytest.raises(StorageUnavailable, match="object store"):
        reader.model_image(tmp_path / "gone.dcm", 32)


def packed_zeros(length: int) -> bytes:
    """An RLE segment that expands to `length` zeros: 2 bytes for each 128."""
    return bytes([129, 0]) * -(-length // 128)


def bombs(folder: Path) -> Iterator[Path]:
    side = 30_000
    segment = packed_zeros(side * side)
    stream = struct.pack("<16I", 1, 64, *[0] * 14) + segment
    wide = film(RAMP.astype(np.uint8), bits=8, Rows=side, Columns=side)
    yield bomb(folder / "rle_wide.dcm", wide, RLELossless, stream)
    yield bomb(folder / "rle_hidden.dcm", film(RAMP.astype(np.uint8), bits=8), RLELossless, stream)
    yield saved(film(RAMP, NumberOfFrames=2**31 - 1), folder / "frames.dcm")
    vast = bytearray(imagecodecs.jpeg2k_encode(RAMP, level=0, reversible=True, codecformat="j2k"))
    for place in (8, 12, 24, 28):  # width, height and those of the tile in SIZ
        vast[place : place + 4] = struct.pack(">I", side)
    yield bomb(folder / "j2k_hidden.dcm", film(RAMP), JPEG2000Lossless, bytes(vast))


def bomb(path: Path, made: Dataset, syntax: str, stream: bytes) -> Path:
    made.file_meta.TransferSyntaxUID = syntax
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    items += struct.pack("<HHI", 0xFFFE, 0xE000, len(stream) + len(stream) % 2) + stream + b"\0" * (len(stream) % 2)
    made.PixelData = items
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return saved(made, path)


def test_decompression_bombs_are_refused_within_the_limits(reader, tmp_path, written):
    for path in bombs(tmp_path):
        with pytest.raises(PixelsUnreadable) as refusal:
            reader.model_image(path, 32)
        assert len(refusal.value.message) > 20, path.name
        assert reader.inspect(path).has_pixels
        assert len(reader.metadata(path)) < 10_000
        assert peak_memory(reader) < 1_500_000, path.name
        path.unlink()
    assert reader.model_image(written, 32).width == 32


def peak_memory(reader: ChildPixelReader) -> int:
    """kB, of the idle child."""
    (pid,) = reader.child_pids()
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_a_film_too_large_for_the_memory_limit_is_refused_and_the_next_one_read(limited, tmp_path, written):
    reader = limited(memory_bytes=48 << 20)
    large = saved(film(np.zeros((5000, 5000), "<u2")), tmp_path / "large.dcm")
    with pytest.raises(PixelsUnreadable, match="more memory"):
        reader.model_image(large, 32)
    assert reader.model_image(written, 32).sha256 == to_model_png(written, 32).sha256


def test_a_header_that_takes_too_much_cpu_is_given_up(limited, tmp_path, written):
    reader = limited(header_cpu_seconds=1)
    first = reader.inspect(written)
    item = struct.pack("<HH2sH", 0x0010, 0x0020, b"LO", 2) + b"x "
    head = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    whole = written.read_bytes()
    slow = tmp_path / "slow.dcm"
    slow.write_bytes(whole[: whole.index(b"\x08\x00\x16\x00UI")] + head + item * 4_000_000)
    before = reader.child_pids()
    with pytest.raises(CannotUnderstand, match="1 s of CPU"):
        reader.inspect(slow)
    assert reader.inspect(written) == first
    assert reader.child_pids() != before


def test_a_child_that_stalls_is_replaced(limited, written):
    reader = limited(pixels_seconds=2.0)
    reader.warm()
    (pid,) = reader.child_pids()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(PixelsUnreadable, match="more than 2 s"):
        reader.model_image(written, 32)
    assert not Path(f"/proc/{pid}").exists()


def test_a_child_that_was_killed_is_replaced_and_the_job_done(limited, written):
    reader = limited()
    reader.warm()
    (pid,) = reader.child_pids()
    os.kill(pid, signal.SIGKILL)
    assert reader.model_image(written, 32).width == 32
    assert reader.child_pids() != (pid,)


def test_an_object_over_which_two_children_die_is_refused(limited, tmp_path, written):
    reader = limited()
    deadly = tmp_path / "deadly.dcm"
    os.mkfifo(deadly)  # whoever opens it waits: time to kill
    others = set(workers())
    killer = threading.Thread(target=kill_two, args=(others,))
    killer.start()
    with pytest.raises(PixelsUnreadable, match=r"ended over this object, twice \(SIGKILL\)"):
        reader.model_image(deadly, 32)
    killer.join()
    assert reader.model_image(written, 32).width == 32


def kill_two(others: set[int]) -> None:
    killed: set[int] = set()
    while len(killed) < 2:
        for pid in set(workers()) - others - killed:
            if waits_at_the_fifo(pid):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        time.sleep(0.02)


def waits_at_the_fifo(pid: int) -> bool:
    """By the kernel function it sleeps in."""
    try:
        return Path(f"/proc/{pid}/wchan").read_text() == "wait_for_partner"
    except OSError:
        return False


def workers() -> list[int]:
    found = []
    for child in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        found += [int(pid) for pid in child.read_text().split()]
    return found


def test_a_child_is_replaced_after_its_share_of_jobs(limited, written):
    reader = limited(jobs=2)
    pids = []
    for _ in range(4):
        reader.inspect(written)
        pids.append(reader.child_pids())
    assert pids[1] == pids[3] == ()
    assert pids[0] != pids[2]


def test_callers_share_the_children(written):
    reader = ChildPixelReader(children=2)
    try:
        with ThreadPoolExecutor(6) as callers:
            digests = set(callers.map(lambda size: reader.model_image(written, size).sha256, [32] * 30))
        assert len(digests) == 1
        assert 1 <= len(reader.child_pids()) <= 2
    finally:
        reader.close()


def test_close_ends_the_children(written):
    reader = ChildPixelReader()
    reader.inspect(written)
    (pid,) = reader.child_pids()
    reader.close()
    assert not Path(f"/proc/{pid}").exists()
    assert reader.child_pids() == ()


def test_a_child_holds_no_secret_and_cannot_write(reader, monkeypatch, written):
    monkeypatch.setenv("UNIRG_DATABASE__URL", "postgresql://secret")
    fresh = ChildPixelReader()
    try:
        fresh.inspect(written)
        (pid,) = fresh.child_pids()
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert limit(limits, "Max file size") == limit(limits, "Max core file size") == "0"
        assert int(limit(limits, "Max address space")) < 4 << 30
    finally:
        fresh.close()


def limit(limits: str, name: str) -> str:
    return next(line for line in limits.splitlines() if line.startswith(name)).removeprefix(name).split()[0]


def test_after_a_fork_the_new_process_has_children_of_its_own(reader, written):
    reader.inspect(written)
    before = reader.child_pids()
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    process = context.Process(target=read_after_fork, args=(reader, written, answers))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    digest, pids = answers.get()
    assert digest == reader.model_image(written, 32).sha256
    assert pids != before == reader.child_pids()


def read_after_fork(reader: ChildPixelReader, path: Path, answers: Any) -> None:
    answers.put((reader.model_image(path, 32).sha256, reader.child_pids()))
    reader.close()


def test_mutated_objects_give_a_picture_or_a_reason(reader, tmp_path, written):
    chance = random.Random(7)
    whole = [
        saved(transcoded(film(RAMP, WindowCenter=2000, WindowWidth=3000), syntax), tmp_path / f"{n}.dcm").read_bytes()
        for n, syntax in enumerate((RLELossless, JPEG2000Lossless))
    ]
    whole.append(written.read_bytes())
    outcomes = {"picture": 0, "reason": 0}
    for n in range(150):
        path = tmp_path / "mutant.dcm"
        path.write_bytes(mutated(bytearray(whole[n % len(whole)]), chance))
        outcomes[tried(reader, path)] += 1
    assert min(outcomes.values()) > 5
    assert reader.model_image(written, 32).width == 32


def mutated(content: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.choice((1, 4, 30))):
        content[chance.randrange(132, len(content))] = chance.randrange(256)
    return bytes(content[: chance.choice((len(content), len(content), chance.randrange(132, len(content))))])


def tried(reader: ChildPixelReader, path: Path) -> str:
    try:
        reader.inspect(path)
        reader.metadata(path)
        reader.stored_frame(path, 1)
        reader.display_frame(path)
        reader.model_image(path, 32)
    except (CannotUnderstand, PixelsUnreadable):
        return "reason"
    return "picture"


def test_real_malformed_objects_give_a_picture_or_a_reason(reader, test_data):
    outcomes = [tried(reader, path) for path in sorted((test_data / "malformed").rglob("*.dcm"))]
    assert len(outcomes) >= 60
    assert "picture" in outcomes
    assert "reason" in outcomes
