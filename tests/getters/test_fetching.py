"""One request: what each server's answer is taken for, by curl, by wget and by requests.

What an install makes of it is in test_sources.py.
"""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from tests.getters.fetch_cases import ARCHIVE, CASES, DOCUMENT, TIMEOUT_S
from tests.support.certificates import ELSEWHERE, Authority, Certificate
from tests.support.frontends import FrontEnd
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.proxy import Proxy
from tests.support.releases import Upstream, npm_cli_path, npm_platform_path
from tests.support.replies import Raw, json_content, redirect
from tests.support.server import Server
from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem
from wasp_installer.getting.addresses import check_url
from wasp_installer.getting.connections import proxy_for
from wasp_installer.getting.transport import Transport


class Told(NamedTuple):
    """What is said of a fetch: the problem, its words, and the pauses before another attempt."""

    slug: str
    words: str = ""
    pauses: tuple[int, ...] = ()


#: Fetches from each of these addresses.
Ask = Callable[[Mapping[str, str]], dict[str, Told]]


class Listening(Console):
    said = ""

    def say(self, line: str) -> None:
        self.said += f"{line}\n"


def pauses_in(said: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"; retrying in (\d+) s$", said, re.MULTILINE)))


def told_by_requests(url: str, is_archive: bool = False) -> Told:
    console = Listening(quiet=True)
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


def ask_requests(addresses: Mapping[str, str]) -> dict[str, Told]:
    are_archives = [name.startswith("archive") for name in addresses]
    with ThreadPoolExecutor(10) as pool:
        return dict(zip(addresses, pool.map(told_by_requests, addresses.values(), are_archives)))


ASK = """
choose_downloader
case '{name}' in
    archive*) fetch '{url}' "$work/archive" && cmp "$work/archive" '{expected}' ;;
    *) fetch_json '{url}' ;;
esac
printf '\\n%s\\n%s.' "$problem" "$problem_text"
"""


def ask_sh(machine: Machine, addresses: Mapping[str, str]) -> dict[str, Told]:
    machine.set(WASP_HTTP_TIMEOUT=str(TIMEOUT_S)).without_waiting()
    expected = machine.root / "archive"
    expected.write_bytes(ARCHIVE)
    calls = [ASK.format(name=name, url=url, expected=expected) for name, url in addresses.items()]
    told = {}
    for name, answer in zip(addresses, call_functions(machine, calls, together=True)):
        said, slug, words = answer[:-1].rsplit("\n", 2)
        told[name] = Told(slug, words, pauses_in(said))
    return told


FILES = {
    ".netrc": "machine 127.0.0.1 login me password hunter2\n",
    ".curlrc": "netrc\n",
    ".wgetrc": "check_certificate = off\ncontinue = on\noutput_document = injected\ntries = 7\n",
}


@pytest.fixture
def machine(shell_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """In this process, too, one trusts whom it trusts, and does not wait before another attempt.

    What somebody has in files of their own is for other downloads.
    """
    home = shell_machine.home
    for name, content in FILES.items():
        (home / name).write_text(content)
        (home / name).chmod(0o600)
    shell_machine.set(WGETRC=str(home / ".wgetrc"))
    for name in ("HOME", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, shell_machine.environment[name])
    monkeypatch.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)
    return shell_machine


@pytest.fixture(params=["curl", "wget", "requests"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ask(machine: Machine, client: str) -> Ask:
    if client == "wget":
        machine.toolbox.remove("curl").link("wget")
    return ask_requests if client == "requests" else lambda addresses: ask_sh(machine, addresses)


def test_what_answers_are_taken_for(ask: Ask, client: str, shell: FrontEnd, server: Server) -> None:
    addresses = {}
    for number, (name, case) in enumerate(CASES.items()):
        if not {client, shell.name} & {*case.other_than}:
            path = f"/case/{number}"
            server.answer(path, case.reply(server, path) if callable(case.reply) else case.reply)
            addresses[name] = f"{server.url}{path}"
    for name, told in ask(addresses).items():
        case = CASES[name]
        assert (told.slug, told.pauses) == (case.slug, case.pauses), (name, told)
        if case.words is not None and client != "wget":
            assert told.words == (case.words and f"127.0.0.1 {case.words}"), name
        count = server.count(addresses[name].removeprefix(server.url))
        assert count == case.attempts or not case.attempts, name
    for headers in server.headers:
        assert "Authorization" not in headers
        # An archive must arrive as it was published, so that its checksum fits.
        assert headers.get("Accept-Encoding", "identity") == "identity"


def test_a_server_that_cannot_be_reached_or_trusted(
    ask: Ask, authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that was not accepted is refused before anything is asked for."""
    # Without a bundle of its own, requests trusts whom the system trusts.
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    servers = {kind: Server(authority.server_context(kind)) for kind in Certificate}
    trusted = servers.pop(Certificate.GOOD)
    trusted.fallback = DOCUMENT
    others = {
        f"{trusted.url}/": Told(""),
        f"https://127.0.0.1:{closed}/": Told(
            "connection", "127.0.0.1 refused the connection", (1, 2, 4)
        ),
        "https://no.invalid/": Told("dns", "the name no.invalid could not be resolved"),
    }
    found = ask({url: url for url in (*(f"{it.url}/" for it in servers.values()), *others)})
    for server in servers.values():
        server.close()
        assert (server.connections, server.requests) == (1, {})
        told = found.pop(f"{server.url}/")
        assert told.slug == "tls"
        assert re.search("127.0.0.1.* [(].*certificate", told.words, re.IGNORECASE)
    trusted.close()
    assert found == others


@pytest.mark.parametrize("client", ["curl", "requests"])
def test_authorities_that_are_missing_are_named(
    ask: Ask, machine: Machine, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file that conda's activation names, in an environment that is gone."""
    gone = str(machine.root / "gone.pem")
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        machine.set(**{name: gone})
        monkeypatch.setenv(name, gone)
    told = ask({"": f"{server.url}/"})[""]
    assert (told.slug, told.pauses) == ("tls", ())
    assert "gone.pem" in told.words


#: What is said of addresses before anything is asked.
ADDRESSES = {
    "": (
        *("https://a/", "http://localhost/", "http://127.0.0.1:80/x", "http://[::1]:1/"),
        *("http://127.255.0.3", "http://me:x@localhost/?y"),
    ),
    "insecure-url": (
        *("http://a.invalid/", "http://127.0.0.1@a.invalid/", "http://127.0.0.1.5/", "x"),
        *("http://localhost.invalid/", "http://1270.0.1/", "ftp://127.0.0.1/", "https://"),
        *("https:///x", "http://localhost./", "http://127.0.0/", "http://127.0.0.256/"),
        # Where clouds keep the credentials of a machine, and what is reached only from inside.
        *("http://169.254.169.254/latest/", "http://[fd00:ec2::254]/", "http://[bad/"),
        *("http://127.0.0.1.example/", "http://2130706433/", "file:///etc/passwd", "gopher://x/"),
    ),
    "bad-answer": ("https://a b/", "https://a\\b/", "https://a/\t", "https://\u00fc/"),
}


def slug_of(address: str) -> str:
    try:
        check_url(address)
    except SourceProblem as problem:
        return problem.slug
    return ""


def test_http_is_only_for_this_very_machine(machine: Machine) -> None:
    expected = {address: slug for slug, addresses in ADDRESSES.items() for address in addresses}
    calls = [f'check_url {shlex.quote(address)} || lines "$problem"' for address in expected]
    assert dict(zip(expected, call_functions(machine, calls))) == expected
    assert {address: slug_of(address) for address in expected} == expected


def test_a_head_that_never_ends_is_not_waited_for() -> None:
    server = Server(None)
    server.answer("/", Raw(b"HTTP/1.1 200 OK\r\n" + b"X: .\r\n" * 100, pause=0.2))
    with pytest.raises(SourceProblem) as caught:
        Transport(Console(quiet=True), 1).get_json(f"{server.url}/")
    server.close()
    assert caught.value.slug == "timeout"
    # Nor does a program wait for it at its end.
    assert [each for each in threading.enumerate() if not each.daemon] == [threading.main_thread()]


def test_no_redirect_leads_to_http(ask: Ask, client: str, server: Server, plain: Server) -> None:
    """Only what begins on this very machine without TLS may stay there without it."""
    server.answer("/", redirect(f"{plain.url}/from-https"))
    plain.answer("/", redirect(f"http://127.1:{plain.port}/from-http"))
    plain.fallback = DOCUMENT
    found = ask({"from https": f"{server.url}/", "from http": f"{plain.url}/"})
    assert [told.slug for told in found.values()] == ["insecure-url"] * 2
    # wget goes there by itself, and what it brings is not looked at.
    assert plain.count("/from-https") == (client == "wget")


BUILD = "linux-x64-glibc"
LOGIN = "user:s3cr3t"
#: Variables, and how often the proxy is passed by both together; None where it is refused.
PROXIES = {
    "https_proxy={proxy}": 2,
    "ALL_PROXY={proxy}": 2,
    "HTTPS_PROXY={proxy} NO_PROXY=other.example%127.0.0.1": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=*": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=127.0.0.0/8": 0,
    "HTTPS_PROXY={proxy} NO_PROXY=7.0.0.1,0.0.1,127.0.0.1.example": 2,
    "HTTPS_PROXY={anonymous}": None,
    "HTTPS_PROXY=http://127.0.0.1:{closed}": None,
    "HTTPS_PROXY=http://127.0.0.1:s3cr3t": None,
    # Of another kind, which only curl knows.
    "HTTPS_PROXY=socks5h://user:s3cr3t@127.0.0.1:{closed}": None,
    "ALL_PROXY=SOCKS5://127.0.0.1:{closed}": None,
    # Also where it makes the address none, for which it is to be written in another way.
    **{
        f"HTTPS_PROXY=http://user:{password}@127.0.0.1:{{port}}": None
        for password in ("s3cr3t-wrong", "s3cr3t@x", "s3cr3t#x", "s3cr3t/x")
    },
}


def test_a_proxy_is_taken_as_curl_takes_it(
    machine: Machine, server: Server, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And early hints are passed over there, too."""
    early = CASES["early hints"].reply
    assert not callable(early)
    server.fallback = early
    proxies = {name: Proxy(LOGIN) for name in PROXIES}
    calls, settings = [], {}
    for name, proxy in proxies.items():
        given = name.format(
            proxy=proxy.url, anonymous=proxy.url_without_login, port=proxy.port, closed=closed
        )
        settings[name] = [word.replace("%", " ") for word in given.split()]
        exports = "\n".join(f"export '{word}'" for word in settings[name])
        calls.append(
            f"{exports}\nverbose=true\nchoose_downloader\nfetch_json '{server.url}/' || :\n"
            'lines "$problem."'
        )
    by_sh = call_functions(machine.without_waiting(), calls)
    for (name, times), said in zip(PROXIES.items(), by_sh):
        with monkeypatch.context() as context:
            for word in settings[name]:
                context.setenv(*word.split("=", 1))
            told = told_by_requests(f"{server.url}/")
        slug = "proxy" if times is None else ""
        assert (said.rpartition("\n")[2], told.slug) == (f"{slug}.", slug), name
        assert len(proxies[name].tunnels) == (times or 0), name
        assert "s3cr3t" not in f"{said}{told.words}"
        proxies[name].close()
    assert server.connections == 2 * sum(times is not None for times in PROXIES.values())


PROXY = "http://user:secret@proxy.example:8080"
#: Variables, with P for that proxy; it is taken for which of a name and an address.
TAKEN = {
    "": (False, False),
    "HTTPS_PROXY=P": (True, True),
    "https_proxy=P HTTPS_PROXY=http://other": (True, True),
    "ALL_PROXY=P": (True, True),
    "HTTPS_PROXY=user:secret@proxy.example:8080": (True, True),
    "HTTP_PROXY=P": (False, False),
    "HTTPS_PROXY=P no_proxy=other NO_PROXY=*": (True, True),
    "HTTPS_PROXY=P NO_PROXY=*": (False, False),
    **{
        f"HTTPS_PROXY=P NO_PROXY={excepted}": taken
        for taken, all_excepted in {
            (False, True): ("example.com", ".example.com", "a%b,registry.example.com", "com"),
            (True, False): ("10.0.0.0/8", "10.1.2.3", "[10.1.2.3],other", "a%10.1.2.3/32"),
            # A part of a name is no domain, and of an address no network.
            (True, True): (
                *("xexample.com,registry,com.example", "registry.example.com:443", "11.0.0.0/8"),
                *("2.3", ".1.2.3", "*.2.3", "10.*", "10.1.2.3/33", "10/8"),
            ),
        }.items()
        for excepted in all_excepted
    },
}


@pytest.mark.parametrize("given", TAKEN)
def test_for_which_addresses_install_py_takes_a_proxy(given: str) -> None:
    words = (word.replace("%", " ").replace("=P", f"={PROXY}") for word in given.split())
    environment = dict(word.split("=", 1) for word in words)
    hosts = ("registry.example.com", "10.1.2.3")
    found = [proxy_for(f"https://{host}/", environment) for host in hosts]
    assert found == [PROXY if is_taken else None for is_taken in TAKEN[given]]


def test_a_registry_names_no_archive_here(both: Getters, upstream: Upstream, proxy: Proxy) -> None:
    """Whoever runs that could reach what listens here only for its owner."""
    server = upstream.server
    release = upstream.publish("0.25.0", github=False)
    metadata = upstream.npm_platform_metadata(release, "0.25.0", BUILD)
    server.answer(npm_platform_path("0.25.0", BUILD), json_content(metadata))
    proxy.routes[f"{ELSEWHERE}:443"] = server.port
    both.machine.set(HTTPS_PROXY=proxy.url, WASP_NPM_REGISTRY=f"https://{ELSEWHERE}/npm")
    run = both.install("0.25.0", "--source", "npm").failed(4, "insecure-url")
    run.says("points to an archive on this machine")
    assert server.count(npm_cli_path("0.25.0")) == 2
    assert len(proxy.tunnels) == server.connections
    assert not [path for path in server.requests if path.endswith(".tgz")]
