"""`wasp installer update`: the installer that is published today does it, for this very prefix."""

from __future__ import annotations

import pytest

from tests.support.frontends import INSTALL_SH
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.replies import Content, Reply, status
from tests.support.trees import Layout, picture


@pytest.fixture
def machine(shell_machine: Machine, upstream: Upstream) -> Machine:
    """With 0.24.0, while 0.25.0 is published, and a newer installer."""
    shell_machine.layout.plant("0.24.0")
    shell_machine.run("use", "0.24.0").ok()
    for version in ("0.24.5", "0.25.0"):
        upstream.publish(version)
    upstream.server.answer("/install.sh", Content(published()))
    return shell_machine.set(WASP_INSTALLER_URL=f"{upstream.server.url}/install.sh")


def published() -> bytes:
    text = INSTALL_SH.read_text()
    return text.replace("INSTALLER_VERSION=", "INSTALLER_VERSION=9", 1).encode()


def test_the_newest_version_and_the_newer_installer(machine: Machine) -> None:
    run = machine.wasp("installer", "update").ok()
    run.says("Installed Wasp 0.25.0", "To go back to Wasp 0.24.0: wasp installer use 0.24.0")
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert "\nINSTALLER_VERSION=9" in (machine.layout.share / "wasp-installer.sh").read_text()
    assert machine.wasp("installer", "-V").stdout.startswith("Wasp installer 9")
    machine.wasp("installer", "update").ok().says("Wasp 0.25.0 is already installed")


TOLD = {
    # What is typed, and what the published installer is told.
    "": "install",
    "0.24.5": "install --version 0.24.5",
    "v0.24.5 --quiet": "install --quiet --version 0.24.5",
    "-v 0.24.5": "install -v 0.24.5",
}


def test_what_the_published_installer_is_told(machine: Machine, upstream: Upstream) -> None:
    """And its exit code is that of the command."""
    text = '#!/bin/sh\n{\necho "$@"\nexit 9\n}\n'
    upstream.server.answer("/install.sh", Content(text.encode()))
    for typed, told in TOLD.items():
        run = machine.run("update", *typed.split())
        assert (run.code, run.stdout) == (9, f"{told}\n")


def test_another_prefix_and_its_options(machine: Machine) -> None:
    layout = Layout(machine.root / "a = b's")
    machine.run("install", "--prefix", str(layout.prefix), "-v", "0.24.5").ok()
    program = [str(layout.launcher), "installer", "update", "--no-modify-path", "--dry-run"]
    run = machine.run_program(program).ok()
    assert "Would install Wasp 0.25.0" in run.stderr
    assert layout.versions() == ["0.24.5"]
    machine.run_program(program[:-1]).ok()
    assert layout.versions() == ["0.24.5", "0.25.0"]
    assert machine.layout.versions() == ["0.24.0"]


UNUSABLE: dict[str, tuple[Reply, str]] = {
    "cut": (Content(published()[:-2000]), "bad-answer"),
    "another text": (Content(b"#!/bin/sh\ntouch made\n"), "bad-answer"),
    "nothing": (Content(b""), "bad-answer"),
    "a web page": (Content(b"<!doctype html><html>log in</html>"), "captive-portal"),
    "not there": (status(404), "http-status"),
    "refused": (status(403), "http-status"),
}


def test_what_is_no_installer_does_nothing(machine: Machine, upstream: Upstream) -> None:
    before = picture(machine.home)
    for name, (reply, slug) in UNUSABLE.items():
        upstream.server.answer("/install.sh", reply)
        run = machine.run("update", "--porcelain")
        assert (run.code, run.json["error"]) == (4, slug), name
    machine.set(WASP_INSTALLER_URL="http://example.com/install.sh")
    machine.run("update", "--porcelain").failed(4, "insecure-url")
    assert picture(machine.home) == before


def test_where_a_package_manager_owns_the_files(machine: Machine, upstream: Upstream) -> None:
    (machine.layout.share / "wasp-installer.sh").unlink()
    before = upstream.server.connections
    run = machine.wasp("installer", "update")
    assert run.code == 127
    run.says("package manager")
    assert upstream.server.connections == before
