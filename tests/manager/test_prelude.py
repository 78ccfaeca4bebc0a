"""install.sh as a text: whatever shell reads it, by whatever way, all of it is done or nothing."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.manager.homes import archive
from tests.manager.words import WORDS
from tests.support.frontends import FULL, INSTALL_SH, REPOSITORY
from tests.support.machines import Machine, MachineRoom
from tests.support.program import program_in, with_program
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture

TEXT = INSTALL_SH.read_text(encoding="utf-8")
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

#: Of the program, everything but what starts it.
PROGRAM = program_in(TEXT).replace('\nmain "$0" "$@"\n', "\n")
SHOWS_ITSELF = PROGRAM + 'cat "$0"\nprintf "<%s>" "$@"\nrm -r "${0%/*}"\nexit 3\n'


@READER
@pytest.mark.parametrize("way", ["file", "pipe", "pipe without the last line break", "argument"])
def test_every_way_to_read_it_runs_the_same_program(
    machine: Machine, reader: str, way: str
) -> None:
    text = with_program(TEXT, SHOWS_ITSELF)
    words = ["list", "two words", ""]
    argv, stdin = command(reader), ""
    if way == "file":
        file = machine.root / "install.sh"
        file.write_text(text)
        argv += [str(file), *words]
    elif way == "argument":
        # As $(curl …) leaves it.
        argv += ["-c", text.rstrip("\n"), "sh", *words]
    else:
        stdin = text.rstrip("\n") if "without" in way else text
        # posh knows no -s, and so can be given no words.
        words = words if reader != "posh" else ["install"]
        argv += ["-s", "--", *words] if reader != "posh" else []
    run = machine.run_program(argv, stdin=stdin)
    assert (run.code, run.stderr) == (3, "")
    assert run.stdout == SHOWS_ITSELF + "".join(f"<{word}>" for word in words)


# --- A part of it --------------------------------------------------------------------------------

#: With less of the program, whose lines are all the same to who reads them.
SHORT = with_program(TEXT, PROGRAM[:1000] + 'main "$0" "$@"\n').encode()


def cuts(text: bytes, number: int, seed: str) -> list[int]:
    """Where to cut: all around the prelude and the end, at ends of lines, and anywhere."""
    start = text.index(b"\n{\n") + 3
    prelude = text.index(b"<<'WASP_INSTALLER'\n")
    near = [*range(start, start + 6), *range(prelude - 6, prelude + 24, 3)]
    near += range(len(text) - 24, len(text) - 2)
    chosen = random.Random(seed)
    ends = [match.end() for match in re.finditer(rb"\n", text) if match.end() > start]
    anywhere = [chosen.randrange(start, len(text) - 2) for _ in range(number)]
    near, ends = (chosen.sample(some, min(number, len(some))) for some in (near, ends[:-2]))
    return sorted({*near, *anywhere, *ends})


@READER
def test_cut_anywhere_it_does_nothing(machine: Machine, reader: str) -> None:
    """But for the complaint of the shell that something is missing at the end."""
    before = picture(machine.root)
    number = 150 if FULL else 50 if reader == "dash" else 10
    pieces = [SHORT[:at] for at in cuts(SHORT, number, reader)]
    pieces += [TEXT.encode()[:at] for at in cuts(TEXT.encode(), 1, reader)]
    for piece in pieces:
        cut = subprocess.run(
            command(reader),
            input=piece,
            capture_output=True,
            env=machine.environment,
            cwd=machine.here,
        )
        assert cut.returncode != 0, piece[-20:]
        assert cut.stdout == b"", piece[-20:]
        assert 0 < len(cut.stderr.splitlines()) <= 3, (piece[-20:], cut.stderr)
        assert b"wasp" not in cut.stderr.replace(b"WASP_INSTALLER", b""), piece[-20:]
    assert picture(machine.root) == before
    assert machine.processes() == {}
    assert machine.upstream.server.connections == 0


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
    # Only bash passes functions on, to whatever unpacks an archive as well.
    options = ("--from-file", archive(machine)) if shell == "bash" else ("use", "0.25.0")
    everything_talks = {f"BASH_FUNC_{name}%%": TALKS for name in WORDS}
    exported = {**everything_talks, "GLOBIGNORE": "*", "SHELLOPTS": "noclobber"}
    for environment in ({}, exported) if shell == "bash" else (exported,):
        if shell != "bash":
            machine.layout.plant("0.25.0")
        run = machine.run_program(
            [str(real_tool("bash")), str(INSTALL_SH), *options], env=environment
        )
        assert "TALKS" not in run.ok().stderr + run.stdout
        assert_complete(machine, picture(machine.home))
        machine.run_program(
            [str(real_tool("bash")), str(INSTALL_SH), "uninstall", "--yes"], env=environment
        ).ok().is_silent_about("talks")
        assert picture(machine.home) == {}


def assert_complete(machine: Machine, found: dict[str, Entry]) -> None:
    share = machine.layout.share
    for name in ("telemetry_ping.py", "installed/telemetry_messages.py"):
        assert (share / name.rpartition("/")[2]).read_bytes() == (REPOSITORY / name).read_bytes()
    for name in ("wasp.bash", "_wasp", "wasp.fish"):
        source = REPOSITORY / "installed" / "completions" / name
        assert (share / "completions" / name).read_bytes() == source.read_bytes()
    assert (share / "wasp-installer.sh").read_text() == program_in(TEXT)
    assert {".bashrc", ".profile", ".local/bin/wasp"} <= set(found)
    assert machine.wasp("version").ok().stdout == "0.25.0\n"


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
    program = program_in(TEXT)
    for file in (REPOSITORY / "sh").glob("*.sh"):
        names = re.findall(r"^([a-z_]+)\(\) \{$", file.read_text(), re.MULTILINE)
        assert all(f"\n{name}() {{\n" in program for name in names), file.name
