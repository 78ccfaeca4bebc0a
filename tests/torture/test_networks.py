"""Every way a network can fail, at every request of an install, by each downloader."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.support.archives import tiny_package
from tests.support.certificates import Authority, Certificate
from tests.support.machines import Machine, MachineRoom
from tests.support.proxy import Proxy
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
    Raw,
    Reply,
    Sequence,
    Stall,
    html_page,
    redirect,
    status,
)
from tests.support.scale import Scale
from tests.support.server import Server
from tests.support.tcp_listener import TcpListener, Treatment, after_hello, close_at_once, silence
from tests.support.trees import expected_version_folder, picture
from tests.torture.conftest import Tally

pytestmark = pytest.mark.timeout(1200)

AREA = "Networks"
VERSION = "0.25.0"
ATTEMPTS = 4
# Far more than any of these takes: a run that is stuck is what this is about.
BOUND_S = 40.0


class Request(NamedTuple):
    """One request of an install.

    An archive may also be damaged; a page only counts for where it leads; optional is an answer
    that is a help, and unchecked an archive whose digest cannot be asked for.
    """

    source: str
    path: str
    kind: str = "document"


BUILD = "linux-x86_64"
REQUESTS = (
    Request("npm", npm_cli_path(VERSION)),
    Request("npm", npm_platform_path(VERSION, "linux-x64-glibc")),
    Request("npm", npm_tarball_path(VERSION, "linux-x64-glibc"), "archive"),
    Request("github", GITHUB_LATEST_PATH, "page"),
    Request("github", github_api_path(VERSION), "optional"),
    Request("github", github_asset_path(VERSION, BUILD), "archive"),
    Request("github", github_download_path(VERSION, BUILD), "unchecked"),
)
CLIENTS = ("python", "curl", "wget")
CASES = list(itertools.product(REQUESTS, CLIENTS, ("directly", "by a proxy")))


def machine_for(machines: MachineRoom, client: str, name: str) -> Machine:
    """A machine with this one way to download, that waits for nothing and gives up soon."""
    machine = machines.build("python" if client == "python" else "dash", name)
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    if client == "wget":
        machine.toolbox.remove("curl").link("wget")
    return machine.without_waiting().set(WASP_HTTP_TIMEOUT="1")


def end_of_install(machine: Machine, version: str | None, source: str) -> str:
    """The slug with which it failed, with the home as it was, or nothing: Wasp is installed."""
    before, begun = picture(machine.home), time.monotonic()
    run = machine.install(version, "--source", source)
    assert time.monotonic() - begun < BOUND_S, run
    if run.code == 0:
        expected = expected_version_folder(tiny_package(VERSION))
        assert machine.layout.version_picture(VERSION) == expected, run
        return ""
    slug = str(run.json["error"])
    # Nothing of a version that is not there, or of a password, and nothing raw.
    run.failed(6 if slug in CHECKED else 4)
    run.is_silent_about("no such version", "no source has", "traceback", "hunter2")
    assert not set(run.stderr) & set(map(chr, range(32))) - {"\n"}, run
    assert picture(machine.home) == before, run
    return slug


# --- What may go wrong ---------------------------------------------------------------------------


class Scene:
    """What a fault is made of: the good answer, and places to send a client to."""

    def __init__(self, fine: Content, authority: Authority) -> None:
        self.fine, self.body = fine, fine.body
        self.authority = authority
        self.closing = contextlib.ExitStack()

    def to(self, place: Server | TcpListener, scheme: str = "https") -> Reply:
        """Sends the client there."""
        self.closing.callback(place.close)
        if isinstance(place, Server):
            place.fallback = self.fine
        return redirect(f"{scheme}://127.0.0.1:{place.port}/here")

    def chunked(self, rest: bytes) -> Reply:
        head = OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(self.body)
        return Raw(head + self.body + b"\r\n" + rest)

    def flipped(self) -> Reply:
        middle = len(self.body) // 2
        changed = bytes(byte ^ 1 for byte in self.body[middle : middle + 1]) or b"x"
        return Content(self.body[:middle] + changed + self.body[middle + 1 :])


def sized(length: int) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % length


def compressed(body: bytes) -> Reply:
    return Content(body, headers={"Content-Encoding": "gzip"})


CHECKED = {"checksum-mismatch", "corrupt-archive"}
OK = b"HTTP/1.1 200 OK\r\n"
NO_HTTP = b"SSH-2.0-OpenSSH_9.2\r\n" * 30
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\n\r\n"
ALERT = bytes([21, 3, 3, 0, 2, 2, 40])
MUCH = 200 << 20
NO_ANSWER = "connection bad-answer timeout"
NOWHERE = "bad-answer connection"
ZEROS = gzip.compress(bytes(1 << 20)) * 1024
#: What goes wrong, and the slugs that tell of it; "fine" is among them where it may be overcome.
FAULTS: dict[str, tuple[Reply | Callable[[Scene], Reply], str]] = {
    # The connection
    "refused": (redirect("https://127.0.0.1:1/here"), "connection"),
    "closed without an answer": (Raw(b""), "connection"),
    "closed before TLS": (lambda s: s.to(TcpListener(close_at_once)), "connection"),
    "silent before TLS": (lambda s: s.to(TcpListener(silence)), "timeout tls"),
    "silent": (Stall(), "timeout"),
    "slow body": (lambda s: Raw(sized(len(s.body)) + s.body, pause=0.2), "timeout"),
    "slow head": (Raw(OK + b"Server: " + b"x" * 500, pause=0.2), "timeout"),
    # TLS
    "TLS alert": (lambda s: s.to(TcpListener(after_hello(ALERT))), "tls"),
    "no TLS there": (lambda s: s.to(TcpListener(after_hello(BAD_REQUEST))), "tls"),
    "expired": (lambda s: s.to(Server(s.authority.server_context(Certificate.EXPIRED))), "tls"),
    # Lengths
    "cut by a byte": (lambda s: Cut(s.body, len(s.body) - 1), "connection"),
    "longer than announced": (lambda s: Raw(sized(len(s.body) - 20) + s.body), "bad-answer"),
    "announced a terabyte": (lambda s: Raw(sized(1 << 40) + s.body), "bad-answer connection"),
    "a length that is no number": (
        lambda s: Raw(OK + b"Content-Length: many\r\n\r\n" + s.body),
        "connection bad-answer fine",
    ),
    "chunks, then garbage": (lambda s: s.chunked(b"garbage\r\n"), "connection"),
    "chunks without an end": (lambda s: s.chunked(b""), "connection"),
    "far more": (lambda s: Endless(OK + b"\r\n" + s.body, b" ", MUCH), "bad-answer connection"),
    # Content
    "a web page": (html_page(), "captive-portal"),
    "nothing": (Content(b""), "bad-answer"),
    "compressed on the way": (lambda s: compressed(gzip.compress(s.body)), "bad-answer"),
    "a gigabyte of zeros, compressed": (compressed(ZEROS), "bad-answer"),
    "one bit of it": (Scene.flipped, "bad-answer checksum-mismatch fine"),
    # Heads
    "no HTTP": (Raw(NO_HTTP), NO_ANSWER),
    "an old HTTP": (lambda s: Raw(s.body), NO_ANSWER),
    "headers without end": (Endless(OK, b"X-More: and more\r\n", MUCH), NO_ANSWER),
    "a header without end": (Endless(OK + b"X-Long: ", b"long", MUCH), NO_ANSWER),
    "continue, continue": (Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", MUCH), NO_ANSWER),
    # Statuses
    "503 for good": (status(503), "http-status"),
    "503 twice, then fine": (lambda s: Sequence([status(503), status(503), s.fine]), "fine"),
    "429 that says when": (lambda s: Sequence([status(429, Retry_After="2"), s.fine]), "fine"),
    "403": (status(403), "http-status"),
    # Redirects
    "redirect to http": (lambda s: s.to(Server(None), "http"), "insecure-url"),
    "redirect to a user": (redirect("http://127.0.0.1@evil.invalid/x"), "insecure-url dns"),
    "redirect with an escape": (
        redirect("https://127.0.0.1:1/\x1b[2Jx"),
        f"{NOWHERE} insecure-url",
    ),
    "redirect with a space": (redirect("https://127.0.0.1:1/a b"), NOWHERE),
    "redirect to no name": (redirect("https://nobody.invalid/x"), "dns"),
}
#: wget has no lowest speed, so it would wait for all of it.
TOO_SLOW_FOR_WGET = ("slow body", "slow head")


def expected_slugs(slugs: set[str], kind: str, client: str, way: str) -> set[str]:
    expected = {*slugs}
    if kind in ("archive", "unchecked"):
        # Where the whole body comes, the check of the archive finds out.
        expected |= CHECKED
    if kind == "page":
        # A page in place of a redirect is what the login of a network sends.
        expected |= {"captive-portal", "bad-answer", "connection", "insecure-url"}
    if client == "wget":
        # It does not tell much apart.
        expected |= {"connection"}
    if way == "by a proxy" and {"dns", "connection"} & expected:
        # Where there is nobody, it is the proxy that gets no connection, and says so.
        expected |= {"proxy", "http-status"}
    if "fine" in slugs or kind in ("optional", "unchecked"):
        expected |= {""}
    return expected


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_at_every_request(
    name: str,
    machines: MachineRoom,
    upstream: Upstream,
    authority: Authority,
    scale: Scale,
    tally: Tally,
) -> None:
    fault, slugs = FAULTS[name]
    server = upstream.server
    # Each fault begins elsewhere, so that a small number of cases meets every request, client and
    # way.
    shift = [*FAULTS].index(name) * 5 % len(CASES)
    cases = [
        case
        for case in CASES[shift:] + CASES[:shift]
        if not (name in TOO_SLOW_FOR_WGET and case[1] == "wget")
    ]
    chosen = scale.sample(cases, 1)
    for number, (request, client, way) in enumerate(chosen):
        told = f"{request.path}, {client}, {way}"
        upstream.publish(VERSION)
        path = request.path
        if request.kind == "unchecked":
            server.forget(github_api_path(VERSION))
            path = github_asset_path(VERSION, BUILD)
        fine = server.reply_of(path)
        scene = Scene(fine if isinstance(fine, Content) else Content(b""), authority)
        server.answer(request.path, fault(scene) if callable(fault) else fault)
        machine = machine_for(machines, client, f"{client}-{number}")
        with scene.closing:
            if way == "by a proxy":
                proxy = Proxy("user:hunter2")
                scene.closing.callback(proxy.close)
                machine.set(HTTPS_PROXY=proxy.url)
            asked = server.count(request.path)
            wanted = None if request.kind == "page" else VERSION
            slug = end_of_install(machine, wanted, request.source)
        assert slug in expected_slugs({*slugs.split()}, request.kind, client, way), told
        # Where there is no API, there is a look before the download.
        most = ATTEMPTS * 2 if request.kind == "unchecked" else ATTEMPTS
        assert server.count(request.path) - asked <= most, told
    tally(AREA, "installs that met a fault", len(chosen))


# --- A proxy that fails --------------------------------------------------------------------------

TUNNEL = b"HTTP/1.1 200 Connection established\r\n"
EMPTY = b"\r\nContent-Length: 0\r\n\r\n"
LOGIN = b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=x" + EMPTY
HTML = b"Content-Type: text/html\r\n\r\n<!DOCTYPE html><html><body>Log in</body></html>"
PROXY_FAULTS: dict[str, tuple[Treatment, str]] = {
    "hangs up": (close_at_once, "proxy connection bad-answer"),
    "hangs up after the question": (after_hello(b""), "proxy connection bad-answer"),
    "silent": (silence, "proxy timeout"),
    # By curl, install.sh takes the answer for that of the server.
    "403": (after_hello(b"HTTP/1.1 403 Forbidden" + EMPTY), "proxy http-status"),
    "407": (after_hello(LOGIN), "proxy"),
    "502": (after_hello(b"HTTP/1.1 502 Bad Gateway" + EMPTY), "proxy http-status"),
    "a web page": (after_hello(OK + HTML), "proxy connection bad-answer tls"),
    "a web page, refusing": (after_hello(b"HTTP/1.1 511 Network\r\n" + HTML), "proxy http-status"),
    "no HTTP": (after_hello(NO_HTTP), "proxy connection bad-answer"),
    "a tunnel that ends": (after_hello(TUNNEL + b"\r\n"), "proxy connection bad-answer tls"),
}


@pytest.mark.parametrize("fault", PROXY_FAULTS)
def test_every_fault_of_a_proxy(
    fault: str, machines: MachineRoom, upstream: Upstream, scale: Scale, tally: Tally
) -> None:
    upstream.publish(VERSION)
    treatment, slugs = PROXY_FAULTS[fault]
    cases = list(itertools.product(CLIENTS, ["", "user:hunter2@"]))
    shift = list(PROXY_FAULTS).index(fault) % len(cases)
    chosen = scale.sample(cases[shift:] + cases[:shift], 1)
    with contextlib.closing(TcpListener(treatment)) as listener:
        for number, (client, login) in enumerate(chosen):
            machine = machine_for(machines, client, f"{client}-{number}")
            machine.set(HTTPS_PROXY=f"http://{login}127.0.0.1:{listener.port}")
            slug = end_of_install(machine, VERSION, "npm")
            assert slug in {*slugs.split(), *(["connection"] if client == "wget" else [])}, client
    assert upstream.server.connections == 0
    tally(AREA, "installs that met a fault of a proxy", len(chosen))
