"""The one event of an install: from every front end the same bytes, once, and never in the way."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable

import pytest

from tests.support.archives import tiny_package
from tests.support.collector import Collector
from tests.support.functions import call_functions
from tests.support.machines import Machine, Run
from tests.support.processes import survivors
from tests.support.proxy import Proxy
from tests.support.releases import NPM_PLATFORMS, Upstream, npm_tarball_path
from tests.support.replies import Content, Gate, Reply, Reset, Stall, StallAfter, redirect, status
from tests.support.server import Server

BODY = re.compile(
    r'\{"api_key": "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4", "type": "capture", '
    r'"event": "install-script:run", "distinct_id": "[1-9][0-9]{23}", '
    r'"properties": \{"os": "linux"\}\}'
)
NOTICE = "Anonymous telemetry, now and from wasp. Opt out: https://wasp.sh/docs/telemetry"


#: Announces an install with each of these variables; returns what was said.
Announce = Callable[..., "list[str]"]


@pytest.fixture(params=["curl", "wget"])
def announce(
    request: pytest.FixtureRequest, shell_machine: Machine, collector: Collector
) -> Announce:
    """By a tool of the sh program, on a machine with passwords in files.

    What install.py sends is in tests/telemetry/test_sending.py.
    """
    machine = shell_machine.collects(collector)
    (machine.home / ".netrc").write_text("machine 127.0.0.1 login me password x\n")
    (machine.home / ".netrc").chmod(0o600)
    (machine.home / ".curlrc").write_text("netrc\n")
    # Some systems have one that refuses bytes that are no text, whatever the locale.
    machine.toolbox.script("tr", "echo 'tr: Illegal byte sequence' >&2; exit 1")
    machine.toolbox.remove("curl").link(request.param)
    call = "{}\nos=linux\nannounce_install\nwait"

    def announce(*settings: str) -> list[str]:
        calls = [call.format(f"export {each}" if each else "") for each in settings]
        return call_functions(machine, calls)

    return announce


def test_it_is_exactly_these_bytes(announce: Announce, collector: Collector) -> None:
    assert announce("", "") == [NOTICE, NOTICE]
    assert len(NOTICE) <= 80
    one, other = collector.deliveries
    usual = {"accept-encoding": "identity", "accept": "*/*"}
    for delivery in (one, other):
        assert BODY.fullmatch(delivery.body.decode("ascii")), delivery.body
        # Nothing about its sender.
        assert {**usual, **delivery.headers, "connection": ""} == {
            **usual,
            "host": f"127.0.0.1:{collector.server.port}",
            "content-length": str(len(delivery.body)),
            "content-type": "application/json",
            "user-agent": "wasp",
            "connection": "",
        }
    assert one.event["distinct_id"] != other.event["distinct_id"]


def test_the_wget_of_busybox_sends_none(shell_machine: Machine, collector: Collector) -> None:
    """It would follow a redirect, and may not check certificates."""
    shell_machine.collects(collector).toolbox.remove("curl").busybox("wget")
    assert call_functions(shell_machine, ["announce_install\nwait"]) == [""]
    assert collector.server.connections == 0


def test_its_target(announce: Announce, collector: Collector, plain: Server, proxy: Proxy) -> None:
    open_one = Collector(plain)
    cases = {
        "WASP_TELEMETRY_KEY=phc_of-a-test": NOTICE,
        f"HTTPS_PROXY={proxy.url} WASP_TELEMETRY_KEY=by-proxy": NOTICE,
        # Plain http stays on this machine.
        f"WASP_TELEMETRY_URL={open_one.url} http_proxy={proxy.url} all_proxy={proxy.url}": NOTICE,
        "WASP_TELEMETRY_URL=http://collector.invalid/capture/": "",
        "WASP_TELEMETRY_DISABLE=": "",
        # No authority is trusted.
        "SSL_CERT_FILE=/dev/null CURL_CA_BUNDLE=/dev/null": NOTICE,
    }
    *said, shown = announce(*cases, "WASP_TELEMETRY_DEBUG=1")
    assert said == list(cases.values())
    assert BODY.fullmatch(shown)
    keys = [delivery.event["api_key"] for delivery in collector.deliveries]
    assert keys == ["phc_of-a-test", "by-proxy"]
    assert collector.server.connections <= 3
    assert len(open_one.deliveries) == 1
    assert len(proxy.tunnels) == 1


def test_an_answer_does_not_matter(announce: Announce, server: Server, closed: int) -> None:
    replies: dict[str, Reply] = {
        "busy": status(429, Retry_After="5"),
        "login": status(401, WWW_Authenticate='Basic realm="x"'),
        "reset": Reset(),
        "moved": redirect("/elsewhere", 307),
        "huge": Content(b"x" * 5_000_000),
    }
    for name, reply in replies.items():
        server.answer(f"/{name}", reply)
    urls = [*(f"{server.url}/{name}" for name in replies), f"https://127.0.0.1:{closed}/"]
    said = announce(*(f"WASP_TELEMETRY_URL={url}" for url in urls))
    assert said == [NOTICE] * len(urls)
    assert server.requests == {f"/{name}": 1 for name in replies}
    assert not [headers for headers in server.headers if "Authorization" in headers]


def test_what_makes_no_event_or_another(shell_machine: Machine) -> None:
    """A key that would be more than that, and a random number that is none."""
    settings = {
        "": '"os": "Unknown"',
        "os=macos": '"os": "osx"',
        """WASP_TELEMETRY_KEY='a", "b": "c'""": "none",
        "od() { echo 1 2 3; }": "none",
        "od() { :; }": "none",
    }
    calls = [f'{each}\nmake_install_event && lines "$event" || echo none' for each in settings]
    for expected, said in zip(settings.values(), call_functions(shell_machine, calls)):
        assert expected in said


def test_it_holds_no_file(shell_machine: Machine, collector: Collector, server: Server) -> None:
    """Who waits for the end of a pipe waits for all who could write into it."""
    shell_machine.collects(collector)
    answer = Gate(b"an answer", 1)
    server.answer("/capture/", answer)
    call = """
    mkfifo "$work/pipe"
    cat "$work/pipe" >/dev/null &
    reader=$!
    quiet=true
    announce_install 7>"$work/pipe"
    wait "$reader"
    kill -0 "$sending" && echo free
    """
    assert call_functions(shell_machine, [call]) == ["free"]
    answer.opened.set()
    shell_machine.wait_for_background()


@pytest.fixture
def counted(machine: Machine, collector: Collector, upstream: Upstream) -> Machine:
    """A machine with telemetry on, and a release to install."""
    upstream.publish("0.25.0")
    return machine.collects(collector)


def test_what_is_counted(counted: Machine, collector: Collector, upstream: Upstream) -> None:

    def check(words: str, code: int, *, sent: bool, **variables: str) -> Run:
        run = counted.install(None, *words.split(), env=variables)
        assert (run.code, NOTICE in run.stderr) == (code, sent), run
        assert (run.json.get("telemetry") == "sent") == (sent and not counted.front_end.is_shell)
        return run

    def answer(reply: Reply) -> None:
        for platform in NPM_PLATFORMS:
            upstream.server.answer(npm_tarball_path("0.25.0", platform), reply)

    archive = counted.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.23.0").npm_archive())
    answer(Content(b"wrong bytes"))
    counted.layout.plant("0.24.0")
    check("-v 0.99.0 --source github --no-telemetry", 5, sent=False)
    for variable, value in (("DISABLE", ""), ("DEBUG", "1"), ("URL", "http://collector.invalid/")):
        name = f"WASP_TELEMETRY_{variable}"
        run = check("-v 0.99.0 --source github", 5, sent=False, **{name: value})
        assert bool(BODY.search(run.stderr)) == (variable == "DEBUG")
    check("-v 0.99.0 --source github", 5, sent=True)
    check("--source npm", 6, sent=True)
    check(f"--from-file {archive}", 0, sent=True)
    check(f"--from-file {archive}", 0, sent=False)
    check("--force --dry-run", 0, sent=False)
    upstream.publish("0.24.0")
    check("", 0, sent=False)
    if not counted.front_end.is_shell:
        # Packagers are no users.
        check(f"-v 0.24.0 --prefix /usr --destdir {counted.root}/stage", 0, sent=False)
    counted.layout.npm_marker.touch()
    check("", 8, sent=False)
    counted.layout.npm_marker.unlink()
    # By two sources.
    answer(status(404))
    run = check("-v 0.25.0", 0, sent=True)
    assert run.json["source"] == "github"
    assert run.stderr.count(f"{NOTICE}\n") == 1
    assert run.stderr.index(NOTICE) < run.stderr.index("Installed")
    # What Wasp does not run on is told too.
    counted.toolbox.fake_uname("FreeBSD", "amd64")
    run = counted.install("0.99.0", "--quiet").failed(3, "unsupported-platform")
    assert "telemetry:" not in run.stderr.lower()
    counted.run("list").ok()
    counted.wait_for_background()
    assert len(collector.deliveries) == 5
    assert sum(bool(BODY.fullmatch(each.body.decode())) for each in collector.deliveries) >= 4


def test_a_collector_that_hangs(counted: Machine, collector: Collector, upstream: Upstream) -> None:
    """An interrupted run takes its sender along."""
    collector.reply = Stall()
    counted.install("0.99.0", "--source", "github").failed(5)
    collector.wait_for(1)
    assert survivors(counted.mark, patience=0), "the sender has not waited for an answer at all"
    stall = StallAfter(tiny_package("0.25.0").npm_archive(), sent=100)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), stall)
    run = counted.start("install")
    assert stall.reached.wait(30)
    collector.wait_for(2)
    run.interrupt_process(signal.SIGTERM)
    assert run.result().code == 143
    assert counted.processes() == {}
