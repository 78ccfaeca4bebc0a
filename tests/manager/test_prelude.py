"""install.sh as a text: whatever shell reads it, by whatever way, all of it is done or nothing."""

from __future__ import annotations

import random
import re
import subprocess

import pytest
from assemble import INSTALLED, install_sh, read_table

from tests.manager.homes import archive
from tests.manager.shells import WORDS, command_of
from tests.support.frontends import FULL, INSTALL_SH, REPOSITORY
from tests.support.machines import Machine, MachineRoom
from tests.support.program import program_in, with_program
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

TEXT = INSTALL_SH.read_text(encoding="utf-8")
READER = pytest.mark.parametrize(
    "reader",
    [
        *("dash", "bash", "bash --posix", "busybox sh", "zsh", "zsh --emulate sh"),
        *("mksh", "yash", "ksh93", "posh"),
    ],
)


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    return machines.build("sh")


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
    argv, stdin = command_of(reader), ""
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


#: With less of the program, whose lines are all the same to who reads them.
SHORT = with_program(TEXT, PROGRAM[:1000] + 'main "$0" "$@"\n').encode()


def cuts(text: bytes, number: int, seed: str) -> set[int]:
    """Where to cut: all around the prelude and the end, at ends of lines, and anywhere."""
    start = text.index(b"\n{\n") + 3
    prelude = text.index(b"<<'WASP_INSTALLER'\n")
    near = [*range(start, start + 6), *range(prelude - 6, prelude + 24, 3)]
    near += range(len(text) - 24, len(text) - 2)
    ends = [match.end() for match in re.finditer(rb"\n", text) if match.end() > start][:-2]
    chosen = random.Random(seed)
    anywhere = range(start, len(text) - 2)
    places = (near, ends, anywhere)
    return {at for some in places for at in chosen.sample(some, min(number, len(some)))}


@READER
def test_cut_anywhere_it_does_nothing(machine: Machine, reader: str) -> None:
    """But for the complaint of the shell that something is missing at the end."""
    before = picture(machine.root)
    number = 150 if FULL else 50 if reader == "dash" else 10
    pieces = [SHORT[:at] for at in cuts(SHORT, number, reader)]
    pieces += [TEXT.encode()[:at] for at in cuts(TEXT.encode(), 1, reader)]
    for piece in pieces:
        cut = subprocess.run(
            command_of(reader),
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


EXPORTED = {
    **{
        f"BASH_FUNC_{name}%%": "() { builtin echo TALKS >&2; return 1; }"
        for name in (*WORDS, "unset", "exec")
    },
    "GLOBIGNORE": "*",
    "SHELLOPTS": "noclobber",
}


@pytest.mark.parametrize("shell", ["bash", "busybox", "zsh", "mksh", "yash", "ksh93"])
def test_whatever_bin_sh_is(machine: Machine, shell: str) -> None:
    """Also with functions that bash passes on, to whatever unpacks an archive as well."""
    mount = f"'{real_tool('mount')}' --bind '{real_tool(shell)}' '{real_tool('sh').resolve()}'"
    wrapper = [str(real_tool("unshare")), "-m", str(real_tool("bash")), "-c"]
    wrapper += [f'{mount} && builtin exec "$@"', "bash"]
    probe = subprocess.run([*wrapper, "/bin/sh", "-c", ":"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip(f"cannot put {shell} in the place of /bin/sh here")
    machine.wrapper = wrapper
    installer = [str(real_tool("bash")), str(INSTALL_SH)]
    options = ("--from-file", archive(machine)) if shell == "bash" else ("use", "0.25.0")
    machine.layout.plant("0.25.0" if shell != "bash" else "0.24.0")
    run = machine.run_program([*installer, *options], env=EXPORTED).ok()
    assert "TALKS" not in run.stderr + run.stdout
    share = machine.layout.share
    for name, source in INSTALLED.items():
        if name not in ("launcher", "env.sh", "env.fish"):
            assert (share / name).read_bytes() == (REPOSITORY / source).read_bytes()
    assert (share / "wasp-installer.sh").read_text() == program_in(TEXT)
    assert {".bashrc", ".profile", ".local/bin/wasp"} <= set(picture(machine.home))
    assert machine.wasp("version").ok().stdout == "0.25.0\n"
    machine.run_program([*installer, "uninstall", "--yes"], env=EXPORTED).ok().is_silent_about(
        "talks"
    )
    assert picture(machine.home) == {}


def test_how_it_is_put_together() -> None:
    """It is fresh, fits into an argument of Linux, and has each function of each part once."""
    committed = (REPOSITORY / "install.sh").read_bytes()
    assert committed == install_sh(read_table()).encode()
    assert len(committed) < 128 * 1024
    parts = "".join(file.read_text() for file in (REPOSITORY / "sh").glob("*.sh"))
    names = re.findall(r"^([a-z_]+)\(\) \{$", parts, re.MULTILINE)
    assert len(names) > 100
    assert [name for name in names if program_in(TEXT).count(f"\n{name}() {{\n") != 1] == []
