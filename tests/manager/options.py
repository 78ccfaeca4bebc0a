"""The options that a shell has."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

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
