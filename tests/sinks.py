"""The outside world's end of a channel: a real HTTP and a real SMTP server that do as told."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Got(NamedTuple):
    """One request as the provider saw it, what it answered, and when (monotonic seconds)."""

    path: str
    body: dict[str, Any]
    answered: str
    at: float

    @property
    def keys(self) -> list[str]:
        """The messages in it."""
        return str(self.body["keys"]).split(",")


Script = Callable[[int], str]
"""What the n-th request is answered: a status such as "200", "timeout", or "reset"."""


class HttpSink:
    """A provider that counts what reached it. ``answer``, what it ``says`` to the headers of a
    request that it does not take, the ``pause`` in seconds before each, and the paths that are
    ``refused`` with a 500 may be changed while it runs."""

    def __init__(self, answer: Script = lambda _: "200") -> None:
        self.answer = answer
        self.says: Callable[[Mail], str] = lambda _: "the gateway said no to tulip"
        self.refused: set[str] = set()
        self.pause = 0.0
        self.got: list[Got] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.hear(self)

            def do_GET(self) -> None:
                sink.hear(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A sender that was killed is what the tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def hear(self, request: BaseHTTPRequestHandler) -> None:
        """Take the request whole, then answer as scripted."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        heard = time.monotonic()
        with self._lock:
            refused = request.path in self.refused
            answer = "500" if refused else self.answer(len(self.got))
            self.got.append(Got(request.path, json.loads(body) if body else {}, answer, heard))
        self._ended.wait(self.pause)
        if answer == "timeout":
            self._ended.wait(30)
        elif answer == "reset":
            linger = struct.pack("ii", 1, 0)
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            request.close_connection = True
        else:
            said = b"" if answer == "200" else self.says(request.headers).encode()
            request.send_response(int(answer))
            request.send_header("Content-Length", str(len(said)))
            request.end_headers()
            request.wfile.write(said)

    def url(self, path: str = "/flaps", more: str = "") -> str:
        """This provider as a channel's address."""
        return f"json://127.0.0.1:{self.port}{path}{more}"

    def taken(self) -> Counter[str]:
        """How often each message arrived and was answered with a yes."""
        with self._lock:
            return Counter(k for g in self.got if g.answered == "200" for k in g.keys)

    def arrived(self) -> Counter[str]:
        """How often each message arrived, whatever was answered."""
        with self._lock:
            return Counter(k for g in self.got for k in g.keys)

    def end(self) -> None:
        """Stop listening: from now on a connection is refused."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def http_sink(answer: Script = lambda _: "200") -> Iterator[HttpSink]:
    """A provider for as long as the test needs it."""
    sink = HttpSink(answer)
    try:
        yield sink
    finally:
        sink.end()


class SmtpSink:
    """A mail server that keeps what it is given, or refuses with ``refuses`` ("550 no")."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.to: list[str] = []
        self.refuses: str | None = None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuses is not None:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.to += envelope.rcpt_tos
        self.mails.append(message_from_bytes(envelope.content))
        return "250 kept"


@contextmanager
def smtp_sink() -> Iterator[tuple[SmtpSink, int]]:
    """A mail server and its port."""
    sink = SmtpSink()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Controller(sink, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield sink, port
    finally:
        server.stop()
