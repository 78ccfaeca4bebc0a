"""`wasp installer doctor`: what this machine is, and what stands in the way."""

from __future__ import annotations

import os

import pytest

from tests.manager.homes import in_home, set_up
from tests.support.machines import Machine, Run
from tests.support.releases import Upstream
from tests.support.trees import picture


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    """One on which all is well."""
    set_up(shell_machine)
    receipt = shell_machine.layout.receipt_file("0.25.0")
    receipt.write_text(receipt.read_text().replace('"node": null', '"node": ">=24.14.1"'))
    path = shell_machine.toolbox.fake_node("24.14.1").folder
    return shell_machine.set(PATH=f"{shell_machine.home}/.local/bin:{path}")


def lines(run: Run) -> dict[str, str]:
    """What is shown, by its name; what stands in the way, by the "!" before it."""
    found = [line for line in run.stdout.splitlines() if line[0] != " "]
    return {line[:12].rstrip(): line[13:] for line in found}


def test_all_is_well(machine: Machine, upstream: Upstream) -> None:
    before, connections = picture(machine.home), upstream.server.connections
    run = machine.wasp("installer", "doctor").ok()
    shown = lines(run)
    assert "glibc" in shown["machine"]
    expected = {
        "current": "0.25.0, by ~/.local/bin/wasp",
        "versions": "0.25.0",
        "runs here": "0.25.0",
        "PATH": "wasp is ~/.local/bin/wasp",
        "start-up": "~/.bashrc",
        "Node.js": "24.14.1, wanted: >=24.14.1",
        "registry": upstream.npm_url,
        "left over": "none",
        "result": "All is well.",
    }
    assert {name: shown[name] for name in expected} == expected
    assert run.stderr == ""
    assert picture(machine.home) == before
    assert upstream.server.connections == connections, "it needs no network"


def test_a_project_and_the_version_that_it_wants(machine: Machine) -> None:
    machine.layout.plant("0.24.0")
    machine.run("use", "0.24.0").ok()
    project = machine.home / "project"
    project.mkdir()
    (project / ".wasproot").touch()
    (project / "main.wasp").write_text('app x { wasp: { version: "^0.25.0" } }')
    run = machine.run_program([str(machine.layout.launcher), "installer", "doctor"], cwd=project)
    assert lines(run.ok())["current"].startswith("0.24.0")
    assert lines(run)["runs here"] == "0.25.0, which this project wants"


def test_secrets_are_not_shown(machine: Machine) -> None:
    machine.set(WASP_NPM_REGISTRY="https://me:hidden1@registry.example.com/npm")
    for proxy in ("http://me:hidden2@", "me:hidden2@", "http://me:hid/den@2@", ""):
        machine.set(HTTPS_PROXY=f"{proxy}proxy.example.com:8080")
        run = machine.wasp("installer", "doctor").ok()
        assert lines(run)["registry"] == "https://registry.example.com/npm"
        assert lines(run)["proxy"] == "proxy.example.com:8080"
        assert "hid" not in run.stdout + run.stderr


def test_nothing_is_installed_and_a_machine_that_wasp_does_not_run_on(
    shell_machine: Machine,
) -> None:
    run = shell_machine.run("doctor")
    assert run.code == 5
    assert "To install Wasp: curl -fsSL " in run.stdout
    assert picture(shell_machine.home) == {}
    shell_machine.toolbox.fake_uname("FreeBSD", "amd64")
    run = shell_machine.run("doctor").failed(3).says("Wasp has no release for FreeBSD.")
    assert lines(run)["machine"] == "FreeBSD amd64"
    assert "All is well" not in run.stdout


def test_what_a_killed_run_left(machine: Machine) -> None:
    left = ".local/share/wasp-lang/.staging-elsewhere-1-abcdef"
    (machine.home / left).mkdir()
    # In another container, it may go on.
    machine.run("use", "0.25.0").ok()
    os.utime(machine.home / left, (0, 0))
    shown = lines(machine.wasp("installer", "doctor").ok())
    assert shown["left over"] == f"~/{left} (the next install removes it)"
    machine.run("use", "0.25.0").ok()
    assert lines(machine.wasp("installer", "doctor").ok())["left over"] == "none"


BROKEN = {
    # What is done in the home, the exit code, and what is said.
    "PATH": ("", 3, "~/.local/bin is not on PATH in this terminal. To add it: export PATH="),
    "Node.js": ("printf '#!/bin/sh\necho v18\n' >../tools/node", 3, "Node.js on PATH is 18."),
    "binary": ("echo exit 1 >{version}/wasp-bin", 3, "Wasp does not run."),
    "version": ("rm {version}/.receipt.json", 5, "To repair it: wasp installer update"),
    "launcher": ("echo another >.local/bin/wasp", 8, "was not made by this installer"),
    "npm": ("touch {version}/../.uses-npm", 8, "npm manages Wasp here."),
}


@pytest.mark.parametrize("broken", [*((name,) for name in BROKEN), ("PATH", "Node.js", "npm")])
def test_what_stands_in_the_way(machine: Machine, broken: tuple[str, ...]) -> None:
    """To people and to programs; the first of all that does decides the exit code."""
    for name in broken:
        deed = BROKEN[name][0].format(version=".local/share/wasp-lang/0.25.0")
        in_home(machine, deed or ":")
        if name == "PATH":
            machine.set(PATH=str(machine.toolbox.folder))
    run, told = machine.run("doctor"), machine.run("doctor", "--porcelain")
    code = max(BROKEN[name][1] for name in broken)
    assert (run.code, told.code, told.json["code"], told.json["status"]) == (*[code] * 3, "checked")
    for name in broken:
        objections = [line.strip() for line in run.stdout.splitlines() if "! " in line]
        assert any(BROKEN[name][2] in line for line in objections), run
        assert any(BROKEN[name][2] in warning for warning in told.json["warnings"]), told
    assert "All is well" not in run.stdout
