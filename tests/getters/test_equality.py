"""For whatever both getters can be asked, they print, report and leave the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import PYTHON
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import picture

ARCHIVE = tiny_package("0.25.0").npm_archive()


def nothing(_: Getters) -> None:
    """Leaves the machine fresh."""


def installed(*versions: str) -> Callable[[Getters], None]:
    return lambda both: both.has_current(*versions)


def npm_manages(both: Getters) -> None:
    both.machine.layout.share.mkdir(parents=True)
    both.machine.layout.npm_marker.touch()


def other_wasp_is_there(both: Getters) -> None:
    both.machine.layout.launcher.parent.mkdir(parents=True)
    both.machine.layout.launcher.write_text("#!/bin/sh\necho another\n")


def start_up_files(both: Getters) -> None:
    for name in (".bashrc", ".profile", ".zshrc"):
        (both.machine.home / name).write_text(f"# {name}")


def node(version: str) -> Callable[[Getters], None]:
    def act(both: Getters) -> None:
        both.machine.toolbox.fake_node(version)

    return act


def set_variables(**variables: str | None) -> Callable[[Getters], None]:
    def act(both: Getters) -> None:
        both.machine.set(**variables)

    return act


def on_path(both: Getters) -> None:
    folder = both.machine.layout.launcher.parent
    both.machine.set(PATH=f"{folder}:{both.machine.environment['PATH']}")


@dataclass(frozen=True)
class Case:
    """What is asked of a machine in a certain state, the exit code, and words that must be said."""

    arguments: str = ""
    code: int = 0
    says: tuple[str, ...] = ()
    before: Callable[[Getters], None] = nothing
    slug: str | None = None


CASES = {
    # --- It goes well
    "plain": Case("", 0, ("Installed Wasp 0.25.0", "1. Put wasp on the PATH of this terminal")),
    "start-up files": Case("", 0, ("~/.bashrc",), start_up_files),
    "on PATH": Case("", 0, ("Next:", "wasp new my-app"), on_path),
    "old Node.js": Case("", 0, ("Node.js on PATH is 18.0.0",), node("18.0.0")),
    "again": Case("", 0, ("already installed",), installed("0.25.0")),
    "again by force": Case("--force", 0, ("Installed",), installed("0.25.0")),
    "one that is there": Case("-v 0.24.0", 0, ("already",), installed("0.25.0", "0.24.0")),
    "upgrade": Case("", 0, ("What is new: ", "To go back to Wasp 0.24.0"), installed("0.24.0")),
    "older by name": Case("-v 0.24.0", 0, ("To go back to Wasp 0.25.0",), installed("0.25.0")),
    "newest is older": Case("", 0, ("Kept your Wasp 0.26.0",), installed("0.26.0")),
    "only on GitHub": Case("-v 0.19.0", 0, ("unchecked",)),
    "quiet": Case("--quiet", 0),
    "plan": Case("--dry-run", 0, ("Would install", "~/.bashrc"), start_up_files),
    "plan, GitHub": Case("--dry-run --source github", 0, ("sha256:",)),
    "file": Case("--from-file ARCHIVE", 0, ("Wasp from",)),
    "file, again": Case("--from-file ARCHIVE -v 0.25.0", 0, ("already",), installed("0.25.0")),
    "file, planned": Case("--from-file ARCHIVE --dry-run", 0, ("Would install Wasp for",)),
    "take over from npm": Case("--force", 0, ("Installed",), npm_manages),
    # --- It does not
    "no checksum": Case("-v 0.19.0 --require-checksum", 6, ("--sha256",), slug="no-checksum"),
    "file, no checksum": Case(
        "--from-file ARCHIVE --require-checksum", 6, ("--sha256",), slug="no-checksum"
    ),
    "file, other version": Case("--from-file ARCHIVE -v 0.24.0", 6, slug="wrong-version"),
    "file, missing": Case("--from-file none.tgz", 7, ("none.tgz",), slug="file-system"),
    "file, a folder": Case("--from-file .", 7, slug="file-system"),
    "no such version": Case("-v 0.99.0", 5, ("no source has Wasp 0.99.0",), slug="no-such-version"),
    "no such version at npm": Case(
        "-v 0.99.0 --source npm",
        5,
        ("npm registry does not have Wasp 0.99.0",),
        slug="no-such-version",
    ),
    "no registry": Case(
        "--source npm", 4, ("WASP_NPM_REGISTRY",), set_variables(WASP_NPM_REGISTRY=None)
    ),
    "npm manages": Case("", 8, ("npm manages",), npm_manages, slug="npm-managed"),
    "another wasp": Case("", 8, ("--force",), other_wasp_is_there, slug="foreign-launcher"),
    "no home": Case("", 2, ("HOME", "--prefix"), set_variables(HOME=None), slug="usage"),
}
MISTAKES = {
    "--no-such-option": "unknown option",
    "-Z": "unknown option",
    "-v": "needs a value",
    "--sha256": "needs a value",
    "--prefix=": "needs a value",
    "--prefix --force": "needs a value",
    "--source ftp": "npm or github",
    "--sha256 abc": "64 hexadecimal",
    "install list": "is a second command",
    "instal": "Did you mean install?",
    "upgrade": "Did you mean update?",
    "0.24.0": "-v 0.24.0",
    "-- install -q": "unknown command",
    "-v latest-but-one": "is not a Wasp version",
    "-v 0.25.0/../evil": "is not a Wasp version",
    "--remote": "works only with list",
}


@pytest.mark.parametrize("name", CASES)
def test_both_say_and_leave_the_same(both: Getters, upstream: Upstream, name: str) -> None:
    case = CASES[name]
    machine = both.machine
    upstream.publish("0.24.0", latest=False)
    upstream.publish("0.26.0-rc1", package=tiny_package("0.26.0"), latest=False)
    upstream.publish("0.19.0", npm=False, latest=False, digests=False)
    upstream.publish("0.25.0", node=">=24.14.1")
    case.before(both)
    before = picture(machine.home)
    _, archive = both.file(ARCHIVE)
    run = both.install(None, *case.arguments.replace("ARCHIVE", archive).split())
    assert run.code == case.code, run
    if case.code:
        run.failed(case.code, case.slug)
    if case.code or "--dry-run" in case.arguments:
        assert picture(machine.home) == before
    run.says(*case.says)


@pytest.mark.parametrize("arguments", ["--no-such-option", "--source ftp", "-v latest-but-one"])
def test_both_say_the_same_of_a_mistake(both: Getters, arguments: str) -> None:
    """install.py leaves it to the sh program; tests/unit/test_options.py has what it leaves."""
    both.run(*arguments.split()).failed(2).says(MISTAKES[arguments])


def test_a_mistake_is_told_with_what_to_do(
    every_shell_machine: Machine, upstream: Upstream
) -> None:
    for arguments, words in MISTAKES.items():
        run = every_shell_machine.run(*arguments.split()).failed(2).says(words)
        assert run.stderr.splitlines()[1].startswith("       ")
    assert picture(every_shell_machine.home) == {}
    assert upstream.server.connections == 0


def test_both_read_the_same_in_a_home_with_an_odd_name(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    both.machine.move_home('it\'s a "home" with $pecials \\ `here`')
    both.install().ok()
    assert both.machine.wasp("version").stdout == "0.25.0\n"


def test_both_have_the_same_help(both: Getters) -> None:
    """But for the options of packagers, and the other name of the program."""
    told = both.machine.run("--help").ok().stdout.splitlines()
    both.machine.front_end = PYTHON
    more = both.machine.run("-h").ok().stdout.replace("install.py", "install.sh").splitlines()
    only_there = [line.split()[0] for line in more if line not in told]
    assert only_there == ["--destdir", "--json"]
    assert set(told) <= set(more)
    assert max(map(len, more)) < 80
