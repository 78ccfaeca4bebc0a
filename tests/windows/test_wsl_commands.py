"""Wasp inside WSL: real runs of install.sh behind a wsl.exe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.machines import Machine
from tests.support.registry_double import RegistryDouble
from tests.support.releases import Upstream
from tests.support.wsl import FakeWsl
from tests.windows.world import DOCKER, HEADING, PATH, UBUNTU, World
from wasp_installer import InstallerError


def test_an_install(
    world: World, wsl: FakeWsl, inside: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    """Doing it again changes nothing."""
    wsl.lists(HEADING + UBUNTU)
    result = world.run()
    assert (result.status, result.version, result.source) == ("installed", "0.25.0", "npm")
    assert inside.layout.versions() == ["0.25.0"]
    assert inside.wasp("version").stdout == "0.25.0\n"
    assert b"-d Ubuntu-22.04 --exec /bin/sh -lc" in world.cmd.read_bytes()
    bin_folder = str(world.cmd.parent)
    assert world.registry.values["Path"] == (f"{bin_folder};C:\\a", 2)
    told = capfd.readouterr().err.splitlines()
    assert f"Added {bin_folder} to your PATH: open a new terminal to use it." in told
    assert not list(world.cmd.parent.glob(".wasp-*"))
    before = (world.cmd.read_bytes(), dict(world.registry.values))
    assert world.run().status == "already-installed"
    told = capfd.readouterr().err.splitlines()
    assert f"{bin_folder} is on your PATH: open a new terminal to use it." in told
    assert (world.cmd.read_bytes(), world.registry.values) == before
    assert world.registry.changes == 1


def test_there_is_no_package_to_make(world: World, wsl: FakeWsl) -> None:
    world.refuses("--destdir", code=2, slug="usage", destdir="C:\\package")
    assert wsl.inner_calls() == []


def test_the_options_reach_install_sh(world: World, wsl: FakeWsl) -> None:
    chosen = {"force": True, "require_checksum": True, "quiet": True, "sha256": "0" * 64}
    world.refuses(code=6, slug="checksum-mismatch", wanted="0.25.0", **chosen)
    expected = {"--force", "--require-checksum", "--no-telemetry", "--quiet", "--porcelain"}
    assert {*expected, "0" * 64} <= set(wsl.inner_calls()[-1].arguments)


def test_an_error_inside_is_told_once(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InstallerError) as caught:
        world.run(wanted="0.26.0")
    world.console.show_error(caught.value)
    assert (caught.value.slug, caught.value.code) == ("no-such-version", 5)
    assert capfd.readouterr().err.count("error: ") == 1


def test_version_1_works_and_is_said(world: World, wsl: FakeWsl) -> None:
    wsl.lists(HEADING + "* Debian   Running   1\n")
    assert world.run().status == "installed"
    assert world.warned("WSL 1")
    assert world.warned("wsl --set-version Debian 2")


def test_the_distribution_that_has_wasp_is_kept(world: World, wsl: FakeWsl) -> None:
    """The first choice is the default, unless it is Docker's or does not start."""
    wsl.lists(HEADING + DOCKER.replace("  d", "* d", 1) + "  a  Stopped  2\n  b  Stopped  2\n")
    wsl.broken = ("a",)
    world.run()
    assert b"rem distribution: b\r\n" in world.cmd.read_bytes()
    wsl.broken = ()
    world.run("list")
    assert wsl.calls[-1].arguments[:2] == ["-d", "b"]
    world.cmd.unlink()
    world.environment["WASP_WSL_DISTRIBUTION"] = "B"
    world.run("list")
    assert wsl.calls[-1].arguments[:2] == ["-d", "b"]


def test_a_dry_run_changes_nothing(world: World, inside: Machine) -> None:
    assert world.run(dry_run=True).status == "planned"
    assert inside.layout.versions() == []
    assert not world.cmd.exists()
    assert world.registry.changes == 0


def test_an_archive_is_found_by_its_path_inside(
    world: World,
    inside: Machine,
    upstream: Upstream,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = tmp_path / "my wasp.tar.gz"
    archive.write_bytes(upstream.publish("0.25.0").github_archive)
    inside.toolbox.script("wslpath", '[ "$1 $2" = "-a -u" ] && printf "%s\\n" "$3"')
    assert world.run(from_file=str(archive)).status == "installed"
    monkeypatch.setattr("wasp_installer.windows.wsl.HELPER_LIMIT_S", 0.5)
    for script in ("echo /x; exit 1", "echo C:/x", "sleep 3; echo /x"):
        inside.toolbox.script("wslpath", script)
        with pytest.raises(InstallerError, match="cannot see"):
            world.run(from_file=str(archive))


def test_a_foreign_wasp_cmd_stays(world: World) -> None:
    world.cmd.parent.mkdir(parents=True)
    world.cmd.write_text("@echo mine\n")
    with pytest.raises(InstallerError) as caught:
        world.run()
    assert (caught.value.slug, caught.value.code) == ("foreign-launcher", 8)
    assert world.cmd.read_text() == "@echo mine\n"


def test_list_use_and_uninstall(
    world: World, inside: Machine, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.publish("0.24.0", latest=False)
    world.run(wanted="0.24.0")
    world.run()
    capsys.readouterr()
    world.run("list")
    assert capsys.readouterr().out == "* 0.25.0\n  0.24.0\n"
    upstream.list_at_npm(["0.26.0", "0.25.0"])
    world.run("list", "--remote")
    assert capsys.readouterr().out == "  0.26.0\n* 0.25.0 (installed)\n"
    assert world.run("use", "0.24.0").status == "switched"
    assert inside.wasp("version").stdout == "0.24.0\n"
    world.run("uninstall", "--", "0.24.0")
    assert world.cmd.exists()
    # With the last version goes the rest.
    assert world.run("uninstall", "0.25.0").status == "removed"
    assert inside.layout.versions() == []
    assert world.registry.values["Path"] == PATH
    assert not world.cmd.parent.exists()


@pytest.mark.parametrize(
    ("command", "answer", "status"),
    [
        ("uninstall", "n", "unchanged"),
        ("migrate-to-npm", "", "unchanged"),
        ("uninstall", "y", "removed"),
    ],
)
def test_a_person_is_asked_before_all_of_wasp_goes(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str, answer: str, status: str
) -> None:
    world.run()
    ours, terminal = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    with open(terminal) as stdin, open(os.dup(terminal), "w") as stderr:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stderr", stderr)
        assert world.run(command, yes=False).status == status
        monkeypatch.undo()
    os.close(ours)
    assert world.cmd.exists() == (status == "unchanged")


def test_an_entry_of_path_that_was_there_before_stays(world: World) -> None:
    there = (f"{world.cmd.parent};C:\\a", RegistryDouble.REG_SZ)
    world.registry.values["Path"] = there
    world.run()
    world.run("uninstall")
    assert world.registry.values["Path"] == there


@pytest.mark.parametrize("why", ["asked", "ci", "locked"])
def test_path_is_left_alone(world: World, why: str) -> None:
    if why == "ci":
        world.environment["CI"] = "true"
    world.registry.is_locked = why == "locked"
    assert world.run(no_modify_path=why == "asked").status == "installed"
    assert world.registry.values["Path"] == PATH
    assert world.warned("not on your PATH")


def test_a_folder_that_cannot_be_on_path(wsl: FakeWsl, tmp_path: Path) -> None:
    world = World(wsl, tmp_path / "100%")
    assert world.run().status == "installed"
    assert world.registry.values["Path"] == PATH
    assert world.warned("cannot be on PATH: its name has a semicolon")


def test_a_github_job_gets_it_for_its_next_steps(world: World, tmp_path: Path) -> None:
    file = tmp_path / "github-path"
    world.environment |= {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_PATH": str(file)}
    world.run()
    assert file.read_text() == f"{world.cmd.parent}\n"
    assert world.registry.values["Path"] == PATH
