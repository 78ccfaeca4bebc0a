"""One request: what each server's answer is taken for, by curl, by wget and by requests.

What an install makes of it is in test_network.py.
"""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.replies import (
    Content,
    Cut,
    Drip,
    Endless,
    Raw,
    Reply,
    Reset,
    Sequence,
    Stall,
    StallAfter,
    html_page,
    json_content,
    redirect,
    status,
)
from tests.support.server import Server
from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.transport import Transport

DOCUMENT = json_content({"version": "0.25.0"})
ARCHIVE = bytes(range(256)) * 40
TIMEOUT_S = 3


@dataclass(frozen=True)
class Told:
    """What is said of a fetch: the problem, its words, and the pauses before another attempt."""

    slug: str
    words: str | None = ""
    pauses: tuple[int, ...] = ()

    def is_as(self, expected: Told, *, exactly: bool) -> bool:
        """The words are compared where these are certain."""
        words = self.words if exactly and expected.words is not None else expected.words
        return (self.slug, words, self.pauses) == (expected.slug, expected.words, expected.pauses)


#: Fetches from each of these addresses.
Ask = Callable[[Mapping[str, str]], dict[str, Told]]


@dataclass(frozen=True)
class Case:
    """What a path answers, what is said of it, and how often it is asked for (0: any number).

    A function is given the server and the path.
    """

    reply: Reply | Callable[[Server, str], Reply]
    slug: str = ""
    #: None where they are those of curl or of requests.
    words: str | None = ""
    attempts: int = 1
    pauses: tuple[int, ...] | None = None
    other_than: tuple[str, ...] = ()

    @property
    def expected(self) -> Told:
        pauses = (1, 2, 4) if self.attempts == 4 and self.slug else ()
        return Told(self.slug, self.words, pauses if self.pauses is None else self.pauses)


def raw(*lines: str, body: bytes = b"") -> Raw:
    head = "".join(f"{line}\r\n" for line in lines)
    return Raw(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def led(location: str) -> Callable[[Server, str], Reply]:
    """A redirect with this header, which leads to "PATH/there"."""

    def reply(server: Server, path: str) -> Reply:
        server.answer(f"{path}/there", DOCUMENT)
        host = f"127.0.0.1:{server.port}"
        line = location.format(there=f"{path}/there", name=path.rpartition("/")[2], host=host)
        return raw("HTTP/1.1 302 Found", line)

    return reply


def led_on(times: int) -> Callable[[Server, str], Reply]:
    """So many redirects, one after the other."""

    def reply(server: Server, path: str) -> Reply:
        for step in range(1, times):
            server.answer(f"{path}/{step}", redirect(f"{path}/{step + 1}", 301 + step % 3))
        server.answer(f"{path}/{times}", DOCUMENT)
        return redirect(f"//127.0.0.1:{server.port}{path}/1", 308)

    return reply


def led_with_a_body_that_stalls(server: Server, path: str) -> Reply:
    server.answer(f"{path}/there", DOCUMENT)
    return StallAfter(DOCUMENT.body, 1, status=302, headers={"Location": f"{path}/there"})


def in_turn(*replies: Reply) -> Callable[[Server, str], Reply]:
    return lambda _server, _path: Sequence(list(replies))


def busy(*headers: str) -> Callable[[Server, str], Reply]:
    return in_turn(*(status(429, Retry_After=header) for header in headers), DOCUMENT)


DOCUMENTS: dict[str, Case] = {
    "fine": Case(DOCUMENT),
    "early hints": Case(
        Raw(
            b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
        )
    ),
    # What may pass by itself is tried again.
    "503": Case(status(503), "http-status", "127.0.0.1 answered with HTTP status 503", 4),
    "500": Case(status(500), "http-status", "127.0.0.1 answered with HTTP status 500", 4),
    "429": Case(status(429), "http-status", "127.0.0.1 answered with HTTP status 429", 4),
    "reset": Case(Reset(), "connection", None, 4),
    "recovers": Case(in_turn(status(502), Reset(), DOCUMENT), attempts=3, pauses=(1, 2)),
    "Retry-After": Case(busy("08", "9999", "soon"), attempts=4, pauses=(8, 60, 4)),
    "Retry-After, odd": Case(busy("0", "-5", "60"), attempts=4, pauses=(0, 2, 60)),
    # What will not pass is not.
    "404": Case(status(404), "not-found", "127.0.0.1 does not have it"),
    "410": Case(status(410), "not-found", "127.0.0.1 does not have it"),
    "401": Case(status(401), "http-status", "127.0.0.1 answered with HTTP status 401"),
    "403": Case(status(403), "http-status", "127.0.0.1 answered with HTTP status 403"),
    "418": Case(status(418), "http-status", "127.0.0.1 answered with HTTP status 418"),
    "stalls": Case(Stall(), "timeout", "127.0.0.1 sent nothing for 3 s"),
    "stalls in the middle": Case(
        StallAfter(DOCUMENT.body, 5),
        "timeout",
        "127.0.0.1 sent nothing for 3 s",
        other_than=("wget",),
    ),
    # Answers that are not what was asked for.
    "portal": Case(
        html_page(),
        "captive-portal",
        "127.0.0.1 answered with a web page, perhaps the login page of your network",
    ),
    "no JSON": Case(
        Content(b"{ hello"), "bad-answer", "127.0.0.1 answered with something that is not JSON"
    ),
    "binary": Case(
        Content(bytes(range(256))),
        "bad-answer",
        "127.0.0.1 answered with something that is not JSON",
    ),
    "too long": Case(
        Endless(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 1024, 32 << 20),
        "bad-answer",
        "127.0.0.1 sent a file that is far too large",
    ),
    "too long, as it says": Case(
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 17000000\r\n\r\n{}"),
        "bad-answer",
        None,
        other_than=("wget",),
    ),
    "compressed": Case(
        Content(gzip.compress(b"{}"), 200, {"Content-Encoding": "gzip"}),
        "bad-answer",
        "127.0.0.1 answered with something that is not JSON, but gzip",
    ),
    # Elsewhere.
    "moved, ten times": Case(led_on(10)),
    "moved, eleven times": Case(led_on(11), "bad-answer", None, other_than=("wget",)),
    "moved, upper case": Case(led("LOCATION: {there}")),
    "moved, tab": Case(led("Location:\t{there}")),
    "moved, relative": Case(led("location: {name}/there")),
    "moved, same scheme": Case(led("Location: //{host}{there}")),
    "moved, upwards": Case(led("Location: ../case/{name}/there")),
    "moved, spaces": Case(led("Location: {there} \t ")),
    "moved, a fragment": Case(led("Location: {there}#part")),
    "moved, no ASCII": Case(led("Location: {there}#\u00fc")),
    "moved without end": Case(lambda _, path: redirect(path), "bad-answer", None, attempts=0),
    "moved to itself": Case(led("Location:"), "bad-answer", None, attempts=0),
    "moved, not said where": Case(raw("HTTP/1.1 302 Found"), "bad-answer", None),
    # What a redirect itself has to say is not waited for.
    "moved, with more": Case(led_with_a_body_that_stalls, other_than=("curl", "wget")),
    "moved to http": Case(
        redirect("http://127.0.0.1:1/"),
        "insecure-url",
        "127.0.0.1 redirected to an address that is not https",
    ),
    "moved to ftp": Case(
        redirect("ftp://127.0.0.1:1/"), "insecure-url", None, other_than=("wget",)
    ),
}
ARCHIVES: dict[str, Case] = {
    "archive": Case(Content(ARCHIVE)),
    # Some web servers say so of every .tgz.
    "archive, said to be encoded": Case(Content(ARCHIVE, 200, {"Content-Encoding": "x-gzip"})),
    "archive, slow": Case(Drip(ARCHIVE, pieces=10, pause=0.15)),
    "archive, cut": Case(
        in_turn(Cut(ARCHIVE, 5000), Cut(ARCHIVE, 1), Content(ARCHIVE)), attempts=3, pauses=(1, 2)
    ),
    # Fewer than 100 bytes a second are no progress.
    "archive, trickles": Case(
        Drip(bytes(4000), pieces=4000, pause=0.02),
        "timeout",
        "127.0.0.1 sent nothing for 3 s",
        other_than=("wget",),
    ),
    "archive, stalls": Case(
        StallAfter(ARCHIVE, 100),
        "timeout",
        "127.0.0.1 sent nothing for 3 s",
        other_than=("wget",),
    ),
}
CASES = {**DOCUMENTS, **ARCHIVES}


# --- The clients ---------------------------------------------------------------------------------


class Listening(Console):
    """Keeps what it is told to say."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.said = ""

    def say(self, line: str) -> None:
        self.said += f"{line}\n"


def pauses_in(said: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"; retrying in (\d+) s$", said, re.MULTILINE)))


def told_by_requests(url: str, is_archive: bool) -> Told:
    console = Listening()
    transport = Transport(console, TIMEOUT_S)
    try:
        if is_archive:
            pieces: list[bytes] = []
            transport.download(url, lambda _: pieces.clear(), pieces.append)
            assert b"".join(pieces) == ARCHIVE
        else:
            transport.get_json(url)
    except SourceProblem as problem:
        return Told(problem.slug, problem.text, pauses_in(console.said))
    return Told("", "", pauses_in(console.said))


@pytest.fixture
def ask_requests(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """It trusts whom the machine trusts, and does not wait before it tries again."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", machine.environment["REQUESTS_CA_BUNDLE"])
    monkeypatch.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)

    def ask(addresses: Mapping[str, str]) -> dict[str, Told]:
        with ThreadPoolExecutor(10) as pool:
            told = {
                name: pool.submit(told_by_requests, url, name in ARCHIVES)
                for name, url in addresses.items()
            }
        return {name: each.result() for name, each in told.items()}

    return ask


def ask_sh(machine: Machine, addresses: Mapping[str, str]) -> dict[str, Told]:
    machine.set(WASP_HTTP_TIMEOUT=str(TIMEOUT_S)).without_waiting()
    expected = machine.root / "archive"
    expected.write_bytes(ARCHIVE)
    calls = [
        f"""
        choose_downloader
        if [ {name in ARCHIVES} = True ]; then
            fetch '{url}' "$work/archive" && cmp "$work/archive" '{expected}'
        else
            fetch_json '{url}'
        fi
        printf '\\n%s\\n%s.' "$problem" "$problem_text"
        """
        for name, url in addresses.items()
    ]
    told = {}
    for name, answer in zip(addresses, call_functions(machine, calls, together=True)):
        said, slug, words = answer[:-1].rsplit("\n", 2)
        told[name] = Told(slug, words, pauses_in(said))
    return told


@pytest.fixture
def machine(machines: MachineRoom, shell: FrontEnd) -> Machine:
    return machines.build(shell)


@pytest.fixture(params=["curl", "wget", "requests"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(machine: Machine, client: str, ask_requests: Ask) -> Ask:
    if client == "requests":
        return ask_requests
    if client == "wget":
        machine.toolbox.remove("curl").link("wget")
    return lambda addresses: ask_sh(machine, addresses)


# --- What they are told --------------------------------------------------------------------------


def test_what_an_answer_is_taken_for(ask: Ask, client: str, server: Server) -> None:
    addresses, expected = {}, {}
    for number, (name, case) in enumerate(CASES.items()):
        if client in case.other_than:
            continue
        path = f"/case/{number}"
        reply = case.reply(server, path) if callable(case.reply) else case.reply
        server.answer(path, reply)
        addresses[name] = f"{server.url}{path}"
        expected[name] = case.expected
    found = ask(addresses)
    for name, told in found.items():
        assert told.is_as(expected[name], exactly=client != "wget"), (name, told)
        path = addresses[name].removeprefix(server.url)
        assert server.count(path) == CASES[name].attempts or not CASES[name].attempts, name


def test_a_server_that_cannot_be_reached(ask: Ask, authority: Authority, closed: int) -> None:
    """A certificate that was not accepted is refused before anything is asked for."""
    kinds = [kind for kind in Certificate if kind is not Certificate.GOOD]
    servers = {str(kind): Server(authority.server_context(kind)) for kind in kinds}
    nowhere = {
        "refused": (f"https://127.0.0.1:{closed}/", "127.0.0.1 refused the connection"),
        "no such name": (
            "https://registry.invalid/",
            "the name registry.invalid could not be resolved",
        ),
    }
    addresses = {name: f"{server.url}/" for name, server in servers.items()}
    found = ask({**addresses, **{name: url for name, (url, _) in nowhere.items()}})
    for server in servers.values():
        server.close()
        assert (server.connections, server.requests) == (1, {})
    for name in servers:
        assert found[name].slug == "tls", (name, found[name])
        assert re.search("127.0.0.1.* [(].*certificate", str(found[name].words), re.IGNORECASE)
    assert found["refused"] == Told("connection", nowhere["refused"][1], (1, 2, 4))
    assert found["no such name"] == Told("dns", nowhere["no such name"][1])


def test_without_a_bundle_of_its_own_it_trusts_whom_the_system_trusts(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    told = []
    for kind in (Certificate.GOOD, Certificate.UNKNOWN_AUTHORITY):
        server = Server(authority.server_context(kind))
        server.fallback = DOCUMENT
        told.append(told_by_requests(f"{server.url}/", is_archive=False).slug)
        server.close()
    assert told == ["", "tls"]


def test_http_is_only_for_this_very_machine(ask: Ask) -> None:
    plain, ipv6 = Server(None), Server(None, socket.AF_INET6)
    for here in (plain, ipv6):
        here.fallback = DOCUMENT
    may = {
        "name": f"http://localhost:{plain.port}/",
        "IPv4": f"{plain.url}/",
        "IPv6": f"{ipv6.url}/",
    }
    insecure = (
        *("http://registry.invalid/", "http://127.0.0.1@registry.invalid/", "http://127.0.0.1.5/"),
        *(
            "http://localhost.invalid/",
            "http://1270.0.1/",
            "ftp://127.0.0.1/",
            "x",
            "https://",
            "https:///x",
        ),
    )
    no_address = ("https://a b/", "https://a\\b/", "https://a/\t", "https://\u00fc/")
    may_not = {
        **dict.fromkeys(insecure, "insecure-url"),
        **dict.fromkeys(no_address, "bad-answer"),
    }
    try:
        found = ask({**may, **{url: url for url in may_not}})
    finally:
        plain.close()
        ipv6.close()
    assert {name: found[name].slug for name in may} == dict.fromkeys(may, "")
    assert {url: found[url].slug for url in may_not} == may_not


def test_no_redirect_leads_to_http_elsewhere(ask: Ask, client: str, server: Server) -> None:
    """Only what begins on this very machine without TLS may stay there without it."""
    plain = Server(None)
    server.answer("/", redirect(f"{plain.url}/from-https"))
    plain.answer("/", redirect(f"http://127.1:{plain.port}/from-http"))
    plain.fallback = DOCUMENT
    try:
        found = ask({"from https": f"{server.url}/", "from http": f"{plain.url}/"})
    finally:
        plain.close()
    assert [told.slug for told in found.values()] == ["insecure-url"] * 2
    # wget goes there by itself, and what it brings is not looked at.
    assert plain.count("/from-https") == (client == "wget")


def test_passwords_in_netrc_are_for_others(
    ask: Ask, machine: Machine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(machine.home))
    netrc = machine.home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    (machine.home / ".curlrc").write_text("netrc\n")
    server.fallback = status(401, WWW_Authenticate='Basic realm="x"')
    assert ask({"": f"{server.url}/"})[""].slug == "http-status"
    assert {headers.get("Authorization") for headers in server.headers} == {None}


def test_nothing_is_asked_for_in_a_compressed_form(ask: Ask, server: Server) -> None:
    """An archive must arrive as it was published, so that its checksum fits."""
    server.fallback = DOCUMENT
    assert ask({"": f"{server.url}/"})[""].slug == ""
    [headers] = server.headers
    assert headers.get("Accept-Encoding", "identity") == "identity"
