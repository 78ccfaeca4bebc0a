"""The requests of an install, and every way in which the answer to one may go wrong."""

from __future__ import annotations

import dataclasses
import gzip
import socket
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.certificates import Authority, Certificate
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Upstream,
    github_api_path,
    github_asset_path,
    github_download_path,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.replies import (
    Content,
    Cut,
    Endless,
    LyingLength,
    Raw,
    Reply,
    Reset,
    Sequence,
    Stall,
    StallAfter,
    closed_port,
    html_page,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.tcp_listener import TcpListener, after_hello, close_at_once, silence

VERSION = "0.25.0"
ATTEMPTS = 4

# --- The requests of an install ------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request of an install, and how to have it made."""

    name: str
    source: str
    path: str
    wanted: str | None = VERSION
    # An archive may also be damaged; a page only counts for where it leads; optional is an answer
    # that is a help, and unchecked an archive whose digest cannot be asked for.
    kind: str = "document"


GITHUB_BUILD = "linux-x86_64"
REQUESTS = (
    Request("main package", "npm", npm_cli_path(VERSION)),
    Request("platform package", "npm", npm_platform_path(VERSION, "linux-x64-glibc")),
    Request("npm archive", "npm", npm_tarball_path(VERSION, "linux-x64-glibc"), kind="archive"),
    Request("newest version", "github", GITHUB_LATEST_PATH, wanted=None, kind="page"),
    Request("releases API", "github", github_api_path(VERSION), kind="optional"),
    Request("GitHub archive", "github", github_asset_path(VERSION, GITHUB_BUILD), kind="archive"),
    Request(
        "GitHub archive without the API",
        "github",
        github_download_path(VERSION, GITHUB_BUILD),
        kind="unchecked",
    ),
)
CLIENTS = ("python", "curl", "wget")

# --- What may go wrong ---------------------------------------------------------------------------


@dataclass
class Scene:
    """What a fault is made of: the good answer, and places to send a client to."""

    fine: Content
    upstream: Upstream
    authority: Authority
    closing: list[Callable[[], None]] = dataclasses.field(default_factory=list)

    @property
    def body(self) -> bytes:
        return self.fine.body

    def sent_to(self, certificate: Certificate | None) -> Reply:
        """Sends the client to a server with this certificate, or without TLS."""
        context = self.authority.server_context(certificate) if certificate else None
        server = Server(context)
        server.fallback = self.fine
        self.closing.append(server.close)
        return redirect(f"https://127.0.0.1:{server.port}/here")

    def sent_to_port(self, treatment: Callable[[socket.socket], None]) -> Reply:
        listener = TcpListener(treatment)
        self.closing.append(listener.close)
        return redirect(f"https://127.0.0.1:{listener.port}/here")

    def sent_to_nobody(self) -> Reply:
        holder, port = closed_port()
        self.closing.append(holder.close)
        return redirect(f"https://127.0.0.1:{port}/here")

    def plain(self) -> Reply:
        server = Server(None)
        self.closing.append(server.close)
        server.fallback = self.fine
        return redirect(f"{server.url}/here")

    def redirected(self, times: int) -> Reply:
        """So many redirects, and then the good answer."""
        server = self.upstream.server
        for step in range(1, times):
            server.answer(f"/hop{step}", redirect(f"{server.url}/hop{step + 1}"))
        server.answer(f"/hop{times}", self.fine)
        return redirect(f"{server.url}/hop1")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and the slugs that tell of it; none: it is overcome."""

    reply: Callable[[Scene], Reply]
    slugs: tuple[str, ...] = ()
    #: wget has no lowest speed, so it would wait for all of it.
    is_too_slow_for_wget: bool = False

    def may_be_overcome(self, request: Request) -> bool:
        return not self.slugs or "" in self.slugs or request.kind in ("optional", "unchecked")

    def expected(self, request: Request, client: str, *, by_proxy: bool) -> set[str]:
        expected = {*self.slugs}
        if request.kind in ("archive", "unchecked"):
            # Where the whole body comes, the check of the archive finds out.
            expected |= CHECKED
        if request.kind == "page":
            # A page in place of a redirect is what the login of a network sends.
            expected |= {"captive-portal", "bad-answer", "connection", "insecure-url"}
        if client == "wget":
            # It does not tell much apart.
            expected |= {"connection"}
        if by_proxy and {"dns", "connection"} & expected:
            # Where there is nobody, it is the proxy that gets no connection, and says so.
            expected |= {"proxy"}
        return expected


CHECKED = {"checksum-mismatch", "corrupt-archive"}
GIGABYTE = 1024**3
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])
ZEROS = gzip.compress(bytes(1024**2)) * 1024
OK = b"HTTP/1.1 200 OK\r\n"
NO_ANSWER = ("connection", "bad-answer", "timeout")


def _sized(length: int) -> bytes:
    return OK + f"Content-Length: {length}\r\n\r\n".encode()


def _chunked(scene: Scene, rest: bytes) -> Reply:
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    return Raw(head + f"{len(scene.body):x}\r\n".encode() + scene.body + b"\r\n" + rest)


def _compressed(body: bytes) -> Reply:
    return Content(body, headers={"Content-Encoding": "gzip"})


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else b"x"


def _told(location: str) -> Callable[[Scene], Reply]:
    return lambda _: redirect(location)


def _presents(certificate: Certificate) -> Callable[[Scene], Reply]:
    return lambda scene: scene.sent_to(certificate)


FAULTS = {
    # The connection
    "refused": Fault(Scene.sent_to_nobody, ("connection",)),
    "reset": Fault(lambda _: Reset(), ("connection",)),
    "closed without an answer": Fault(lambda _: Raw(b""), ("connection",)),
    "closed before TLS": Fault(lambda s: s.sent_to_port(close_at_once), ("connection",)),
    "silent before TLS": Fault(lambda s: s.sent_to_port(silence), ("timeout", "tls")),
    "silent": Fault(lambda _: Stall(), ("timeout",)),
    "silent in the body": Fault(lambda s: StallAfter(s.body, 20), ("timeout",)),
    "a byte now and then": Fault(
        lambda s: Raw(_sized(len(s.body)) + s.body, pause=0.2), ("timeout",), True
    ),
    "a byte of the head now and then": Fault(
        lambda _: Raw(OK + b"Server: " + b"x" * 500, pause=0.2), ("timeout",), True
    ),
    # TLS
    "TLS alert": Fault(lambda s: s.sent_to_port(after_hello(ALERT)), ("tls",)),
    "no TLS there": Fault(
        lambda s: s.sent_to_port(after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n")), ("tls",)
    ),
    **{
        f"certificate: {certificate.value}": Fault(_presents(certificate), ("tls",))
        for certificate in Certificate
        if certificate is not Certificate.GOOD
    },
    # Lengths
    "cut": Fault(lambda s: Cut(s.body, len(s.body) // 2), ("connection",)),
    "cut by a byte": Fault(lambda s: Cut(s.body, len(s.body) - 1), ("connection",)),
    "longer than announced": Fault(
        lambda s: LyingLength(s.body, len(s.body) - 20), ("bad-answer",)
    ),
    "announced a terabyte": Fault(
        lambda s: Raw(_sized(1024 * GIGABYTE) + s.body), ("bad-answer", "connection")
    ),
    "a length that is no number": Fault(
        lambda s: Raw(OK + b"Content-Length: many\r\n\r\n" + s.body),
        ("connection", "bad-answer", ""),
    ),
    "chunks, then garbage": Fault(lambda s: _chunked(s, b"garbage\r\n"), ("connection",)),
    "chunks without an end": Fault(lambda s: _chunked(s, b""), ("connection",)),
    "a hundred megabytes more": Fault(
        lambda s: Endless(OK + b"\r\n" + s.body, b" " * 1000, 100 * 1024**2),
        ("bad-answer", "connection"),
    ),
    # Content
    "a web page": Fault(lambda _: html_page(), ("captive-portal",)),
    "nothing": Fault(lambda _: Content(b""), ("bad-answer",)),
    "compressed on the way": Fault(lambda s: _compressed(gzip.compress(s.body)), ("bad-answer",)),
    "a gigabyte of zeros, compressed": Fault(lambda _: _compressed(ZEROS), ("bad-answer",)),
    "one bit of it": Fault(
        lambda s: Content(_flipped(s.body)), ("bad-answer", "checksum-mismatch", "")
    ),
    # Heads
    "no HTTP": Fault(lambda _: Raw(b"SSH-2.0-OpenSSH_9.2\r\n" * 30), NO_ANSWER),
    "an old HTTP": Fault(lambda s: Raw(s.body), NO_ANSWER),
    "headers without end": Fault(
        lambda _: Endless(OK, b"X-More: and more\r\n", 200 * 1024**2), NO_ANSWER
    ),
    "a header without end": Fault(
        lambda _: Endless(OK + b"X-Long: ", b"long", 200 * 1024**2), NO_ANSWER
    ),
    "continue, continue": Fault(
        lambda _: Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 200 * 1024**2), NO_ANSWER
    ),
    # Statuses
    "503 for good": Fault(lambda _: status(503), ("http-status",)),
    "503 twice, then fine": Fault(lambda s: Sequence([status(503), status(503), s.fine])),
    "429 that says when": Fault(lambda s: Sequence([status(429, Retry_After="2"), s.fine])),
    "429 for good": Fault(lambda _: status(429, Retry_After="2"), ("http-status",)),
    "403": Fault(lambda _: status(403), ("http-status",)),
    # Redirects
    "nine redirects": Fault(lambda s: s.redirected(9)),
    "eleven redirects": Fault(lambda s: s.redirected(11), ("bad-answer",)),
    "redirect to http": Fault(Scene.plain, ("insecure-url",)),
    "redirect to a file": Fault(_told("file:///etc/passwd"), ("insecure-url",)),
    "redirect to FTP": Fault(_told("ftp://127.0.0.1/x"), ("insecure-url",)),
    "redirect to a user of this machine": Fault(
        _told("http://127.0.0.1@evil.invalid/x"), ("insecure-url", "dns")
    ),
    "redirect with an escape": Fault(
        _told("https://127.0.0.1:1/\x1b[2Jx"), ("bad-answer", "connection", "insecure-url")
    ),
    "redirect with a space": Fault(_told("https://127.0.0.1:1/a b"), ("bad-answer", "connection")),
    "redirect to nowhere": Fault(_told("https://"), ("bad-answer", "insecure-url", "connection")),
    "redirect to no name": Fault(_told("https://nobody.invalid/x"), ("dns",)),
}
