"""`wasp installer update`: the installer that is published today does it, for this very prefix."""

from __future__ import annotations

import pytest

from tests.support.frontends import INSTALL_SH
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.replies import Content, Reply, status
from tests.support.trees import Layout, picture

PUBLISHED = INSTALL_SH.read_bytes().replace(b"INSTALLER_VERSION=", b"INSTALLER_VERSION=9", 1)


@pytest.fixture
def machine(shell_machine: Machine, upstream: Upstream) -> Machine:
    """With 0.24.0, while 0.25.0 is published, and a newer installer."""
    shell_machine.layout.plant("0.24.0")
    shell_machine.run("use", "0.24.0").ok()
    for version in ("0.24.5", "0.25.0"):
        upstream.publish(version)
    upstream.server.answer("/install.sh", Content(PUBLISHED))
    return shell_machine.set(WASP_INSTALLER_URL=f"{upstream.server.url}/install.sh")


def test_the_newest_version_and_the_newer_installer(machine: Machine) -> None:
    run = machine.wasp("installer", "update").ok()
    run.says("Installed Wasp 0.25.0", "To go back to Wasp 0.24.0: wasp installer use 0.24.0")
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert "\nINSTALLER_VERSION=9" in (machine.layout.share / "wasp-installer.sh").read_text()
    assert machine.wasp("installer", "-V").stdout.startswith("Wasp installer 9")
    machine.wasp("installer", "update").ok().says("Wasp 0.25.0 is already installed")


#: What is typed, and what the published installer is told.
TOLD = {
    "": "install",
    "0.24.5": "install --version 0.24.5",
    "v0.24.5 --quiet": "install --quiet --version 0.24.5",
    "-v 0.24.5": "install -v 0.24.5",
}


def test_what_the_published_installer_is_told(machine: Machine, upstream: Upstream) -> None:
    """And its exit code is that of the command."""
    upstream.server.answer("/install.sh", Content(b'#!/bin/sh\n{\necho "$@"\nexit 9\n}\n'))
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


UNUSABLE: tuple[tuple[Reply, str], ...] = (
    (Content(PUBLISHED[:-2000]), "bad-answer"),
    (Content(b"#!/bin/sh\ntouch made\n"), "bad-answer"),
    (Content(b""), "bad-answer"),
    (Content(b"<!doctype html><html>log in</html>"), "captive-portal"),
    (status(404), "http-status"),
    (status(403), "http-status"),
)


def test_what_is_no_installer_does_nothing(machine: Machine, upstream: Upstream) -> None:
    before = picture(machine.home)
    for reply, slug in UNUSABLE:
        upstream.server.answer("/install.sh", reply)
        machine.run("update", "--json").failed(4, slug)
    machine.set(WASP_INSTALLER_URL="http://example.com/install.sh")
    machine.run("update", "--json").failed(4, "insecure-url")
    assert picture(machine.home) == before


def test_where_a_package_manager_owns_the_files(machine: Machine, upstream: Upstream) -> None:
    (machine.layout.share / "wasp-installer.sh").unlink()
    before = upstream.server.connections
    run = machine.wasp("installer", "update")
    assert run.code == 127
    run.says("package manager")
    assert upstream.server.connections == before
