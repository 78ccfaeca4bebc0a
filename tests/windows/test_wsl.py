"""Finding a WSL to use: every way in which wsl.exe answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.wsl import FakeWsl
from tests.windows.world import DOCKER, HEADING, UBUNTU, World
from wasp_installer.windows import wsl as wsl_module
from wasp_installer.windows.wsl import Distribution, by_preference, decoded, distributions_in

DEFAULT_DOCKER = DOCKER.replace("  d", "* d", 1)
OLD_DEFAULT = "* old   Stopped 1\n  a   Stopped   1\n  b   Stopped   2\n"
GERMAN = "  NAME    STATUS             VERSION\n* Debian  Wird ausgeführt    2\n"
FRENCH = "  NOM     ÉTAT               VERSION\n* Ubuntu  Arrêté  1\n"
JAPANESE = "  名前      状態      バージョン\n* Ubuntu    停止    2\n"
NONE = "Windows Subsystem for Linux has no installed distributions.\n"
NONE_IN_GERMAN = "Für das Windows-Subsystem für Linux sind keine Distributionen installiert.\n"
NO_WSL = "The Windows Subsystem for Linux is not installed.\nwsl.exe --install\n"


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        (HEADING + UBUNTU, [("Ubuntu-22.04", 2, True)]),
        (HEADING + UBUNTU + DOCKER, [("Ubuntu-22.04", 2, True)]),
        (HEADING + DEFAULT_DOCKER + "  Debian  Running  1\n", [("Debian", 1, False)]),
        (GERMAN, [("Debian", 2, True)]),
        (FRENCH, [("Ubuntu", 1, True)]),
        (JAPANESE, [("Ubuntu", 2, True)]),
        (HEADING + OLD_DEFAULT, [("old", 1, True), ("b", 2, False), ("a", 1, False)]),
        (HEADING, []),
        ("", []),
        (NONE, []),
        ("Usage: wsl.exe [Argument]\n    --set-default-version 1 or 2\n", []),
    ],
)
def test_the_distributions_that_are_listed(
    listing: str, expected: list[tuple[str, int, bool]]
) -> None:
    found = by_preference(distributions_in(listing.replace("\n", "\r\n")))
    assert found == [Distribution(*each) for each in expected]


def read(output: bytes) -> str:
    return decoded(output.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_what_wsl_prints_is_read_in_each_encoding(encoding: str) -> None:
    assert read((HEADING + UBUNTU).encode(encoding)) == HEADING + UBUNTU


@pytest.mark.parametrize("cut", [b"\xff\xfe\x41", b"A\0B", b"\xff", b""])
def test_what_is_cut_is_no_reason_to_fail(cut: bytes) -> None:
    assert distributions_in(read(cut)) == []


def test_a_windows_without_wsl_is_told_what_to_type(tmp_path: Path) -> None:
    World(None, tmp_path / "windows").refuses("wsl --install\n", "restart Windows")


@pytest.mark.parametrize(
    ("listing", "code"), [(NONE, 1), (NONE_IN_GERMAN, 0xFFFFFFFF), (NO_WSL, 50), (HEADING, 0)]
)
def test_a_wsl_without_distributions(world: World, wsl: FakeWsl, listing: str, code: int) -> None:
    wsl.lists(listing, code=code)
    world.refuses("no Linux distribution yet", "wsl --install\n", "restart Windows")


def test_no_distribution_that_can_be_used(
    world: World, wsl: FakeWsl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs is not waited for."""
    monkeypatch.setattr(wsl_module, "LIST_LIMIT_S", 0.5)
    monkeypatch.setattr(wsl_module, "START_LIMIT_S", 0.5)
    world.environment["WASP_WSL_DISTRIBUTION"] = "Arch"
    world.refuses("'Arch'", "wsl --list --verbose")
    del world.environment["WASP_WSL_DISTRIBUTION"]
    wsl.lists(HEADING + DOCKER)
    world.refuses("only docker-desktop, docker-desktop-data", "wsl --install -d Ubuntu")
    wsl.lists(HEADING + UBUNTU)
    wsl.broken = ("Ubuntu-22.04",)
    world.refuses("WSL cannot start Ubuntu-22.04", "wsl -d Ubuntu-22.04")
    wsl.broken, wsl.stuck = (), ("Ubuntu-22.04",)
    world.refuses("WSL cannot start Ubuntu-22.04", "wsl -d Ubuntu-22.04")
    wsl.stuck = ("--list",)
    world.refuses("WSL does not answer", "wsl --shutdown")
