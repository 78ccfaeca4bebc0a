"""wasp.cmd, which enters WSL in the current folder and runs Wasp there."""

from __future__ import annotations

import re
from typing import Final

from . import wsl

#: Tells a file of ours from others, too.
_DISTRIBUTION: Final = re.compile(
    r"The Wasp installer writes this file.*\r?\nrem distribution: (\S+)\r?$", re.MULTILINE
)

# %* is what was typed, which wsl.exe takes apart by the rules of every Windows program and hands
# over as it is. The last line decides the exit code.
_TEXT: Final = """\
@echo off
rem Starts Wasp, which is inside WSL. The Wasp installer writes this file anew.
rem distribution: {distribution}
setlocal EnableExtensions DisableDelayedExpansion
if /i "%CD%"=="%SystemRoot%" >&2 echo wasp: cmd cannot use a folder that begins with \\\\, so \
this runs in %CD%. Use a terminal of {distribution} there.
if defined WSLENV (set "WSLENV={variables}:%WSLENV%") else set "WSLENV={variables}"
"{program}" -d {distribution} --exec {shell} {options} "{script}" wasp %*
"""


def wasp_cmd(distribution: str, executable: str, program: str) -> bytes:
    """The wasp.cmd that enters ``distribution`` by ``program``, and runs ``executable`` there."""
    gone = (
        f"[ -x {executable} ] || {{ echo wasp: Wasp is no longer in {distribution}. "
        "Install it again: python install.py >&2; exit 127; }; "
    )
    shell, options, script, _name = wsl.in_login_shell(executable, gone)
    text = _TEXT.format(
        distribution=distribution,
        variables=":".join(wsl.SHARED_VARIABLES),
        # The name for 32-bit programs, which cmd is not.
        program=program.replace("Sysnative", "System32"),
        shell=shell,
        options=options,
        script=script.replace("%", "%%"),
    )
    return text.replace("\n", "\r\n").encode("utf-8")


def distribution_of(content: str) -> str:
    """The distribution that a wasp.cmd of ours enters, or ""."""
    found = _DISTRIBUTION.search(content)
    return found[1] if found else ""
