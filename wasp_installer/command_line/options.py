"""What a run was asked to do: the options, and how they are written."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from wasp_installer.contents import content_of
from wasp_installer.errors import InstallerError, changing
from wasp_installer.versions import is_version, parse_version

DEFAULT_TIMEOUT_S: Final = 30
#: What ``--help`` says beside what the sh program does, before lines with these words.
_OURS: Final = {
    "--source": "      --destdir DIR        for packagers: put the files below DIR (env DESTDIR)\n",
    "--quiet": "      --json               print one JSON object on stdout\n",
}


@dataclass(frozen=True)
class Options:
    """The options of an install; the defaults are those of the command line.

    ``wanted`` is a version or "latest", ``source`` is auto, npm or github. ``prefix`` is where
    things will be found, and ``destdir`` stands before it while a package is staged; they become
    absolute, without a slash at the end. ``timeout_s`` is how many seconds without progress end a
    connection. ``shows`` is -h or -V, where that is all that is wanted. ``others`` are the words of
    the command line that mean something to the sh program only. What it would refuse too is refused
    by it, before anything is done.

    Raises:
        InstallerError: "bad-version".
    """

    wanted: str = "latest"
    prefix: str = ""
    destdir: str = ""
    source: str = "auto"
    from_file: str | None = None
    sha256: str | None = None
    require_checksum: bool = False
    force: bool = False
    dry_run: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    yes: bool = False
    no_telemetry: bool = False
    no_modify_path: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S
    shows: str = ""
    others: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Brings what is given into one form."""
        changed = {
            "wanted": self.wanted if self.wanted == "latest" else parse_version(self.wanted),
            # The root of all has nothing before its slash, and is not as none.
            "prefix": _absolute(self.prefix or _default_prefix()) or self.prefix[:1],
            "destdir": _absolute(self.destdir),
            "from_file": _absolute(self.from_file) if self.from_file else None,
            "sha256": self.sha256.lower() if self.sha256 else None,
        }
        for name, value in changed.items():
            object.__setattr__(self, name, value)

    @property
    def command(self) -> str:
        """The command; "install" where none is named."""
        return next(iter(self.others), "install")

    @property
    def is_install(self) -> bool:
        """Whether it is for this program, as far as that can be told; else the sh program's."""
        return list(self.others) in ([], ["install"])

    @property
    def wasp_root(self) -> str:
        """The folder of all versions, as it will be found."""
        return f"{self.prefix.rstrip('/')}/share/wasp-lang"

    @property
    def share(self) -> Path:
        """Where that folder is now."""
        return Path(f"{self.destdir}{self.wasp_root}")

    @property
    def executable(self) -> str:
        """What people will start."""
        return f"{self.prefix.rstrip('/')}/bin/wasp"

    def arguments(self) -> list[str]:
        """What the sh program must know, but for places, which may be others where it runs."""
        values = {"--source": self.source, "--sha256": self.sha256}
        if self.from_file is None or self.wanted != "latest":
            values["--version"] = self.wanted
        given = [word for option, value in values.items() if value for word in (option, value)]
        flags = [flag for flag, name in _FLAGS.items() if getattr(self, name) and name != "json"]
        return given + flags


#: Options with a value, and those without, each with the field that it is.
_VALUES: Final = {
    "-v": "wanted",
    "--version": "wanted",
    "--from-file": "from_file",
    **{f"--{name}": name for name in ("prefix", "destdir", "source", "sha256")},
}
_FLAGS: Final = {
    f"--{each.name.replace('_', '-')}": each.name
    for each in fields(Options)
    if each.default is False
}
_LETTERS: Final = {"-q": "--quiet", "-y": "--yes"}


def parse(arguments: Sequence[str]) -> Options:
    """The options that ``arguments`` and the environment ask for.

    Raises:
        InstallerError: "usage", for a mistake that the sh program does not tell of.
    """
    # Also where it stands behind a mistake.
    chosen: dict[str, Any] = {"json": "--json" in arguments}
    others: list[str] = []
    words = _spelled_out(arguments)
    for word in words:
        if (flag := _LETTERS.get(word, word)) in _FLAGS:
            chosen[_FLAGS[flag]] = True
        elif word in _VALUES:
            value = next(words, "")
            if value and not value.startswith("-"):
                chosen[_VALUES[word]] = value
            elif word == "--destdir":
                raise InstallerError("usage", "--destdir needs a value.", "See: --help")
            else:
                others += [word, value]
        elif word in ("-h", "--help", "-V") and not any(each.startswith("-") for each in others):
            chosen["shows"] = word
            break
        else:
            others += [word, *(words if word == "--" else ())]
    wanted = chosen.pop("wanted", None) or os.environ.get("WASP_VERSION") or "latest"
    if wanted == "latest" or is_version(wanted.removeprefix("v")):
        chosen["wanted"] = wanted
    else:
        others.append(wanted)
    chosen.setdefault("destdir", os.environ.get("DESTDIR", ""))
    timeout = os.environ.get("WASP_HTTP_TIMEOUT", "")
    timeout_s = int(timeout) if timeout.isdecimal() else DEFAULT_TIMEOUT_S
    return Options(timeout_s=timeout_s, others=others, **chosen)


def usage() -> str:
    """What ``--help`` prints: the sh program's words, and what only this program has."""
    program = content_of("install.sh").decode("utf-8")
    said = program.partition("<<'USAGE'\n")[2].partition("USAGE\n")[0]
    # Before a bar stand the letters of the commands that a line concerns; "i" is install.
    tagged = [line.partition("|") for line in said.splitlines(keepends=True)]
    lines = [
        text.replace("install.sh", "install.py") for tag, _, text in tagged if "i" in tag or not tag
    ]
    ours = ((line, next((_OURS[word] for word in _OURS if word in line), "")) for line in lines)
    return "".join(more + line for line, more in ours)


def without_ours(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that the sh program does not know."""
    words = iter(arguments)
    kept: list[str] = []
    for word in words:
        if word == "--":
            return [*kept, word, *words]
        if word == "--destdir":
            next(words, None)
        elif word != "--json" and not word.startswith("--destdir="):
            kept.append(word)
    return kept


def _spelled_out(arguments: Sequence[str]) -> Iterator[str]:
    """The words, where -vX, -qy and --option=X are two each."""
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if equals and option in _VALUES and option.startswith("--"):
            yield from (option, value)
        elif re.match("-v.", argument):
            yield from ("-v", argument[2:])
        elif re.match("-[qyhV].", argument):
            yield argument[:2]
            yield from _spelled_out([f"-{argument[2:]}"])
        else:
            yield argument


def _default_prefix() -> str:
    """``WASP_INSTALL_PREFIX``, else ~/.local; "" where there is no home."""
    # On Windows, a shell of another system's making may set HOME to a place of its own.
    home = os.path.expanduser("~") if os.name == "nt" else os.environ.get("HOME", "")
    return os.environ.get("WASP_INSTALL_PREFIX") or (home and home.rstrip("/") + "/.local")


def _absolute(path: str) -> str:
    """Like the shell: from the folder that one is in by name, links in it left as they are.

    Most shells leave the ~ of ``--prefix=~/wasp`` as it is. On Windows, one that begins with a
    slash is inside WSL.
    """
    if path.startswith("~/") and os.name != "nt":
        path = os.environ.get("HOME", "").rstrip("/") + path[1:]
    if path and not os.path.isabs(path) and not path.startswith("/"):
        path = f"{_current_folder()}/{path}"
    return path.rstrip("/")


def _current_folder() -> str:
    named = os.environ.get("PWD", "")
    with contextlib.suppress(OSError):
        if named and os.path.samefile(named, "."):
            return named
    with changing("find the current folder"):
        return os.getcwd()
