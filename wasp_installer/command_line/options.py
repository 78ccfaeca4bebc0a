"""What a run was asked to do: the options, and how they are written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wasp_installer.contents import content_of
from wasp_installer.errors import InstallerError
from wasp_installer.versions import is_version, parse_version

DEFAULT_TIMEOUT_S: Final = 30
#: What ``--help`` says beside what the sh program does, before the lines that begin so.
_OURS: Final = {
    "      --source ": "      --destdir DIR        for packagers: files go below it (env DESTDIR)",
    "  -q, --quiet ": "      --json               print one JSON object on stdout",
}
#: Options with a value, and the field that each of them is.
_VALUES: Final = {
    "-v": "wanted",
    "--version": "wanted",
    "--prefix": "prefix",
    "--destdir": "destdir",
    "--source": "source",
    "--from-file": "from_file",
    "--sha256": "sha256",
}
_FLAGS: Final = {
    "--require-checksum": "require_checksum",
    "--no-telemetry": "no_telemetry",
    "--no-modify-path": "no_modify_path",
    "--force": "force",
    "--dry-run": "dry_run",
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "--verbose": "verbose",
    "-y": "yes",
    "--yes": "yes",
}


@dataclass(frozen=True)
class Options:
    """The options of an install; the defaults are those of the command line.

    ``wanted`` is a version or "latest", ``source`` is auto, npm or github. ``prefix`` and
    ``destdir`` become absolute, without a slash at the end. ``timeout_s`` is how many seconds
    without progress end a connection. ``others`` are the words of the command line that mean
    something to the sh program only. What it would refuse too is refused by it, before anything
    is done.

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
    others: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Brings what is given into one form."""
        changed = {
            "wanted": self.wanted if self.wanted == "latest" else parse_version(self.wanted),
            "prefix": _absolute(self.prefix or _default_prefix()),
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
        if word in _FLAGS:
            chosen[_FLAGS[word]] = True
        elif word in _VALUES:
            value = next(words, "")
            if value and not value.startswith("-"):
                chosen[_VALUES[word]] = value
            elif word == "--destdir":
                raise InstallerError("usage", "--destdir needs a value.", "See: --help")
            else:
                others += [word, *([value] if value else [])]
        else:
            others += [word, *(words if word == "--" else ())]
    environment = os.environ
    timeout = environment.get("WASP_HTTP_TIMEOUT", "")
    wanted = chosen.pop("wanted", None) or environment.get("WASP_VERSION") or "latest"
    if wanted == "latest" or is_version(wanted.removeprefix("v")):
        chosen["wanted"] = wanted
    else:
        others.append(wanted)
    chosen.setdefault("destdir", environment.get("DESTDIR", ""))
    timeout_s = int(timeout) if re.fullmatch("[1-9][0-9]{0,4}", timeout) else DEFAULT_TIMEOUT_S
    return Options(timeout_s=timeout_s, others=others, **chosen)


def usage() -> str:
    """What ``--help`` prints: the sh program's words, and the options that only this one has."""
    program = content_of("install.sh").decode("utf-8")
    said = program.partition("<<'USAGE'\n")[2].partition("\nUSAGE\n")[0]
    lines = []
    for entry in said.splitlines():
        line = entry.partition("|")[2].replace("install.sh", "install.py")
        lines += [ours for start, ours in _OURS.items() if line.startswith(start)]
        lines.append(line)
    return "\n".join([*lines, ""])


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


def without_ours(arguments: Sequence[str]) -> list[str]:
    """The arguments without those that the sh program does not know."""
    words = iter(arguments)
    kept = []
    for word in words:
        if word == "--destdir":
            next(words, None)
        elif word != "--json" and not word.startswith("--destdir="):
            kept.append(word)
    return kept


def _default_prefix() -> str:
    """``WASP_INSTALL_PREFIX``, else ~/.local; "" where there is no home."""
    # On Windows, a shell of another system's making may set HOME to a place of its own.
    home = os.path.expanduser("~") if os.name == "nt" else os.environ.get("HOME", "")
    return os.environ.get("WASP_INSTALL_PREFIX") or (home and home.rstrip("/") + "/.local")


def _absolute(path: str) -> str:
    """Like the shell: from the folder that one is in by name, links in it left as they are."""
    if path and not os.path.isabs(path):
        path = f"{_current_folder()}/{path}"
    return path.rstrip("/")


def _current_folder() -> str:
    named = os.environ.get("PWD", "")
    try:
        if named and os.path.samefile(named, "."):
            return named
    except OSError:
        pass
    return os.getcwd()
