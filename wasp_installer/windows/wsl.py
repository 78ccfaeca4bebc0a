"""WSL, the Linux inside Windows: which distributions there are, and how a command is run in one.

https://learn.microsoft.com/windows/wsl/basic-commands
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from telemetry_ping import CI_VARIABLES
from wasp_installer.errors import InstallerError
from wasp_installer.programs import HELPER_LIMIT_S, TOO_LONG, Ended, run

#: It answers at once; where it does not, its service is stuck.
LIST_LIMIT_S: Final = 30.0
#: The first command in a stopped distribution starts a virtual machine, and perhaps systemd in it.
START_LIMIT_S: Final = 120.0
#: Names the distribution to use, where the default one is not wanted.
CHOICE_VARIABLE: Final = "WASP_WSL_DISTRIBUTION"

# These have no shell, no home or no package manager: they carry other programs' own machinery.
_APPLIANCES = re.compile(r"docker-desktop(-data)?|rancher-desktop(-data)?|podman-.*", re.IGNORECASE)
_LISTED: Final = re.compile(r"^ *(\*?) *([\w.][\w.-]*) +\S.* ([12])\s*$", re.ASCII | re.MULTILINE)
_ALIVE: Final = "wasp-finds-a-shell"

#: Variables that Wasp and its launcher read, and that nobody can set in two places.
SHARED_VARIABLES: Final = (
    "WASP_TELEMETRY_DISABLE",
    "DO_NOT_TRACK",
    "WASP_TELEMETRY_CONTEXT",
    "WASP_TELEMETRY_DEBUG",
    "WASP_TELEMETRY_USER_ID",
    "WASP_TELEMETRY_URL",
    "WASP_TELEMETRY_KEY",
    "WASP_AUTO_NEWS_DISABLE",
    "WASP_NEWS_SERVER_URL",
    *CI_VARIABLES,
)
#: Those that install.sh reads.
INSTALLER_VARIABLES: Final = (
    *SHARED_VARIABLES,
    "WASP_NPM_REGISTRY",
    "WASP_GITHUB_URL",
    "WASP_INSTALLER_URL",
    "WASP_HTTP_TIMEOUT",
    "NO_COLOR",
)

# For a login shell. It is put on a command line of cmd, so it holds no double quote and no percent
# sign; without splitting (IFS) and matching (-f), its variables need none of the former.
# A version manager such as nvm sets PATH for interactive shells only, so such a shell is asked
# where node is not found. That takes it a moment, and it may print what it likes; away from the
# terminal (setsid), which it would else take for itself and not give back.
_WITH_NODE: Final = (
    "IFS=; set -f; command -v node >/dev/null || "
    "{ p=$(setsid ${SHELL:-sh} -lic env </dev/null 2>/dev/null | sed -n s/^PATH=//p | tail -n 1); "
    "[ -z $p ] || PATH=$p:$PATH; }; "
)


@dataclass(frozen=True)
class Distribution:
    """A distribution of WSL, as it is listed; ``version`` is that of WSL, 1 or 2."""

    name: str
    version: int
    is_default: bool = False


def decoded(printed: str) -> str:
    """What wsl.exe itself prints: UTF-16, or UTF-8 with WSL_UTF8=1; perhaps after a mark.

    ``printed`` is that as if it were UTF-8 (see ``Ended``).
    """
    output = printed.encode("utf-8", "surrogateescape")
    text = output.decode("utf-16-le" if b"\0" in output else "utf-8", "replace")
    return text.removeprefix("\ufeff")


def distributions_in(listing: str) -> list[Distribution]:
    """The distributions in what ``wsl --list --verbose`` prints, in the language of the system.

    A line has a name without spaces, a state, which may be several words, and the version. No
    heading ends in a number.
    """
    listed = _LISTED.findall(listing)
    return [Distribution(name, int(version), bool(star)) for star, name, version in listed]


def by_preference(distributions: Iterable[Distribution]) -> list[Distribution]:
    """Those that people work in: the default one first, and version 2 before version 1."""
    usable = [each for each in distributions if not _APPLIANCES.fullmatch(each.name)]
    return sorted(usable, key=lambda each: (not each.is_default, -each.version))


def in_login_shell(command: str, before: str = "") -> list[str]:
    """The arguments with which sh runs ``command``, with PATH as the person has it there.

    ``command`` holds no quotes, and gets the arguments that follow these. ``before`` is what to do
    first, as sh.
    """
    # The quote for "$@" is made by sh itself: a quote written here would have to pass cmd.
    script = f"{_WITH_NODE}{before}q=$(printf '\\042'); eval 'exec {command} '$q'$@'$q"
    return ["/bin/sh", "-lc", script, "sh"]


def _program(environment: Mapping[str, str]) -> str:
    """Where wsl.exe is, or "": its own place first, as a search begins in the current folder.

    A 32-bit Python sees that place by the name of Sysnative only.
    """
    root = environment.get("SystemRoot")
    for folder in ("System32", "Sysnative") if root else ():
        program = f"{root}\\{folder}\\wsl.exe"
        if os.path.isfile(program):
            return program
    return shutil.which("wsl.exe", path=environment.get("PATH")) or ""


class Wsl:
    """The wsl.exe of this machine.

    ``program`` is where it is, or ""; ``environment`` is what it is started with.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.program = _program(environment)

    def choose(self, current: str = "") -> Distribution:
        """The distribution for Wasp: one that runs a command.

        ``current`` is the name of the one that has it already.

        Raises:
            InstallerError: "unsupported-platform", with what to type.
        """
        listed = self._listed()
        named = self.environment.get(CHOICE_VARIABLE, "")
        wanted = [each for each in listed if each.name.lower() == (named or current).lower()]
        if named and not wanted:
            raise _refusal(
                f"WSL has no distribution '{named}' ({CHOICE_VARIABLE}).",
                "To see which there are: wsl --list --verbose",
            )
        chosen = wanted or by_preference(listed)
        if listed and not chosen:
            names = ", ".join(each.name for each in listed)
            raise _refusal(
                f"WSL has no distribution that you can use, only {names}.",
                "Type this in PowerShell or cmd:  wsl --install -d Ubuntu\n"
                "Then restart Windows, and run this again.",
            )
        if not chosen:
            raise _refusal(
                "Wasp runs inside WSL, which has no Linux distribution yet.", _HOW_TO_GET_WSL
            )
        for distribution in chosen:
            if self._answers(distribution):
                return distribution
        names = ", ".join(each.name for each in chosen)
        raise _refusal(
            f"WSL cannot start {names}.",
            f"To see why: wsl -d {chosen[0].name}\n"
            "To restart WSL: wsl --shutdown. Then run this again.",
        )

    def _listed(self) -> list[Distribution]:
        if not self.program:
            raise _refusal(
                "Wasp runs inside WSL, which this machine does not have.", _HOW_TO_GET_WSL
            )
        try:
            command = [self.program, "--list", "--verbose"]
            ended = run(command, LIST_LIMIT_S, environment=self.environment)
        except OSError as error:
            raise _refusal(f"wsl.exe cannot be run: {error}.", _HOW_TO_GET_WSL) from error
        if ended.code == TOO_LONG:
            raise _refusal(
                f"WSL does not answer (wsl --list, {LIST_LIMIT_S:g} s).",
                "To restart it: wsl --shutdown. Then run this again. "
                "If that hangs, restart Windows.",
            )
        # It fails where there is no distribution, with help or a sentence in the user's language.
        return distributions_in(decoded(ended.stdout)) if ended.code == 0 else []

    def _answers(self, distribution: Distribution) -> bool:
        """Whether a command can be run in it; one that is stopped is started by that."""
        command = self.command(distribution.name, ["/bin/sh", "-c", f"echo {_ALIVE}"])
        try:
            ended = run(command, START_LIMIT_S, environment=self.environment)
        except OSError:
            return False
        return ended.code == 0 and _ALIVE in ended.stdout

    def command(self, name: str, arguments: Sequence[str]) -> list[str]:
        """The command line that runs ``arguments`` in the distribution called ``name``.

        --exec hands them over as they are; after "--" the person's shell would read them again.
        """
        return [self.program, "-d", name, "--exec", *arguments]

    def path_inside(self, name: str, path: str) -> str:
        """The path by which the distribution called ``name`` sees a file of Windows.

        Raises:
            InstallerError: "file-system", when it does not see it.
        """
        command = self.command(name, ["wslpath", "-a", "-u", path])
        ended = run(command, HELPER_LIMIT_S, environment=self.environment)
        if ended.code != 0 or not ended.stdout.startswith("/"):
            raise InstallerError(
                "file-system",
                f"{name} cannot see {path}.",
                "Copy the archive to a local drive, for example into your Downloads.",
            )
        return ended.stdout.rstrip("\r\n")

    def run_script(self, name: str, script: bytes, arguments: Sequence[str]) -> Ended:
        """Runs a script of sh, which comes by stdin, so that no path has to be translated.

        Its stderr goes where that of this process goes.
        """
        command = self.command(name, [*in_login_shell("sh -s --"), *arguments])
        # https://learn.microsoft.com/windows/wsl/filesystems#share-environment-variables
        names = [*INSTALLER_VARIABLES, self.environment.get("WSLENV", "")]
        environment = {**self.environment, "WSLENV": ":".join(filter(None, names))}
        return run(command, environment=environment, stdin=script, shares_terminal=True)


_HOW_TO_GET_WSL: Final = (
    "Type this in PowerShell or cmd:  wsl --install\nThen restart Windows, and run this again."
)


def _refusal(message: str, hint: str) -> InstallerError:
    return InstallerError("unsupported-platform", message, hint)
