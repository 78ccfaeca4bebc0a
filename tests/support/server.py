"""A web server on loopback, over TLS or plain, whose every path can be told to misbehave."""

from __future__ import annotations

import collections
import socket
import ssl
import threading
from urllib.parse import unquote

from tests.support.replies import Content, Exchange, Reply
from tests.support.tcp_listener import TcpListener


class Server:
    """Paths, what each of them answers, and what was asked so far.

    Paths are compared in decoded form: `/@wasp.sh%2fwasp-cli/latest` and its upper-case or
    unescaped spellings are the same path. A query string is part of it. `requests` counts every
    method, `fetched` only what asks for the body.
    """

    def __init__(
        self, context: ssl.SSLContext | None, family: socket.AddressFamily = socket.AF_INET
    ) -> None:
        self._context = context
        self._replies: dict[str, Reply] = {}
        self._changed = threading.Condition()
        self.fallback: Reply = Content(b"not found\n", 404)
        self.requests: collections.Counter[str] = collections.Counter()
        self.fetched: collections.Counter[str] = collections.Counter()
        self.raw_paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.closing = threading.Event()
        self._listener = TcpListener(self._serve, family)
        self.port = self._listener.port
        scheme = "http" if context is None else "https"
        host = "[::1]" if family == socket.AF_INET6 else "127.0.0.1"
        self.url = f"{scheme}://{host}:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        """Also does the TLS handshake."""
        with self._changed:
            self.connections += 1
        if self._context is None:
            Exchange(connection, self)
        else:
            with self._context.wrap_socket(connection, server_side=True) as secured:
                Exchange(secured, self)

    def close(self) -> None:
        self.closing.set()
        self._listener.close()

    def answer(self, path: str, reply: Reply) -> None:
        """From now on this path answers so."""
        self._replies[unquote(path)] = reply

    def forget(self, path: str) -> None:
        """From now on this path is not found."""
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
        return self.reply_of(path)

    def count(self, path: str) -> int:
        """How often this path was asked for."""
        return self.requests[unquote(path)]

    def wait_for(self, path: str) -> None:
        """Returns once the path has been asked for; fails when that does not happen."""
        with self._changed:
            asked = self._changed.wait_for(lambda: self.count(path) > 0, 30.0)
        assert asked, f"nobody asked for {path}; asked: {dict(self.requests)}"
