"""Stopped in the middle: nothing is left, the exit code tells, and the next run cleans up."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.support.frontends import PYTHON, SH
from tests.support.machines import Background, Machine
from tests.support.releases import Release, Upstream, npm_cli_path, npm_tarball_path
from tests.support.replies import Content, StallAfter
from tests.support.trees import expected_version_folder, picture

TARBALL = npm_tarball_path("0.25.0", "linux-x64-glibc")


@pytest.fixture
def release(machine: Machine, upstream: Upstream) -> Release:
    machine.toolbox.fake_uname("Linux", "x86_64").fake_glibc("2.36")
    return upstream.publish("0.25.0")


def start_until_the_middle(machine: Machine, upstream: Upstream, path: str) -> Background:
    """An install that has half of what is there, and will not get the rest."""
    whole = upstream.server.reply_of(path)
    assert isinstance(whole, Content)
    stalled = StallAfter(whole.body, len(whole.body) // 2)
    upstream.server.answer(path, stalled)
    # A signal must end it; nothing else would in time.
    machine.set(WASP_HTTP_TIMEOUT="200")
    running = machine.start("install", "--json", "--version", "0.25.0")
    assert stalled.reached.wait(60)
    upstream.server.answer(path, whole)
    return running


@pytest.mark.parametrize(
    ("path", "number", "is_for_all"),
    [
        (TARBALL, signal.SIGINT, True),
        (TARBALL, signal.SIGINT, False),
        (TARBALL, signal.SIGTERM, False),
        (TARBALL, signal.SIGHUP, True),
        (npm_cli_path("0.25.0"), signal.SIGTERM, False),
    ],
)
@pytest.mark.usefixtures("release")
def test_a_signal_in_the_middle(
    machine: Machine, upstream: Upstream, path: str, number: signal.Signals, is_for_all: bool
) -> None:
    """To the whole group, as a terminal sends it, or to the run alone."""
    running = start_until_the_middle(machine, upstream, path)
    running.interrupt_group(number) if is_for_all else running.interrupt_process(number)
    running.result().failed(128 + number, "interrupted")
    assert picture(machine.home) == {}


@pytest.mark.parametrize("tool", ["uname", "npm"])
def test_ctrl_c_while_another_program_is_asked(machine: Machine, tool: str) -> None:
    """Also where that hangs; nothing of it is left."""
    asked = machine.set(WASP_NPM_REGISTRY=None).home / "asked"
    machine.toolbox.script(tool, f': >"{asked}"; sleep 20; echo Linux')
    running = machine.start("install", "--json", "--dry-run")
    while not asked.exists():
        time.sleep(0.01)
    running.interrupt_group(signal.SIGINT)
    running.result().failed(130, "interrupted")
    asked.unlink()
    assert picture(machine.home) == {}


def test_the_next_run_cleans_up_after_a_killed_one(
    machine: Machine, upstream: Upstream, release: Release
) -> None:
    """Each after the other; what needs no cleaning does not mind what was left."""
    running = start_until_the_middle(machine, upstream, TARBALL)
    running.interrupt_group(signal.SIGKILL)
    assert running.result().code == -signal.SIGKILL
    assert machine.layout.staging(), "nothing to clean up: the test shows nothing"
    for left in machine.temporary.iterdir():
        # It may be anybody's until then.
        os.utime(left, (time.time() - 2 * 86400,) * 2)
    machine.front_end = PYTHON if machine.front_end.is_shell else SH
    assert machine.run("list", "--json").ok().json["versions"] == []
    assert machine.layout.staging()
    machine.install("0.25.0").ok()
    assert machine.layout.staging() == []
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert not [item for item in machine.layout.share.iterdir() if item.name.startswith(".")]
    assert [item.name for item in machine.layout.launcher.parent.iterdir()] == ["wasp"]


def test_installs_at_once(shell_machine: Machine, upstream: Upstream) -> None:
    """Of the same and of others, by both getters, while another is made the current one."""
    machine = shell_machine
    versions = ["0.25.0"] * 4 + ["0.25.1", "0.25.2"]
    releases = {version: upstream.publish(version) for version in versions}
    machine.layout.plant("0.23.0")
    commands = [["install", "--version", version] for version in versions] + [["use", "0.23.0"]]
    running = []
    for number, command in enumerate(commands):
        machine.front_end = (SH, PYTHON)[number % 2]
        running.append(machine.start(*command, "--json"))
    for run in [start.result() for start in running]:
        assert run.ok().json["status"] in ("installed", "already-installed", "switched")
    assert machine.layout.versions() == sorted({*versions, "0.23.0"})
    for version, release in releases.items():
        expected = expected_version_folder(release.package)
        assert machine.layout.version_picture(version) == expected
        assert machine.layout.receipt(version)["version"] == version
    assert [item.name for item in machine.layout.launcher.parent.iterdir()] == ["wasp"]
    assert machine.wasp("version").stdout.strip() in (*versions, "0.23.0")
