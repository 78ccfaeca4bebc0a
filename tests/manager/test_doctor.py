"""`wasp installer doctor`: what this machine is, and what stands in the way."""

from __future__ import annotations

import os

import pytest

from tests.manager.homes import install
from tests.support.machines import Machine, Run
from tests.support.releases import Upstream
from tests.support.trees import picture


@pytest.fixture
def machine(shell_machine: Machine, upstream: Upstream) -> Machine:
    """One on which all is well."""
    upstream.publish("0.25.0", node=">=24.14.1")
    shell_machine.toolbox.fake_node("24.14.1")
    shell_machine.install().ok()
    path = shell_machine.environment["PATH"]
    return shell_machine.set(PATH=f"{shell_machine.home}/.local/bin:{path}")


def lines(run: Run) -> dict[str, str]:
    """What is shown, by its name; what stands in the way, by the "!" before it."""
    found = [line for line in run.stdout.splitlines() if line[0] != " "]
    return {line[:12].rstrip(): line[13:] for line in found}


def objections(run: Run) -> list[str]:
    return [line.strip()[2:] for line in run.stdout.splitlines() if line.strip()[:2] == "! "]


def test_all_is_well(machine: Machine, upstream: Upstream) -> None:
    before, connections = picture(machine.home), upstream.server.connections
    run = machine.wasp("installer", "doctor").ok()
    shown = lines(run)
    assert shown["current"] == "0.25.0, by ~/.local/bin/wasp"
    assert shown["versions"] == shown["runs here"] == "0.25.0"
    assert shown["PATH"] == "wasp is ~/.local/bin/wasp"
    assert "~/.bashrc" in shown["start-up"]
    assert shown["Node.js"] == "24.14.1, wanted: >=24.14.1"
    assert shown["registry"] == upstream.npm_url
    assert shown["left over"] == "none"
    assert shown["result"] == "All is well."
    assert "glibc" in shown["machine"]
    assert run.stderr == ""
    assert picture(machine.home) == before
    assert upstream.server.connections == connections, "it needs no network"


def test_a_project_and_the_version_that_it_wants(machine: Machine) -> None:
    install(machine, version="0.24.0")
    (machine.here / ".wasproot").touch()
    (machine.here / "main.wasp").write_text('app x { wasp: { version: "^0.25.0" } }')
    shown = lines(machine.wasp("installer", "doctor").ok())
    assert shown["current"].startswith("0.24.0")
    assert shown["runs here"] == "0.25.0, which this project wants"
    for file in list(machine.here.iterdir()):
        file.unlink()


@pytest.mark.parametrize("proxy", ["http://me:hidden2@", "me:hidden2@", "http://me:hid/den@2@", ""])
def test_secrets_are_not_shown(machine: Machine, proxy: str) -> None:
    machine.set(
        WASP_NPM_REGISTRY="https://me:hidden1@registry.example.com/npm",
        HTTPS_PROXY=f"{proxy}proxy.example.com:8080",
    )
    run = machine.wasp("installer", "doctor").ok()
    assert lines(run)["registry"] == "https://registry.example.com/npm"
    assert lines(run)["proxy"] == "proxy.example.com:8080"
    assert "hid" not in run.stdout + run.stderr


def test_nothing_is_installed(shell_machine: Machine) -> None:
    run = shell_machine.run("doctor")
    assert run.code == 5
    assert any("To install Wasp: curl -fsSL " in text for text in objections(run))
    assert picture(shell_machine.home) == {}


def test_a_machine_that_wasp_does_not_run_on(machine: Machine) -> None:
    machine.toolbox.fake_uname("FreeBSD", "amd64")
    run = machine.run("doctor").failed(3).says("Wasp has no release for FreeBSD.")
    assert lines(run)["machine"] == "FreeBSD amd64"
    assert "All is well" not in run.stdout


def test_what_a_killed_run_left(machine: Machine) -> None:
    (machine.layout.share / ".staging-elsewhere-1-abcdef").mkdir()
    os.utime(machine.layout.share / ".staging-elsewhere-1-abcdef", (0, 0))
    run = machine.wasp("installer", "doctor").ok()
    assert lines(run)["left over"] == (
        "~/.local/share/wasp-lang/.staging-elsewhere-1-abcdef (the next install removes it)"
    )
    machine.run("use", "0.25.0").ok()
    assert lines(machine.wasp("installer", "doctor").ok())["left over"] == "none"


def break_path(machine: Machine) -> None:
    machine.set(PATH=machine.environment["PATH"].partition(":")[2])


def break_node(machine: Machine) -> None:
    machine.toolbox.fake_node("18.0.0")


def break_binary(machine: Machine) -> None:
    binary = machine.layout.version_folder("0.25.0") / "wasp-bin"
    binary.write_text("#!/bin/sh\nexit 1\n")


def break_version(machine: Machine) -> None:
    (machine.layout.version_folder("0.25.0") / ".receipt.json").unlink()


def break_launcher(machine: Machine) -> None:
    machine.layout.launcher.write_text("#!/bin/sh\necho another\n")


def give_to_npm(machine: Machine) -> None:
    machine.layout.npm_marker.touch()


BROKEN = {
    "PATH": (
        break_path,
        3,
        "~/.local/bin is not on PATH in this terminal. To add it: export PATH=",
    ),
    "Node.js": (break_node, 3, "Node.js on PATH is 18.0.0."),
    "binary": (break_binary, 3, "Wasp does not run."),
    "version": (break_version, 5, "To repair it: wasp installer update"),
    "launcher": (break_launcher, 8, "was not made by this installer"),
    "npm": (give_to_npm, 8, "npm manages Wasp here."),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_stands_in_the_way(machine: Machine, name: str) -> None:
    destroy, code, text = BROKEN[name]
    destroy(machine)
    run = machine.run("doctor")
    assert run.code == code, run
    assert any(text in objection for objection in objections(run)), run
    assert "All is well" not in run.stdout
    told = machine.run("doctor", "--porcelain")
    assert told.code == code
    assert told.json["status"] == "checked"
    assert any(text in warning for warning in told.json["warnings"])
