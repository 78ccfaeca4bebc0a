"""Homes and prefixes of any name, homes of nobody and of somebody else, and any umask.

Both front ends make the same round trip at the same place: install, start, list, switch, find it on
PATH in a new shell, uninstall. What they leave on the way is compared, and at the end nothing is
left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import DATA_MEMBERS, Package, tiny_binary
from tests.support.filesystems import STRANGER, give_away, without_privileges
from tests.support.frontends import PYTHON, SH, FrontEnd
from tests.support.machines import RUN_LIMIT, Machine, MachineRoom, Run
from tests.support.scale import scale_from_environment
from tests.support.skips import need_root
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, Layout, expected_version_folder, picture
from tests.torture.tallies import Tally

AREA = "Homes"
OLD, NEW = "0.24.0", "0.25.0"
PACKAGE = Package(NEW, tiny_binary(NEW), DATA_MEMBERS[:4])
BASHRC = b"alias ll='ls -l' # and no line break at the end"


def counterpart(front_end: FrontEnd) -> FrontEnd:
    """The getter of the other kind."""
    return PYTHON if front_end.is_shell else SH


# What a shell, a pattern, a format, an option, a list of folders or a locale takes for its own.
NAMES = [
    "two words",
    " at both ends ",
    "it's",
    'say "home"',
    "$HOME",
    "${x-y}",
    "$(touch evil)",
    "`touch evil`",
    "back\\slash",
    "at the end\\",
    "\\n",
    "two\nlines",
    "at the end\n",
    "tab\tulator",
    "carriage\rreturn",
    "\x01\x1b[31m\x7f",
    "-rf",
    "--",
    "-n -e",
    "~",
    "~root",
    "*",
    "?",
    "[a-z]",
    "[",
    "]",
    "{a,b}",
    "%s%n",
    "100%",
    "#comment",
    "!!",
    "a&b",
    "a;b",
    "a|b",
    "<a>",
    "(a)",
    "a=b",
    "a,b",
    "@PYTHON@",
    "...",
    "zażółć-gęślą-jaźń",
    "東京-🐝",
    "e\u0301 and \u00e9",
    "\u202eright to left",
    "\u00a0\u2028",
    os.fsdecode(b"caf\xe9"),
    os.fsdecode(b"\xff\xfe\x80"),
    "n" * 255,
    "n" * 150 + "/" + "m" * 150,
]
# All of them in a few long paths, and then each by itself.
_FEW = 2
PACKED = [f"packed-{start}" for start in range(_FEW)]
SINGLE = [f"single-{index}" for index in range(len(NAMES))]
SCALE = scale_from_environment()


def name_of(case: str) -> str:
    kind, _, number = case.partition("-")
    return NAMES[int(number)] if kind == "single" else "/".join(NAMES[int(number) :: _FEW])


@dataclass
class World:
    """One machine, on which the front ends take turns at the same places."""

    machine: Machine
    prefix: Path | None = None

    def __post_init__(self) -> None:
        self.archive = self.machine.root / "wasp.tgz"
        self.archive.write_bytes(PACKAGE.npm_archive())

    @property
    def layout(self) -> Layout:
        return self.machine.layout if self.prefix is None else Layout(self.prefix)

    def run(self, *arguments: str) -> Run:
        """Like `Machine.run`, for names that are no text too."""
        place = [] if self.prefix is None else ["--prefix", str(self.prefix)]
        return self.program(self.machine.front_end.argv(*arguments, *place))

    def install(self) -> Run:
        return self.run("install", "--json", "--from-file", str(self.archive))

    def program(self, argv: Sequence[str]) -> Run:
        process = self.machine.start_program(argv)
        out, err = process.communicate(timeout=RUN_LIMIT)
        return Run(list(argv), process.returncode, os.fsdecode(out), os.fsdecode(err))

    def wasp(self, *arguments: str) -> str:
        return self.program([str(self.layout.launcher), *arguments]).ok().stdout

    def shell_finds(self, shell: str, file: str) -> str:
        """What `wasp version` prints in a shell that has read its start-up file."""
        command = f'. "$HOME/{file}"; wasp version'
        return self.program([str(real_tool(shell)), "-c", command]).ok().stdout


@pytest.fixture
def world(machines: MachineRoom, shell: FrontEnd) -> World:
    return World(machines.build(shell))


def without_xdg_folders(home: dict[str, Entry]) -> dict[str, Entry]:
    """Without what other programs use too, and so stays."""
    return {name: entry for name, entry in home.items() if name not in (".local", ".local/share")}


def round_trip(world: World, *, can_be_on_path: bool = True) -> list[dict[str, Entry]]:
    """Pictures of all that is there after each step of a front end's round trip."""
    machine, layout = world.machine, world.layout
    machine.home.mkdir(parents=True)
    (machine.home / ".bashrc").write_bytes(BASHRC)
    before = picture(machine.home)

    told = world.install().ok()
    after_install = picture(machine.root)
    assert layout.version_picture(NEW) == expected_version_folder(PACKAGE)
    assert world.wasp("version") == f"{NEW}\n"
    assert world.wasp("datadir") == f"{layout.version_folder(NEW)}/data\n"
    assert told.json["executable"] == str(layout.launcher)
    if can_be_on_path:
        assert world.shell_finds("bash", ".bashrc") == f"{NEW}\n"
        assert world.shell_finds("dash", ".profile") == f"{NEW}\n"
    else:
        assert [text for text in told.warnings() if "because of a colon or a line break" in text]
        assert {name for name in picture(machine.home) if "/" not in name} <= {".bashrc", ".local"}
        assert (machine.home / ".bashrc").read_bytes() == BASHRC

    layout.plant(OLD)
    assert world.run("list").ok().stdout == f"* {NEW}\n  {OLD}\n"
    world.run("use", OLD).ok()
    assert world.wasp("version") == f"{OLD}\n"
    after_use = picture(machine.root)

    world.run("uninstall", "--yes").ok()
    assert without_xdg_folders(picture(machine.home)) == before
    assert not layout.launcher.parent.exists()
    assert not layout.share.exists()
    return [after_install, after_use, picture(machine.root)]


def compare_round_trips(world: World, **facts: Any) -> None:
    """The shell's and Python's round trips leave the same."""
    machine = world.machine
    ways = []
    for front_end in (machine.front_end, counterpart(machine.front_end)):
        machine.front_end = front_end
        ways.append(round_trip(world, **facts))
        shutil.rmtree(machine.home)
    assert ways[0] == ways[1]


def reads(shell: FrontEnd, name: str, locale: str) -> bool:
    """yash takes a variable for unset when its locale does not have all of its bytes."""
    try:
        name.encode("ascii" if locale == "C" else "utf-8")
    except UnicodeEncodeError:
        return shell.name != "yash"
    return True


@pytest.mark.parametrize(
    ("case", "locale"),
    SCALE.sample([(case, locale) for case in PACKED for locale in ("C", "C.UTF-8")], 2)
    + SCALE.sample([(case, locale) for case in SINGLE for locale in ("C", "C.UTF-8")], 1),
)
def test_a_home_of_any_name(world: World, case: str, locale: str, tally: Tally) -> None:
    machine = world.machine.set(LC_ALL=locale)
    machine.home = machine.root / "homes" / name_of(case)
    machine.set(HOME=str(machine.home))
    if not reads(machine.front_end, name_of(case), locale):
        world.install().failed(2, "usage").says("HOME is not set")
        return
    compare_round_trips(world)
    assert not list(machine.root.rglob("evil"))
    tally(AREA, "Round trips in homes with difficult names", 2)


@pytest.mark.parametrize("case", PACKED + SCALE.sample(SINGLE, 1))
def test_a_prefix_of_any_name(world: World, case: str, tally: Tally) -> None:
    machine = world.machine
    world.prefix = machine.root / "prefixes" / name_of(case) / "wasp"
    shutil.rmtree(machine.home)
    compare_round_trips(world, can_be_on_path="\n" not in name_of(case))
    assert not list(machine.root.rglob("evil"))
    tally(AREA, "Round trips in prefixes with difficult names", 2)


@pytest.mark.parametrize("name", SCALE.sample([":", "a:", ":a", "a:b"], 1))
def test_a_home_that_cannot_be_on_path(world: World, name: str, tally: Tally) -> None:
    """PATH has no way to write a colon that is part of a folder's name."""
    machine = world.machine
    machine.home = machine.root / "homes" / name
    machine.set(HOME=str(machine.home))
    compare_round_trips(world, can_be_on_path=False)
    tally(AREA, "Round trips in homes that PATH cannot hold", 2)


# --- Homes that are not what they should be ------------------------------------------------------


@dataclass(frozen=True)
class Oddity:
    """A value of HOME, what is there, and how an install ends."""

    name: str
    value: str | None
    code: int = 0
    error: str | None = None

    def __str__(self) -> str:
        return self.name


ODDITIES = [
    Oddity("unset", None, 2, "usage"),
    Oddity("empty", "", 2, "usage"),
    Oddity("missing", "{root}/missing/home"),
    Oddity("a file", "{root}/wasp.tgz", 7, "file-system"),
    Oddity("below a file", "{root}/wasp.tgz/home", 7, "file-system"),
    Oddity("a device", "/dev/null", 7, "file-system"),
    Oddity("relative", "below"),
    Oddity("relative with dots", "../{machine}/below"),
    Oddity("slash at the end", "{home}/"),
    Oddity("slashes", "{root}//home///"),
    Oddity("a dot", "{home}/."),
    Oddity("two dots", "{home}/../home"),
    Oddity("a link", "{root}/link"),
    Oddity("a dangling link", "{root}/dangling", 7, "file-system"),
    Oddity("a circle", "{root}/circle", 7, "file-system"),
]


def outcome_of(machine: Machine, front_end: FrontEnd, oddity: Oddity) -> tuple[Any, ...]:
    """What one front end says and leaves, in a world that is the same for each."""
    for leftover in ("home", "missing", "below"):
        shutil.rmtree(machine.root / leftover, ignore_errors=True)
    machine.home.mkdir()
    machine.front_end = front_end
    archive = str(machine.root / "wasp.tgz")
    run = machine.run("install", "--json", "--from-file", archive, cwd=machine.root)
    # Python looks at the platform before it looks at the disk.
    differing = ("elapsed_s", "message", "platform")
    told = {key: value for key, value in run.json.items() if key not in differing}
    if run.code == 0:
        command = f'cd "{machine.root}"; {told["executable"]} version'
        assert machine.run_program(["/bin/sh", "-c", command]).stdout == f"{NEW}\n"
    else:
        run.failed(oddity.code, oddity.error)
    return run.code, told, picture(machine.root)


@pytest.mark.parametrize("oddity", SCALE.sample(ODDITIES, 5), ids=str)
def test_a_home_that_is_odd(
    machines: MachineRoom, shell: FrontEnd, oddity: Oddity, tally: Tally
) -> None:
    machine = machines.build(shell)
    (machine.root / "wasp.tgz").write_bytes(PACKAGE.npm_archive())
    (machine.root / "link").symlink_to(machine.home)
    (machine.root / "dangling").symlink_to(machine.root / "not there")
    (machine.root / "circle").symlink_to(machine.root / "circle")
    value = oddity.value
    if value is not None:
        value = value.format(root=machine.root, home=machine.home, machine=machine.root.name)
    machine.set(HOME=value)
    outcomes = [outcome_of(machine, one, oddity) for one in (shell, counterpart(shell))]
    assert outcomes[0][0] == oddity.code
    assert outcomes[0] == outcomes[1]
    tally(AREA, "Installs with a HOME that is unset, wrong or spelled oddly", 2)


def test_a_home_that_is_the_root_folder(machines: MachineRoom, shell: FrontEnd) -> None:
    """Only planned, since it would be done to the machine that the test runs on."""
    machine = machines.build(shell).set(HOME="/")
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(PACKAGE.npm_archive())
    told = []
    for front_end in (shell, counterpart(shell)):
        machine.front_end = front_end
        run = machine.install(None, "--dry-run", "--from-file", str(archive)).ok()
        told.append((run.stderr, {**run.json, "elapsed_s": 0}))
    assert told[0] == told[1]


# --- Whose things are ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask", SCALE.sample([0o000, 0o007, 0o022, 0o077, 0o177, 0o777], 2), ids=oct
)
def test_any_umask(machine: Machine, mask: int, tally: Tally) -> None:
    """Also for a user who is not root: a folder of mode 000 would be closed to its maker."""
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(PACKAGE.npm_archive())
    machine.with_umask(mask)
    machine.wrapper += without_privileges()
    # What Python compiles is for other runs too.
    machine.set(PYTHONDONTWRITEBYTECODE="1")
    machine.install(None, "--from-file", str(archive)).ok()
    assert machine.layout.version_picture(NEW) == expected_version_folder(PACKAGE)
    for name, entry in picture(machine.home).items():
        is_program = entry.kind == "folder" or name.endswith(("/wasp", "/wasp-bin"))
        assert entry.mode == (0o755 if is_program else 0o644), name
    assert machine.wasp("version").stdout == f"{NEW}\n"
    machine.run("uninstall", "--yes").ok()
    assert without_xdg_folders(picture(machine.home)) == {}
    tally(AREA, "Round trips with an unusual umask", 1)


@pytest.fixture
def visited(machine: Machine) -> Machine:
    """A machine on which root works, as under sudo, in the home of somebody else."""
    need_root("the home of another user")
    (machine.root / "wasp.tgz").write_bytes(PACKAGE.npm_archive())
    (machine.home / ".bashrc").write_bytes(BASHRC)
    for path in (machine.home / ".bashrc", machine.home):
        give_away(path)
    return machine.set(SUDO_USER="somebody", SUDO_UID=str(STRANGER))


def install_from_file(machine: Machine, *options: str) -> Run:
    return machine.install(None, "--from-file", str(machine.root / "wasp.tgz"), *options)


def test_root_leaves_nothing_in_a_home_of_another_user(visited: Machine, tally: Tally) -> None:
    before = picture(visited.home)
    install_from_file(visited).failed(7, "permission-denied").says(str(STRANGER), "without sudo")
    assert picture(visited.home) == before
    assert (visited.home / ".bashrc").stat().st_uid == STRANGER
    tally(AREA, "Installs by root in the home of another user", 1)


@pytest.mark.parametrize("options", [["--prefix", "{root}/opt"], ["--destdir", "{root}/stage"]])
def test_what_root_installs_elsewhere_is_roots(visited: Machine, options: list[str]) -> None:
    chosen = [option.format(root=visited.root) for option in options]
    install_from_file(visited, *chosen).ok().is_silent_about("sudo", "chown")


def test_root_in_its_own_home_is_told_nothing(machine: Machine) -> None:
    """`sudo` as most distributions set it up: HOME is root's."""
    (machine.root / "wasp.tgz").write_bytes(PACKAGE.npm_archive())
    machine.set(SUDO_USER="somebody", SUDO_UID=str(STRANGER))
    install_from_file(machine).ok().is_silent_about("sudo")
