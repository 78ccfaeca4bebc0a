"""What somebody's shell may have made of the words that the sh program runs, and its options."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence

from tests.support.frontends import INSTALL_SH
from tests.support.program import program_in
from tests.support.toolboxes import real_tool

_BUILTINS = (
    *("alias", "cd", "command", "echo", "false", "getopts", "hash", "jobs", "kill", "printf"),
    *("pwd", "read", "test", "true", "type", "umask", "unalias", "wait"),
)
_FOUND = set(re.findall(r"\b[a-z][a-z0-9_]+\b", program_in(INSTALL_SH.read_text())))
#: Programs and builtins that a function may replace: no keywords, and not the shells themselves.
WORDS = sorted(
    {*_BUILTINS, *filter(shutil.which, _FOUND)} - {"bash", "if", "in", "sh", "then", "time", "zsh"}
)
# With these a shell runs no script as a script, or prints what it does.
_ITS_OWN = {
    *("exec", "noexec", "onecmd", "singlecommand", "restricted", "privileged", "monitor", "zle"),
    *("stdin", "shinstdin", "interactive", "login", "login_shell", "rc", "cmdline"),
    *("xtrace", "verbose", "sourcetrace"),
}


def options_of(shell: Sequence[str]) -> list[str]:
    """Their names, for ``set -o``, without those that say what kind of run it is."""
    tell = "print -l ${(k)options}" if shell[0].endswith("zsh") else "set -o"
    listed = subprocess.run([*shell, "-c", tell], capture_output=True, text=True).stdout.split()
    found = sorted(set(listed) - {"Current", "option", "settings", "on", "off"} - _ITS_OWN)
    assert "allexport" in found
    return found


def command_of(words: str) -> list[str]:
    """The command line of a shell with its options."""
    program, *options = words.split()
    return [str(real_tool(program)), *options]
