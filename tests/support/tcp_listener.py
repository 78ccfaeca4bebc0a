"""A port on loopback that does to each connection what a test wants, below HTTP and TLS."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

Treatment = Callable[[socket.socket], None]


#: This machine's own address of each family.
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, treatment: Treatment, family: socket.AddressFamily) -> None:
        self.address_family = family
        self._treatment = treatment
        super().__init__((LOOPBACK[family], 0), _Nothing)

    def finish_request(self, request: Any, _client_address: Any) -> None:
        with contextlib.suppress(OSError):
            self._treatment(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Nothing(socketserver.BaseRequestHandler):
    """The treatment does it all."""


class TcpListener:
    """Gives each connection to `treatment`, in a thread, and closes it after that."""

    def __init__(self, treatment: Treatment, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._listener = _Listener(treatment, family)
        self.port = int(self._listener.server_address[1])
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def close_at_once(_: socket.socket) -> None:
    """The treatment that hangs up before a byte is said."""


def after_hello(answer: bytes) -> Treatment:
    """Hears the client out once, says this, and hangs up."""

    def treat(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return treat


def silence(connection: socket.socket) -> None:
    """Hears the client, and says nothing until it goes."""
    connection.settimeout(60)
    while connection.recv(65536):
        pass
