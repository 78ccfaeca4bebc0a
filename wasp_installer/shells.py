"""The shells that people use: which files each reads at its start, and what our lines say there.

``install.sh`` has the same in its section PATH.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .startup_files import content_of

#: Ends a line of ours, so that it can be found and understood.
MARK: Final = "# added by the Wasp installer"

_PLAIN: Final = re.compile(r"[A-Za-z0-9 ._/+@%,=-]*")


class SpelledPath:
    """A path, spelled for shells.

    What is in the home is spelled with $HOME, so that the home may move.
    """

    def __init__(self, path: str, environment: Mapping[str, str]) -> None:
        self.path = path
        home = environment.get("HOME", "")
        in_home = bool(home) and path.startswith(home + "/")
        start, below = ("$HOME", path[len(home) :]) if in_home else ("", path)
        if _PLAIN.fullmatch(below):
            self.word = self.fish_word = f'"{start}{below}"'
            self.before_path = f'"{start}{below}:$PATH"'
        else:
            start = f'"{start}"' if start else ""
            self.word = start + quoted(below)
            self.fish_word = start + _quoted_for_fish(below)
            self.before_path = f'{self.word}:"$PATH"'


class BinFolder(SpelledPath):
    """The folder that is put on PATH."""

    @property
    def fits(self) -> bool:
        """Whether PATH can hold it, and a line of a file can name it."""
        return ":" not in self.path and "\n" not in self.word


def quoted(text: str) -> str:
    """``text`` as one word of sh, always in quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def _quoted_for_fish(text: str) -> str:
    """``text`` as one word of fish, which has escapes inside single quotes."""
    return "'" + re.sub(r"[\\']", r"\\\g<0>", text) + "'"


class Shell:
    """A shell that reads sh's language, and which files it reads when it starts."""

    #: What it is called in $SHELL.
    names: tuple[str, ...] = ()
    #: Where, below the home, a line of ours may be.
    all_files: tuple[str, ...] = ()
    #: Its file among the scripts for tab completion; "" when it has none.
    completion_script: str = ""
    #: A variable that this shell alone sets.
    version_variable: str = ""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.home = Path(environment["HOME"])
        self.is_own = own_shell(environment) in self.names

    def path_command(self, folder: BinFolder) -> str:
        """What puts ``folder`` on PATH in a running one."""
        return f"export PATH={folder.before_path}"

    def path_line(self, folder: BinFolder) -> str:
        """The line of a start-up file: does nothing where ``folder`` is on PATH already.

        It needs no other file, since one that is gone would end a login (dash leaves at a "." that
        fails).
        """
        command = self.path_command(folder)
        return f'case ":${{PATH}}:" in *:{folder.word}:*) ;; *) {command} ;; esac {MARK}'

    def completion_line(self, script: SpelledPath) -> str:
        """The line of a start-up file that reads a script, if it is still there.

        People read one shell's file in another, which would end at what it does not understand.
        """
        is_other = f'[ -z "${{{self.version_variable}-}}" ]'
        return f"{is_other} || [ ! -r {script.word} ] || . {script.word} {MARK}"

    def completion_files(self) -> list[Path]:
        """The files that are to have the line for tab completion."""
        return self.files() if self.completion_script else []

    def files(self) -> list[Path]:
        """The files that are to have the line for PATH."""
        return [file for file in self.wanted_files() if self.is_own or self.shows_use(file)]

    def wanted_files(self) -> list[Path]:
        """The files that together are read at every start, at a login and in a window."""
        return [self.home / name for name in self.all_files]

    def shows_use(self, file: Path) -> bool:
        """Whether the presence of ``file`` shows that somebody uses this shell."""
        return os.path.exists(file)

    def possible_files(self) -> list[Path]:
        """Wherever a line of ours may be, also from another environment or an earlier state."""
        return [self.home / name for name in self.all_files]


class Sh(Shell):
    """The shells that read nothing but a profile; a graphical login often reads it too."""

    names = ("", "sh", "dash", "ash", "busybox", "posh")
    all_files = (".profile",)


class Bash(Shell):
    """Reads one file in a window, another at a login; on a Mac every window is a login."""

    names = ("bash",)
    all_files = (".bashrc", ".bash_profile", ".bash_login", ".profile")
    completion_script = "wasp.bash"
    version_variable = "BASH_VERSION"

    def wanted_files(self) -> list[Path]:
        """~/.bashrc, and of the login files the first that there is, as bash reads no other."""
        login = [self.home / name for name in (".bash_profile", ".bash_login")]
        read = next((file for file in login if os.access(file, os.R_OK)), self.home / ".profile")
        return [self.home / ".bashrc", read]

    def completion_files(self) -> list[Path]:
        """Not the login file: other shells may read it too, and not understand the script."""
        return [file for file in self.files() if file.name == ".bashrc"]


class Zsh(Shell):
    """Reads ~/.zshrc in every window.

    Not ~/.zshenv: on a Mac, /etc/zprofile comes after it and puts the system's folders first.
    """

    names = ("zsh",)
    all_files = (".zshrc", ".zshenv")
    completion_script = "_wasp"
    version_variable = "ZSH_VERSION"

    def wanted_files(self) -> list[Path]:
        """~/.zshrc, or where ZDOTDIR says."""
        folder = self.environment.get("ZDOTDIR")
        if not folder and b"ZDOTDIR" in content_of(self.home / ".zshenv"):
            # It says where the others are, but not to us.
            return [self.home / ".zshenv"]
        return [Path(folder or self.home) / ".zshrc"]

    def possible_files(self) -> list[Path]:
        """Those in the home, and where ZDOTDIR says."""
        folder = self.environment.get("ZDOTDIR")
        named = [Path(folder) / name for name in self.all_files] if folder else []
        return super().possible_files() + named


class Fish(Shell):
    """Reads every file in its conf.d, so our lines have one of their own."""

    names = ("fish",)
    completion_script = "wasp.fish"

    def path_command(self, folder: BinFolder) -> str:
        """What puts ``folder`` on PATH in a running one."""
        return f"set -gx PATH {folder.fish_word} $PATH"

    def path_line(self, folder: BinFolder) -> str:
        """The line of a start-up file: does nothing where ``folder`` is on PATH already."""
        return f"contains -- {folder.fish_word} $PATH; or {self.path_command(folder)} {MARK}"

    def completion_line(self, script: SpelledPath) -> str:
        """The line of a start-up file that reads a script, if it is still there."""
        return f"test -r {script.fish_word}; and source {script.fish_word} {MARK}"

    def wanted_files(self) -> list[Path]:
        """conf.d/wasp.fish."""
        return [_fish_file(config_folder(self.environment))]

    def shows_use(self, file: Path) -> bool:
        """Whether fish has been configured."""
        return os.path.exists(file.parent.parent)

    def possible_files(self) -> list[Path]:
        """The same, also in the usual place."""
        usual = _fish_file(self.home / ".config")
        return list(dict.fromkeys([usual, *self.wanted_files()]))


class Ksh(Shell):
    """AT&T's ksh: a profile at a login, .kshrc in a window."""

    names = ("ksh", "ksh93", "ksh88", "oksh", "loksh")
    all_files = (".profile", ".kshrc")


class Mksh(Shell):
    """MirBSD's ksh: a profile at a login, .mkshrc in a window."""

    names = ("mksh", "lksh")
    all_files = (".profile", ".mkshrc")


class Yash(Shell):
    """Reads no profile but its own."""

    names = ("yash",)
    all_files = (".yash_profile", ".yashrc")


_SHELLS: Final[tuple[type[Shell], ...]] = (Bash, Zsh, Fish, Ksh, Mksh, Yash, Sh)


def shells(environment: Mapping[str, str]) -> list[Shell]:
    """All of them, in this ``environment`` with its HOME."""
    return [kind(environment) for kind in _SHELLS]


def own_shell(environment: Mapping[str, str]) -> str:
    """The name of the person's own shell; "" when it is not known."""
    return environment.get("SHELL", "").rpartition("/")[2]


def config_folder(environment: Mapping[str, str]) -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest."""
    named = environment.get("XDG_CONFIG_HOME", "")
    return Path(named if named.startswith("/") else environment["HOME"] + "/.config")


def _fish_file(config: Path) -> Path:
    return config / "fish" / "conf.d" / "wasp.fish"
