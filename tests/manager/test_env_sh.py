"""env.sh in an interactive shell: whatever its options, it only puts Wasp on PATH."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.manager.homes import line_for, set_up
from tests.manager.options import options_of
from tests.support.frontends import FULL
from tests.support.machines import Machine, MachineRoom
from tests.support.toolboxes import real_tool

ZSH_OPTIONS = """
    ksharrays shwordsplit nounset errexit errreturn allexport noglob globsubst nullglob cshnullglob
    kshglob shglob extendedglob noclobber posixbuiltins posixidentifiers cshjunkiequotes
    rcexpandparam warncreateglobal noequals nobareglobqual noaliases nofunctionargzero ignorebraces
    noevallineno
"""
SETTINGS = {
    "bash": (
        *("", "set -u", "set -e", "set -eu", "set -o posix", "set -a", "set -f", "set -C"),
        *("shopt -s failglob nullglob", "set -euo pipefail; set -E", "IFS=/"),
    ),
    "bash --posix": ("", "set -eu", "set -a"),
    "zsh": (
        "",
        *(f"setopt {option}" for option in ZSH_OPTIONS.split()),
        "IFS=/",
        "emulate sh",
        "emulate ksh",
    ),
    "dash": ("", "set -eu", "set -a", "set -f", "IFS=/"),
    "ksh93": ("", "set -eu", "set -a", "set -f", "set -o pipefail", "IFS=/"),
    "mksh": ("", "set -eu", "set -a", "set -f", "set -o posix", "IFS=/"),
    "yash": ("", "set -eu", "set -a", "set -f", "set -o posixly-correct", "IFS=/"),
    "busybox sh": ("", "set -eu", "set -a"),
    "posh": ("", "set -eu", "set -a"),
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


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    machine = machines.build("sh")
    set_up(machine)
    # As a shell with allexport leaves them to what is started in it.
    machine.set(BASH_VERSION="5.2.15(1)-release", ZSH_VERSION="5.9")
    (machine.home / "line").write_text(f"{line_for('.profile')}\n")
    return machine


@pytest.mark.parametrize("shell_command", SETTINGS)
def test_it_does_not_fail_print_or_change_anything(machine: Machine, shell_command: str) -> None:
    program, *options = shell_command.split()
    without_files = {"bash": ["--norc"], "zsh": ["-f"], "yash": ["--norcfile"]}.get(program, [])
    shell = [str(real_tool(program)), *without_files, *options]
    expected_path = f"path={machine.layout.prefix}/bin:{machine.toolbox.folder}"
    expected = ["begin", "end 0", expected_path, "ours="]
    if program == "zsh":
        # Where zsh looks for its own functions: there as before, behind ours.
        bare = machine.run_program([*shell, "-c", 'printf "$FPATH"']).stdout
        expected.append(f"fpath={machine.layout.share}/completions:{bare}")
    work = machine.root / "work"
    work.mkdir()
    for setting in (*SETTINGS[shell_command], *(every_option(shell) if FULL else ())):
        (machine.home / "script").write_text(SCRIPT.replace("{setting}", setting))
        run = machine.run_program([*shell, "-i", "-c", ". ../home/script"], cwd=work)
        # busybox greets.
        _, _, told_on_stdout = run.stdout.rpartition("\n\n")
        assert told_on_stdout.splitlines() == expected, (setting, run)
        told = run.stderr.splitlines()
        assert told[told.index("begin") + 1] == "end", (setting, run)
        assert state(work / "state-after") == state(work / "state-before"), setting


def every_option(shell: list[str]) -> list[str]:
    """What switches each of them on, and off."""
    return [f"set {sign}o {name}" for name in options_of(shell) for sign in "-+"]


def state(file: Path) -> list[str]:
    """Options, IFS and the environment, but for what must change."""
    # With allexport, shells export the function and the variable for tab completion too.
    text = re.sub(r"(?m)^BASH_FUNC__wasp%%=(.*\n)+?\}\n", "", file.read_text())
    changing = ("PATH=", "_=", "A__z=", "FPATH=", "_AST_FEATURES=")
    return sorted(line for line in text.splitlines() if not line.startswith(changing))


ACTIVE = {
    # Variables, PATH before, and PATH then.
    "none": ({}, "/usr/bin", "{bin}:/usr/bin"),
    "conda": ({"CONDA_PREFIX": "/opt/conda"}, "/opt/conda/bin:/x", "/opt/conda/bin:{bin}:/x"),
    "venv": ({"VIRTUAL_ENV": "/v e*"}, "/v e*/bin:/x", "/v e*/bin:{bin}:/x"),
    "alone": ({"VIRTUAL_ENV": "/venv"}, "/venv/bin", "/venv/bin:{bin}"),
    "not-first": ({"VIRTUAL_ENV": "/venv"}, "/x:/venv/bin", "{bin}:/x:/venv/bin"),
    "empty-name": ({"CONDA_PREFIX": ""}, "/bin:/x", "{bin}:/bin:/x"),
    "there-already": ({"VIRTUAL_ENV": "/venv"}, "/venv/bin:{bin}", "/venv/bin:{bin}"),
    "nothing": ({}, "", "{bin}"),
}


@pytest.mark.parametrize("case", ACTIVE)
def test_an_active_environment_stays_first(machine: Machine, case: str) -> None:
    environment, before, after = ACTIVE[case]
    folder = f"{machine.layout.prefix}/bin"
    names = {"WASP_TELEMETRY_DISABLE": "1", "HOME": str(machine.home)}
    for name in ("WASP_TELEMETRY_URL", "WASP_NEWS_SERVER_URL"):
        names[name] = machine.environment[name]
    names |= {**environment, "PATH": before.format(bin=folder)}
    for program in ("dash", "bash", "mksh", "yash", "ksh93", "fish", "zsh"):
        if program in ("zsh", "fish") and not before:
            continue  # they make themselves a PATH where there is none
        share = machine.layout.share
        source = f". '{share}/env.sh'; echo \"$PATH\""
        if program == "fish":
            source = f"source '{share}/env.fish'; string join : $PATH | string collect"
        options = {"zsh": ["-f"], "fish": ["--no-config"]}.get(program, [])
        done = subprocess.run(
            [str(real_tool(program)), *options, "-c", source],
            env=names,
            capture_output=True,
            text=True,
        )
        assert (done.stdout.strip(), done.stderr) == (after.format(bin=folder), ""), program
