"""A chat endpoint on loopback that answers by a script, well or in any of the ways in which endpoints fail."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "judge-32b-2026-01"
LETTERS = "ABCDEF"
Reply = Callable[["Handler"], None]


def counts(significant: str = "000000", insignificant: str = "000000") -> str:
    """An answer as the prompt asks for it, one digit per letter."""
    pairs = {"significant": significant, "insignificant": insignificant}
    return json.dumps({kind: dict(zip(LETTERS, map(int, digits), strict=True)) for kind, digits in pairs.items()})


def answer(text: str | None, *, model: str = MODEL, finish: str = "stop") -> Reply:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return raw(json.dumps({"model": model, "choices": [choice]}))


def raw(body: str | bytes, status: int = 200, **headers: str) -> Reply:
    def reply(handler: Handler) -> None:
        content = body.encode() if isinstance(body, str) else body
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def status(code: int, **headers: str) -> Reply:
    return raw('{"error": {"message": "scripted"}}', code, **headers)


def hang(handler: Handler) -> None:
    handler.server.over.wait()


def trickle(handler: Handler) -> None:
    """Headers at once, then a byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b" ")


def cut(handler: Handler) -> None:
    """Half an answer, then a reset."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"model"')
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


class Server(ThreadingHTTPServer):
    """`script` is used up in order of arrival, its last reply for ever; `seen` keeps (headers, body) of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Reply] = [answer(counts())]
        self.seen: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.models = [MODEL]
        self.busy = self.busiest = 0
        self.lock, self.over = threading.Lock(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of the script."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        raw(json.dumps({"data": [{"id": name} for name in self.server.models]}))(self)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append((dict(self.headers), body))
            self.server.busy += 1
            self.server.busiest = max(self.server.busiest, self.server.busy)
            reply = self.server.script.pop(0) if len(self.server.script) > 1 else self.server.script[0]
        try:
            reply(self)
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
