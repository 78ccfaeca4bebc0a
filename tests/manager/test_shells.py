"""Real shells, as a person starts them: they find wasp afterwards, and nothing else is new."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.manager.homes import (
    add_lines,
    command_of,
    dotfiles,
    line_for,
    options_of,
    set_up,
    take_lines_out,
    write,
)
from tests.support.frontends import FULL
from tests.support.functions import call_functions
from tests.support.machines import Machine
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


def test_every_shell_finds_wasp(machine: Machine) -> None:
    """And shows nothing else than before."""
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
def test_whatever_the_folders_are_called(machine: Machine, home: str, prefix: str) -> None:
    # ksh93 expands what stands in the name of its file once more, and so does not find it.
    left_out = ["ksh93 -l"] if home == ODD else []
    machine.home = machine.home.rename(machine.root / home)
    machine.set(HOME=str(machine.home))
    Layout(machine.root / prefix).plant("0.25.0")
    write(machine.home, OWN_FILES)
    machine.run("use", "0.25.0", "--prefix", str(machine.root / prefix)).ok()
    for start in {start.split()[0]: start for start in STARTS}.values():
        assert start in left_out or "0.25.0" in shown(machine, start, "wasp version")


def test_what_is_said_of_this_terminal_is_right(machine: Machine) -> None:
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


ZSHENVS = {
    "its-own": 'ZDOTDIR="$HOME/zsh"\n',
    "exported": 'export ZDOTDIR="$HOME/zsh"\n',
    "that-talks": 'echo "welcome, zdotdir=/nowhere"\nprint -u2 hi\nZDOTDIR="$HOME/zsh"\n',
    "with-aliases": 'ZDOTDIR="$HOME/zsh"\nalias print=false builtin=false\nprint() { false; }\n',
    "with-options": 'ZDOTDIR="$HOME/zsh"\nsetopt nounset errexit ksharrays noglob\n',
}


@pytest.mark.parametrize("case", ZSHENVS)
def test_zsh_is_asked_for_the_folder_that_only_its_own_file_names(
    machine: Machine, case: str
) -> None:
    machine.set(SHELL=str(real_tool("zsh"))).toolbox.link("zsh")
    write(machine.home, {".zshenv": ZSHENVS[case].encode(), "zsh/.zshrc": b"# mine\n"})
    before = dotfiles(machine.home)
    add_lines(machine).says("~/zsh/.zshrc").is_silent_about("~/.zshrc", "welcome")
    take_lines_out(machine)
    assert dotfiles(machine.home) == before


# --- env.sh in an interactive shell: whatever its options, it only puts Wasp on PATH --------------

ZSH_OPTIONS = """
    ksharrays shwordsplit nounset errexit errreturn allexport noglob globsubst nullglob cshnullglob
    kshglob shglob extendedglob noclobber posixbuiltins posixidentifiers cshjunkiequotes
    rcexpandparam warncreateglobal noequals nobareglobqual noaliases nofunctionargzero ignorebraces
    noevallineno
"""
SETTINGS = ("", "set -eu", "set -a", "set -f", "IFS=/")
OF_BASH = ("set -u", "set -e", "set -o posix", "set -C", "set -euo pipefail; set -E")
#: A shell as it is without start-up files, and what is set in it besides.
SETTINGS_OF = {
    "bash --norc": (*OF_BASH, "shopt -s failglob nullglob"),
    "bash --norc --posix": (),
    "zsh -f": (
        *(f"setopt {option}" for option in ZSH_OPTIONS.split()),
        *("emulate sh", "emulate ksh"),
    ),
    "dash": (),
    "ksh93": ("set -o pipefail",),
    "mksh": ("set -o posix",),
    "yash --norcfile": ("set -o posixly-correct",),
    "busybox sh": (),
    "posh": (),
}
# Twice, since one start-up file may read another.
SCRIPT = r"""
{setting}
{ set +o || set -o; } >state-before 2>/dev/null
printf '%s' "$IFS" >>state-before
env >>state-before
echo begin
echo begin >&2
. ../home/line
. ../home/line
echo "end $?"
echo end >&2
{ set +o || set -o; } >state-after 2>/dev/null
printf '%s' "$IFS" >>state-after
env >>state-after
printf '%s\n' "path=$PATH" "ours=${__wasp_root-}${__wasp_bin-}"
[ -z "${ZSH_EVAL_CONTEXT-}" ] || printf 'fpath=%s\n' "$FPATH"
"""


@pytest.mark.parametrize("start", SETTINGS_OF)
def test_it_does_not_fail_print_or_change_anything(machine: Machine, start: str) -> None:
    command = command_of(start)
    set_up(machine)
    # As a shell with allexport leaves them to what is started in it.
    machine.set(BASH_VERSION="5.2.15(1)-release", ZSH_VERSION="5.9")
    (machine.home / "line").write_text(f"{line_for('.profile')}\n")
    expected_path = f"path={machine.layout.prefix}/bin:{machine.toolbox.folder}"
    expected = ["begin", "end 0", expected_path, "ours="]
    if start == "zsh -f":
        # Where zsh looks for its own functions: there as before, behind ours.
        bare = machine.run_program([*command, "-c", 'printf "$FPATH"']).stdout
        expected.append(f"fpath={machine.layout.share}/completions:{bare}")
    work = machine.root / "work"
    work.mkdir()
    every_option = [f"set {sign}o {name}" for name in options_of(command) for sign in "-+"]
    for setting in (*SETTINGS, *SETTINGS_OF[start], *(every_option if FULL else ())):
        (machine.home / "script").write_text(SCRIPT.replace("{setting}", setting))
        run = machine.run_program([*command, "-i", "-c", ". ../home/script"], cwd=work)
        # busybox greets.
        _, _, told_on_stdout = run.stdout.rpartition("\n\n")
        assert told_on_stdout.splitlines() == expected, (setting, run)
        told = run.stderr.splitlines()
        assert told[told.index("begin") + 1] == "end", (setting, run)
        assert state(work / "state-after") == state(work / "state-before"), setting


def state(file: Path) -> list[str]:
    """Options, IFS and the environment, but for what must change."""
    # With allexport, shells export the function and the variable for tab completion too.
    text = re.sub(r"(?m)^BASH_FUNC__wasp%%=(.*\n)+?\}\n", "", file.read_text())
    changing = ("PATH=", "_=", "A__z=", "FPATH=", "_AST_FEATURES=")
    return sorted(line for line in text.splitlines() if not line.startswith(changing))


ACTIVE: tuple[tuple[dict[str, str], str, str], ...] = (
    # An active environment, PATH before, and PATH then.
    ({}, "/usr/bin", "{bin}:/usr/bin"),
    ({"CONDA_PREFIX": "/opt/conda"}, "/opt/conda/bin:/x", "/opt/conda/bin:{bin}:/x"),
    ({"VIRTUAL_ENV": "/v e*"}, "/v e*/bin:/x", "/v e*/bin:{bin}:/x"),
    ({"VIRTUAL_ENV": "/venv"}, "/venv/bin", "/venv/bin:{bin}"),
    ({"VIRTUAL_ENV": "/venv"}, "/x:/venv/bin", "{bin}:/x:/venv/bin"),
    ({"CONDA_PREFIX": ""}, "/bin:/x", "{bin}:/bin:/x"),
    ({"VIRTUAL_ENV": "/venv"}, "/venv/bin:{bin}", "/venv/bin:{bin}"),
    ({}, "", "{bin}"),
)


@pytest.mark.parametrize(
    "start", ["dash", "bash", "mksh", "yash", "ksh93", "fish --no-config", "zsh -f"]
)
def test_an_active_environment_stays_first(machine: Machine, start: str) -> None:
    set_up(machine)
    share, folder = machine.layout.share, f"{machine.layout.prefix}/bin"
    source = f". '{share}/env.sh'; echo \"$PATH\""
    if start.startswith("fish"):
        source = f"source '{share}/env.fish'; string join : $PATH | string collect"
    for active, before, after in ACTIVE:
        # zsh and fish make themselves a PATH where there is none.
        if before or start[:3] not in ("zsh", "fis"):
            environment = {**active, "PATH": before.format(bin=folder)}
            done = machine.run_program([*command_of(start), "-c", source], env=environment)
            assert (done.stdout.strip(), done.stderr) == (after.format(bin=folder), ""), active
