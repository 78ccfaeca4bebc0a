"""A port on loopback that does to each connection what a test wants, below HTTP and TLS."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

Treatment = Callable[[socket.socket], None]


class TcpListener:
    """Gives each connection to `treatment`, in a thread, and closes it after that."""

    def __init__(self, treatment: Treatment, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._treatment = treatment
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._socket = socket.create_server((host, 0), family=family, backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._treat, args=[connection], daemon=True).start()

    def _treat(self, connection: socket.socket) -> None:
        """A client that went away is no news."""
        with contextlib.suppress(OSError), connection:
            self._treatment(connection)
            connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        # This ends the accept that waits.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


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
