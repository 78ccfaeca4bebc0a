"""Every way a network can fail, at every request of an install, by each downloader."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.proxy import Proxy
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Release,
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
from tests.support.scale import Scale
from tests.support.server import Server
from tests.support.tcp_listener import (
    TcpListener,
    Treatment,
    after_hello,
    close_at_once,
    silence,
)
from tests.support.trees import picture
from tests.torture.tallies import Tally

AREA = "Networks"
VERSION = "0.25.0"
ATTEMPTS = 4
# Far more than any of these takes: a run that is stuck is what this is about.
BOUND_S = 40.0

# --- The requests of an install ------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """One request of an install, and how to have it made."""

    name: str
    source: str
    path: str
    wanted: str | None = VERSION
    # What comes: a document, an archive, or a page that only counts for where it leads.
    kind: str = "document"
    # Set where an answer is a help, and an install goes well without it.
    optional: bool = False
    # Set where the releases API is not there, so that each archive is asked for by itself.
    without_api: bool = False


GITHUB_BUILD = "linux-x86_64"
REQUESTS = (
    Request("main package", "npm", npm_cli_path(VERSION)),
    Request("platform package", "npm", npm_platform_path(VERSION, "linux-x64-glibc")),
    Request("npm archive", "npm", npm_tarball_path(VERSION, "linux-x64-glibc"), kind="archive"),
    Request("newest version", "github", GITHUB_LATEST_PATH, wanted=None, kind="page"),
    Request("releases API", "github", github_api_path(VERSION), optional=True),
    Request("GitHub archive", "github", github_asset_path(VERSION, GITHUB_BUILD), kind="archive"),
    Request(
        "GitHub archive without the API",
        "github",
        github_download_path(VERSION, GITHUB_BUILD),
        kind="archive",
        without_api=True,
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
    """One thing that goes wrong, and the slugs that tell of it; none: it is overcome."""

    name: str
    reply: Callable[[Scene], Reply]
    slugs: tuple[str, ...] = ()
    # Where the whole body comes, the check of the archive finds out.
    archive: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()
    # Whether the fault is where a redirect leads, which a page is not asked for.
    by_redirect: bool = False

    def expected(self, request: Request) -> tuple[str, ...]:
        if request.kind == "page" and self.by_redirect:
            return ("bad-answer", "insecure-url")
        if request.optional or not self.slugs:
            return ()
        if request.kind == "archive" and self.archive is not None:
            # Where no digest is known, a change that gzip does not see is not seen.
            unseen = ("corrupt-archive", "") if request.without_api else ()
            return (*self.archive, *unseen)
        # A page in place of a redirect is what the login of a network sends.
        return (*self.slugs, *NO_REDIRECT) if request.kind == "page" else self.slugs


CHECKED = ("checksum-mismatch", "corrupt-archive")
NO_REDIRECT = ("captive-portal", "bad-answer", "connection")


def _sized(length: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


def _chunked(scene: Scene, rest: bytes) -> Reply:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return Raw(head + f"{len(scene.body):x}\r\n".encode() + scene.body + b"\r\n" + rest)


def _flipped(body: bytes) -> bytes:
    if not body:
        return b"x"
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def _told(location: str) -> Callable[[Scene], Reply]:
    return lambda _: redirect(location)


def _bad_certificate(certificate: Certificate) -> Fault:
    return Fault(
        f"certificate: {certificate.value}",
        lambda scene: scene.sent_to(certificate),
        ("tls",),
        words=("certificate",),
        by_redirect=True,
    )


GIGABYTE = 1024**3
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])

FAULTS = (
    # The connection
    Fault("refused", Scene.sent_to_nobody, ("connection",), by_redirect=True),
    Fault("reset", lambda _: Reset(), ("connection",)),
    Fault("closed without an answer", lambda _: Raw(b""), ("connection",)),
    Fault(
        "closed before TLS",
        lambda scene: scene.sent_to_port(close_at_once),
        ("connection",),
        by_redirect=True,
    ),
    Fault(
        "silent before TLS",
        lambda scene: scene.sent_to_port(silence),
        # wget does not tell the one from the other.
        ("timeout", "tls"),
        by_redirect=True,
    ),
    Fault("silent", lambda _: Stall(), ("timeout",)),
    # wget calls it a connection that failed.
    Fault("silent in the body", lambda s: StallAfter(s.body, 20), ("timeout", "connection")),
    Fault(
        "a byte now and then",
        lambda s: Raw(_sized(len(s.body)) + s.body, pause=0.2),
        ("timeout",),
    ),
    Fault(
        "a byte of the head now and then",
        lambda _: Raw(b"HTTP/1.1 200 OK\r\nServer: " + b"x" * 500, pause=0.2),
        ("timeout",),
    ),
    # TLS
    Fault("TLS alert", lambda s: s.sent_to_port(after_hello(ALERT)), ("tls",), by_redirect=True),
    Fault(
        "no TLS there",
        lambda s: s.sent_to_port(after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("tls",),
        by_redirect=True,
    ),
    *map(_bad_certificate, (c for c in Certificate if c is not Certificate.GOOD)),
    # Lengths
    Fault("cut", lambda s: Cut(s.body, len(s.body) // 2), ("connection",)),
    Fault("cut by a byte", lambda s: Cut(s.body, len(s.body) - 1), ("connection",)),
    Fault(
        "longer than announced",
        lambda s: LyingLength(s.body, len(s.body) - 20),
        ("bad-answer",),
        archive=CHECKED,
    ),
    Fault(
        "announced a terabyte",
        lambda s: Raw(_sized(1024 * GIGABYTE) + s.body),
        # wget looks only at what comes.
        ("bad-answer", "connection"),
    ),
    Fault(
        "a length that is no number",
        lambda s: Raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + s.body),
        ("connection", "bad-answer", ""),
        archive=("connection", "bad-answer", *CHECKED, ""),
    ),
    Fault("chunks, then garbage", lambda s: _chunked(s, b"garbage\r\n"), ("connection",)),
    Fault("chunks without an end", lambda s: _chunked(s, b""), ("connection",)),
    Fault(
        "a hundred megabytes more",
        lambda s: Endless(b"HTTP/1.1 200 OK\r\n\r\n" + s.body, b" " * 1000, 100 * 1024**2),
        ("bad-answer",),
        # A question for the head alone ends in the middle of it.
        archive=(*CHECKED, "connection"),
    ),
    # Content
    Fault("a web page", lambda _: html_page(), ("captive-portal",)),
    Fault("nothing", lambda _: Content(b""), ("bad-answer",), archive=CHECKED),
    Fault(
        "compressed on the way",
        lambda s: Content(gzip.compress(s.body), headers={"Content-Encoding": "gzip"}),
        ("bad-answer",),
        archive=CHECKED,
    ),
    Fault(
        "a gigabyte of zeros, compressed",
        lambda _: Content(
            gzip.compress(bytes(1024**2)) * 1024, headers={"Content-Encoding": "gzip"}
        ),
        ("bad-answer",),
        archive=CHECKED,
    ),
    Fault(
        "one bit of it",
        lambda s: Content(_flipped(s.body)),
        ("bad-answer", "checksum-mismatch", ""),
        archive=("checksum-mismatch",),
    ),
    # Heads
    Fault("no HTTP", lambda _: Raw(b"SSH-2.0-OpenSSH_9.2\r\n" * 30), ("connection", "bad-answer")),
    Fault("an old HTTP", lambda s: Raw(s.body), ("connection", "bad-answer")),
    Fault(
        "headers without end",
        lambda _: Endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n", 200 * 1024**2),
        ("connection", "bad-answer", "timeout"),
    ),
    Fault(
        "a header without end",
        lambda _: Endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"long", 200 * 1024**2),
        ("connection", "bad-answer", "timeout"),
    ),
    Fault(
        "continue, continue",
        lambda _: Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 200 * 1024**2),
        ("connection", "bad-answer", "timeout"),
    ),
    # Statuses
    Fault("503 for good", lambda _: status(503), ("http-status",), words=("503",)),
    Fault("503 twice, then fine", lambda s: Sequence([status(503), status(503), s.fine])),
    Fault("429 that says when", lambda s: Sequence([status(429, Retry_After="2"), s.fine])),
    Fault("429 for good", lambda _: status(429, Retry_After="2"), ("http-status",), words=("429",)),
    Fault("403", lambda _: status(403), ("http-status",), words=("403",)),
    # Redirects
    Fault("nine redirects", lambda s: s.redirected(9), by_redirect=True),
    Fault("eleven redirects", lambda s: s.redirected(11), ("bad-answer",), by_redirect=True),
    Fault("redirect to http", Scene.plain, ("insecure-url",), words=("https",), by_redirect=True),
    Fault("redirect to a file", _told("file:///etc/passwd"), ("insecure-url",), by_redirect=True),
    Fault("redirect to FTP", _told("ftp://127.0.0.1/x"), ("insecure-url",), by_redirect=True),
    Fault(
        "redirect to a user of this machine",
        _told("http://127.0.0.1@evil.invalid/x"),
        ("insecure-url",),
        by_redirect=True,
    ),
    Fault(
        "redirect with an escape",
        _told("https://127.0.0.1:1/\x1b[2Jx"),
        ("bad-answer", "connection", "insecure-url"),
        by_redirect=True,
    ),
    Fault(
        "redirect with a space",
        _told("https://127.0.0.1:1/a b"),
        ("bad-answer", "connection"),
        by_redirect=True,
    ),
    Fault(
        "redirect to nowhere",
        _told("https://"),
        ("bad-answer", "insecure-url", "connection"),
        by_redirect=True,
    ),
    Fault(
        "redirect to no name",
        _told("https://nobody.invalid/x"),
        ("dns",),
        words=("resolve",),
        by_redirect=True,
    ),
)
WORDS = {
    "connection": ("connection",),
    "timeout": ("sent nothing for 1 s",),
    "tls": ("TLS",),
    "insecure-url": ("https",),
    "captive-portal": ("page",),
    "checksum-mismatch": ("sha",),
}

# --- The matrix ----------------------------------------------------------------------------------


@dataclass
class Way:
    """How a machine comes to the server: by IPv4 or IPv6, or through a proxy."""

    name: str
    upstream: Upstream
    release: Release
    proxy: Proxy | None = None

    def machine(self, machines: MachineRoom, client: str, name: str) -> Machine:
        """A machine with this one way to download, that waits for nothing and gives up soon."""
        machine = machine_for(machines, client, name).set(
            WASP_NPM_REGISTRY=self.upstream.npm_url, WASP_GITHUB_URL=self.upstream.github_url
        )
        return machine if self.proxy is None else machine.set(HTTPS_PROXY=self.proxy.url)


def machine_for(machines: MachineRoom, client: str, name: str) -> Machine:
    machine = machines.build("python" if client == "python" else "dash", name)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    if client == "wget":
        machine.toolbox.remove("curl").link("wget")
    return machine.without_waiting().set(WASP_HTTP_TIMEOUT="1")


WAYS = ("IPv4", "IPv6", "a proxy", "a proxy with a password")


@pytest.fixture
def ways(upstream: Upstream, authority: Authority) -> Iterator[dict[str, Way]]:
    six = Server(authority.server_context(Certificate.GOOD), socket.AF_INET6)
    proxies = {"a proxy": Proxy(), "a proxy with a password": Proxy("user:hunter2")}
    release, by_six = upstream.publish(VERSION), Upstream(six)
    yield {
        "IPv4": Way("IPv4", upstream, release),
        "IPv6": Way("IPv6", by_six, by_six.publish(VERSION)),
        **{name: Way(name, upstream, release, proxy) for name, proxy in proxies.items()},
    }
    six.close()
    for proxy in proxies.values():
        proxy.close()


def fine_answer(upstream: Upstream, release: Release, request: Request) -> Content:
    if request.without_api:
        return Content(release.github_archive)
    reply = upstream.server.reply_of(request.path)
    assert isinstance(reply, Content)
    return reply


CASES = list(itertools.product(REQUESTS, CLIENTS, WAYS))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.timeout(1200)
def test_every_fault_at_every_request(
    fault: Fault,
    machines: MachineRoom,
    ways: dict[str, Way],
    authority: Authority,
    scale: Scale,
    tally: Tally,
) -> None:
    # Each fault begins elsewhere, so that a small number of cases meets every request, client and
    # way.
    shift = FAULTS.index(fault) * 5 % len(CASES)
    chosen = scale.sample(CASES[shift:] + CASES[:shift], 1)
    failures = []
    for number, (request, client, name) in enumerate(chosen):
        way = ways[name]
        upstream, release = way.upstream, way.release
        machine = way.machine(machines, client, f"{client}-{number}")
        scene = Scene(fine_answer(upstream, release, request), upstream, authority)
        known = {path: upstream.server.reply_of(path) for path in upstream.server.known_paths()}
        if request.without_api:
            upstream.server.forget(github_api_path(VERSION))
        upstream.server.answer(request.path, fault.reply(scene))
        try:
            check(machine, way, fault, request)
        except AssertionError as error:
            failures.append(f"{fault.name}, {request.name}, {client}, {name}: {error}")
        finally:
            for close in scene.closing:
                close()
            for path, reply in known.items():
                upstream.server.answer(path, reply)
    assert not failures, "\n\n".join(failures)
    tally(AREA, "faults, each at one request of an install or more", 1)
    tally(AREA, "installs that met one", len(chosen))


def check(machine: Machine, way: Way, fault: Fault, request: Request) -> None:
    upstream = way.upstream
    before = picture(machine.home)
    asked = upstream.server.count(request.path)
    begun = time.monotonic()
    run = machine.install(request.wanted, "--source", request.source)
    assert time.monotonic() - begun < BOUND_S, run
    # Where there is no API, there is a look before the download.
    most = ATTEMPTS * 2 if request.without_api else ATTEMPTS
    assert upstream.server.count(request.path) - asked <= most, run
    expected = fault.expected(request)
    if run.code == 0:
        assert not expected or "" in expected, run
        assert machine.layout.versions() == [VERSION], run
        return
    slug = run.json["error"]
    # Where there is nobody, it is the proxy that gets no connection, and says so.
    by_proxy = way.proxy is not None and {"dns", "connection"} & {*expected}
    assert slug in expected or (slug == "proxy" and by_proxy), run
    run.failed(6 if slug in CHECKED else 4)
    told_well(run, (*WORDS.get(slug, ()), *(fault.words if slug in fault.slugs else ())))
    assert picture(machine.home) == before, run


def told_well(run: Run, words: tuple[str, ...]) -> None:
    """The cause in words; none of a version that is not there, or of a password."""
    run.says(*words).is_silent_about("no such version", "there is no Wasp", "traceback", "hunter2")
    assert not set(run.stderr) & set(map(chr, range(32))) - {"\n"}, run


# --- A proxy that fails --------------------------------------------------------------------------


def _answers(head: bytes) -> Treatment:
    """To whatever the client wants of the proxy."""
    return after_hello(head)


def _drips(connection: socket.socket) -> None:
    connection.recv(65536)
    waiting = threading.Event()
    for byte in b"HTTP/1.1 200 Connection established\r\nX-Slow: " + b"x" * 500:
        connection.sendall(bytes([byte]))
        waiting.wait(0.2)


def _endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n")
    for _ in range(4000):
        connection.sendall(b"X-More: and more\r\n" * 2000)


def _tunnel_to_nobody(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    silence(connection)


_HTML = b"Content-Type: text/html\r\n\r\n<!DOCTYPE html><html><body>Log in</body></html>"
_PROXY_OR = ("proxy", "connection", "bad-answer")
PROXY_FAULTS: dict[str, tuple[Treatment, tuple[str, ...]]] = {
    "hangs up": (close_at_once, _PROXY_OR),
    "hangs up after the question": (_answers(b""), _PROXY_OR),
    # wget says nothing of these.
    "silent": (silence, ("proxy", "timeout", "connection")),
    "a byte now and then": (_drips, ("proxy", "timeout", "connection")),
    "headers without end": (_endless, (*_PROXY_OR, "timeout")),
    "403": (_answers(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), ("proxy",)),
    "407": (
        _answers(
            b"HTTP/1.1 407 Proxy Authentication Required\r\n"
            b'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
        ),
        ("proxy",),
    ),
    "502": (_answers(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), ("proxy",)),
    "a web page": (_answers(b"HTTP/1.1 200 OK\r\n" + _HTML), (*_PROXY_OR, "tls")),
    "a web page, refusing": (_answers(b"HTTP/1.1 511 Network\r\n" + _HTML), ("proxy",)),
    "no HTTP": (_answers(b"SSH-2.0-OpenSSH_9.2\r\n" * 30), _PROXY_OR),
    "a tunnel to nobody": (_tunnel_to_nobody, ("proxy", "timeout", "tls")),
    "a tunnel that ends": (
        _answers(b"HTTP/1.1 200 Connection established\r\n\r\n"),
        (*_PROXY_OR, "tls"),
    ),
}


@pytest.mark.parametrize("fault", PROXY_FAULTS)
@pytest.mark.timeout(1200)
def test_every_fault_of_a_proxy(
    fault: str, machines: MachineRoom, ways: dict[str, Way], scale: Scale, tally: Tally
) -> None:
    treatment, slugs = PROXY_FAULTS[fault]
    listener = TcpListener(treatment)
    cases = list(itertools.product(CLIENTS, ["", "user:hunter2@"]))
    shift = list(PROXY_FAULTS).index(fault) % len(cases)
    chosen = scale.sample(cases[shift:] + cases[:shift], 1)
    upstream = ways["IPv4"].upstream
    try:
        for number, (client, login) in enumerate(chosen):
            machine = machine_for(machines, client, f"{client}-{number}")
            machine.set(HTTPS_PROXY=f"http://{login}127.0.0.1:{listener.port}")
            before, begun = picture(machine.home), time.monotonic()
            run = machine.install(VERSION, "--source", "npm").failed(4)
            assert time.monotonic() - begun < BOUND_S, run
            assert run.json["error"] in slugs, (client, run)
            told_well(run, ("proxy",) if run.json["error"] == "proxy" else ("127.0.0.1",))
            assert picture(machine.home) == before, run
    finally:
        listener.close()
    assert upstream.server.connections == 0
    tally(AREA, "installs that met a fault of a proxy", len(chosen))


def test_an_address_of_two_families_of_which_one_is_dead(
    machines: MachineRoom, ways: dict[str, Way], tally: Tally
) -> None:
    """localhost may be ::1 and 127.0.0.1; a server of one of them is found by every client."""
    for family, name in (("127.0.0.1", "IPv4"), ("[::1]", "IPv6")):
        way = ways[name]
        if name == "IPv6" and ("::1" not in addresses_of_localhost()):
            continue
        for client in CLIENTS:
            machine = way.machine(machines, client, f"{client}-{name}")
            machine.set(WASP_NPM_REGISTRY=way.upstream.npm_url.replace(family, "localhost"))
            machine.install(VERSION, "--source", "npm").ok()
            tally(AREA, "installs from a name with addresses of two families", 1)


def addresses_of_localhost() -> set[str]:
    return {str(found[4][0]) for found in socket.getaddrinfo("localhost", 443)}
