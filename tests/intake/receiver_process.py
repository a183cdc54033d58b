"""A receiver as a process: `python -m tests.intake.receiver_process FOLDER {"max_pdu": …}`; port in FOLDER/port.

file_size_limit (bytes): no file may grow beyond, as on a full disk.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from pathlib import Path

from app.intake.scp import AllowedPeer, Deadlines, ScpSettings, StorageScp, TlsFiles
from tests.intake.landing import QUICK, DirectorySink


def main(folder: Path, changes: dict[str, object]) -> None:
    logging.basicConfig(level=logging.ERROR)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    if limit := changes.pop("file_size_limit", None):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(str(limit)), int(str(limit))))
    (folder / "store").mkdir()
    sink = DirectorySink(folder / "store")
    parts: dict[str, object] = {
        "ae_title": "UNIRG",
        "incoming_dir": sink.store.incoming_dir,
        "accept_unknown": "peers" not in changes,
        "deadlines": QUICK,
        **changes,
    }
    if "peers" in changes:
        parts["peers"] = tuple(AllowedPeer(*peer) for peer in changes["peers"])  # type: ignore[attr-defined]
    if isinstance(changes.get("deadlines"), dict):
        parts["deadlines"] = Deadlines(**changes["deadlines"])  # type: ignore[arg-type]
    if isinstance(changes.get("tls"), dict):
        parts["tls"] = TlsFiles(**{key: Path(value) for key, value in changes["tls"].items()})  # type: ignore[attr-defined]
    scp = StorageScp(ScpSettings(**parts), sink)  # type: ignore[arg-type]
    port = scp.start()
    (folder / "port.new").write_text(str(port))
    (folder / "port.new").rename(folder / "port")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    scp.stop(5)


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
