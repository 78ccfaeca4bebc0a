"""env.sh in an interactive shell: whatever its options, it only puts Wasp on PATH."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.manager.homes import line_for, set_up
from tests.manager.shells import command_of, options_of
from tests.support.frontends import FULL
from tests.support.machines import Machine, MachineRoom

ZSH_OPTIONS = """
    ksharrays shwordsplit nounset errexit errreturn allexport noglob globsubst nullglob cshnullglob
    kshglob shglob extendedglob noclobber posixbuiltins posixidentifiers cshjunkiequotes
    rcexpandparam warncreateglobal noequals nobareglobqual noaliases nofunctionargzero ignorebraces
    noevallineno
"""
SETTINGS = ("", "set -eu", "set -a", "set -f", "IFS=/")
OF_BASH = ("set -u", "set -e", "set -o posix", "set -C", "set -euo pipefail; set -E")
#: A shell as it is without start-up files, and what is set in it besides.
SHELLS = {
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


@pytest.fixture
def machine(machines: MachineRoom) -> Machine:
    machine = machines.build("sh")
    set_up(machine)
    # As a shell with allexport leaves them to what is started in it.
    machine.set(BASH_VERSION="5.2.15(1)-release", ZSH_VERSION="5.9")
    (machine.home / "line").write_text(f"{line_for('.profile')}\n")
    return machine


@pytest.mark.parametrize("shell", SHELLS)
def test_it_does_not_fail_print_or_change_anything(machine: Machine, shell: str) -> None:
    command = command_of(shell)
    expected_path = f"path={machine.layout.prefix}/bin:{machine.toolbox.folder}"
    expected = ["begin", "end 0", expected_path, "ours="]
    if shell == "zsh -f":
        # Where zsh looks for its own functions: there as before, behind ours.
        bare = machine.run_program([*command, "-c", 'printf "$FPATH"']).stdout
        expected.append(f"fpath={machine.layout.share}/completions:{bare}")
    work = machine.root / "work"
    work.mkdir()
    every_option = [f"set {sign}o {name}" for name in options_of(command) for sign in "-+"]
    for setting in (*SETTINGS, *SHELLS[shell], *(every_option if FULL else ())):
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
    "shell", ["dash", "bash", "mksh", "yash", "ksh93", "fish --no-config", "zsh -f"]
)
def test_an_active_environment_stays_first(machine: Machine, shell: str) -> None:
    share, folder = machine.layout.share, f"{machine.layout.prefix}/bin"
    source = f". '{share}/env.sh'; echo \"$PATH\""
    if shell.startswith("fish"):
        source = f"source '{share}/env.fish'; string join : $PATH | string collect"
    for active, before, after in ACTIVE:
        # zsh and fish make themselves a PATH where there is none.
        if before or shell[:3] not in ("zsh", "fis"):
            environment = {**active, "PATH": before.format(bin=folder)}
            done = machine.run_program([*command_of(shell), "-c", source], env=environment)
            assert (done.stdout.strip(), done.stderr) == (after.format(bin=folder), ""), active
