"""The event of an installed Wasp, from the launcher to the collector, and back to nothing left."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import telemetry_ping as ping
from tests.support.certificates import Authority, Certificate
from tests.support.collector import Collector
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


WORDS = {
    "build --token=SECRET": (True, ""),
    "build start SECRET": (False, ""),
    "build SECRET start": (True, ""),
    "deploy fly SECRET cmd SECRET deploy": (False, "fly;cmd;deploy"),
    "deploy": (False, ""),
    "db deploy SECRET": (False, ""),
}


def test_only_the_words_that_count_are_handed_over(wasp: Installed, shell: str) -> None:
    """Others can see the arguments of a process."""
    python, log = wasp.base / "python", wasp.base / "log"
    python.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    for command, (is_build, keywords) in WORDS.items():
        wasp.used(*command.split(), shell=shell)
        shown = log.read_text()
        log.unlink()
        assert "SECRET" not in shown
        words = shown.partition(" invoked 0.25.0")[2].split()
        assert (ping.is_build(words), ping.deploy_keywords(words)) == (is_build, keywords)


def test_wasp_gets_the_processor_first(wasp: Installed, shell: str) -> None:
    python, log = wasp.base / "python", wasp.base / "log"
    python.write_text(f"#!/bin/sh\nnice >'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    wasp.used("version", shell=shell)
    assert int(log.read_text()) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_the_event_of_an_install(wasp: Installed) -> None:
    """Its sender, too, leaves the processor to others."""
    code = "import telemetry_ping as t, os, sys; t.main(sys.argv[1:]); print(os.nice(0))"
    sent = wasp.set(PYTHONPATH=str(wasp.root)).run([real_python(), "-c", code, "installed"]).ok()
    assert int(sent.stdout) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
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


def test_a_build_has_a_pause_of_its_own_and_a_deploy_rides_along(wasp: Installed) -> None:
    for command in ("version", "build", "deploy fly deploy", "build", "build start", "version"):
        wasp.used(*command.split())
    wasp.age(12 * HOUR - 30)
    wasp.used("build")
    assert len(wasp.collector.deliveries) == 2
    wasp.age(31)
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
    # The first of all runs also keeps what Python has compiled.
    wasp.used("version").ok()
    wasp.state_file.unlink()
    wasp.collector.reply = Stall()
    run = wasp.called("version").ok()
    wasp.collector.wait_for(2)
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
    module = wasp.root / "telemetry_ping.py"
    text = module.read_text()
    assert "\nDEADLINE_S = 10\n" in text
    module.write_text(text.replace("\nDEADLINE_S = 10\n", "\nDEADLINE_S = 1\n"))
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


def test_no_signal_of_a_terminal_ends_it_before_it_has_left(wasp: Installed, shell: str) -> None:
    """While Python starts, it still belongs to the terminal."""
    # posh lets no program ignore the other two.
    signals = ("HUP",) if shell == "posh" else ("HUP", "INT", "QUIT")
    python, log = wasp.base / "python", wasp.base / "log"
    kills = "".join(f"kill -{name} $$\n" for name in signals)
    python.write_text(f"#!/bin/sh\n{kills}echo on >>'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    wasp.used("version", shell=shell).ok()
    assert log.read_text() == "on\n"


def test_it_is_nobodys_child_and_no_zombie(wasp: Installed) -> None:
    with wasp.waiting() as process:
        wasp.collector.wait_for(1)
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""
