"""How the test server answers one request: well, badly, or not at all."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tests.support.server import Server


class Exchange(BaseHTTPRequestHandler):
    """One request to a server, as the reply to it sees it."""

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

    def headers_in(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def send_bytes(self, data: bytes) -> None:
        if self.command != "HEAD":
            self.wfile.write(data)

    def wait_until_closed(self) -> None:
        """Until the client goes, or the server does."""
        while not self._site.closing.is_set():
            if select.select([self.connection], [], [], 0.05)[0]:
                return

    def abort(self) -> None:
        linger_off = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_off)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests ask the counters."""


def _pause(seconds: float) -> None:
    """Also in tests that let time.sleep return at once."""
    threading.Event().wait(seconds)


class Reply(Protocol):
    """Answers one request."""

    def send(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True)
class Content:
    """A whole answer."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, exchange: Exchange) -> None:
        head = {"Content-Type": "application/octet-stream", "Content-Length": str(len(self.body))}
        exchange.send_head(self.status, {**head, **self.headers})
        exchange.send_bytes(self.body)


def json_content(value: Any, *, indent: int | None = None, compact: bool = False) -> Content:
    """The value as JSON, in one of the spacings that registries use."""
    separators = (",", ":") if compact else None
    body = json.dumps(value, indent=indent, separators=separators).encode()
    return Content(body, headers={"Content-Type": "application/json"})


def html_page(text: str = "Please sign in to the guest network", status: int = 200) -> Content:
    """What a captive portal answers, whatever was asked."""
    page = f"<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>{text}</body></html>\n"
    return Content(page.encode(), status, {"Content-Type": "text/html; charset=utf-8"})


def status(code: int, **headers: str) -> Content:
    """Only a status, with headers given as Retry_After="1"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Content(b"", code, named)


def redirect(location: str, code: int = 302) -> Content:
    """Sends the client elsewhere."""
    return Content(b"", code, {"Location": location})


@dataclass(frozen=True)
class Stall:
    """Accepts the request and never says a byte; ends when the client gives up."""

    def send(self, exchange: Exchange) -> None:
        exchange.wait_until_closed()


@dataclass(frozen=True)
class Cut:
    """Announces the whole body, sends a part, tells who waits for it, and closes the connection."""

    body: bytes
    sent: int
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    reached: threading.Event = field(default_factory=threading.Event, compare=False)
    opened: threading.Event = field(default_factory=threading.Event, compare=False)

    def send(self, exchange: Exchange) -> None:
        exchange.send_head(self.status, {"Content-Length": str(len(self.body)), **self.headers})
        exchange.send_bytes(self.body[: self.sent])
        self.reached.set()
        self.go_on(exchange)

    def go_on(self, exchange: Exchange) -> None: ...


class StallAfter(Cut):
    """Sends the beginning of a body, and then nothing more."""

    def go_on(self, exchange: Exchange) -> None:
        exchange.wait_until_closed()


class Gate(Cut):
    """Sends the beginning of a body, and the rest once the gate is opened."""

    def go_on(self, exchange: Exchange) -> None:
        self.opened.wait(60.0)
        exchange.send_bytes(self.body[self.sent :])


@dataclass(frozen=True)
class Drip:
    """A whole body in many small pieces, with a pause between them."""

    body: bytes
    pieces: int = 20
    pause: float = 0.05
    says_length: bool = True

    def send(self, exchange: Exchange) -> None:
        length = {"Content-Length": str(len(self.body))} if self.says_length else {}
        exchange.send_head(200, length)
        size = max(1, -(-len(self.body) // self.pieces))
        for start in range(0, len(self.body), size):
            exchange.send_bytes(self.body[start : start + size])
            _pause(self.pause)


@dataclass(frozen=True)
class Raw:
    """Whatever these bytes are, in place of an answer; one by one when there is a pause."""

    data: bytes
    pause: float = 0

    def send(self, exchange: Exchange) -> None:
        size = 1 if self.pause else max(1, len(self.data))
        for start in range(0, len(self.data), size):
            exchange.wfile.write(self.data[start : start + size])
            _pause(self.pause)


@dataclass(frozen=True)
class Endless:
    """A beginning, and then the same again and again, until the client goes or it is `most`."""

    start: bytes
    again: bytes
    most: int

    def send(self, exchange: Exchange) -> None:
        exchange.wfile.write(self.start)
        piece = self.again * max(1, 65536 // len(self.again))
        for _ in range(self.most // len(piece)):
            exchange.wfile.write(piece)


@dataclass(frozen=True)
class Reset:
    """Drops the connection with a reset, without an answer."""

    def send(self, exchange: Exchange) -> None:
        exchange.abort()


@dataclass
class Sequence:
    """One reply after the other; the last one answers everything that follows."""

    replies: list[Reply]
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def send(self, exchange: Exchange) -> None:
        with self._lock:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        reply.send(exchange)


def closed_port() -> tuple[socket.socket, int]:
    """A bound port that nobody listens on; connecting is refused while the socket lives."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.bind(("127.0.0.1", 0))
    return holder, int(holder.getsockname()[1])
