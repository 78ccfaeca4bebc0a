"""Finding a WSL to use: every way in which wsl.exe answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wsl import FakeWsl
from tests.windows.world import DOCKER, HEADING, UBUNTU, World
from wasp_installer.windows import wsl as wsl_module
from wasp_installer.windows.wsl import (
    Distribution,
    by_preference,
    decoded,
    distributions_in,
)

# --- what is listed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        (HEADING + UBUNTU, [("Ubuntu-22.04", 2, True)]),
        (HEADING + UBUNTU + DOCKER, [("Ubuntu-22.04", 2, True)]),
        (
            HEADING + DOCKER.replace("  d", "* d", 1) + "  Debian  Running  1\n",
            [("Debian", 1, False)],
        ),
        (
            "  NAME    STATUS             VERSION\n* Debian  Wird ausgeführt    2\n",
            [("Debian", 2, True)],
        ),
        (
            "  NOM     ÉTAT               VERSION\n* Ubuntu  Arrêté  1\n",
            [("Ubuntu", 1, True)],
        ),
        ("  名前      状態      バージョン\n* Ubuntu    停止    2\n", [("Ubuntu", 2, True)]),
        (
            HEADING + "* old   Stopped 1\n  a   Stopped   1\n  b   Stopped   2\n",
            [("old", 1, True), ("b", 2, False), ("a", 1, False)],
        ),
        (HEADING, []),
        ("", []),
        ("Windows Subsystem for Linux has no installed distributions.\n", []),
        ("Usage: wsl.exe [Argument]\n    --set-default-version 1 or 2\n", []),
    ],
)
def test_the_distributions_that_are_listed(
    listing: str, expected: list[tuple[str, int, bool]]
) -> None:
    found = by_preference(distributions_in(listing.replace("\n", "\r\n")))
    assert found == [Distribution(*each) for each in expected]


def as_printed(output: bytes) -> str:
    """As a program's output is read."""
    return output.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_what_wsl_prints_is_read_in_each_encoding(encoding: str) -> None:
    assert decoded(as_printed((HEADING + UBUNTU).encode(encoding))) == HEADING + UBUNTU


@pytest.mark.parametrize("cut", [b"\xff\xfe\x41", b"A\0B", b"\xff", b""])
def test_what_is_cut_is_no_reason_to_fail(cut: bytes) -> None:
    assert distributions_in(decoded(as_printed(cut))) == []


# --- no WSL to use -------------------------------------------------------------------------------


def test_a_windows_without_wsl_is_told_what_to_type(tmp_path: Path) -> None:
    World(None, tmp_path / "windows").refuses("wsl --install\n", "restart Windows")


@pytest.mark.parametrize(
    ("listing", "code"),
    [
        ("Windows Subsystem for Linux has no installed distributions.\n", 1),
        (
            "Für das Windows-Subsystem für Linux sind keine Distributionen installiert.\n",
            0xFFFFFFFF,
        ),
        ("The Windows Subsystem for Linux is not installed.\nwsl.exe --install\n", 50),
        (HEADING, 0),
    ],
)
def test_a_wsl_without_distributions(world: World, wsl: FakeWsl, listing: str, code: int) -> None:
    wsl.lists(listing, code=code)
    world.refuses("no Linux distribution yet", "wsl --install\n", "restart Windows")


def test_docker_alone_is_no_distribution_for_wasp(world: World, wsl: FakeWsl) -> None:
    wsl.lists(HEADING + DOCKER)
    world.refuses("only docker-desktop, docker-desktop-data", "wsl --install -d Ubuntu")


def test_a_wsl_that_does_not_answer_is_not_waited_for(
    world: World, wsl: FakeWsl, monkeypatch: pytest.MonkeyPatch
) -> None:
    wsl.stuck = ("--list",)
    monkeypatch.setattr(wsl_module, "LIST_LIMIT_S", 0.5)
    world.refuses("WSL does not answer", "wsl --shutdown")


@pytest.mark.parametrize("how", ["broken", "stuck"])
def test_a_distribution_that_does_not_start(
    world: World, wsl: FakeWsl, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    wsl.lists(HEADING + UBUNTU)
    setattr(wsl, how, ("Ubuntu-22.04",))
    monkeypatch.setattr(wsl_module, "START_LIMIT_S", 0.5)
    world.refuses("WSL cannot start Ubuntu-22.04", "wsl -d Ubuntu-22.04")


def test_a_distribution_that_was_asked_for_must_be_there(world: World) -> None:
    world.environment["WASP_WSL_DISTRIBUTION"] = "Arch"
    world.refuses("'Arch'", "wsl --list --verbose")
