"""A model server that can misbehave: OpenAI-shaped answers, or silence, noise, half sentences and error codes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CARD = {"id": "random@" + "0" * 64, "max_model_len": 2048}


def answer(text: str = "Findings: Clear.", finish: str = "stop") -> dict[str, Any]:
    """What vLLM answers, each character a token, then the stop mark's."""
    tokens = [{"token": character, "logprob": -0.5, "bytes": None} for character in text]
    if finish == "stop":
        tokens.append({"token": "<|im_end|>", "logprob": -0.1, "bytes": None})
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [{**choice, "logprobs": {"content": tokens}}]}


class ModelServer:
    """Set the attributes, then call it; it notes the requests for drafts."""

    def __init__(self) -> None:
        self.cards: Any = [CARD]
        self.status = 200
        self.body: bytes | None = None
        """None: a sound answer."""
        self.promised_bytes: int | None = None
        """Content-Length, where it is not the body's."""
        self.silence_seconds = 0.0
        self.drip_seconds: float | None = None
        """Between single bytes of the body."""
        self.location = ""
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        """One answer as the attributes say."""
        if handler.path == "/health":
            self._send(handler, self.status, b"")
        elif handler.path == "/v1/models":
            self._send(handler, 200, json.dumps({"object": "list", "data": self.cards}).encode())
        else:
            size = int(handler.headers["Content-Length"])
            self.requests.append(json.loads(handler.rfile.read(size)))
            self.headers.append(dict(handler.headers))
            time.sleep(self.silence_seconds)
            self._send(handler, self.status, json.dumps(answer()).encode() if self.body is None else self.body)

    def _send(self, handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(self.promised_bytes or len(body)))
        if self.location:
            handler.send_header("Location", self.location)
        handler.end_headers()
        if self.drip_seconds is None:
            handler.wfile.write(body)
            return
        for byte in body:
            time.sleep(self.drip_seconds)
            handler.wfile.write(bytes([byte]))


@contextmanager
def running_model_server() -> Iterator[ModelServer]:
    """Started on a free loopback port."""
    fake = ModelServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            try:
                fake.reply(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the caller gave up, as some tests want

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
