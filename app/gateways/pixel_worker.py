"""The decoding process: reads one job after another from its socket until that closes.

`python -m app.gateways.pixel_worker FD MEMORY_BYTES`. It holds no secret, writes no file, dumps no core; memory is
capped once everything is loaded, CPU time anew for each job. It answers in typed words only: foreign messages may quote
a patient.
"""

from __future__ import annotations

import math
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import cv2
import imagecodecs

from app.gateways.pixel_dicomweb import metadata, stored_frame
from app.gateways.pixel_header import header_facts
from app.gateways.pixel_wire import Broken, Head, receive, send
from model.errors import NotAnImage, UndecodablePixels
from model.imaging import to_display_frame, to_model_png

_CODECS = ("dicomrle", "jpeg", "jpeg8", "jpegls", "jpeg2k", "htj2k", "jpegxl")
_OPEN_FILES = 64

Answer = tuple[Head, bytes | memoryview]


def main() -> None:
    """Serve jobs; returns when the service hangs up."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    _load_everything()
    _confine(int(sys.argv[2]))
    send(channel, {"ready": True})
    while True:
        try:
            head, _ = receive(channel)
        except Broken:
            return
        send(channel, *_answered(head))


def _load_everything() -> None:
    """Codecs load on first use; after the cap they might not."""
    for codec in _CODECS:
        getattr(imagecodecs, f"{codec}_decode")
    cv2.setNumThreads(1)


def _confine(memory_bytes: int) -> None:
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, value in (
        (resource.RLIMIT_AS, mapped + memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))


def _allow_cpu(seconds: int) -> None:
    """Soft limit from now on; beyond it the kernel ends the process with SIGXCPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answered(head: Head) -> Answer:
    try:
        _allow_cpu(int(head["cpu_seconds"]))
        return _JOBS[head["job"]](Path(head["path"]), head)
    except NotAnImage as error:
        return {"error": "not_an_image", "message": str(error)}, b""
    except UndecodablePixels as error:
        return {"error": "undecodable", "message": str(error)}, b""
    except MemoryError:
        return {"error": "memory"}, b""
    except OSError as error:
        return {"error": "file", "message": type(error).__name__}, b""


def _inspect(path: Path, _: Head) -> Answer:
    return {"facts": asdict(header_facts(path))}, b""


def _model_image(path: Path, head: Head) -> Answer:
    picture = to_model_png(path, int(head["size"]))
    told = {"sha256": picture.sha256, "width": picture.width, "height": picture.height, "film": list(picture.film)}
    return told, picture.png


def _display_frame(path: Path, _: Head) -> Answer:
    frame = to_display_frame(path)
    rows, columns = frame.pixels.shape
    return {
        "rows": rows,
        "columns": columns,
        "window_center": frame.window.center,
        "window_width": frame.window.width,
        "max_value": frame.largest,
        "row_spacing_mm": frame.row_spacing_mm,
        "column_spacing_mm": frame.column_spacing_mm,
        "spacing_calibrated": frame.calibrated,
        "orientation": frame.orientation,
    }, frame.pixels.astype("<u2", copy=False).data.cast("B")


def _metadata(path: Path, _: Head) -> Answer:
    return {}, metadata(path)


def _stored_frame(path: Path, head: Head) -> Answer:
    frame, syntax = stored_frame(path, int(head["number"]))
    return {"transfer_syntax_uid": syntax}, frame


_JOBS: Mapping[str, Callable[[Path, Head], Answer]] = MappingProxyType(
    {
        "inspect": _inspect,
        "model_image": _model_image,
        "display_frame": _display_frame,
        "metadata": _metadata,
        "stored_frame": _stored_frame,
    }
)

if __name__ == "__main__":
    main()
