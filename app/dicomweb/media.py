"""Media types of DICOMweb (PS3.18 8.7): what a client accepts, and answers of several parts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import NotAcceptable

DICOM = "application/dicom"
OCTETS = "application/octet-stream"
_PIECE = 1 << 18
_PARAMETER = re.compile(r';\s*([\w-]+)\s*=\s*("([^"]*)"|[^;,\s]*)')
_RANGE = re.compile(r'(?:[^,"]|"[^"]*")+')


@dataclass(frozen=True, slots=True)
class Accepted:
    """One media range of an Accept header. of: the type of the parts of a multipart one; syntax: "*" for any."""

    kind: str
    of: str
    syntax: str


def accepted(header: str | None) -> list[Accepted]:
    """In the client's order; without a header everything."""
    return [_range(text) for text in _RANGE.findall(header or "*/*")]


def _range(text: str) -> Accepted:
    kind = text.split(";", maxsplit=1)[0].strip().lower()
    found = _PARAMETER.findall(text)
    told = {name.lower(): quoted if value.startswith('"') else value for name, value, quoted in found}
    if kind == "multipart/related":
        return Accepted(kind, told.get("type", "*/*").lower(), told.get("transfer-syntax", "*"))
    return Accepted(kind, kind, told.get("transfer-syntax", "*"))


def chosen(header: str | None, offered: Sequence[str]) -> str:
    """The first of `offered` that the client takes. Raises NotAcceptable."""
    for wanted in accepted(header):
        for kind in offered:
            if wanted.kind in (kind, "*/*", f"{kind.split('/')[0]}/*"):
                return kind
    message = f"This is to be had as {' or '.join(offered)}; ask for that in Accept."
    raise NotAcceptable(message)


def require_parts(header: str | None, kind: str, syntaxes: Sequence[str]) -> None:
    """Whether the client takes parts of `kind` in these transfer syntaxes. Raises NotAcceptable.

    Nothing is transcoded: what is held can be had as it is held.
    """
    for wanted in accepted(header):
        if wanted.kind not in ("multipart/related", "multipart/*", "*/*", kind) or wanted.of not in (kind, "*/*"):
            continue
        if wanted.syntax == "*" or all(syntax == wanted.syntax for syntax in syntaxes):
            return
    held = ", ".join(sorted(set(syntaxes)))
    message = f'This is to be had as multipart/related; type="{kind}"; transfer-syntax=* and is held in {held}.'
    raise NotAcceptable(message)


@dataclass(frozen=True, slots=True)
class Part:
    """content: bytes, or the file that has them."""

    kind: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """In bytes. Raises OSError."""
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)


class Multipart:
    """multipart/related of some parts (RFC 2387, PS3.18 8.6.1.2); iterate it to send it."""

    def __init__(self, kind: str, parts: Sequence[Part]) -> None:
        self._parts, self._boundary = parts, uuid.uuid4().hex
        self.media_type = f'multipart/related; type="{kind}"; boundary={self._boundary}'

    @property
    def size(self) -> int:
        """Of the whole body, in bytes."""
        heads = sum(len(self._head(part)) + len(b"\r\n") for part in self._parts)
        return heads + sum(part.size for part in self._parts) + len(self._end())

    def __iter__(self) -> Iterator[bytes]:
        """The body, piece by piece; no object is in memory as a whole."""
        for part in self._parts:
            yield self._head(part)
            yield from _pieces(part.content)
            yield b"\r\n"
        yield self._end()

    def _head(self, part: Part) -> bytes:
        return f"--{self._boundary}\r\nContent-Type: {part.kind}\r\nContent-Length: {part.size}\r\n\r\n".encode()

    def _end(self) -> bytes:
        return f"--{self._boundary}--\r\n".encode()


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
