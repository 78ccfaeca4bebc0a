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
from tests.support.certificates import Authority
from tests.support.installed import HOUR, Installed, real_python
from tests.support.replies import Drip, Stall, redirect

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


def test_the_sender_of_an_install_too_leaves_the_processor_to_others(wasp: Installed) -> None:
    code = "import telemetry_ping as t, os; t.main(['installed']); print(os.nice(0))"
    sent = wasp.set(PYTHONPATH=str(wasp.root)).run([real_python(), "-c", code]).ok()
    assert int(sent.stdout) == max(10, os.getpriority(os.PRIO_PROCESS, 0))
    assert len(wasp.collector.deliveries) == 1
    assert not wasp.cache.exists()


WORDS = {
    "build --token=SECRET": (True, ""),
    "build start SECRET": (False, ""),
    "build SECRET start": (True, ""),
    "deploy fly SECRET setup create-db cmd deploy": (False, "fly;setup;create-db;cmd;deploy"),
    "deploy": (False, ""),
    "db deploy SECRET": (False, ""),
}


def test_how_the_launcher_starts_it(wasp: Installed, shell: str) -> None:
    """With the words that count, as others can see the arguments of a process; at low priority; and
    out of reach of the terminal's signals, for while Python starts it still belongs to that."""
    # posh lets no program ignore the other two.
    signals = ("HUP",) if shell == "posh" else ("HUP", "INT", "QUIT")
    kills = "".join(f"kill -{name} $$\n" for name in signals)
    python, log = wasp.base / "python", wasp.base / "log"
    python.write_text(f"#!/bin/sh\n{kills}echo \"$* $(nice)\" >'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    for command, (is_build, keywords) in WORDS.items():
        wasp.used(*command.split(), shell=shell)
        shown = log.read_text()
        log.unlink()
        assert "SECRET" not in shown
        *words, nice = shown.partition(" invoked 0.25.0")[2].split()
        assert (ping.is_build(words), ping.deploy_keywords(words)) == (is_build, keywords)
        assert int(nice) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_what_is_kept_is_kept_to_oneself(wasp: Installed) -> None:
    wasp.cache.mkdir(parents=True)
    wasp.cache.chmod(0o755)
    wasp.used("version")
    assert wasp.cache.stat().st_mode & 0o777 == 0o700
    files = {file.name: file for file in wasp.cache.iterdir()}
    assert sorted(files) == ["lock", wasp.state_file.name, "secret", "sender-0", "signature"]
    assert {file.stat().st_mode & 0o777 for file in files.values()} == {0o600}


def test_two_projects_have_two_hashes_also_from_below_and_through_a_link(
    wasp: Installed, shell: str
) -> None:
    other, link = wasp.home / "other", wasp.here / "link"
    (other / "src" / "deep").mkdir(parents=True)
    (other / ".wasproot").touch()
    link.symlink_to(other / "src" / "deep")
    wasp.used(shell=shell)
    wasp.set(PWD=str(link)).used(folder=link, shell=shell)
    one, another = properties(wasp)
    assert one["project_hash"] != another["project_hash"]
    wasp.used(folder=other, shell=shell)
    assert len(wasp.collector.deliveries) == 2


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


def test_a_redirect_is_not_followed(wasp: Installed) -> None:
    wasp.collector.reply = redirect("/elsewhere", 307)
    wasp.used("deploy", "fly")
    assert wasp.collector.server.count("/elsewhere") == 0
    assert (wasp.failed, wasp.state[2]) == (True, "fly")


def test_a_stranger_gets_nothing_and_a_hashed_folder_of_authorities_will_do(
    wasp: Installed, authority: Authority
) -> None:
    wasp.set(SSL_CERT_FILE="/dev/null", SSL_CERT_DIR=str(wasp.here)).used("version")
    assert (wasp.collector.server.connections, wasp.collector.deliveries) == (1, [])
    assert wasp.failed
    openssl = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(authority.bundle)]
    name = subprocess.run(openssl, capture_output=True, text=True, check=True).stdout.strip()
    (wasp.here / f"{name}.0").write_bytes(authority.bundle.read_bytes())
    for file in (None, "/dev/null"):
        wasp.state_file.unlink()
        wasp.set(SSL_CERT_FILE=file).used("version")
    assert len(wasp.collector.deliveries) == 2


# --- off the hot path


def test_a_collector_that_hangs_holds_nobody_up(wasp: Installed) -> None:
    """The pipes of the run are read to their end before it returns, and no file stays open that
    the caller has open: who waits for the end of a pipe waits for all who could write into it."""
    # The first of all runs also keeps what Python has compiled.
    wasp.used("version").ok()
    wasp.state_file.unlink()
    wasp.collector.reply = Stall()
    with open(os.devnull, "wb") as file, (wasp.here / "open").open("wb") as other:
        high = fcntl.fcntl(other.fileno(), fcntl.F_DUPFD, 300)
        run = subprocess.run(
            [str(wasp.launcher), "version"],
            cwd=wasp.folder,
            env=wasp.environment,
            input=b"",
            capture_output=True,
            pass_fds=[file.fileno(), other.fileno(), high],
        )
        os.close(high)
    wasp.collector.wait_for(2)
    [sender] = wasp.processes()
    assert (run.stdout, run.stderr) == (b"0.25.0 1\n", b"")
    assert os.getsid(sender) == os.getpgid(sender) == sender
    assert os.getpriority(os.PRIO_PROCESS, sender) == min(19, os.getpriority(0, 0) + 10)
    held = {path.name: os.readlink(path) for path in Path(f"/proc/{sender}/fd").iterdir()}
    files = sorted(name for name in held.values() if not name.startswith("socket:"))
    assert files == ["/dev/null"] * 3 + [str(wasp.cache / "sender-0")]
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
    for number in range(20):
        folder = wasp.home / str(number)
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


@pytest.mark.parametrize("command", ["version", "telemetry"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(wasp: Installed, command: str, closed: str) -> None:
    run = wasp.run(["sh", "-c", f"'{wasp.launcher}' {command} {closed}"])
    wasp.settle()
    assert "Traceback" not in run.stderr
    assert len(wasp.collector.deliveries) == (command == "version")


def test_it_is_nobodys_child_and_ctrl_c_and_a_closed_terminal_do_not_reach_it(
    wasp: Installed,
) -> None:
    wasp.collector.reply = Stall()
    with wasp.waiting() as process:
        wasp.collector.wait_for(1)
        assert Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text() == ""
        for number in (signal.SIGINT, signal.SIGHUP):
            os.killpg(process.pid, number)
        process.communicate()
        [sender] = wasp.processes()
        os.kill(sender, signal.SIGKILL)
