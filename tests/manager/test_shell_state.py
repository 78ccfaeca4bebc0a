"""The shell that install.sh finds: whatever its user has made of it, the same is done.

Aliases, functions and options reach a script by ~/.zshenv, by BASH_ENV, by the environment and by
the command line.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.manager.homes import WORDS, archive, command_of, options_of
from tests.support.frontends import FULL, INSTALL_SH, SHELLS, FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.program import with_program
from tests.support.toolboxes import real_tool
from tests.support.trees import picture

# With an end that is no line.
MINE = "export MINE='of my own'\n# end"
FILES = (".bashrc", ".zshrc", ".profile")
#: An alias may also replace what POSIX calls a special builtin. "alias" last, so that it does not
#: change what the text with all of them does.
ALIAS_WORDS = sorted(
    [
        *(*WORDS, "break", "continue", "eval", "exec", "exit", "export", "readonly", "return"),
        *("set", "shift", "trap", "unset"),
    ],
    key="alias".__eq__,
)


def aliases(form: str) -> str:
    return "\n".join(f"alias {word}='{form.format(word=word)}'" for word in ALIAS_WORDS)


def functions(form: str) -> str:
    return "\n".join(f"{word}() {{ {form.format(word=word)}; }}" for word in WORDS)


# What every word that the program runs has become; the same text in zsh and bash.
MADE_OF_ALL = {
    "aliases-that-talk": aliases("builtin echo TALKS; {word}"),
    "aliases-that-ask": aliases("{word} -i"),
    "aliases-that-fail": aliases("false"),
    "functions-that-talk": functions('builtin echo TALKS; command {word} "$@"'),
    "functions-that-ask": functions('command {word} -i "$@"'),
    "functions-that-do-nothing": functions("return 0"),
    "functions-that-fail": functions("return 1"),
}
ZSH_OPTIONS = """
    setopt noclobber noglob errexit errreturn nounset ksharrays shwordsplit globsubst extendedglob
    setopt rcexpandparam magicequalsubst cshjunkiequotes shglob posixbuiltins ignorebraces
    chpwd() { echo "now in $PWD"; }
    TRAPEXIT() { echo bye; }
"""
BASH_OPTIONS = """
    set -o noclobber -o noglob -o errexit -o nounset
    shopt -s failglob nullglob dotglob nocaseglob nocasematch xpg_echo
    GLOBIGNORE='*'
"""
OPTIONS = ("dash", "bash", "zsh", "mksh", "yash", "ksh93", "busybox sh")
#: A shell and what its user has set: in .zshenv, in the file of BASH_ENV, or in variables.
STATES: dict[str, tuple[str, dict[str, str]]] = {
    **{f"zsh-{name}": ("zsh", {"zshenv": text}) for name, text in MADE_OF_ALL.items()},
    **{
        f"bash-{name}": ("bash", {"BASH_ENV": f"shopt -s expand_aliases\n{text}"})
        for name, text in MADE_OF_ALL.items()
    },
    "zsh-options": ("zsh", {"zshenv": ZSH_OPTIONS}),
    "bash-options": ("bash", {"BASH_ENV": BASH_OPTIONS}),
    # allexport, noclobber, noglob and errexit.
    **{f"{shell}-a-C-f-e": (f"{shell} -a -C -f -e", {}) for shell in OPTIONS},
    "posh-C": ("posh -C", {}),
}


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    """A person with start-up files."""
    machine = machines.build("sh")
    for name in FILES:
        (machine.home / name).write_text(MINE)
    return machine


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_a_shell_changes_nothing(machine: Machine, state: str) -> None:
    command, variables = STATES[state]
    machine.set(SHELL=f"/bin/{'zsh' if 'zshenv' in variables else 'bash'}", **variables)
    for name, file in (("zshenv", machine.home / ".zshenv"), ("BASH_ENV", machine.root / "env")):
        if name in variables:
            file.write_text(f"{variables[name]}\n")
            machine.set(**{name: str(file)})
    shell = command_of(command)
    machine.layout.plant("0.25.0")
    # posh knows no -s.
    piped = [str(INSTALL_SH)] if command.startswith("posh") else ["-s", "--"]
    run = machine.run_program([*shell, *piped, "use", "0.25.0"], stdin=INSTALL_SH.read_text()).ok()
    assert "TALKS" not in run.stdout + run.stderr
    for name in FILES:
        assert_mine(machine.home / name)
    own = ".zshrc" if "zshenv" in variables else ".bashrc"
    assert "wasp" in (machine.home / own).read_text()[len(MINE) :]
    launcher = [str(real_tool("dash")), str(machine.layout.launcher), "version"]
    assert machine.run_program(launcher).ok().stdout == "0.25.0\n"
    run = machine.run_program([*shell, str(INSTALL_SH), "-V"]).ok()
    assert run.stdout.startswith("Wasp installer ")
    assert run.stderr == ""
    for name in ("tmp", "here"):
        assert picture(machine.root / name) == {}


def assert_mine(file: Path) -> None:
    """All of it is there, and behind it at most one line of ours."""
    text = file.read_text()
    assert text.startswith(MINE)
    assert text[len(MINE) :].count("\n") in (0, 2)


#: What is told of a run, by a program that has only this to do.
RAN = with_program(INSTALL_SH.read_text(), 'echo ran "$@"\nrm -r "${0%/*}"\n')


@pytest.mark.parametrize("shell", [*OPTIONS, "zsh with its .zshenv"])
def test_no_option_matters(machine: Machine, shell: str) -> None:
    """From a pipe and from a file; every twelfth, and allexport, where not everything is run."""
    argv = command_of(shell.partition(" with")[0])
    options = options_of(argv)
    (machine.root / "install.sh").write_text(RAN)
    for name in options if FULL else ["allexport", *options[::12]]:
        for sign in "-+":
            given = [f"{sign}o", name]
            if shell.endswith(".zshenv"):
                setopt = "setopt" if sign == "-" else "unsetopt"
                (machine.home / ".zshenv").write_text(f"{setopt} {name} 2>/dev/null\n")
                given = []
            for words in (["-s", "--"], [str(machine.root / "install.sh")]):
                done = machine.run_program([*argv, *given, *words, "-V"], stdin=RAN)
                assert (done.code, done.stdout, done.stderr) == (0, "ran -V\n", ""), (name, done)


VARIABLES = {
    "IFS": "/",
    "CDPATH": "/tmp",
    "GREP_OPTIONS": "--color=always",
    "GZIP": "-9",
    "TAR_OPTIONS": "--strip-components=9",
    "POSIXLY_CORRECT": "1",
    "LC_ALL": "tr_TR.UTF-8",
    "GLOBIGNORE": "*",
    "ENV": "/no/such/file",
    "BASH_ENV": "/no/such/file",
    "TMPDIR": "/no/such/folder",
    **dict.fromkeys(("version", "force", "json", "prefix", "work", "owner_name"), "yes"),
    **dict.fromkeys(("held_lock", "progress", "sending", "child", "d", "program"), "/"),
}


def test_the_callers_variables_do_not_matter(every_shell_machine: Machine) -> None:
    machine = every_shell_machine.set(**VARIABLES)
    words = ("use", "0.25.0")
    if machine.front_end == SHELLS[0]:
        # What unpacks an archive is the same everywhere.
        words = ("--from-file", archive(machine))
    else:
        machine.layout.plant("0.25.0")
    argv = [*machine.front_end.interpreter(), str(INSTALL_SH), *words]
    assert machine.run_program(argv).ok().stdout == ""
    assert machine.wasp("version").stdout == "0.25.0\n"
    machine.run("uninstall", "--yes").ok()
    assert picture(machine.home) == {}


def test_closed_descriptors_do_not_matter(machine: Machine, every_shell: FrontEnd) -> None:
    machine.layout.plant("0.25.0")
    argv = [*every_shell.interpreter(), str(INSTALL_SH), "use", "0.25.0"]
    one_by_one = ("<&-", ">&-", "2>&-") if FULL or every_shell.name == "dash" else ()
    for closed in ("<&- >&- 2>&-", *one_by_one):
        machine.layout.launcher.unlink(missing_ok=True)
        machine.run_program(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *argv]).ok()
        assert machine.wasp("version").stdout == "0.25.0\n"
        assert_mine(machine.home / ".bashrc")
        assert (machine.home / ".bashrc").read_text() != MINE


def test_the_callers_input_is_the_callers(machines: MachineRoom) -> None:
    """Such as the rest of a script, which a start-up file of zsh would read."""
    # The program itself, as install.sh gives it no input.
    machine = machines.build("dash")
    machine.toolbox.link("zsh")
    (machine.home / ".zshenv").write_text('read -r line && echo "$line" >~/read\n')
    machine.layout.plant("0.25.0")
    machine.set(SHELL=str(real_tool("zsh"))).run("use", "0.25.0", stdin="mine\n").ok()
    assert not (machine.home / "read").exists()
