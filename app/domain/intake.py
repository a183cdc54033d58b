"""One object as it came in over the network, before anybody read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ReceivedInstance:
    """A complete object of a C-STORE or STOW-RS request, whose bytes lie in a temporary Part 10 file.

    sop_instance_uid: as the request named it, "" where that was no UID (the object can then only be kept aside);
    temp_path: the file (meta group as PS3.10 7.1, then the data set exactly as sent), not yet synced to disk;
    size, digest (content_digest, 64 hexadecimal digits): of the data set alone, as sent;
    username: who sent it over HTTP; calling_ae, called_ae and peer_host are "" then;
    move_originator_*: present when the object was sent for a C-MOVE (PS3.7 9.3.1.1).
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    calling_ae: str
    called_ae: str
    peer_host: str
    temp_path: Path
    size: int
    digest: str
    move_originator_ae: str | None = None
    move_originator_message_id: int | None = None
    username: str = ""
