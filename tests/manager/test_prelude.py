"""install.sh as a text: whatever shell reads it, by whatever way, all of it is done or nothing."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from tests.manager.homes import archive
from tests.manager.words import WORDS
from tests.support.frontends import FULL, INSTALL_SH, REPOSITORY
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.program import program_in
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture

TEXT = INSTALL_SH.read_bytes()
# Linux takes no longer argument.
LONGEST_ARGUMENT = 128 * 1024
READERS = (
    *("dash", "bash", "bash --posix", "busybox sh", "zsh", "zsh --emulate sh"),
    *("mksh", "yash", "ksh93", "posh"),
)
READER = pytest.mark.parametrize("reader", READERS)


def command(reader: str) -> list[str]:
    program, *options = reader.split()
    return [str(real_tool(program)), *options]


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    return machines.build("sh")


# --- All of it -----------------------------------------------------------------------------------


def read_as(machine: Machine, way: str, reader: str, *arguments: str) -> Run:
    """Has a shell read install.sh: from a file, from a pipe, or as an argument."""
    argv = command(reader)
    if way == "file":
        return machine.run_program([*argv, str(INSTALL_SH), *arguments])
    if way == "pipe":
        # posh knows no -s.
        words = ["-s", "--", *arguments] if reader != "posh" else []
        return machine.run_program([*argv, *words], stdin=TEXT.decode())
    return machine.run_program([*argv, "-c", TEXT.decode(), "sh", *arguments])


@READER
def test_every_way_to_read_it_leaves_the_same_wasp(machine: Machine, reader: str) -> None:
    # posh can be given no words by a pipe.
    words = ("use", "0.25.0") if reader != "posh" else ()
    machine.set(WASP_VERSION="0.25.0")
    expected = None
    for way, by in (("file", "dash"), ("file", reader), ("pipe", reader), ("argument", reader)):
        shutil.rmtree(machine.home)
        machine.home.mkdir()
        machine.layout.plant("0.25.0")
        run = read_as(machine, way, by, *words).ok()
        assert run.stdout == ""
        found = (run.stderr, picture(machine.home))
        expected = expected or found
        assert found == expected, way
    assert_complete(machine, picture(machine.home))


def assert_complete(machine: Machine, found: dict[str, Entry]) -> None:
    share = machine.layout.share
    for name in ("telemetry_ping.py", "installed/telemetry_messages.py"):
        assert (share / name.rpartition("/")[2]).read_bytes() == (REPOSITORY / name).read_bytes()
    for name in ("wasp.bash", "_wasp", "wasp.fish"):
        source = REPOSITORY / "installed" / "completions" / name
        assert (share / "completions" / name).read_bytes() == source.read_bytes()
    assert (share / "wasp-installer.sh").read_text() == program_in(TEXT.decode())
    assert {".bashrc", ".profile", ".local/bin/wasp"} <= set(found)
    assert machine.wasp("version").ok().stdout == "0.25.0\n"


@READER
def test_an_error_has_its_exit_code(machine: Machine, reader: str) -> None:
    if reader == "posh":
        machine.set(WASP_VERSION="no-version")
        read_as(machine, "pipe", reader).failed(2).says("no-version")
    else:
        read_as(machine, "pipe", reader, "--no-such-option").failed(2).says("--no-such-option")


# --- A part of it --------------------------------------------------------------------------------


def cuts(number: int, seed: str) -> list[int]:
    """Where to cut: all around the prelude and the end, at ends of lines, and anywhere."""
    start = TEXT.index(b"\n{\n") + 3
    prelude = TEXT.index(b"<<'WASP_INSTALLER'\n")
    near = [*range(start, start + 6), *range(prelude - 6, prelude + 24, 3)]
    near += range(len(TEXT) - 24, len(TEXT) - 2)
    chosen = random.Random(seed)
    ends = [match.end() for match in re.finditer(rb"\n", TEXT) if match.end() > start]
    anywhere = [chosen.randrange(start, len(TEXT) - 2) for _ in range(number)]
    return sorted(
        {*chosen.sample(near, min(number, len(near))), *anywhere, *chosen.sample(ends[:-2], number)}
    )


@READER
def test_cut_anywhere_it_does_nothing(machine: Machine, reader: str) -> None:
    """But for the complaint of the shell that something is missing at the end."""
    before = picture(machine.root)
    for at in cuts(150 if FULL else 50 if reader == "dash" else 10, reader):
        cut = subprocess.run(
            command(reader),
            input=TEXT[:at],
            capture_output=True,
            env=machine.environment,
            cwd=machine.here,
        )
        assert cut.returncode != 0, f"cut at {at}"
        assert cut.stdout == b"", f"cut at {at}"
        assert 0 < len(cut.stderr.splitlines()) <= 3, f"cut at {at}: {cut.stderr!r}"
        assert b"wasp" not in cut.stderr.replace(b"WASP_INSTALLER", b""), f"cut at {at}"
    assert picture(machine.root) == before
    assert machine.processes() == {}
    assert machine.upstream.server.connections == 0


@READER
def test_the_last_line_break_alone_may_be_missing(machine: Machine, reader: str) -> None:
    machine.layout.plant("0.25.0")
    machine.set(WASP_VERSION="0.25.0")
    machine.run_program(command(reader), stdin=TEXT.decode().rstrip("\n")).ok()
    assert machine.wasp("version").stdout == "0.25.0\n"


# --- Any /bin/sh ---------------------------------------------------------------------------------


def as_bin_sh(shell: str) -> list[str]:
    """What comes before a command for which /bin/sh is this shell."""
    target = real_tool("sh").resolve()
    mount = f"'{real_tool('mount')}' --bind '{real_tool(shell)}' '{target}' && exec \"$@\""
    return [str(real_tool("unshare")), "-m", str(real_tool("bash")), "-c", mount, "bash"]


BIN_SH = ("bash", "busybox", "zsh", "mksh", "yash", "ksh93")


@pytest.mark.parametrize("shell", BIN_SH)
def test_whatever_bin_sh_is(machine: Machine, shell: str) -> None:
    wrapper = as_bin_sh(shell)
    probe = subprocess.run([*wrapper, "/bin/sh", "-c", ":"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip(f"cannot put {shell} in the place of /bin/sh here")
    machine.wrapper = wrapper
    options = ("--from-file", archive(machine))
    everything_talks = {f"BASH_FUNC_{name}%%": TALKS for name in WORDS}
    exported = {**everything_talks, "GLOBIGNORE": "*", "SHELLOPTS": "noclobber"}
    for environment in ({}, exported) if shell == "bash" else (exported,):
        run = machine.run_program(
            [str(real_tool("bash")), str(INSTALL_SH), *options], env=environment
        )
        assert "TALKS" not in run.ok().stderr + run.stdout
        assert_complete(machine, picture(machine.home))
        machine.run_program(
            [str(real_tool("bash")), str(INSTALL_SH), "uninstall", "--yes"], env=environment
        ).ok().is_silent_about("talks")
        assert picture(machine.home) == {}


TALKS = "() { echo TALKS >&2; return 1; }"


# --- How it is put together ----------------------------------------------------------------------


def test_it_is_fresh() -> None:
    check = [sys.executable, str(REPOSITORY / "packaging" / "assemble.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_fits_into_an_argument() -> None:
    assert len((REPOSITORY / "install.sh").read_bytes()) < LONGEST_ARGUMENT


def test_no_function_is_there_twice() -> None:
    """The second would replace the first, and no shell or linter says so."""
    parts = "".join(file.read_text() for file in (REPOSITORY / "sh").glob("*.sh"))
    names = re.findall(r"^([a-z_]+)\(\) \{$", parts, re.MULTILINE)
    assert len(names) > 100
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_part_is_in_it() -> None:
    """A file of sh/ that nobody put into the list would be linted and never run."""
    program = program_in(TEXT.decode())
    for file in (REPOSITORY / "sh").glob("*.sh"):
        names = re.findall(r"^([a-z_]+)\(\) \{$", file.read_text(), re.MULTILINE)
        assert all(f"\n{name}() {{\n" in program for name in names), file.name
