"""The event of an installed Wasp, from the launcher to the collector and back to nothing left."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.collector import Collector
from tests.support.filesystems import give_away, small_filesystem, without_privileges
from tests.support.frontends import BY_NAME, FrontEnd
from tests.support.machines import MachineRoom
from tests.support.projects import Project
from tests.support.proxy import Proxy
from tests.support.releases import Upstream
from tests.support.replies import (
    Content,
    Drip,
    Reply,
    Reset,
    Stall,
    closed_port,
    html_page,
    redirect,
    status,
)
from tests.support.server import Server
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool

HOUR = 60 * 60
SHAPE = re.compile(
    r'\{"api_key": "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4", "event": "cli", '
    r'"distinct_id": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", '
    r'"properties": \{"project_hash": "[0-9a-f]{16}", "is_build": false, "deploy_cmd_args": "", '
    r'"wasp_version": "0.25.0", "os": "linux", "context": ""\}\}'
)


@pytest.fixture
def project(machines: MachineRoom, upstream: Upstream, collector: Collector) -> Project:
    upstream.publish("0.25.0")
    project = machines.build_as(Project, "dash")
    project.collects(collector).install(None, "--no-telemetry").ok()
    # Messages that come back are the subject of other tests.
    return project.set(WASP_AUTO_NEWS_DISABLE="1")


def properties(collector: Collector) -> list[dict[str, Any]]:
    return [delivery.properties for delivery in collector.deliveries]


# --- what is sent -------------------------------------------------------------------------------


def test_one_event_of_exactly_this_shape(
    project: Project, collector: Collector, shell: FrontEnd
) -> None:
    argv = [*shell.interpreter(), str(project.layout.launcher), "version"]
    assert project.run_program(argv, cwd=project.folder).ok().stdout == "0.25.0\n"
    project.wait_for_background()
    [delivery] = collector.deliveries
    assert SHAPE.fullmatch(delivery.body.decode("ascii")), delivery.body


def test_its_sender_says_nothing_more(project: Project, collector: Collector) -> None:
    project.used("version")
    [delivery] = collector.deliveries
    assert delivery.headers == {
        "host": f"127.0.0.1:{collector.server.port}",
        "accept-encoding": "identity",
        "content-length": str(len(delivery.body)),
        "content-type": "application/json",
        "user-agent": "wasp",
        "connection": "close",
    }


def test_what_is_kept_is_kept_to_oneself(project: Project) -> None:
    project.used("version")
    assert project.cache.stat().st_mode & 0o777 == 0o700
    files = {file.name: file for file in project.cache.iterdir()}
    assert sorted(files) == ["lock", project.state_file.name, "secret", "sender-0", "signature"]
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}
    assert len(files["secret"].read_bytes()) == 32
    assert re.fullmatch("[0-9a-f-]{36}", files["signature"].read_text())


def test_the_id_is_the_one_that_wasp_uses(project: Project, collector: Collector) -> None:
    project.cache.mkdir(parents=True)
    project.cache.chmod(0o755)
    signature = "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b"
    (project.cache / "signature").write_text(signature)
    project.used("version")
    assert collector.events[0]["distinct_id"] == signature
    assert project.cache.stat().st_mode & 0o777 == 0o700


def test_the_id_can_be_a_persons_own(project: Project, collector: Collector) -> None:
    project.set(WASP_TELEMETRY_USER_ID="me@example.org").used("version")
    (project.cache / "lock").unlink()
    project.state_file.unlink()
    project.used("version")
    one, other = collector.events
    digest = "2be54d12c25ca90f0ff35f2f02cfdaa4b3d1b5ac2c6afd9b2ea4a1ee8b1f2ec2"
    assert re.fullmatch("[0-9a-f]{64}", one["distinct_id"]), digest
    assert one == other
    assert not (project.cache / "secret").exists()
    assert not (project.cache / "signature").exists()


def test_two_projects_have_two_hashes(project: Project, collector: Collector) -> None:
    other = project.home / "other"
    (other / "src" / "deep").mkdir(parents=True)
    (other / ".wasproot").touch()
    project.used("version")
    project.used("version", folder=other / "src" / "deep")
    one, another = properties(collector)
    assert one["project_hash"] != another["project_hash"]
    project.used("version", folder=other)
    assert len(collector.deliveries) == 2


def test_a_project_entered_through_a_link_is_the_project(
    project: Project, collector: Collector
) -> None:
    inside = project.folder / "src"
    inside.mkdir()
    link = project.home / "link"
    link.symlink_to(inside)
    script = f'cd "{link}" && exec "{project.layout.launcher}" version'
    for _ in range(2):
        project.run_program([str(real_tool("sh")), "-c", script]).ok()
        project.wait_for_background()
    project.used("version")
    assert len(collector.deliveries) == 1


def test_a_home_with_a_slash_at_its_end(project: Project, collector: Collector) -> None:
    project.set(HOME=f"{project.home}/").used("version")
    assert len(collector.deliveries) == 1


def test_the_context_and_ci(project: Project, collector: Collector) -> None:
    project.set(WASP_TELEMETRY_CONTEXT="git\x1bpod\n", GITHUB_ACTIONS="true").used("version")
    assert properties(collector)[0]["context"] == "gitpod CI"


def test_nothing_of_a_command_but_the_keywords_of_a_deploy(
    project: Project, collector: Collector
) -> None:
    secret = "my-secret-app"
    project.used("deploy", "fly", "setup", secret, "mia", "--token", "s3cr3t", "cmd")
    [delivery] = collector.deliveries
    assert delivery.properties["deploy_cmd_args"] == "fly;setup;cmd"
    for private in (secret, "mia", "s3cr3t", "my app", str(project.home), project.home.name):
        assert private not in delivery.body.decode()


def test_wasp_itself_sends_nothing_then(project: Project) -> None:
    assert project.used("opted-out").stdout == "1\n"


# --- when ---------------------------------------------------------------------------------------


def test_a_pause_of_twelve_hours(project: Project, collector: Collector) -> None:
    project.used("version")
    project.used("db", "start")
    assert len(collector.deliveries) == 1
    project.age(12 * HOUR - 30)
    project.used("version")
    assert len(collector.deliveries) == 1
    project.age(31)
    project.used("version")
    assert len(collector.deliveries) == 2


def test_a_build_has_a_pause_of_its_own(project: Project, collector: Collector) -> None:
    for command in (["version"], ["build"], ["build", "start"], ["build"], ["version"]):
        project.used(*command)
    assert [sent["is_build"] for sent in properties(collector)] == [False, True]


def test_a_deploy_in_a_pause_rides_in_the_next_event(
    project: Project, collector: Collector
) -> None:
    project.used("version")
    project.used("deploy", "fly", "deploy")
    project.used("version")
    assert len(collector.deliveries) == 1
    project.used("build")
    project.age(12 * HOUR + 1)
    project.used("version")
    told = [sent["deploy_cmd_args"] for sent in properties(collector)]
    assert told == ["", "fly;deploy", ""]


def test_forty_at_once_are_one(project: Project, collector: Collector) -> None:
    argv = [str(project.layout.launcher), "version"]
    started = [project.start_program(argv, cwd=project.folder) for _ in range(40)]
    for process in started:
        process.communicate()
    project.wait_for_background()
    assert len(collector.deliveries) == 1
    assert project.state["other_failed"] is False


def test_the_clock_is_set_back(project: Project, collector: Collector) -> None:
    project.used("version")
    project.age(-40 * 24 * HOUR)
    project.used("version")
    assert len(collector.deliveries) == 1
    assert abs(project.state["other_at"] - time.time()) < 60
    project.age(12 * HOUR + 1)
    project.used("version")
    assert len(collector.deliveries) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\0" * 200, b"[]", b'{"build_at": "soon"}', b"\xff\xfe{}", b'{"other_at": 1e999}'],
    ids=["empty", "cut", "zeros", "list", "words", "bytes", "infinite"],
)
def test_a_state_that_cannot_be_read_is_a_fresh_one(
    project: Project, collector: Collector, content: bytes
) -> None:
    project.used("version")
    project.state_file.write_bytes(content)
    project.used("version")
    assert len(collector.deliveries) == 2
    project.used("version")
    assert len(collector.deliveries) == 2


def test_a_spoiled_secret_or_id_is_made_anew(project: Project, collector: Collector) -> None:
    project.cache.mkdir(parents=True)
    (project.cache / "signature").write_text("Jane of Accounting")
    (project.cache / "secret").write_text("short")
    project.used("version")
    assert SHAPE.fullmatch(collector.deliveries[0].body.decode("ascii"))
    assert len((project.cache / "secret").read_bytes()) == 32


# --- what is not counted, and opting out ----------------------------------------------------------


@pytest.fixture
def pythons(project: Project) -> Path:
    """A log with a line for every start of Python."""
    log = project.root / "pythons"
    log.touch()
    python = project.toolbox.folder / "python3"
    real = os.readlink(python)
    project.toolbox.script("python3", f"echo started >>'{log}'; exec '{real}' \"$@\"")
    return log


def left_nothing(project: Project, collector: Collector, pythons: Path) -> None:
    project.wait_for_background()
    assert pythons.read_text() == ""
    assert collector.server.connections == project.connections_before  # type: ignore[attr-defined]
    assert not project.cache.exists()


@pytest.fixture
def quiet_project(project: Project, collector: Collector) -> Project:
    project.connections_before = collector.server.connections  # type: ignore[attr-defined]
    return project


@pytest.mark.parametrize(
    "variables",
    [
        {"WASP_TELEMETRY_DISABLE": "1"},
        {"WASP_TELEMETRY_DISABLE": ""},
        {"WASP_TELEMETRY_DISABLE": "false"},
        {"DO_NOT_TRACK": "1"},
        {"DO_NOT_TRACK": "yes"},
    ],
    ids=str,
)
def test_opted_out_is_no_process_no_socket_and_no_file(
    quiet_project: Project, collector: Collector, pythons: Path, variables: dict[str, str]
) -> None:
    assert quiet_project.set(**variables).called("opted-out").ok().stdout == "1\n"
    left_nothing(quiet_project, collector, pythons)


def test_switched_off_is_the_same(
    quiet_project: Project, collector: Collector, pythons: Path
) -> None:
    quiet_project.called("telemetry", "off").ok()
    pythons.write_text("")
    assert quiet_project.called("opted-out").ok().stdout == "1\n"
    left_nothing(quiet_project, collector, pythons)


@pytest.mark.parametrize("arguments", [["completion:list"], ["completion:generate:bash"]])
def test_a_shell_that_completes_is_not_counted(
    quiet_project: Project, collector: Collector, pythons: Path, arguments: list[str]
) -> None:
    quiet_project.called(*arguments)
    left_nothing(quiet_project, collector, pythons)


def test_outside_a_project_nothing_is_counted(
    quiet_project: Project, collector: Collector, pythons: Path
) -> None:
    quiet_project.called("version", folder=quiet_project.here).ok()
    left_nothing(quiet_project, collector, pythons)


@pytest.mark.parametrize("value", ["", "0", "false", "No", "OFF"])
def test_do_not_track_can_say_no(project: Project, collector: Collector, value: str) -> None:
    project.set(DO_NOT_TRACK=value).used("version")
    assert len(collector.deliveries) == 1


def test_without_python_wasps_own_telemetry_is_in_charge(
    quiet_project: Project, collector: Collector
) -> None:
    (quiet_project.toolbox.folder / "python3").unlink()
    assert quiet_project.called("opted-out").stdout == "no\n"
    assert quiet_project.set(DO_NOT_TRACK="1").called("opted-out").stdout == "1\n"
    assert collector.deliveries == []


# --- the network --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [status(400), status(429), status(503), redirect("/elsewhere", 307), html_page(status=404)],
    ids=["400", "429", "503", "redirect", "404"],
)
def test_what_was_not_taken_may_go_again_after_an_hour_or_two(
    project: Project, collector: Collector, reply: Reply
) -> None:
    collector.reply = reply
    project.used("deploy", "fly")
    assert project.state["other_failed"] is True
    collector.reply = Content(b"{}")
    project.age(HOUR - 30)
    project.used("version")
    assert len(collector.deliveries) == 1
    project.age(HOUR + 31)
    project.used("version")
    assert [sent["deploy_cmd_args"] for sent in properties(collector)] == ["fly", "fly"]
    assert collector.server.count("/elsewhere") == 0
    assert (project.state["other_failed"], project.state["deploy"]) == (False, "")


@pytest.mark.parametrize(
    "reply",
    [Reset(), Content(b"x" * 5_000_000), html_page(), status(502), status(504)],
    ids=["reset", "huge", "html", "502", "504"],
)
def test_what_may_have_been_taken_does_not_go_again(
    project: Project, collector: Collector, reply: Reply
) -> None:
    collector.reply = reply
    project.used("version")
    assert project.state["other_failed"] is False
    project.age(2 * HOUR + 1)
    project.used("version")
    assert len(collector.deliveries) == 1


def test_offline_costs_nothing_and_is_remembered(project: Project, collector: Collector) -> None:
    holder, port = closed_port()
    with holder:
        project.set(WASP_TELEMETRY_URL=f"https://127.0.0.1:{port}/capture/").used("version")
    assert project.state["other_failed"] is True
    project.set(WASP_TELEMETRY_URL=collector.url).used("version")
    assert collector.deliveries == []
    project.age(2 * HOUR + 1)
    project.used("version")
    assert len(collector.deliveries) == 1


def test_a_stranger_in_the_collectors_place_gets_nothing(
    project: Project, authority: Authority
) -> None:
    stranger = Server(authority.server_context(Certificate.UNKNOWN_AUTHORITY))
    try:
        collector = Collector(stranger)
        project.set(WASP_TELEMETRY_URL=collector.url).used("version")
        assert (stranger.connections, collector.deliveries) == (1, [])
        assert project.state["other_failed"] is True
    finally:
        stranger.close()


@pytest.mark.parametrize("url", ["http://collector.invalid/capture/"])
def test_an_address_that_is_not_https_gets_nothing(project: Project, url: str) -> None:
    project.set(WASP_TELEMETRY_URL=url).used("version")
    assert project.state["other_failed"] is True


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy(credentials="user:pass@word")
    yield running
    running.close()


def test_through_a_proxy(project: Project, collector: Collector, proxy: Proxy) -> None:
    login = f"http://user:pass%40word@127.0.0.1:{proxy.port}"
    project.set(HTTPS_PROXY=login, NO_PROXY=None).used("version")
    assert len(collector.deliveries) == 1
    assert proxy.tunnels == [f"127.0.0.1:{collector.server.port}"]
    project.age(12 * HOUR + 1)
    project.set(NO_PROXY="127.0.0.1").used("version")
    assert len(collector.deliveries) == 2
    assert len(proxy.tunnels) == 1


# --- off the hot path ---------------------------------------------------------------------------


def test_a_collector_that_hangs_holds_nobody_up(project: Project, collector: Collector) -> None:
    """The pipes of the run are read to their end before it returns."""
    collector.reply = Stall()
    run = project.called("version").ok()
    collector.wait_for(1)
    [sender] = project.processes()
    assert (run.stdout, run.stderr.count("\n")) == ("0.25.0\n", 2)
    assert os.getsid(sender) == sender
    assert os.getpgid(sender) == sender
    descriptors = {os.readlink(path) for path in Path(f"/proc/{sender}/fd").iterdir()}
    held = {path for path in descriptors if not path.startswith("socket:")}
    assert held == {"/dev/null", str(project.cache / "sender-0")}
    assert os.readlink(f"/proc/{sender}/cwd") == "/"
    project.wait_for_background()


def test_an_answer_that_drips_ends_at_the_deadline(project: Project, collector: Collector) -> None:
    collector.reply = Drip(b"x" * 200, pieces=200, pause=0.2)
    begun = time.monotonic()
    project.used("version")
    assert len(collector.deliveries) == 1
    # It would take 40 seconds.
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("deploy fly cmd secrets set PASSWORD=hunter2 deploy", ["deploy", "fly", "cmd", "deploy"]),
        ("db seed hunter2", []),
        ("build --token=hunter2", ["build"]),
    ],
    ids=["deploy", "db", "build"],
)
def test_others_see_no_more_than_the_words_that_count(
    project: Project, collector: Collector, words: str, shown: list[str]
) -> None:
    collector.reply = Stall()
    project.called(*words.split())
    collector.wait_for(1)
    [command] = project.processes().values()
    assert command.split("invoked ")[1].split()[1:] == shown
    assert "hunter2" not in command
    project.wait_for_background()


def test_a_caller_that_blocks_the_alarm_does_not_take_the_deadline_away(
    project: Project, collector: Collector
) -> None:
    """What is blocked stays so in all that is started."""
    collector.reply = Drip(b"x" * 100, pieces=100, pause=0.3)
    blocked = (
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = [sys.executable, "-I", "-S", "-c", blocked, str(project.layout.launcher), "version"]
    project.run_program(argv, cwd=project.folder).ok()
    collector.wait_for(1)
    begun = time.monotonic()
    project.wait_for_background()
    assert time.monotonic() - begun < 20, "it ended with the answer only"


def test_it_holds_no_file_of_its_caller(project: Project, collector: Collector) -> None:
    """Who waits for the end of a pipe waits for all who could write into it."""
    collector.reply = Stall()
    reading, writing = os.pipe()
    high = fcntl.fcntl(writing, fcntl.F_DUPFD, 300)
    process = subprocess.Popen(
        [str(project.layout.launcher), "version"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing, high],
    )
    os.close(writing)
    os.close(high)
    process.wait()
    collector.wait_for(1)
    assert project.processes()
    assert os.read(reading, 1) == b""
    assert project.processes(), "the pipe was at its end only because the sender was"
    os.close(reading)
    project.wait_for_background()


@pytest.mark.parametrize("command", ["version", "telemetry"])
def test_closed_streams(project: Project, command: str) -> None:
    launcher = project.layout.launcher
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        script = f"'{launcher}' {command} {closed}"
        run = project.run_program([str(real_tool("sh")), "-c", script], cwd=project.folder)
        assert "Traceback" not in run.stderr
        project.wait_for_background()


# posh itself crashes there.
@pytest.mark.parametrize("name", ["dash", "bash", "zsh", "mksh", "yash"])
def test_in_a_folder_that_was_removed(project: Project, name: str) -> None:
    shell = BY_NAME[name]
    gone = project.home / "gone"
    argv = " ".join(f"'{word}'" for word in [*shell.interpreter(), str(project.layout.launcher)])
    for own in ("", "PWD=."):
        gone.mkdir()
        script = f"cd '{gone}' && rmdir '{gone}' && exec env {own} {argv} opted-out"
        run = project.run_program([str(real_tool("sh")), "-c", script])
        assert run.stdout == "1\n"
        project.wait_for_background()


def test_ctrl_c_and_a_closed_terminal_do_not_reach_it(
    project: Project, collector: Collector
) -> None:
    collector.reply = Stall()
    process = project.start_program(
        [str(project.layout.launcher), "wait"], cwd=project.folder, stdin=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    collector.wait_for(1)
    for number in (signal.SIGINT, signal.SIGHUP):
        os.killpg(process.pid, number)
    process.communicate()
    [sender] = project.processes()
    os.kill(sender, 0)
    project.wait_for_background()


def test_it_is_nobodys_child_and_no_zombie(project: Project, collector: Collector) -> None:
    argv = [str(project.layout.launcher), "wait"]
    process = project.start_program(argv, cwd=project.folder, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    collector.wait_for(1)
    deadline = time.monotonic() + 30
    while len(project.processes()) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    process.kill()
    process.communicate()
    assert children == ""


def test_on_a_terminal_it_shows_nothing(project: Project, collector: Collector) -> None:
    script = '"$1" version; read -r _'
    argv = [str(real_tool("sh")), "-c", script, "sh", str(project.layout.launcher)]
    terminal = Terminal(argv, project.environment, project.folder)
    terminal.wait_for("do:")
    collector.wait_for(1)
    terminal.type("\n")
    assert terminal.finish() == 0
    project.wait_for_background()
    assert re.fullmatch(r"0\.25\.0\s+If you wish [^\n]*do:\s+", terminal.shown)


# --- homes that are not one's own ---------------------------------------------------------------


def check_silence(project: Project, collector: Collector) -> None:
    run = project.called("opted-out")
    project.wait_for_background()
    assert (run.code, run.stdout, run.stderr) == (0, "1\n", "")
    assert collector.deliveries == []


def test_a_home_of_another_user(project: Project, collector: Collector) -> None:
    for path in [project.home, *project.home.rglob("*")]:
        give_away(path)
    before = sorted(project.home.rglob("*"))
    check_silence(project, collector)
    assert sorted(project.home.rglob("*")) == before


def test_a_cache_of_another_user(project: Project, collector: Collector) -> None:
    cache = project.home / ".cache"
    cache.mkdir()
    give_away(cache)
    check_silence(project, collector)
    assert list(cache.iterdir()) == []


def test_a_home_that_is_read_only(project: Project, collector: Collector) -> None:
    project.wrapper = without_privileges()
    project.home.chmod(0o555)
    try:
        check_silence(project, collector)
    finally:
        project.home.chmod(0o755)
    assert not project.cache.exists()


@pytest.mark.parametrize("home", [None, "", "relative", "/no/such/home"])
def test_no_home(project: Project, collector: Collector, home: str | None, tmp_path: Path) -> None:
    launcher = project.layout.launcher
    project.set(HOME=home)
    run = project.run_program([str(launcher), "opted-out"], cwd=project.folder)
    project.wait_for_background()
    assert (run.code, run.stdout, run.stderr) == (0, "1\n", "")
    assert collector.deliveries == []
    assert not Path("/no/such").exists()
    assert sorted(item.name for item in project.folder.iterdir()) == [".wasproot"]
    assert tmp_path.exists()


def test_a_full_disk(project: Project, collector: Collector) -> None:
    cache = project.root / "small"
    with small_filesystem(cache, "size=64k,mode=700"):
        (cache / "filler").write_bytes(b"x" * 65536)
        project.set(XDG_CACHE_HOME=str(cache))
        check_silence(project, collector)
        (cache / "filler").unlink()
        project.used("version")
        assert len(collector.deliveries) == 1


# --- wasp telemetry -----------------------------------------------------------------------------


def test_status(project: Project) -> None:
    said = project.called("telemetry").ok().stdout
    assert said.startswith("Telemetry: ENABLED\n")
    assert str(project.cache) in said
    assert len(re.findall(r"none yet +with the next command\n", said)) == 2
    assert not project.cache.exists()
    project.used("version")
    said = project.called("telemetry").ok().stdout
    assert said.count("none yet") == 1
    assert re.search(r"other commands +20\S+ \S+ +after 20", said)
    project.used("deploy", "fly")
    said = project.called("telemetry").ok().stdout
    assert "a deploy: fly\n" in said
    assert max(len(line) for line in said.splitlines() if str(project.cache) not in line) <= 80


def test_status_outside_a_project(project: Project) -> None:
    said = project.called("telemetry", folder=project.here).ok().stdout
    assert "in no Wasp project" in said


def test_status_with_an_address_that_is_not_allowed(project: Project) -> None:
    said = project.set(WASP_TELEMETRY_URL="http://collector.invalid/").called("telemetry").ok()
    assert "not an https address" in said.stdout


def test_off_and_on(project: Project, collector: Collector) -> None:
    assert "DISABLED" in project.called("telemetry", "off").ok().stdout
    assert "wasp telemetry off" in project.called("telemetry").ok().stdout
    project.used("version")
    assert collector.deliveries == []
    assert project.called("telemetry", "on").ok().stdout == "Telemetry: ENABLED\n"
    project.used("version")
    assert len(collector.deliveries) == 1


def test_on_does_not_outdo_a_variable(project: Project) -> None:
    said = project.set(WASP_TELEMETRY_DISABLE="").called("telemetry", "on").ok().stdout
    assert "still DISABLED (WASP_TELEMETRY_DISABLE is set)" in said


def test_show_prints_what_is_then_sent(project: Project, collector: Collector) -> None:
    shown = project.called("telemetry", "show").ok().stdout
    assert collector.deliveries == []
    project.used("version")
    assert shown == collector.deliveries[0].body.decode() + "\n"
    again = project.called("telemetry", "show").ok()
    assert again.stdout == shown
    assert "Paused until" in again.stderr


def test_show_when_nothing_would_be_sent(project: Project) -> None:
    outside = project.called("telemetry", "show", folder=project.here).ok()
    assert (outside.stdout, "no Wasp project" in outside.stderr) == ("", True)
    opted_out = project.set(DO_NOT_TRACK="1").called("telemetry", "show").ok()
    assert (opted_out.stdout, "DO_NOT_TRACK" in opted_out.stderr) == ("", True)
    assert not project.cache.exists()


def test_an_unknown_word_is_a_mistake(project: Project) -> None:
    run = project.called("telemetry", "maybe")
    assert (run.code, run.stdout) == (2, "")
    assert "wasp telemetry off" in run.stderr


def test_off_that_cannot_be_kept_says_so(project: Project) -> None:
    (project.home / ".config").write_text("a file in the way")
    run = project.called("telemetry", "off")
    assert run.code == 7
    assert "Traceback" not in run.stderr
    assert ".config" in run.stderr


def test_debugging_prints_and_sends_nothing(project: Project, collector: Collector) -> None:
    project.set(WASP_TELEMETRY_DEBUG="1")
    run = project.used("deploy", "fly", "x")
    event = json.loads(run.stderr.splitlines()[0])
    assert event["properties"]["deploy_cmd_args"] == "fly"
    project.used("version")
    assert collector.deliveries == []
    assert not list(project.cache.glob("project-*"))
