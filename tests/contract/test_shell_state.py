"""The shell that install.sh finds: whatever its user has made of it, the same is done.

Aliases, functions and options reach a script by ~/.zshenv, by BASH_ENV, by the environment and by
the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_SH
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.toolboxes import real_tool

# Longer than a buffer of any tool, with an end that is no line.
MINE = "".join(f"export MINE_{number}='of my own'\n" for number in range(3000)) + "# end"
FILES = (".bashrc", ".zshrc", ".profile")


@dataclass(frozen=True)
class State:
    """A shell and what its user has set in it."""

    name: str
    command: tuple[str, ...]
    zshenv: str = ""
    bash_env: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


ALIASES = {
    "alias-cp": "alias cp='cp -i'",
    "alias-cat": "alias cat='cat -n'",
    "alias-mv": "alias mv='mv -i'",
    "alias-rm": "alias rm='rm -i'",
    "alias-grep": "alias grep='grep -n --color=always'",
    "alias-printf": "alias printf='echo'",
    "alias-unset": "alias unset=false unalias=false set=false",
}
# The same text in zsh and bash.
FUNCTIONS = {
    "function-cp": 'cp() { command cp -i "$@"; }',
    "function-cd": 'cd() { builtin cd "$@" && command ls; }',
    "function-grep": 'grep() { command grep -n "$@"; }',
    "function-cat": 'cat() { command cat -n "$@"; }',
    "function-mv": "mv() { return 0; }",
    "function-head": "head() { return 0; }",
    "function-printf": "printf() { return 0; }",
}
ZSH_OPTIONS = {
    "noclobber": "setopt noclobber",
    "noglob": "setopt noglob",
    "errexit": "setopt errexit",
    "ksharrays": "setopt ksharrays",
    "chpwd": 'chpwd() { echo "now in $PWD"; }',
}
BASH_OPTIONS = {
    "failglob": "shopt -s failglob",
    "nullglob": "shopt -s nullglob",
    "noclobber": "set -o noclobber",
    "noglob": "set -o noglob",
    "globignore": "GLOBIGNORE='*'",
}
# As `export -f` leaves them.
EXPORTED = {
    "cp": '() { command cp -i "$@"; }',
    "cd": '() { builtin cd "$@" && command ls; }',
    "cat": '() { command cat -n "$@"; }',
    "grep": '() { command grep -n "$@"; }',
    "mv": "() { return 0; }",
    "tail": "() { return 0; }",
    "unset": "() { return 0; }",
}
OPTIONS = [
    *(
        (shell, option)
        for shell in ("bash", "dash", "zsh", "mksh", "yash")
        for option in ("-C", "-f")
    ),
    ("bash", "-e"),
    ("dash", "-e"),
    ("posh", "-C"),
]
STATES = [
    *(
        State(f"zsh-{name}", ("zsh",), zshenv=text)
        for name, text in {**ALIASES, **FUNCTIONS, **ZSH_OPTIONS}.items()
    ),
    *(
        State(f"bash-{name}", ("bash",), bash_env=text)
        for name, text in {
            **{name: f"shopt -s expand_aliases\n{text}" for name, text in ALIASES.items()},
            **FUNCTIONS,
            **BASH_OPTIONS,
        }.items()
    ),
    *(
        State(f"bash-exported-{name}", ("bash",), environment={f"BASH_FUNC_{name}%%": text})
        for name, text in EXPORTED.items()
    ),
    State("bash-SHELLOPTS", ("bash",), environment={"SHELLOPTS": "braceexpand:noclobber"}),
    State("bash-BASHOPTS", ("bash",), environment={"BASHOPTS": "failglob"}),
    *(State(f"{shell}{option}", (shell, option)) for shell, option in OPTIONS),
    State("busybox-C", ("busybox", "sh", "-C")),
]


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    """A person with long start-up files, and a release in a file."""
    machine = machines.build("dash")
    (machine.root / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    for name in FILES:
        (machine.home / name).write_text(MINE)
    return machine


def enter(machine: Machine, state: State) -> None:
    shell = "zsh" if state.zshenv else "bash"
    machine.set(SHELL=f"/bin/{shell}", **state.environment)
    if state.zshenv:
        (machine.home / ".zshenv").write_text(f"{state.zshenv}\n")
    if state.bash_env:
        (machine.root / "bash-env").write_text(f"{state.bash_env}\n")
        machine.set(BASH_ENV=str(machine.root / "bash-env"))


def run(machine: Machine, state: State, *arguments: str, piped: bool = False) -> Run:
    program, *options = state.command
    argv = [str(real_tool(program)), *options]
    if piped:
        argv += ["-s", "--", *arguments]
        return machine.run_program(argv, stdin=INSTALL_SH.read_text()).ok()
    return machine.run_program([*argv, str(INSTALL_SH), *arguments]).ok()


def check_round_trip(machine: Machine, state: State, *, piped: bool) -> None:
    enter(machine, state)
    archive = str(machine.root / "wasp.tgz")
    run(machine, state, "--from-file", archive, piped=piped)
    own = ".zshrc" if state.zshenv else ".bashrc"
    for name in FILES:
        assert_mine(machine.home / name)
    assert "wasp" in (machine.home / own).read_text()[len(MINE) :].lower()
    assert machine.layout.versions() == ["0.25.0"]
    launcher = [str(real_tool("dash")), str(machine.layout.launcher), "version"]
    assert machine.run_program(launcher).ok().stdout == "0.25.0\n"
    run(machine, state, "uninstall", "--yes", piped=piped)
    assert not machine.layout.prefix.exists()
    for name in FILES:
        assert (machine.home / name).read_text() == MINE


def assert_mine(file: Path) -> None:
    """All of it is there, and beside it whole lines of ours alone."""
    text = file.read_text()
    assert text.startswith(MINE)
    assert all(line == "" or "wasp" in line.lower() for line in text[len(MINE) :].split("\n"))


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_state_of_a_shell_changes_nothing(machine: Machine, state: State) -> None:
    check_round_trip(machine, state, piped=False)


@pytest.mark.parametrize(
    "state",
    [
        state
        for state in STATES
        if state.name.endswith(("-cp", "-cat", "-C", "-cd")) and "posh" not in state.name
    ],
    ids=str,
)
def test_nor_where_the_script_comes_from_a_pipe(machine: Machine, state: State) -> None:
    check_round_trip(machine, state, piped=True)


# --- A tool that does not do its work ------------------------------------------------------------

USELESS = ("cp", "cat", "head", "tail", "sed", "awk", "wc", "mktemp", "chmod")


@pytest.mark.parametrize("tool", USELESS)
def test_a_tool_that_does_nothing_takes_nothing_from_a_file(machine: Machine, tool: str) -> None:
    """Whatever a run makes of it: what is no whole copy never comes into the place of a file."""
    install = ("--from-file", str(machine.root / "wasp.tgz"))
    with_lines = {}
    machine.run(*install).ok()
    for name in FILES:
        with_lines[name] = (machine.home / name).read_text()
    machine.toolbox.script(tool, "exit 0")
    machine.run("uninstall", "--yes")
    for name in FILES:
        assert_mine(machine.home / name)
        (machine.home / name).write_text(MINE)
    machine.run(*install, "--force")
    for name in FILES:
        assert_mine(machine.home / name)
    machine.toolbox.link(tool)
    # What the useless tool left of this machine.
    machine.run(*install, "--force").ok()
    machine.run("uninstall", "--yes").ok()
