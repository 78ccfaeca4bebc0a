"""Functions of the sh program, called one by one: many cases in one process of a shell."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from tests.support.frontends import CHECKOUT
from tests.support.machines import Machine, Run

#: What makes the program run, at its end.
_START = re.compile(r'\n[^\n]*\nmain "\$0" "\$@"\n*\Z')
_BEGIN = """
# ksh93 has a sleep of its own.
case ${KSH_VERSION-} in Version*) builtin -d sleep ;; esac
program=$0
set_defaults
choose_colours
make_work_folder
"""
#: Each has a folder of its own, and may end the program.
_CALL = """
(
work=$work/{number}
mkdir "$work"
{call}
) >'{answers}/{number}' 2>&1 {end}
"""


def call_functions(
    machine: Machine,
    calls: Sequence[str],
    *,
    together: bool = False,
    program: Path | None = None,
) -> list[str]:
    """What each of these pieces of sh says when it is run as a part of the program.

    Each runs in a subshell of the machine's shell; with ``together`` all at once.
    """
    answers = machine.root / "answers"
    answers.mkdir(exist_ok=True)
    end = "&" if together else ""
    pieces = [
        _CALL.format(number=number, call=call, answers=answers, end=end)
        for number, call in enumerate(calls)
    ]
    _run(machine, program, "".join([*pieces, 'wait\nrm -rf "$work"\nexit 0\n'])).ok()
    return [(answers / str(number)).read_text().rstrip("\n") for number in range(len(calls))]


def run_command(machine: Machine, body: str, *arguments: str) -> Run:
    """The program, in which this piece of sh is all that a command does."""
    begin = 'parse_arguments "$@"\ncheck_arguments\nname_owner\n'
    return _run(machine, None, f"{begin}{body}\nleave 0\n", *arguments)


def _run(machine: Machine, program: Path | None, body: str, *arguments: str) -> Run:
    script = machine.root / "functions"
    text = _BEGIN + body
    script.write_text(_definitions(program or CHECKOUT / "program") + text, encoding="utf-8")
    run = machine.run_program([*machine.front_end.interpreter(), str(script), *arguments])
    script.unlink()
    return run


@functools.cache
def _definitions(program: Path) -> str:
    definitions, starts = _START.subn("\n", program.read_text(encoding="utf-8"))
    assert starts == 1, "the program does not end with the call of main"
    return definitions
