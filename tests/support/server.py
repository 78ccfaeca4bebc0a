"""A web server on loopback, over TLS or plain, whose every path can be told to misbehave."""

from __future__ import annotations

import collections
import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.support.replies import Content, Reply
from tests.support.tcp_listener import TcpListener

NOT_FOUND = Content(b"not found\n", 404)


class _Handler(BaseHTTPRequestHandler):
    """Looks the path up and lets the reply speak."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: socket.socket, site: Server) -> None:
        self._site = site
        # There is no server of the library's.
        super().__init__(connection, ("", 0), None)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self._site.note(self.command, self.path, dict(self.headers.items())).send(self)

    do_HEAD = do_GET
    do_POST = do_GET

    def method(self) -> str:
        return self.command

    def headers_in(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def send_bytes(self, data: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(data)
            self.wfile.flush()

    def send_raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def wait_until_closed(self, timeout: float) -> None:
        deadline = self._site.closing
        waited = 0.0
        while waited < timeout and not deadline.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable:
                with contextlib.suppress(OSError):
                    self.connection.recv(1)
                return
            waited += 0.05

    def abort(self) -> None:
        linger_off = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_off)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests ask the counters."""


class Server:
    """Paths, what each of them answers, and what was asked so far.

    Paths are compared in decoded form: `/@wasp.sh%2fwasp-cli/latest` and its upper-case or
    unescaped spellings are the same path. A query string is part of it. `requests` counts every
    method, `fetched` only what asks for the body.
    """

    def __init__(
        self, context: ssl.SSLContext | None, family: socket.AddressFamily = socket.AF_INET
    ) -> None:
        self._lock = threading.Lock()
        self._replies: dict[str, Reply] = {}
        self.fallback: Reply = NOT_FOUND
        self.requests: collections.Counter[str] = collections.Counter()
        self.fetched: collections.Counter[str] = collections.Counter()
        self.raw_paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.closing = threading.Event()
        self._changed = threading.Condition()
        self._context = context
        self._listener = TcpListener(self._serve, family)
        self.port = self._listener.port
        scheme = "http" if context is None else "https"
        host = "[::1]" if family == socket.AF_INET6 else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        """Also does the TLS handshake."""
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        if self._context is None:
            _Handler(connection, self)
        else:
            with self._context.wrap_socket(connection, server_side=True) as secured:
                _Handler(secured, self)

    def close(self) -> None:
        self.closing.set()
        self._listener.close()

    def answer(self, path: str, reply: Reply) -> None:
        """From now on this path answers so."""
        with self._lock:
            self._replies[unquote(path)] = reply

    def forget(self, path: str) -> None:
        """From now on this path is not found."""
        with self._lock:
            self._replies.pop(unquote(path), None)

    def known_paths(self) -> list[str]:
        return list(self._replies)

    def reply_of(self, path: str) -> Reply:
        return self._replies.get(unquote(path), self.fallback)

    def note(self, method: str, raw_path: str, headers: dict[str, str]) -> Reply:
        """Counts a request and gives the reply for it."""
        path = unquote(raw_path)
        with self._changed:
            self.requests[path] += 1
            if method == "GET":
                self.fetched[path] += 1
            self.raw_paths.append(raw_path)
            self.headers.append({"method": method, **headers})
            self._changed.notify_all()
        with self._lock:
            return self._replies.get(path, self.fallback)

    def count(self, path: str) -> int:
        """How often this path was asked for."""
        return self.requests[unquote(path)]

    def wait_for(self, path: str, timeout: float = 30.0) -> None:
        """Returns once the path has been asked for; fails when that does not happen."""
        wanted = unquote(path)
        with self._changed:
            if not self._changed.wait_for(lambda: self.requests[wanted] > 0, timeout):
                raise AssertionError(f"nobody asked for {path}; asked: {dict(self.requests)}")
