"""Every way a network can fail, at every request of an install, by each downloader."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.archives import tiny_package
from tests.support.certificates import Authority, Certificate
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.proxy import Proxy
from tests.support.releases import Release, Upstream, github_api_path
from tests.support.replies import Content
from tests.support.scale import Scale
from tests.support.server import Server
from tests.support.tcp_listener import TcpListener, Treatment, after_hello, close_at_once, silence
from tests.support.trees import expected_version_folder, picture
from tests.torture.network_faults import (
    ATTEMPTS,
    CHECKED,
    CLIENTS,
    FAULTS,
    REQUESTS,
    VERSION,
    Fault,
    Request,
    Scene,
)
from tests.torture.tallies import Tally

AREA = "Networks"
# Far more than any of these takes: a run that is stuck is what this is about.
BOUND_S = 40.0

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
    if request.kind == "unchecked":
        return Content(release.github_archive)
    reply = upstream.server.reply_of(request.path)
    assert isinstance(reply, Content)
    return reply


CASES = list(itertools.product(REQUESTS, CLIENTS, WAYS))


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.timeout(1200)
def test_every_fault_at_every_request(
    name: str,
    machines: MachineRoom,
    ways: dict[str, Way],
    authority: Authority,
    scale: Scale,
    tally: Tally,
) -> None:
    fault = FAULTS[name]
    # Each fault begins elsewhere, so that a small number of cases meets every request, client and
    # way.
    shift = [*FAULTS].index(name) * 5 % len(CASES)
    cases = [
        case
        for case in CASES[shift:] + CASES[:shift]
        if not (fault.is_too_slow_for_wget and case[1] == "wget")
    ]
    chosen = scale.sample(cases, 1)
    failures = []
    for number, (request, client, way) in enumerate(chosen):
        upstream, release = ways[way].upstream, ways[way].release
        machine = ways[way].machine(machines, client, f"{client}-{number}")
        scene = Scene(fine_answer(upstream, release, request), upstream, authority)
        known = {path: upstream.server.reply_of(path) for path in upstream.server.known_paths()}
        if request.kind == "unchecked":
            upstream.server.forget(github_api_path(VERSION))
        upstream.server.answer(request.path, fault.reply(scene))
        try:
            check(machine, ways[way], fault, request, client)
        except AssertionError as error:
            failures.append(f"{name}, {request.name}, {client}, {way}: {error}")
        finally:
            for close in scene.closing:
                close()
            for path, reply in known.items():
                upstream.server.answer(path, reply)
    assert not failures, "\n\n".join(failures)
    tally(AREA, "faults, each at one request of an install or more", 1)
    tally(AREA, "installs that met one", len(chosen))


def check(machine: Machine, way: Way, fault: Fault, request: Request, client: str) -> None:
    before = picture(machine.home)
    asked = way.upstream.server.count(request.path)
    begun = time.monotonic()
    run = machine.install(request.wanted, "--source", request.source)
    assert time.monotonic() - begun < BOUND_S, run
    # Where there is no API, there is a look before the download.
    most = ATTEMPTS * 2 if request.kind == "unchecked" else ATTEMPTS
    assert way.upstream.server.count(request.path) - asked <= most, run
    if run.code == 0:
        assert fault.may_be_overcome(request), run
        assert machine.layout.version_picture(VERSION) == expected_version_folder(
            tiny_package(VERSION)
        ), run
        return
    slug = run.json["error"]
    assert slug in fault.expected(request, client, by_proxy=way.proxy is not None), run
    told_well(run.failed(6 if slug in CHECKED else 4))
    assert picture(machine.home) == before, run


def told_well(run: Run) -> None:
    """None of a version that is not there, or of a password, and nothing raw."""
    run.is_silent_about("no such version", "no source has", "traceback", "hunter2")
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
    "silent": (silence, ("proxy", "timeout")),
    "a byte now and then": (_drips, ("proxy", "timeout")),
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
    "a web page, refusing": (
        _answers(b"HTTP/1.1 511 Network\r\n" + _HTML),
        ("proxy", "http-status"),
    ),
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
            allowed = {*slugs, "connection"} if client == "wget" else {*slugs}
            assert run.json["error"] in allowed, (client, run)
            told_well(run)
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
