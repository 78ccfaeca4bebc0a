"""What is in the way: npm's Wasp, and a `wasp` that is not ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

FOREIGN = "#!/bin/sh\necho 'another program called wasp'\n"


@pytest.fixture
def marked(machine: Machine, upstream: Upstream) -> Machine:
    """A machine whose Wasp is npm's."""
    upstream.publish("0.25.0")
    machine.layout.share.mkdir(parents=True)
    machine.layout.npm_marker.touch()
    return machine


def test_npms_wasp_is_left_alone(marked: Machine, upstream: Upstream) -> None:
    before = picture(marked.home)
    run = marked.install().failed(8, "npm-managed")
    run.says("npm", "--force")
    assert picture(marked.home) == before
    assert not [path for path in upstream.server.requests if path.endswith(".tgz")]


def test_force_takes_over_from_npm(marked: Machine) -> None:
    marked.install(None, "--force").ok()
    assert not marked.layout.npm_marker.exists()
    assert marked.wasp("version").stdout == "0.25.0\n"
    assert marked.install("0.25.0").ok().json["status"] == "already-installed"


def test_a_failed_force_leaves_npms_marker(marked: Machine) -> None:
    marked.install("0.99.0", "--force").failed(5, "no-such-version")
    assert marked.layout.npm_marker.exists()


def test_use_is_refused_when_wasp_is_npms(marked: Machine) -> None:
    marked.layout.plant("0.24.0")
    marked.run("use", "0.24.0", "--json").failed(8, "npm-managed")


def _file(launcher: Path) -> None:
    launcher.write_text(FOREIGN)
    launcher.chmod(0o755)


def _binary(launcher: Path) -> None:
    launcher.write_bytes(b"\x7fELF" + bytes(range(256)) * 40 + b"waspc_datadir")


def _link_to_file(launcher: Path) -> None:
    target = launcher.parent.parent.parent / "elsewhere"
    target.write_text(FOREIGN)
    launcher.symlink_to(target)


def _dangling_link(launcher: Path) -> None:
    launcher.symlink_to(launcher.parent.parent.parent / "not-there")


def _link_to_our_launcher(launcher: Path) -> None:
    """The target looks like ours, and still a link is not what this installer leaves."""
    target = launcher.parent.parent.parent / "elsewhere"
    target.write_text("#!/bin/sh\nwaspc_datadir=/x\nexec x\n")
    launcher.symlink_to(target)


def _mentions_us(launcher: Path) -> None:
    launcher.write_text("waspc_datadir, but no script\n")


FOREIGNERS: dict[str, Callable[[Path], None]] = {
    "file": _file,
    "binary": _binary,
    "link": _link_to_file,
    "dangling-link": _dangling_link,
    "link-to-launcher": _link_to_our_launcher,
    "no-script": _mentions_us,
    "empty": Path.touch,
}


@pytest.mark.parametrize("kind", FOREIGNERS)
def test_a_foreign_wasp_is_left_alone(machine: Machine, upstream: Upstream, kind: str) -> None:
    upstream.publish("0.25.0")
    machine.layout.launcher.parent.mkdir(parents=True)
    FOREIGNERS[kind](machine.layout.launcher)
    before = picture(machine.home)
    run = machine.install().failed(8, "foreign-launcher")
    run.says(".local/bin/wasp", "--force")
    assert picture(machine.home) == before
    assert not upstream.server.fetched or not [
        path for path in upstream.server.fetched if path.endswith(".tgz")
    ]


@pytest.mark.parametrize("kind", FOREIGNERS)
def test_force_replaces_a_foreign_wasp_and_never_writes_through_it(
    machine: Machine, upstream: Upstream, kind: str
) -> None:
    upstream.publish("0.25.0")
    launcher = machine.layout.launcher
    launcher.parent.mkdir(parents=True)
    FOREIGNERS[kind](launcher)
    elsewhere = machine.home / "elsewhere"
    before = elsewhere.read_bytes() if elsewhere.exists() else None
    machine.install(None, "--force").ok()
    assert not launcher.is_symlink()
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert (elsewhere.read_bytes() if elsewhere.exists() else None) == before
    assert not (machine.home / "not-there").exists()


@pytest.mark.parametrize("options", [[], ["--force"]], ids=["plain", "force"])
def test_a_folder_in_the_launchers_place_is_never_replaced(
    machine: Machine, upstream: Upstream, options: list[str]
) -> None:
    upstream.publish("0.25.0")
    (machine.layout.launcher / "inside").mkdir(parents=True)
    before = picture(machine.home)
    machine.install(None, *options).failed(8, "foreign-launcher")
    assert picture(machine.home) == before


def test_our_own_launcher_is_replaced(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    launcher = machine.layout.launcher
    launcher.parent.mkdir(parents=True)
    launcher.write_text('#!/usr/bin/env bash\nwaspc_datadir=/old/data exec /old/wasp-bin "$@"\n')
    machine.install().ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_the_launcher_of_the_older_installer_is_replaced(
    machine: Machine, upstream: Upstream
) -> None:
    """Wasp's older installer left this launcher, and version folders without a receipt."""
    upstream.publish("0.25.0")
    old = machine.layout.version_folder("0.15.0")
    (old / "data").mkdir(parents=True)
    (old / "wasp-bin").write_bytes(tiny_package("0.15.0").binary)
    machine.layout.launcher.parent.mkdir(parents=True)
    machine.layout.launcher.write_text(
        f'#!/usr/bin/env bash\nwaspc_datadir={old}/data {old}/wasp-bin "$@"\n'
    )
    machine.install().ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_the_last_version_of_the_older_installer_goes_with_its_launcher(machine: Machine) -> None:
    """It wrote its version into the launcher's paths only."""
    old = machine.layout.version_folder("0.15.0")
    (old / "data").mkdir(parents=True)
    (old / "wasp-bin").write_bytes(tiny_package("0.15.0").binary)
    (old / "wasp-bin").chmod(0o755)
    machine.layout.launcher.parent.mkdir(parents=True)
    machine.layout.launcher.write_text(
        f'#!/usr/bin/env bash\nwaspc_datadir={old}/data {old}/wasp-bin "$@"\n'
    )
    machine.run("uninstall", "0.15.0").ok()
    assert not machine.layout.launcher.exists()


def test_use_leaves_a_foreign_wasp_alone(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.layout.launcher.parent.mkdir(parents=True)
    machine.layout.launcher.write_text(FOREIGN)
    machine.run("use", "0.25.0", "--json").failed(8, "foreign-launcher")
    assert machine.layout.launcher.read_text() == FOREIGN


def test_force_lets_use_replace_a_foreign_wasp(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.layout.launcher.parent.mkdir(parents=True)
    machine.layout.launcher.write_text(FOREIGN)
    machine.run("use", "0.25.0", "--force").ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_a_version_folder_that_is_a_link_is_not_written_through(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    outside = machine.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    machine.layout.share.mkdir(parents=True)
    machine.layout.version_folder("0.25.0").symlink_to(outside)
    machine.install()
    assert picture(outside).keys() == {"precious"}


def test_a_receipt_that_is_a_link_is_not_written_through(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    precious = machine.root / "precious"
    precious.write_text("precious\n")
    folder = machine.layout.version_folder("0.25.0")
    folder.mkdir(parents=True)
    (folder / ".receipt.json").symlink_to(precious)
    machine.install().ok()
    assert precious.read_text() == "precious\n"
    assert not machine.layout.receipt_file("0.25.0").is_symlink()
