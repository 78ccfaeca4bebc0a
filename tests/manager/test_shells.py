"""Real shells, as a person starts them: they find wasp afterwards, and nothing else is new."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.manager.homes import ODD, dotfiles, set_up, uninstall, write
from tests.support.machines import Machine, MachineRoom
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool


@dataclass(frozen=True)
class Start:
    """One way in which a person's shell starts; `options` come before -c."""

    program: str
    options: tuple[str, ...]

    @property
    def path(self) -> str:
        return str(real_tool(self.program))

    def run(self, machine: Machine, command: str) -> str:
        """What a terminal shows when this shell starts and runs the command."""
        return shown([self.path, *self.options, "-c", command], machine)

    def __str__(self) -> str:
        return "".join([self.program, *self.options]).replace(" ", "")


def shown(argv: Sequence[str], machine: Machine) -> str:
    shell = Terminal(argv, machine.environment, machine.here)
    code = shell.finish()
    assert code == 0, shell.shown
    return shell.shown


STARTS = [
    Start(program, tuple(options.split()))
    for program, all_options in {
        "bash": ("-i", "-l", "-l -i"),
        "zsh": ("-i", "-l -i"),
        "fish": ("", "-i", "-l"),
        "dash": ("-l",),
        "busybox": ("sh -l",),
        "posh": ("-l",),
        "ksh93": ("-i", "-l"),
        "mksh": ("-i", "-l"),
        "yash": ("-i", "-l"),
    }.items()
    for options in all_options
]


@pytest.mark.parametrize("start", STARTS, ids=str)
def test_every_shell_finds_wasp(machines: MachineRoom, start: Start) -> None:
    machine = machines.build("sh").set(SHELL=start.path)
    # Without a file of one's own, yash and zsh greet a new user.
    write(machine.home, dict.fromkeys((".bashrc", ".yashrc", ".zshrc"), b""))
    write(machine.home, {".bash_profile": b'. "$HOME/.bashrc"\n'})
    before = start.run(machine, "echo it starts")
    set_up(machine).says("Set up PATH")
    folder = f"{machine.layout.prefix}/bin"
    for path in (machine.toolbox.folder, f"{machine.toolbox.folder}:{folder}"):
        # One start-up file may read another, and a shell may start in a shell.
        machine.set(PATH=str(path))
        assert start.run(machine, "echo it starts") == before
        assert "0.25.0" in start.run(machine, "wasp version")
        assert start.run(machine, "env").count(f"{folder}") == 1
    machine.set(PATH=str(machine.toolbox.folder))
    # Wasp's own `wasp uninstall` knows of no start-up files.
    shutil.rmtree(machine.layout.prefix)
    assert start.run(machine, "echo it starts") == before


@pytest.mark.parametrize("where", ["home", "prefix", "prefix-in-home"])
@pytest.mark.parametrize("start", {start.program: start for start in STARTS}.values(), ids=str)
def test_whatever_the_folders_are_called(machines: MachineRoom, start: Start, where: str) -> None:
    machine = machines.build("sh").set(SHELL=start.path)
    # ksh93 expands what stands in the name of its file once more, and so does not find it.
    odd = ODD if start.program != "ksh93" or where != "home" else "a home (and \u00fc) !x"
    machine.layout.plant("0.25.0")
    prefix = {
        "home": machine.root / odd / ".local",
        "prefix": machine.root / odd,
        "prefix-in-home": machine.home / odd,
    }[where]
    if where == "home":
        machine.home = machine.home.rename(machine.root / odd)
        machine.set(HOME=str(machine.home))
    else:
        machine.layout.prefix.rename(prefix)
    machine.run("use", "0.25.0", "--prefix", str(prefix)).ok()
    assert "0.25.0" in start.run(machine, "wasp version")


# As people have it, and whatever a prompt or a history does there.
INTERACTIVE = (
    *("bash -i", "bash -l -i", "bash --posix -i", "zsh -i", "zsh -l -i", "fish -i", "ksh93 -i"),
    *("mksh -i", "yash -i", "dash -l -i", "busybox sh -l -i"),
)


@pytest.mark.parametrize("start", INTERACTIVE)
def test_typed_at_a_prompt(machines: MachineRoom, start: str) -> None:
    program, *options = start.split()
    machine = machines.build("sh").set(SHELL=str(real_tool(program)), TERM="dumb", PS1="$ ")
    if "--posix" in options or program in ("dash", "busybox"):
        # POSIX has these read the file that ENV names.
        machine.set(ENV=str(machine.home / ".profile"))
    if program == "zsh":
        # Or a new user is asked what to set up.
        write(machine.home, {".zshrc": b"unsetopt zle\n"})
    set_up(machine)
    shell = Terminal([str(real_tool(program)), *options], machine.environment, machine.here)
    shell.type(
        "wasp version; echo co''de=$?\n"
        if program != "fish"
        else "wasp version; echo co''de=$status\n"
    )
    shell.wait_for("code=")
    shell.type("exit\n")
    shell.finish()
    for of_fish in machine.temporary.glob("fish*"):
        shutil.rmtree(of_fish)
    assert "0.25.0" in shell.shown
    assert "code=0" in shell.shown
    assert not re.search("env.sh|not found|rror|denied", shell.shown), shell.shown


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "dash", "mksh", "yash", "ksh93"])
def test_what_is_said_of_this_terminal_is_right(machines: MachineRoom, name: str) -> None:
    machine = machines.build("sh").set(SHELL=str(real_tool(name)))
    machine.move_home("a $trange 'home'")
    prefix = machine.home / "it's"
    machine.layout.plant("0.25.0")
    machine.layout.prefix.rename(prefix)
    words = ("--outcome", "installed", "--prefix", str(prefix))
    run = machine.run("use", "0.25.0", "--porcelain", *words).ok()
    lines = run.stderr.splitlines()
    first, command, *others = lines[lines.index("Next:") + 1 :]
    assert first == "  1. Put wasp on the PATH of this terminal:"
    assert others[-1].strip() == "wasp new my-app"
    script = f"{command}; wasp version"
    fresh = machine.run_program(
        [str(real_tool(name)), "-c", script], env={"HOME": str(machine.home)}
    )
    assert fresh.stdout == "0.25.0\n"


# --- The file that zsh reads ---------------------------------------------------------------------

ZSHENVS = {
    "its-own": 'ZDOTDIR="$HOME/zsh"\n',
    "exported": 'export ZDOTDIR="$HOME/zsh"\n',
    "that-talks": 'echo "welcome, zdotdir=/nowhere"\nprint -u2 hi\nZDOTDIR="$HOME/zsh"\n',
    "with-aliases": 'ZDOTDIR="$HOME/zsh"\nalias print=false builtin=false\nprint() { false; }\n',
    "with-options": 'ZDOTDIR="$HOME/zsh"\nsetopt nounset errexit ksharrays noglob\n',
}


@pytest.mark.parametrize("case", ZSHENVS)
def test_zsh_finds_wasp_where_only_its_own_file_names_the_folder(
    machines: MachineRoom, case: str
) -> None:
    machine = machines.build("sh").set(SHELL=str(real_tool("zsh")))
    machine.toolbox.link("zsh")
    write(machine.home, {".zshenv": ZSHENVS[case].encode(), "zsh/.zshrc": b"# mine\n"})
    before = dotfiles(machine.home)
    set_up(machine).says("~/zsh/.zshrc").is_silent_about("~/.zshrc", "welcome")
    assert "0.25.0" in Start("zsh", ("-i",)).run(machine, "wasp version")
    uninstall(machine)
    assert dotfiles(machine.home) == before


def test_a_zsh_that_hangs_is_not_waited_for(machines: MachineRoom) -> None:
    machine = machines.build("sh").set(SHELL=str(real_tool("zsh")))
    machine.toolbox.link("zsh")
    # In place of ten seconds.
    machine.toolbox.script("timeout", f'shift 3; exec {real_tool("timeout")} -k 2 1 "$@"')
    write(machine.home, {".zshenv": b"sleep 100\n"})
    set_up(machine).says("~/.zshrc")
    assert os.path.getsize(machine.home / ".zshrc") > 0
