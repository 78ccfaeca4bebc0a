"""Real shells, as a person starts them: they find wasp afterwards, and nothing else is new."""

from __future__ import annotations

import shutil

import pytest

from tests.manager.homes import add_lines, dotfiles, set_up, take_lines_out, write
from tests.manager.shells import command_of
from tests.support.functions import call_functions
from tests.support.machines import Machine, MachineRoom
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool
from tests.support.trees import Layout

#: A shell with its options, as a person starts it.
STARTS = (
    *("bash -i", "bash -l", "bash -l -i", "zsh -i", "zsh -l -i", "fish", "fish -i", "fish -l"),
    *("dash -l", "busybox sh -l", "posh -l", "ksh93 -i", "ksh93 -l", "mksh -i", "mksh -l"),
    *("yash -i", "yash -l"),
)


def shown(machine: Machine, start: str, command: str) -> str:
    """What a terminal shows when this shell starts and runs the command."""
    shell = Terminal([*command_of(start), "-c", command], machine.environment, machine.here)
    assert shell.finish() == 0, shell.shown
    return shell.shown


#: With these, all shells of a home are set up, and yash and zsh do not greet a new user.
OWN_FILES = {
    **dict.fromkeys((".bashrc", ".yashrc", ".yash_profile", ".zshrc", ".kshrc", ".mkshrc"), b""),
    ".bash_profile": b'. "$HOME/.bashrc"\n',
    ".profile": b"",
    ".config/fish/config.fish": b"",
}


def test_every_shell_finds_wasp(machines: MachineRoom) -> None:
    """And shows nothing else than before."""
    machine = machines.build("sh")
    write(machine.home, OWN_FILES)
    fresh = {start: shown(machine, start, "echo it starts") for start in STARTS}
    set_up(machine).says("Set up PATH")
    folder = f"{machine.layout.prefix}/bin"
    # One start-up file may read another, and a shell may start in a shell.
    for path in (machine.toolbox.folder, f"{machine.toolbox.folder}:{folder}"):
        machine.set(PATH=str(path))
        for start, before in fresh.items():
            told = shown(machine, start, "echo it starts; wasp version; env")
            assert told.startswith(f"{before}0.25.0\r\n"), (start, told)
            assert told.count(folder) == 1, (start, told)
    machine.set(PATH=str(machine.toolbox.folder))
    # Wasp's own `wasp uninstall` knows of no start-up files.
    shutil.rmtree(machine.layout.prefix)
    for start, before in fresh.items():
        assert shown(machine, start, "echo it starts") == before, start


#: A folder whose name no shell must read as anything but a name.
ODD = 'it\'s a "home" with $pecials \\ `here` (and \u00fc) !x'
SIMPLER = "a home (and \u00fc) !x"


@pytest.mark.parametrize(
    ("home", "prefix"),
    [
        (ODD, f"{ODD}/.local"),
        (SIMPLER, f"{SIMPLER}/.local"),
        ("home", ODD),
        ("home", f"home/{ODD}"),
    ],
)
def test_whatever_the_folders_are_called(machines: MachineRoom, home: str, prefix: str) -> None:
    # ksh93 expands what stands in the name of its file once more, and so does not find it.
    left_out = ["ksh93 -l"] if home == ODD else []
    machine = machines.build("sh")
    machine.home = machine.home.rename(machine.root / home)
    machine.set(HOME=str(machine.home))
    Layout(machine.root / prefix).plant("0.25.0")
    write(machine.home, OWN_FILES)
    machine.run("use", "0.25.0", "--prefix", str(machine.root / prefix)).ok()
    for start in {start.split()[0]: start for start in STARTS}.values():
        assert start in left_out or "0.25.0" in shown(machine, start, "wasp version")


def test_what_is_said_of_this_terminal_is_right(machines: MachineRoom) -> None:
    machine = machines.build("sh")
    machine.move_home("a $trange 'home'")
    prefix = machine.home / "it's"
    Layout(prefix).plant("0.25.0")
    machine.set(WASP_INSTALL_PREFIX=str(prefix))
    told = machine.run("use", "0.25.0", "--porcelain", "--outcome", "installed").ok().stderr
    names = ("bash", "zsh", "fish", "dash", "mksh", "yash", "ksh93")
    spell = 'check_arguments\nspell_lines\nlines "$path_command"'
    commands = call_functions(machine, [f"SHELL=/bin/{name}\n{spell}" for name in names])
    _, _, told = told.partition("Next:\n")
    first = "  1. Put wasp on the PATH of this terminal:"
    assert told.startswith(f"{first}\n     {commands[0]}\n")
    assert told.endswith("     wasp new my-app\n")
    for name, command in zip(names, commands):
        fresh = machine.run_program([str(real_tool(name)), "-c", f"{command}; wasp version"])
        assert fresh.stdout == "0.25.0\n", name


# --- The file that zsh reads ---------------------------------------------------------------------

ZSHENVS = {
    "its-own": 'ZDOTDIR="$HOME/zsh"\n',
    "exported": 'export ZDOTDIR="$HOME/zsh"\n',
    "that-talks": 'echo "welcome, zdotdir=/nowhere"\nprint -u2 hi\nZDOTDIR="$HOME/zsh"\n',
    "with-aliases": 'ZDOTDIR="$HOME/zsh"\nalias print=false builtin=false\nprint() { false; }\n',
    "with-options": 'ZDOTDIR="$HOME/zsh"\nsetopt nounset errexit ksharrays noglob\n',
}


@pytest.mark.parametrize("case", ZSHENVS)
def test_zsh_is_asked_for_the_folder_that_only_its_own_file_names(
    machines: MachineRoom, case: str
) -> None:
    machine = machines.build("sh").set(SHELL=str(real_tool("zsh")))
    machine.toolbox.link("zsh")
    write(machine.home, {".zshenv": ZSHENVS[case].encode(), "zsh/.zshrc": b"# mine\n"})
    before = dotfiles(machine.home)
    add_lines(machine).says("~/zsh/.zshrc").is_silent_about("~/.zshrc", "welcome")
    take_lines_out(machine)
    assert dotfiles(machine.home) == before
