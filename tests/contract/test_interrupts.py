"""Stopped in the middle: nothing is left, the exit code tells, and the next run cleans up."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from tests.support.frontends import BY_NAME, FrontEnd
from tests.support.machines import Background, Machine
from tests.support.releases import Release, Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import Gate, Stall, StallAfter
from tests.support.trees import expected_version_folder, picture

TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def release(machine: Machine, upstream: Upstream) -> Release:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return upstream.publish("0.25.0")


def start_until_the_middle(machine: Machine, upstream: Upstream, release: Release) -> Background:
    """An install that has half of the archive, and will not get the rest."""
    stalled = StallAfter(release.npm_archive, len(release.npm_archive) // 2)
    upstream.server.answer(TARBALL, stalled)
    # A signal must end it; nothing else would in time.
    machine.set(WASP_HTTP_TIMEOUT="200")
    running = machine.start("install", "--json", "--version", "0.25.0")
    assert stalled.reached.wait(60)
    return running


@pytest.mark.parametrize("number", CODES, ids=["INT", "TERM"])
@pytest.mark.parametrize(
    "send", [Background.interrupt_group, Background.interrupt_process], ids=["group", "process"]
)
def test_a_signal_in_the_middle_of_the_download(
    machine: Machine,
    upstream: Upstream,
    release: Release,
    number: signal.Signals,
    send: Callable[[Background, signal.Signals], None],
) -> None:
    running = start_until_the_middle(machine, upstream, release)
    send(running, number)
    running.result().failed(CODES[number], "interrupted")
    assert picture(machine.home) == {}


@pytest.mark.parametrize("number", CODES, ids=["INT", "TERM"])
def test_a_signal_while_the_metadata_is_awaited(
    machine: Machine, upstream: Upstream, number: signal.Signals
) -> None:
    upstream.server.answer(npm_cli_path("latest"), Stall())
    machine.set(WASP_HTTP_TIMEOUT="200")
    running = machine.start("install", "--json")
    upstream.server.wait_for(npm_cli_path("latest"))
    running.interrupt_process(number)
    running.result().failed(CODES[number], "interrupted")
    assert picture(machine.home) == {}


def test_ctrl_c_while_the_platform_is_found_out(shell_machine: Machine) -> None:
    """A shell that waits for another program, and then for the next one."""
    shell_machine.toolbox.script("uname", ': >"$HOME/asked"; sleep 20; echo Linux')
    asked = shell_machine.home / "asked"
    running = shell_machine.start("list", "--json")
    while not asked.exists():
        time.sleep(0.01)
    asked.unlink()
    running.interrupt_group(signal.SIGINT)
    running.result().failed(130, "interrupted")
    assert picture(shell_machine.home) == {}


def test_an_interrupted_install_keeps_the_version_before(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    machine.layout.plant("0.24.0")
    machine.run("use", "0.24.0").ok()
    before = picture(machine.home)
    running = start_until_the_middle(machine, upstream, release)
    running.interrupt_group(signal.SIGINT)
    assert running.result().code == 130
    assert picture(machine.home) == before


def test_after_an_interrupted_install_the_next_one_succeeds(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    fine = upstream.server.reply_of(TARBALL)
    start = start_until_the_middle(machine, upstream, release)
    start.interrupt_group(signal.SIGTERM)
    start.result()
    upstream.server.answer(TARBALL, fine)
    machine.install("0.25.0").ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


# --- Killed --------------------------------------------------------------------------------------


def killed_in_the_middle(machine: Machine, upstream: Upstream, release: Release) -> None:
    fine = upstream.server.reply_of(TARBALL)
    running = start_until_the_middle(machine, upstream, release)
    running.interrupt_group(signal.SIGKILL)
    assert running.result().code == -signal.SIGKILL
    upstream.server.answer(TARBALL, fine)


def test_the_next_run_cleans_up_after_a_killed_one(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    killed_in_the_middle(machine, upstream, release)
    assert machine.layout.staging(), "nothing to clean up: the test shows nothing"
    machine.install("0.25.0").ok()
    assert machine.layout.staging() == []
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert {item.name for item in machine.layout.share.iterdir()} == {
        "0.25.0",
        "completions",
        "telemetry_ping.py",
    }
    assert {item.name for item in machine.layout.launcher.parent.iterdir()} == {"wasp"}


def test_each_front_end_cleans_up_after_the_other(
    front_end: FrontEnd,
    machine: Machine,
    upstream: Upstream,
    release: Release,
) -> None:
    other = BY_NAME["dash" if front_end.name == "python" else "python"]
    killed_in_the_middle(machine, upstream, release)
    machine.front_end = other
    machine.install("0.25.0").ok()
    assert machine.layout.staging() == []


def test_other_commands_do_not_mind_what_a_killed_run_left(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    machine.layout.plant("0.24.0")
    killed_in_the_middle(machine, upstream, release)
    assert machine.run("list", "--json").ok().json["versions"] == ["0.24.0"]
    machine.run("use", "0.24.0").ok()
    assert machine.wasp("version").stdout == "0.24.0\n"
    machine.run("uninstall", "--yes").ok()
    assert not machine.layout.share.exists()


def test_what_a_running_install_has_so_far_is_kept(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    gate = Gate(release.npm_archive, len(release.npm_archive) // 2)
    upstream.publish("0.24.0", latest=False)
    upstream.server.answer(TARBALL, gate)
    running = machine.start("install", "--json", "--version", "0.25.0")
    try:
        assert gate.reached.wait(60)
        kept = machine.layout.staging()
        machine.install("0.24.0").ok()
        assert machine.layout.staging() == kept
        assert kept
    finally:
        gate.opened.set()
    running.result().ok()
    assert machine.layout.versions() == ["0.24.0", "0.25.0"]
    assert machine.wasp("version").stdout == "0.25.0\n"


# --- Many at once --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "versions", [["0.25.0"] * 8, [f"0.25.{n}" for n in range(8)]], ids=["same", "different"]
)
def test_eight_installs_at_once(machine: Machine, upstream: Upstream, versions: list[str]) -> None:
    releases = {version: upstream.publish(version) for version in versions}
    running = [machine.start("install", "--json", "--version", version) for version in versions]
    for run in [start.result() for start in running]:
        assert run.ok().json["status"] in ("installed", "already-installed")
    assert machine.layout.versions() == sorted(set(versions))
    for version, release in releases.items():
        expected = expected_version_folder(release.package)
        assert machine.layout.version_picture(version) == expected
        assert machine.layout.receipt(version)["version"] == version
    assert {item.name for item in machine.layout.launcher.parent.iterdir()} == {"wasp"}
    assert machine.wasp("version").stdout.strip() in versions


def test_use_and_install_at_once(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.layout.plant("0.23.0")
    machine.layout.plant("0.24.0")
    commands = [["install", "--version", "0.25.0"], ["use", "0.23.0"], ["use", "0.24.0"]] * 2
    for run in [machine.start(*command) for command in commands]:
        run.result().ok()
    assert machine.wasp("version").stdout.strip() in ("0.23.0", "0.24.0", "0.25.0")
