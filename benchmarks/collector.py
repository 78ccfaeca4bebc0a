"""What stands for the outside when telemetry is measured: all of it is on this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.measure import BenchmarkError
from benchmarks.mirror import HOST

# Telemetry gives up after 10 s by itself.
ARRIVAL_TIMEOUT_S = 20
TAKEN = {"status": "Ok"}
NEWS = [
    {
        "id": "benchmark",
        "level": "important",
        "title": "A newer Wasp starts faster",
        "body": "Nothing in your project needs to change.",
        "publishedAt": "2026-01-01T00:00:00Z",
        "affectedVersions": ">=0.20.0",
    }
]
RELEASES: dict[str, dict[str, object]] = {
    "versions": {f"0.{minor}.{patch}": {} for minor in range(20, 30) for patch in range(4)}
}


class Arrivals:
    """Counts what comes, and holds it against what is due."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.due = 0
        self.come = 0
        self._changed = threading.Condition()

    def count(self) -> None:
        """One more has come."""
        with self._changed:
            self.come += 1
            self._changed.notify_all()

    def expect(self, number: int = 1) -> None:
        """Wait for so many more than before; raise when they do not come."""
        self.due += number
        with self._changed:
            self._changed.wait_for(lambda: self.come >= self.due, ARRIVAL_TIMEOUT_S)
        self.check()

    def check(self) -> None:
        """Raise when there are more or fewer than are due."""
        if self.come != self.due:
            raise BenchmarkError(f"{self.come} {self.what} came, {self.due} were due")


class Handler(BaseHTTPRequestHandler):
    """Takes every event and has messages. As a proxy, it is whatever host it is asked for."""

    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.collector.events.count()
        self.answer(TAKEN)

    def do_GET(self) -> None:
        self.server.collector.lookups.count()
        self.answer(NEWS if self.path == "/" else RELEASES)

    def answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        self.close_connection = True
        self.server.collector.tunnels.count()
        self.send_response(200)
        self.end_headers()
        self.server.converse(self.connection, self.client_address)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the process prints figures only."""


class Server(ThreadingHTTPServer):
    """One address of the collector: over TLS, or as a proxy whose tunnels are TLS."""

    def __init__(self, collector: Collector, *, is_proxy: bool) -> None:
        super().__init__((HOST, 0), Handler)
        self.collector = collector
        self.is_proxy = is_proxy

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.is_proxy:
            super().finish_request(request, client_address)
        else:
            self.converse(request, client_address)

    def converse(self, connection: socket.socket, client_address: Any) -> None:
        """Take what is sent over TLS through a connection."""
        with self.collector.context.wrap_socket(connection, server_side=True) as secured:
            Handler(secured, client_address, self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that leaves in the middle: its event is missed."""


class Collector:
    """A server that takes events, at `url` or through `proxy`, and has messages, at `origin`."""

    def __init__(self, key_file: Path) -> None:
        self.events = Arrivals("events")
        self.tunnels = Arrivals("connections to the proxy")
        self.lookups = Arrivals("lookups of messages")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(key_file)
        self.server = Server(self, is_proxy=False)
        self.proxy_server = Server(self, is_proxy=True)
        self.origin = f"https://{HOST}:{self.server.server_port}"
        self.url = f"{self.origin}/capture/"
        self.proxy = f"http://{HOST}:{self.proxy_server.server_port}"

    def expect_tunnelled(self) -> None:
        """Wait for an event that comes through the proxy."""
        self.tunnels.expect()
        self.events.expect()

    def expect_with_lookups(self) -> None:
        """Wait for an event, and then for a look at the news and one at the releases."""
        self.events.expect()
        self.lookups.expect(2)


class SilentHandler(socketserver.BaseRequestHandler):
    """Listens for as long as it is spoken to."""

    server: DeadNetwork

    def handle(self) -> None:
        self.server.take(self.request)
        with contextlib.suppress(OSError):
            while self.request.recv(65536):
                pass


class DeadNetwork(socketserver.ThreadingTCPServer):
    """Accepts connections and never answers: `url` as a server, and as a proxy, too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), SilentHandler)
        self.url = f"http://{HOST}:{self.server_address[1]}/"
        self._changed = threading.Condition()
        self._callers: list[socket.socket] = []
        self._is_silent = True

    def take(self, caller: socket.socket) -> None:
        """Keep a connection open, unless the time for that is over."""
        with self._changed:
            self._callers.append(caller)
            self._changed.notify_all()
            if not self._is_silent:
                hang_up(caller)

    def fall_silent(self) -> None:
        """From now on, whoever connects waits."""
        with self._changed:
            self._callers.clear()
            self._is_silent = True

    def let_go(self) -> None:
        """Wait for a caller, then hang up on all, so that none need be waited for to give up."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._callers, ARRIVAL_TIMEOUT_S):
                raise BenchmarkError("nobody connected to the dead network")
            self._is_silent = False
            for caller in self._callers:
                hang_up(caller)


def hang_up(connection: socket.socket) -> None:
    """End a connection, whose other end may have done so before."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def serving(*servers: socketserver.TCPServer) -> Iterator[None]:
    """Let servers run in the background."""
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
