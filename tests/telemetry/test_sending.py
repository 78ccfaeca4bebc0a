"""The event of an installed Wasp, from the launcher to the collector, and back to nothing left."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority, Certificate
from tests.support.collector import Collector
from tests.support.filesystems import give_away, small_filesystem, without_privileges
from tests.support.installed import HOUR, Installed, real_python
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

SHAPE = re.compile(
    r'\{"api_key": "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4", "event": "cli", '
    r'"distinct_id": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", '
    r'"properties": \{"project_hash": "[0-9a-f]{16}", "is_build": false, "deploy_cmd_args": "", '
    r'"wasp_version": "0.25.0", "os": "linux", "context": ""\}\}'
)


def properties(wasp: Installed) -> list[dict[str, Any]]:
    return [delivery.properties for delivery in wasp.collector.deliveries]


# --- what is sent


def test_one_event_of_exactly_this_shape(wasp: Installed, shell: str) -> None:
    assert wasp.used("opted-out", shell=shell).ok().stdout == "1 1\n"
    [delivery] = wasp.collector.deliveries
    assert SHAPE.fullmatch(delivery.body.decode("ascii")), delivery.body
    assert delivery.headers == {
        "host": f"127.0.0.1:{wasp.collector.server.port}",
        "accept-encoding": "identity",
        "content-length": str(len(delivery.body)),
        "content-type": "application/json",
        "user-agent": "wasp",
        "connection": "close",
    }


@pytest.mark.parametrize(
    ("command", "is_build", "keywords"),
    [
        ("build --token=SECRET", True, ""),
        ("build start SECRET", False, ""),
        ("build SECRET start", True, ""),
        ("deploy fly SECRET cmd SECRET deploy", False, "fly;cmd;deploy"),
        ("db deploy SECRET", False, ""),
    ],
)
def test_nothing_of_a_command_but_the_words_that_count(
    wasp: Installed, shell: str, command: str, is_build: bool, keywords: str
) -> None:
    """Neither in the event nor in the arguments of the process, which others can see."""
    wasp.collector.reply = Stall()
    wasp.called(*command.split(), shell=shell)
    wasp.collector.wait_for(1)
    [shown] = wasp.processes().values()
    assert "SECRET" not in shown
    [sent] = properties(wasp)
    assert (sent["is_build"], sent["deploy_cmd_args"]) == (is_build, keywords)


def test_the_event_of_an_install(wasp: Installed) -> None:
    code = "import telemetry_ping as t, sys; t.run(sys.argv[1:])"
    wasp.set(PYTHONPATH=str(wasp.root)).run([real_python(), "-c", code, "installed"]).ok()
    [delivery] = wasp.collector.deliveries
    key = '"CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"'
    shape = rf'{{"api_key": {key}, "type": "capture", "event": "install-script:run", '
    shape += r'"distinct_id": "[1-9][0-9]{23}", "properties": {"os": "linux"}}'
    assert re.fullmatch(shape, delivery.body.decode("ascii"))
    assert not wasp.cache.exists()


def test_what_is_kept_is_kept_to_oneself(wasp: Installed) -> None:
    wasp.cache.mkdir(parents=True)
    wasp.cache.chmod(0o755)
    wasp.used("version")
    assert wasp.cache.stat().st_mode & 0o777 == 0o700
    files = {file.name: file for file in wasp.cache.iterdir()}
    assert sorted(files) == ["lock", wasp.state_file.name, "secret", "sender-0", "signature"]
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}


def test_two_projects_have_two_hashes(wasp: Installed) -> None:
    other = wasp.home / "other"
    (other / "src" / "deep").mkdir(parents=True)
    (other / ".wasproot").touch()
    wasp.used("version")
    wasp.used("version", folder=other / "src" / "deep")
    one, another = properties(wasp)
    assert one["project_hash"] != another["project_hash"]
    wasp.used("version", folder=other)
    assert len(wasp.collector.deliveries) == 2


def test_a_project_entered_through_a_link_is_the_project(wasp: Installed, shell: str) -> None:
    (wasp.folder / "a" / "b").mkdir(parents=True)
    (wasp.here / "link").symlink_to(wasp.folder / "a" / "b")
    wasp.set(PWD=str(wasp.here / "link")).used(folder=wasp.here / "link", shell=shell).ok()
    wasp.used(folder=wasp.folder)
    assert len(wasp.collector.deliveries) == 1


# --- when


def test_a_pause_of_twelve_hours(wasp: Installed) -> None:
    wasp.used("version")
    wasp.used("db", "start")
    assert len(wasp.collector.deliveries) == 1
    wasp.age(12 * HOUR - 30)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 1
    wasp.age(31)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 2


def test_a_build_has_a_pause_of_its_own_and_a_deploy_rides_along(wasp: Installed) -> None:
    for command in ("version", "build", "deploy fly deploy", "build", "build start", "version"):
        wasp.used(*command.split())
    wasp.age(12 * HOUR + 1)
    wasp.used("build")
    told = [(sent["is_build"], sent["deploy_cmd_args"]) for sent in properties(wasp)]
    assert told == [(False, ""), (True, ""), (True, "fly;deploy")]


def test_forty_at_once_are_one(wasp: Installed) -> None:
    script = f"for i in {' '.join('x' * 40)}; do '{wasp.launcher}' version & done; wait"
    wasp.run(["sh", "-c", script])
    wasp.settle()
    assert len(wasp.collector.deliveries) == 1
    assert not wasp.failed


# --- the network


def test_what_was_not_taken_goes_again_after_an_hour_or_two(wasp: Installed) -> None:
    wasp.collector.reply = redirect("/elsewhere", 307)
    wasp.used("deploy", "fly")
    wasp.collector.reply = Content(b"{}")
    wasp.age(HOUR - 30)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 1
    wasp.age(HOUR + 31)
    wasp.used("version")
    assert [sent["deploy_cmd_args"] for sent in properties(wasp)] == ["fly", "fly"]
    assert wasp.collector.server.count("/elsewhere") == 0
    assert (wasp.failed, wasp.state[2]) == (False, "")


@pytest.mark.parametrize(
    ("reply", "failed"),
    [
        (status(503), True),
        (html_page(status=404), True),
        (Reset(), False),
        (html_page(), False),
        (Content(b"x" * 5_000_000), False),
    ],
    ids=["503", "404", "reset", "portal", "huge"],
)
def test_what_an_answer_means(wasp: Installed, reply: Reply, failed: bool) -> None:
    wasp.collector.reply = reply
    wasp.used("version")
    assert wasp.failed is failed


def test_offline(wasp: Installed) -> None:
    holder, port = closed_port()
    with holder:
        wasp.set(WASP_TELEMETRY_URL=f"https://127.0.0.1:{port}/capture/").used("version").ok()
    assert wasp.failed


def test_a_stranger_in_the_collectors_place_gets_nothing(
    wasp: Installed, authority: Authority
) -> None:
    stranger = Server(authority.server_context(Certificate.UNKNOWN_AUTHORITY))
    try:
        collector = Collector(stranger)
        wasp.set(WASP_TELEMETRY_URL=collector.url).used("version")
        assert (stranger.connections, collector.deliveries) == (1, [])
        assert wasp.failed
    finally:
        stranger.close()


def test_a_hashed_folder_of_authorities_will_do(wasp: Installed, authority: Authority) -> None:
    openssl = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(authority.bundle)]
    name = subprocess.run(openssl, capture_output=True, text=True, check=True).stdout.strip()
    (wasp.here / f"{name}.0").write_bytes(authority.bundle.read_bytes())
    for file in (None, "/dev/null"):
        wasp.set(SSL_CERT_FILE=file, SSL_CERT_DIR=str(wasp.here)).used("version")
        wasp.state_file.unlink()
    assert len(wasp.collector.deliveries) == 2


# --- off the hot path


def test_a_collector_that_hangs_holds_nobody_up(wasp: Installed) -> None:
    """The pipes of the run are read to their end before it returns."""
    wasp.collector.reply = Stall()
    run = wasp.called("version").ok()
    wasp.collector.wait_for(1)
    [sender] = wasp.processes()
    assert (run.stdout, run.stderr) == ("0.25.0 1\n", "")
    assert os.getsid(sender) == os.getpgid(sender) == sender
    assert os.getpriority(os.PRIO_PROCESS, sender) == min(19, os.getpriority(0, 0) + 10)
    held = {os.readlink(path) for path in Path(f"/proc/{sender}/fd").iterdir()}
    held = {path for path in held if not path.startswith("socket:")}
    assert held == {"/dev/null", str(wasp.cache / "sender-0")}
    assert os.readlink(f"/proc/{sender}/cwd") == "/"


def test_an_answer_that_drips_ends_at_the_deadline(wasp: Installed) -> None:
    """Also where the caller blocks the signal by which it ends, which all its children inherit."""
    wasp.collector.reply = Drip(b"x" * 300, pieces=300, pause=0.2)
    ping = wasp.root / "telemetry_ping.py"
    text = ping.read_text()
    assert "\nDEADLINE_S: Final = 10\n" in text
    ping.write_text(text.replace("\nDEADLINE_S: Final = 10\n", "\nDEADLINE_S: Final = 1\n"))
    blocked = (
        "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    begun = time.monotonic()
    wasp.run([sys.executable, "-I", "-S", "-c", blocked, str(wasp.launcher), "version"])
    wasp.settle()
    # It would take a minute.
    assert time.monotonic() - begun < 30
    assert len(wasp.collector.deliveries) == 1


def test_no_more_than_eight_send_at_once(wasp: Installed) -> None:
    wasp.collector.reply = Stall()
    folders = [wasp.home / str(number) for number in range(20)]
    for folder in folders:
        folder.mkdir()
        (folder / ".wasproot").touch()
        wasp.called("deploy", "fly", folder=folder)
    deadline = time.monotonic() + 30
    while len(wasp.processes()) > 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    wasp.collector.wait_for(8)
    wasp.stop()
    assert len(wasp.collector.deliveries) == 8
    waiting = [file.read_text().split(" ")[2].strip() for file in wasp.cache.glob("project-*")]
    assert sorted(waiting) == [""] * 8 + ["fly"] * 12


def test_it_holds_no_file_of_its_caller(wasp: Installed) -> None:
    """Who waits for the end of a pipe waits for all who could write into it."""
    wasp.collector.reply = Stall()
    reading, writing = os.pipe()
    high = fcntl.fcntl(writing, fcntl.F_DUPFD, 300)
    null = subprocess.DEVNULL
    subprocess.run(
        [str(wasp.launcher), "version"],
        cwd=wasp.folder,
        env=wasp.environment,
        stdout=null,
        stderr=null,
        pass_fds=[writing, high],
    )
    os.close(writing)
    os.close(high)
    wasp.collector.wait_for(1)
    assert os.read(reading, 1) == b""
    assert wasp.processes(), "the pipe was at its end only because the sender was"
    os.close(reading)


@pytest.mark.parametrize("command", ["version", "telemetry"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(wasp: Installed, command: str, closed: str) -> None:
    run = wasp.run(["sh", "-c", f"'{wasp.launcher}' {command} {closed}"])
    wasp.settle()
    assert "Traceback" not in run.stderr
    assert len(wasp.collector.deliveries) == (command == "version")


def test_ctrl_c_and_a_closed_terminal_do_not_reach_it(wasp: Installed) -> None:
    wasp.collector.reply = Stall()
    with wasp.waiting() as process:
        wasp.collector.wait_for(1)
        for number in (signal.SIGINT, signal.SIGHUP):
            os.killpg(process.pid, number)
        process.communicate()
        [sender] = wasp.processes()
        os.kill(sender, signal.SIGKILL)


def test_it_is_nobodys_child_and_no_zombie(wasp: Installed) -> None:
    with wasp.waiting() as process:
        wasp.collector.wait_for(1)
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""


# --- homes that are not one's own, and what is to stay away


def check_silence(wasp: Installed) -> None:
    run = wasp.used("opted-out")
    assert (run.code, run.stdout, run.stderr) == (0, "1 1\n", "")
    assert wasp.collector.deliveries == []


def test_a_home_of_another_user(wasp: Installed) -> None:
    for path in [wasp.home, *wasp.home.rglob("*")]:
        give_away(path)
    before = wasp.files()
    check_silence(wasp)
    assert wasp.files() == before


def test_a_cache_of_another_user(wasp: Installed) -> None:
    cache = wasp.home / ".cache"
    cache.mkdir()
    give_away(cache)
    check_silence(wasp)
    assert list(cache.iterdir()) == []


def test_a_home_that_is_read_only(wasp: Installed) -> None:
    wasp.home.chmod(0o555)
    argv = [*without_privileges(), str(wasp.launcher), "opted-out"]
    try:
        assert wasp.run(argv).stdout == "1 1\n"
        wasp.settle()
    finally:
        wasp.home.chmod(0o755)
    assert wasp.collector.deliveries == []
    assert not wasp.cache.exists()


@pytest.mark.parametrize("home", [None, "", "relative", "/no/such/home"])
def test_no_home(wasp: Installed, home: str | None) -> None:
    wasp.set(HOME=home)
    before = wasp.files()
    check_silence(wasp)
    assert wasp.files() == before
    assert not Path("/no/such").exists()


def test_a_cache_elsewhere_is_made_but_nothing_above_it(wasp: Installed) -> None:
    wasp.set(XDG_CACHE_HOME=str(wasp.here / "missing" / "cache")).used("version")
    assert list(wasp.here.iterdir()) == []
    wasp.set(XDG_CACHE_HOME=f"{wasp.here}/cache/", HOME=f"{wasp.home}/").used("version")
    assert (wasp.here / "cache" / "wasp" / "telemetry" / "secret").exists()
    assert not wasp.cache.exists()
    assert len(wasp.collector.deliveries) == 1


def test_a_home_that_is_removed_meanwhile_stays_away(wasp: Installed) -> None:
    """At any moment: each call that looks at a file is followed by the removal, in its turn."""
    aside = wasp.base / "aside"
    shutil.copytree(wasp.root, aside)
    for number in range(1000):
        shutil.rmtree(wasp.home, ignore_errors=True)
        wasp.folder.mkdir(parents=True)
        (wasp.folder / ".wasproot").touch()
        shutil.copytree(aside, wasp.root)
        argv = [real_python(), "-I", "-S", "-B", "-c", REMOVING, str(wasp.root), str(number)]
        run = wasp.run([*argv, "invoked", "0.25.0"])
        assert run.stderr == ""
        if run.stdout != "removed\n":
            break
        assert not wasp.home.exists(), number
    assert number > 30
    assert wasp.cache.is_dir()


#: Removes the home before a call that makes or opens something, the one of this number.
REMOVING = """
import os, shutil, sys
left = int(sys.argv[2])
watched = ("open", "os.mkdir", "os.rename", "os.remove", "os.chmod", "fcntl.flock", "os.listdir")
def watch(name, _):
    global left
    if name in watched and left >= 0:
        left -= 1
        if left < 0:
            os.write(1, b"removed\\n")
            shutil.rmtree(os.environ["HOME"])
sys.path.insert(0, sys.argv[1])
import telemetry_ping
sys.addaudithook(watch)
telemetry_ping.run(sys.argv[3:])
"""


def test_an_uninstall_is_not_counted_and_brings_nothing_back(wasp: Installed, shell: str) -> None:
    wasp.used("version", shell=shell)
    wasp.state_file.unlink()
    wasp.binary.write_text('#!/bin/sh\nrm -rf "$HOME/.cache" "$HOME/.local"\n')
    wasp.used("uninstall", shell=shell).ok()
    assert wasp.files() == ["my app", "my app/.wasproot"]
    assert len(wasp.collector.deliveries) == 1


def test_a_full_disk(wasp: Installed) -> None:
    cache = wasp.base / "small"
    with small_filesystem(cache, "size=64k,mode=700"):
        (cache / "filler").write_bytes(b"x" * 65536)
        wasp.set(XDG_CACHE_HOME=str(cache))
        check_silence(wasp)
        (cache / "filler").unlink()
        wasp.used("version")
        assert len(wasp.collector.deliveries) == 1


# --- what it costs


def loaded_from(wasp: Installed) -> str:
    """Whether an import compiles the ping, or takes what was kept of it."""
    show = "import sys; sys.path.insert(0, sys.argv[1]); import telemetry_ping"
    run = wasp.run([real_python(), "-I", "-S", "-B", "-v", "-c", show, str(wasp.root)])
    found = re.search("# code object from '?.*telemetry_ping[^ ]*(py|pyc)'?\n", run.stderr)
    assert found
    return found[1]


def test_python_keeps_what_it_compiled_in_a_folder_of_this_user(wasp: Installed) -> None:
    assert loaded_from(wasp) == "py"
    wasp.used("version")
    kept = sorted(file.name.partition(".")[0] for file in (wasp.root / "__pycache__").iterdir())
    assert kept == ["telemetry_messages", "telemetry_ping"]
    assert loaded_from(wasp) == "pyc"
    ping = wasp.root / "telemetry_ping.py"
    ping.write_text(ping.read_text() + "# of an update\n")
    assert loaded_from(wasp) == "py"
    wasp.state_file.unlink()
    wasp.used("version")
    assert loaded_from(wasp) == "pyc"


def test_python_keeps_nothing_in_a_folder_of_another_user(wasp: Installed) -> None:
    wasp.put(wasp.here)
    give_away(wasp.root)
    wasp.used("version")
    assert len(wasp.collector.deliveries) == 1
    assert not (wasp.root / "__pycache__").exists()


_IMPORTS = """
import sys
sys.path.insert(0, sys.argv[1])
import telemetry_ping
before = set(sys.modules)
telemetry_ping.main(["invoked", "0.25.0", "version"])
print(*set(sys.modules) - before, sep="\\n")
"""


def test_a_pause_imports_next_to_nothing(wasp: Installed) -> None:
    """Each module of the standard library costs milliseconds of somebody's processor."""
    wasp.used("version")
    run = wasp.run([real_python(), "-I", "-S", "-c", _IMPORTS, str(wasp.root)]).ok()
    # SHA-256 is found under one of two names, and nothing else is asked for.
    assert len(run.stdout.split()) == 1, run.stdout


def pythons() -> list[str]:
    """All that this machine has, from the oldest that the ping knows on; this one at least."""
    found = {real_python()}
    for minor in range(8, 20):
        name = shutil.which(f"python3.{minor}")
        if name is not None:
            # A version manager wants to be told which.
            environment = {**os.environ, "PYENV_VERSION": f"3.{minor}"}
            asked = [name, "-I", "-S", "-c", "import sys; print(sys.executable)"]
            said = subprocess.run(asked, env=environment, capture_output=True, text=True)
            found.update(said.stdout.split() if said.returncode == 0 else [])
    return sorted(found)


def test_any_python_of_the_machine_will_do(wasp: Installed) -> None:
    wasp.set(WASP_AUTO_NEWS_DISABLE=None)
    for python in pythons():
        wasp.put(wasp.prefix, python=python)
        shutil.rmtree(wasp.cache, ignore_errors=True)
        wasp.used("deploy", "fly").ok()
        event = wasp.collector.events.pop()
        assert event["properties"]["deploy_cmd_args"] == "fly", python
        assert (wasp.cache / "messages.json").exists(), python
        shown = wasp.called("telemetry", "show").ok()
        assert json.loads(shown.stdout)["distinct_id"] == event["distinct_id"], python
        assert "other commands: after 20" in shown.stderr, python
        wasp.collector.forget()
