"""The one event of an install: from every front end the same bytes, once, and never in the way."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.collector import Collector
from tests.support.frontends import PYTHON
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.processes import survivors
from tests.support.proxy import Proxy
from tests.support.releases import NPM_PLATFORMS, Upstream, npm_tarball_path
from tests.support.replies import (
    Content,
    Reply,
    Reset,
    Stall,
    StallAfter,
    closed_port,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.toolboxes import macos_toolbox

BODY = re.compile(
    r'\{"api_key": "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4", "type": "capture", '
    r'"event": "install-script:run", "distinct_id": "[1-9][0-9]{23}", '
    r'"properties": \{"os": "linux"\}\}'
)
NOTICE = (
    'Telemetry: sends a random id and "linux" now, and events when you use Wasp.\n'
    "See https://wasp.sh/docs/telemetry. To turn it off, set WASP_TELEMETRY_DISABLE=1"
)


def outcome(run: Run) -> str | None:
    """What was told of the event: by install.py in its report, by the sh program in its notice."""
    if "--porcelain" in run.argv:
        return "sent" if NOTICE.partition('"')[0] in run.stderr else None
    told = str(run.json["telemetry"])
    return None if told == "none" else told


@pytest.fixture
def counted(machine: Machine, collector: Collector, upstream: Upstream) -> Machine:
    """A machine with telemetry on, and a release to install."""
    upstream.publish("0.25.0")
    return machine.collects(collector)


def begin(machine: Machine, *options: str) -> Run:
    """An install that is begun is counted, however it ends: here, as there is no such version."""
    return machine.install("0.99.0", "--source", "github", *options).failed(5)


def test_an_install_sends_one_event_of_exactly_these_bytes(
    counted: Machine, collector: Collector
) -> None:
    run = counted.install().ok()
    [event] = collector.wait_for(1)
    counted.wait_for_background()
    [delivery] = collector.deliveries
    assert BODY.fullmatch(delivery.body.decode("ascii")), delivery.body
    assert list(event) == ["api_key", "type", "event", "distinct_id", "properties"]
    assert outcome(run) == "sent"
    assert run.stderr.count(f"{NOTICE}\n") == 1
    assert run.stderr.index(NOTICE) < run.stderr.index("Installed")
    assert max(map(len, NOTICE.splitlines())) <= 80
    # Nothing about its sender.
    headers = delivery.headers
    assert headers.pop("host") == f"127.0.0.1:{collector.server.port}"
    assert headers.pop("content-length") == str(len(delivery.body))
    assert headers.pop("content-type") == "application/json"
    assert headers.pop("user-agent") == "wasp"
    assert headers.pop("accept-encoding", "identity") == "identity"
    assert headers.pop("accept", "*/*") == "*/*"
    assert headers.pop("connection", "close").lower() in ("close", "keep-alive")
    assert headers == {}


def test_every_install_has_an_id_of_its_own(counted: Machine, collector: Collector) -> None:
    begin(counted)
    begin(counted)
    one, other = (event["distinct_id"] for event in collector.wait_for(2))
    assert one != other


@pytest.mark.parametrize("how", ["variable", "option"])
def test_opted_out(counted: Machine, collector: Collector, how: str) -> None:
    """The whole rule is tested in tests/telemetry/test_opting_out.py."""
    if how == "variable":
        counted.set(WASP_TELEMETRY_DISABLE="")
    run = begin(counted, *(["--no-telemetry"] if how == "option" else []))
    run.is_silent_about("telemetry:")
    assert outcome(run) in ("disabled", None)
    counted.wait_for_background()
    assert collector.server.count("/capture/") == 0


def test_what_starts_no_install_sends_nothing(counted: Machine, collector: Collector) -> None:
    counted.layout.plant("0.25.0")
    told = [
        counted.install("0.25.0").ok(),
        counted.install().ok(),
        counted.run("--json", "--force", "--dry-run").ok(),
        counted.run("--json", "--no-such-option").failed(2),
        counted.run("--json", "-v", "../evil").failed(2),
        counted.run("--json", "list").ok(),
        counted.run("--json", "migrate-to-npm").ok(),
        counted.run("--json").failed(8),
    ]
    assert [outcome(run) for run in told] == [None] * len(told)
    counted.wait_for_background()
    assert collector.deliveries == []


def test_packagers_are_no_users(
    machines: MachineRoom, collector: Collector, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    machine = machines.build(PYTHON).collects(collector)
    stage = str(machine.root / "stage")
    run = machine.install(None, "--destdir", stage, "--prefix", "/usr").ok()
    assert run.json["telemetry"] == "none"
    machine.wait_for_background()
    assert collector.deliveries == []


def test_another_version_than_the_installed_one_is_an_install(
    counted: Machine, collector: Collector
) -> None:
    counted.layout.plant("0.24.0")
    assert outcome(begin(counted)) == "sent"
    counted.install("0.24.0").ok()
    counted.wait_for_background()
    assert len(collector.deliveries) == 1


def test_an_upgrade_is_an_install_too_however_it_ends(
    counted: Machine, collector: Collector, upstream: Upstream
) -> None:
    counted.layout.plant("0.24.0")
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), Content(b"wrong bytes"))
    counted.install(None, "--source", "npm").failed(6)
    assert len(collector.wait_for(1)) == 1
    counted.wait_for_background()


def test_a_file_is_an_install_too(counted: Machine, collector: Collector) -> None:
    archive = counted.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.23.0").npm_archive())
    counted.layout.plant("0.24.0")
    for expected in ("sent", None):
        run = counted.run("--from-file", str(archive), "--json").ok()
        assert outcome(run) == expected
    counted.wait_for_background()
    assert len(collector.deliveries) == 1


def test_two_sources_are_one_install(
    counted: Machine, collector: Collector, upstream: Upstream
) -> None:
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), status(404))
    run = counted.install().ok()
    assert run.json["source"] == "github"
    counted.wait_for_background()
    assert len(collector.deliveries) == 1


def test_what_wasp_does_not_run_on_is_told_too(counted: Machine, collector: Collector) -> None:
    counted.toolbox.fake_uname("FreeBSD", "amd64")
    run = counted.install().failed(3, "unsupported-platform")
    assert outcome(run) == "sent"
    [event] = collector.wait_for(1)
    # The Python front end is told by its Python, which knows better than a faked uname.
    expected = "Unknown" if counted.front_end.is_shell else "linux"
    assert event["properties"] == {"os": expected}
    counted.wait_for_background()


def test_a_mac_is_called_osx(shell_machine: Machine, collector: Collector) -> None:
    shell_machine.toolbox = macos_toolbox(shell_machine.root / "mac", "arm64")
    shell_machine.set(PATH=str(shell_machine.toolbox.folder))
    begin(shell_machine.collects(collector))
    [event] = collector.wait_for(1)
    assert event["properties"] == {"os": "osx"}
    shell_machine.wait_for_background()


def test_a_collector_that_hangs_does_not_delay_the_end(
    counted: Machine, collector: Collector
) -> None:
    collector.reply = Stall()
    run = counted.install().ok()
    assert outcome(run) == "sent"
    collector.wait_for(1)
    assert survivors(counted.mark, patience=0), "the sender has not waited for an answer at all"


@pytest.mark.parametrize(
    "reply",
    [
        status(429, Retry_After="5"),
        Reset(),
        redirect("/elsewhere", 307),
        Content(b"x" * 5_000_000),
    ],
    ids=["429", "reset", "redirect", "huge"],
)
def test_an_answer_does_not_matter(counted: Machine, collector: Collector, reply: Reply) -> None:
    collector.reply = reply
    begin(counted)
    counted.wait_for_background()
    assert len(collector.deliveries) == 1
    assert collector.server.count("/elsewhere") == 0


def test_nobody_at_the_other_end(counted: Machine) -> None:
    holder, port = closed_port()
    with holder:
        counted.set(WASP_TELEMETRY_URL=f"https://127.0.0.1:{port}/capture/")
        begin(counted).is_silent_about("refused")
        counted.wait_for_background()


def test_an_address_that_is_not_https_gets_nothing(counted: Machine) -> None:
    counted.set(WASP_TELEMETRY_URL="http://collector.invalid/capture/")
    run = begin(counted)
    assert outcome(run) is None
    run.is_silent_about("telemetry:")


def test_plain_http_on_this_machine_goes_through_no_proxy(counted: Machine) -> None:
    here = Server(None)
    proxy = Proxy()
    try:
        collector = Collector(here)
        counted.set(WASP_TELEMETRY_URL=collector.url, http_proxy=proxy.url, all_proxy=proxy.url)
        counted.set(NO_PROXY=None, no_proxy=None)
        begin(counted)
        counted.wait_for_background()
        assert len(collector.deliveries) == 1
    finally:
        here.close()
        proxy.close()


def test_a_certificate_of_a_stranger_gets_nothing(
    counted: Machine, collector: Collector, tmp_path: Path
) -> None:
    nobody = tmp_path / "no-authorities.pem"
    nobody.write_text("")
    archive = counted.root / "wasp.tgz"
    archive.write_bytes(b"no archive")
    counted.set(SSL_CERT_FILE=str(nobody), CURL_CA_BUNDLE=str(nobody))
    counted.install(None, "--from-file", str(archive)).failed(6)
    counted.wait_for_background()
    assert collector.server.connections == 1
    assert collector.deliveries == []


def test_an_interrupted_run_takes_its_sender_along(
    counted: Machine, collector: Collector, upstream: Upstream
) -> None:
    collector.reply = Stall()
    archive = tiny_package("0.25.0").npm_archive()
    stall = StallAfter(archive, sent=100)
    for platform in NPM_PLATFORMS:
        upstream.server.answer(npm_tarball_path("0.25.0", platform), stall)
    run = counted.start("install")
    assert stall.reached.wait(30)
    collector.wait_for(1)
    run.interrupt_process(signal.SIGTERM)
    assert run.result().code == 143
    assert counted.processes() == {}


def test_debugging_prints_the_event_and_sends_nothing(
    counted: Machine, collector: Collector
) -> None:
    run = begin(counted.set(WASP_TELEMETRY_DEBUG="1"))
    assert outcome(run) is None
    assert sum(bool(BODY.fullmatch(line)) for line in run.stderr.splitlines()) == 1
    counted.wait_for_background()
    assert collector.deliveries == []


def test_the_key_may_be_another(counted: Machine, collector: Collector) -> None:
    begin(counted.set(WASP_TELEMETRY_KEY="phc_of-a-test"))
    [event] = collector.wait_for(1)
    assert event["api_key"] == "phc_of-a-test"
    counted.wait_for_background()


def test_what_makes_no_event(shell_machine: Machine) -> None:
    """A key that would be more than that, and a random number that is none."""
    settings = {
        "": True,
        """WASP_TELEMETRY_KEY='a", "b": "c'""": False,
        "od() { echo 1 2 3; }": False,
        "od() { :; }": False,
    }
    calls = [f"{each}\nos=linux\nmake_install_event && echo made || :" for each in settings]
    told = call_functions(shell_machine, calls)
    assert {each: said == "made" for each, said in zip(settings, told)} == settings


def test_quiet_hides_the_notice_like_every_other_line(
    counted: Machine, collector: Collector
) -> None:
    run = counted.install(None, "--quiet").ok()
    assert run.stderr == ""
    collector.wait_for(1)
    counted.wait_for_background()
