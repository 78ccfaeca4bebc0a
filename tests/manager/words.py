"""What the sh program runs, and somebody's shell may have made aliases or functions of."""

from __future__ import annotations

import re
import shutil

from tests.support.frontends import INSTALL_SH
from tests.support.program import program_in

_TEXT = program_in(INSTALL_SH.read_text(encoding="utf-8"))
_BUILTINS = (
    *("alias", "cd", "command", "echo", "false", "getopts", "hash", "jobs", "kill", "printf"),
    *("pwd", "read", "test", "true", "type", "umask", "unalias", "wait"),
)
# Keywords, and the shells themselves.
_OTHERS = {"bash", "if", "in", "sh", "then", "time", "zsh"}

#: Programs and builtins that a function may replace.
WORDS = sorted(
    {
        *_BUILTINS,
        *(word for word in set(re.findall(r"\b[a-z][a-z0-9_]+\b", _TEXT)) if shutil.which(word)),
    }
    - _OTHERS
)
#: An alias may also replace what POSIX calls a special builtin.
ALIAS_WORDS = [
    *(*WORDS, "break", "continue", "eval", "exec", "exit", "export", "readonly", "return"),
    *("set", "shift", "trap", "unset"),
]
