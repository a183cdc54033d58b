"""The object store: durable before visible, never overwritten, never outside of its root."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.content import content_digest
from app.errors import NotFound, StorageUnavailable
from app.gateways.object_store import LocalObjectStore
from app.ports import ObjectStore
from tests.peers.presence import give_up

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> LocalObjectStore:
    return LocalObjectStore(tmp_path / "store")


def incoming(store: LocalObjectStore, content: bytes, name: str = "x.part") -> Path:
    temp = store.incoming_dir / name
    temp.write_bytes(content)
    return temp


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_it_is_the_port(store: LocalObjectStore) -> None:
    port: ObjectStore = store
    assert port.incoming_dir.is_dir()


def test_a_published_object_is_read_back_under_its_key(store: LocalObjectStore) -> None:
    temp = incoming(store, b"content")
    key = store.publish(temp, sha256(b"content"))
    assert not temp.exists()
    assert store.path(key).read_bytes() == b"content"
    with store.open(key) as file:
        assert file.read() == b"content"


def test_the_same_file_again_has_the_same_key(store: LocalObjectStore) -> None:
    keys = {store.publish(incoming(store, b"content"), sha256(b"content")) for _ in range(3)}
    assert len(keys) == 1
    assert list(store.incoming_dir.iterdir()) == []


def test_another_file_of_the_same_digest_is_kept_beside_it(store: LocalObjectStore) -> None:
    """The digest is the data set's: another meta group makes another file."""
    digest = sha256(b"data set")
    first = store.publish(incoming(store, b"meta 1, data set"), digest)
    second = store.publish(incoming(store, b"meta 2, data set"), digest)
    assert first != second
    assert store.path(first).read_bytes() == b"meta 1, data set"
    assert store.path(second).read_bytes() == b"meta 2, data set"
    assert store.publish(incoming(store, b"meta 2, data set"), digest) == second


def test_publishers_in_parallel_end_at_one_object(store: LocalObjectStore) -> None:
    keys: list[str] = []

    def publish(number: int) -> None:
        keys.append(store.publish(incoming(store, b"content", f"{number}.part"), sha256(b"content")))

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_bytes_are_stored_without_leaving_a_temporary(store: LocalObjectStore) -> None:
    key = store.put_bytes(b"a report")
    assert store.path(key).read_bytes() == b"a report"
    assert content_digest(b"a report") in key
    assert list(store.incoming_dir.iterdir()) == []


def test_a_refused_file_is_kept_aside_with_its_reason(store: LocalObjectStore) -> None:
    key = store.quarantine(incoming(store, b"hostile"), "no study UID")
    place = store.path(key)
    assert place.read_bytes() == b"hostile"
    assert place.with_suffix(".txt").read_text() == "no study UID\n"
    assert list(store.incoming_dir.iterdir()) == []


def test_files_and_folders_are_private_and_never_executable(store: LocalObjectStore) -> None:
    key = store.put_bytes(b"a report")
    assert store.path(key).stat().st_mode & 0o777 == 0o600
    assert {path.stat().st_mode & 0o077 for path in store.path(key).parents[2].rglob("*") if path.is_dir()} == {0}


BAD_KEYS = [
    "",
    "..",
    "/etc/passwd",
    "objects/../../etc/passwd",
    "objects/aa/../../../etc/passwd",
    "objects/aa/" + "a" * 63 + "/",
    "objects/aa/" + "g" * 64,
    "objects/aa/" + "a" * 64 + "\0",
    "objects/aa/" + "a" * 64 + "\n",
    "incoming/x.part",
    "quarantine/aa/" + "a" * 32 + ".txt",
    "objects/aa/" + "a" * 64,
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_what_is_no_key_finds_nothing(store: LocalObjectStore, key: str) -> None:
    with pytest.raises(NotFound):
        store.path(key)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_what_is_no_digest_names_nothing(store: LocalObjectStore, digest: str) -> None:
    with pytest.raises(StorageUnavailable):
        store.publish(incoming(store, b"x"), digest)


def test_a_missing_temporary_is_a_refusal(store: LocalObjectStore) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        store.publish(store.incoming_dir / "gone.part", "a" * 64)


def test_only_temporaries_are_deleted(store: LocalObjectStore) -> None:
    path = store.path(store.put_bytes(b"kept"))
    store.delete_temp(path)
    assert path.exists()


def test_the_free_share_is_a_share(store: LocalObjectStore) -> None:
    assert 0 < store.free_ratio() <= 1


STORE_ONE = """
import threading
from pathlib import Path
from tests.intake.landing import landing
from tests.intake.modality import Modality
with landing(Path({root!r})) as receiver, Modality(receiver.port).associate() as peer:
    peer.store(b"warm", sop_instance="1.2.3.1")
    for number in range({count}):
        assert peer.store(bytes([number]) * 300_000, sop_instance=f"1.2.3.{{number}}").status == 0
    peer.release()
"""


def test_nothing_is_acknowledged_before_it_is_durable(tmp_path: Path) -> None:
    """LAW 2 as the kernel saw it: fsync(file) < rename < fsync(directory) < fsync(database) < response, each time."""
    if shutil.which("strace") is None:
        give_up("strace", "strace not found; apt-get install strace")
    trace, count = tmp_path / "trace", 20
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2,sendto"
    program = STORE_ONE.format(root=str(tmp_path / "landing"), count=count)
    subprocess.run(
        ["strace", "-f", "-y", "-s", "0", "-o", str(trace), "-e", calls, sys.executable, "-c", program],
        check=True,
        cwd=ROOT,
        timeout=300,
    )
    story = "".join(_letter(line) for line in trace.read_text().splitlines())
    assert story.count("F") == count + 1
    assert re.fullmatch(r"P?C*S+(FRDCS+)+C*", story), story


def _letter(line: str) -> str:
    # F: fsync of a temporary file, P: of the folder of folders (one is new), R: rename, D: fsync of the object's own
    # folder, C: sync of the database, S: something is sent, by the receiver or the modality
    if "sync(" in line and ".part>" in line:
        return "F"
    if "rename" in line and ".part" in line:
        return "R"
    if "sync(" in line and re.search(r"/objects/[0-9a-f]{2}>", line):
        return "D"
    if "sync(" in line and "/objects>" in line:
        return "P"
    if "sync(" in line and "record.sqlite3" in line:
        return "C"
    return "S" if "sendto(" in line else ""
