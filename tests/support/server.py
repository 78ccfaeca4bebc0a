"""A web server on loopback, over TLS or plain, whose every path can be told to misbehave."""

from __future__ import annotations

import collections
import contextlib
import select
import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.support.replies import Content, Reply
from tests.support.tcp_listener import LOOPBACK

NOT_FOUND = Content(b"not found\n", 404)


class _Handler(BaseHTTPRequestHandler):
    """Looks the path up and lets the reply speak."""

    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        self.close_connection = True
        site = self.server.site
        with contextlib.suppress(OSError):
            site.note(self.command, self.path, dict(self.headers.items())).send(self)

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
        deadline = self.server.closing
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


class _Listener(socketserver.ThreadingTCPServer):
    """Accepts connections; each has a thread, which also does its TLS handshake."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    # The leftovers guard looks after processes; threads of a stalled reply end by `closing`.
    block_on_close = False

    def __init__(
        self, site: Server, context: ssl.SSLContext | None, family: socket.AddressFamily
    ) -> None:
        self.address_family = family
        self.site = site
        self.context = context
        self.closing = threading.Event()
        super().__init__((LOOPBACK[family], 0), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self.site.count_connection()
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return
        with contextlib.suppress(OSError):
            super().finish_request(request, client_address)
        with contextlib.suppress(OSError):
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


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
        self._changed = threading.Condition()
        self._listener = _Listener(self, context, family)
        self.port = int(self._listener.server_address[1])
        scheme = "http" if context is None else "https"
        host = "[::1]" if family == socket.AF_INET6 else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.port}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._listener.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

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

    def count_connection(self) -> None:
        with self._changed:
            self.connections += 1
            self._changed.notify_all()

    def count(self, path: str) -> int:
        """How often this path was asked for."""
        return self.requests[unquote(path)]

    def wait_for(self, path: str, timeout: float = 30.0) -> None:
        """Returns once the path has been asked for; fails when that does not happen."""
        wanted = unquote(path)
        with self._changed:
            if not self._changed.wait_for(lambda: self.requests[wanted] > 0, timeout):
                raise AssertionError(f"nobody asked for {path}; asked: {dict(self.requests)}")
