"""Puts install.sh together: a header, a prelude, and the sh program with all that it installs.

The program is one here-document, and the installed files are here-documents inside it, so the text
is complete by itself and a cut one is a syntax error that does nothing.

    python packaging/assemble.py            writes install.sh
    python packaging/assemble.py --check    fails when install.sh is stale
    python packaging/assemble.py --program  prints the sh program with its comments, for shellcheck
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
INSTALL_SH = REPOSITORY / "install.sh"
_TABLE: Final = REPOSITORY / "packaging" / "releases.json"

#: "releases": each with "version", and by source ("npm", "github") and build, "algorithm:hex".
Table = dict[str, Any]

#: What the sh program is made of, in this order.
PARTS = (
    "state",
    "words",
    "verbs",
    "arguments",
    "platform",
    "fetch",
    "json",
    "npm",
    "github",
    "sources",
    "archive",
    "binary",
    "progress",
    "telemetry",
    "versions",
    "launcher",
    "startup_files",
    "edit",
    "surroundings",
    "commands",
    "removing",
    "update",
    "doctor",
    "main",
)
#: Where the sources of the installed files are, by where they are put.
INSTALLED = {
    "launcher": "installed/launcher",
    "telemetry_ping.py": "telemetry_ping.py",
    "telemetry_messages.py": "installed/telemetry_messages.py",
    "project_version.sh": "installed/project_version.sh",
    "env.sh": "installed/env.sh",
    "env.fish": "installed/env.fish",
    "completions/wasp.bash": "installed/completions/wasp.bash",
    "completions/_wasp": "installed/completions/_wasp",
    "completions/wasp.fish": "installed/completions/wasp.fish",
}
#: The lines that an install fills in, by the variable of sh/launcher.sh that has the new ones.
_FILLED_IN = {
    "launcher": {"launcher_lines": "_wasp_version=''\n_wasp_root=''\n_wasp_python=''\n"},
    "env.sh": {"sh_root": "__wasp_root=''\n"},
    "env.fish": {"fish_root": "set -g __wasp_root ''\n"},
}
#: The releases whose digests are inside.
NEWEST_RELEASES = 6
#: Linux takes no longer argument, and `sh -c "$(curl …)"` makes one of the whole text.
LIMIT_BYTES = 131_072

# One brace group: a cut download does nothing. The user's shell only starts /bin/sh: backslashes
# keep aliases off, and POSIXLY_CORRECT keeps functions off.
HEADER = """\
#!/bin/sh
{
# Installs Wasp, the full-stack web framework: https://wasp.sh
#
#     curl -fsSL https://get.wasp.sh/install.sh | sh
#
# Made by `make install.sh` from sh/ (without comments), installed/ and telemetry_ping.py. Your shell only starts /bin/sh.
POSIXLY_CORRECT=1
\\unset -f exec 2>/dev/null || POSIXLY_CORRECT=1
\\exec /bin/sh -c 'set +aefuxvC; unset -f cat mktemp; unset POSIXLY_CORRECT; d=wasp-installer-$$-XXXXXX; d=$(mktemp -d "${TMPDIR:-/tmp}/$d" 2>/dev/null || mktemp -d "/tmp/$d") && cat >"${d:?}/program" && exec /bin/sh "$d/program" "$@" </dev/null; exit 7' sh ${1+"$@"} <<'WASP_INSTALLER'
"""  # noqa: E501 - one line, since zsh has an option that refuses line breaks in quotes
FOOTER = """\
WASP_INSTALLER
}
"""


def read_table() -> Table:
    """The releases that are known, the newest first."""
    table: Table = json.loads(_TABLE.read_text(encoding="utf-8"))
    return table


def program(table: Table) -> str:
    """The sh program, whole: its parts without whole-line comments, and what it holds."""
    parts = [_without_comments(_part(name)) for name in PARTS]
    # Before the last part, which starts it.
    return "".join([*parts[:-1], _installed_files(), _digests(table), parts[-1]])


def install_sh(table: Table) -> str:
    """The text of install.sh that knows the newest releases of ``table``."""
    return HEADER + program(table) + FOOTER


def _part(name: str) -> str:
    return (REPOSITORY / "sh" / f"{name}.sh").read_text(encoding="utf-8")


def _without_comments(text: str) -> str:
    """Without whole-line comments and blank lines, but for those of a here-document."""
    lines, end = [], ""
    for line in text.splitlines():
        if end or (line and not line.lstrip().startswith("#")):
            lines.append(line)
        found = re.search(r"<<'(\w+)'$", line)
        end = found[1] if found else "" if line == end else end
    return "\n".join(lines) + "\n"


def _installed_files() -> str:
    """The function `installed_files COMMAND...`, which gives all of them to the command.

    A line "%file NAME" stands before each, and "%VARIABLE" for what an install fills in. The last
    line is "%file -".
    """
    texts = []
    for name, source in INSTALLED.items():
        text = (REPOSITORY / source).read_text(encoding="utf-8")
        if re.search(r"^(%|END_OF_FILES$)", text, re.MULTILINE) or not text.endswith("\n"):
            raise ValueError(f"the here-document cannot hold {source}")
        for variable, lines in _FILLED_IN.get(name, {}).items():
            before, found, after = text.partition(lines)
            if not found:
                raise ValueError(f"{source} has no place for {variable}")
            text = f"{before}%{variable}\n{after}"
        texts.append(f"%file {name}\n{text}")
    texts.append("%file -\n")
    return "installed_files() {\n\t\"$@\" <<'END_OF_FILES'\n" + "".join(texts) + "END_OF_FILES\n}\n"


def _digests(table: Table) -> str:
    """The function `digests COMMAND...`: the command reads all that are known.

    The first line has the names of the builds, the others each release's digests in base64.

    "-" stands for one that is not known. GitHub's, of SHA-256, have 43 digits. npm's are the first
    44 digits of a SHA-512, which no other archive has either.
    """
    releases = {
        release["version"]: {**release.get("npm", {}), **release.get("github", {})}
        for release in table["releases"][:NEWEST_RELEASES]
    }
    builds = list(dict.fromkeys(build for known in releases.values() for build in known))
    rows = [["-", *builds]]
    for version, known in releases.items():
        digests = (_base64(known[build]) if build in known else "-" for build in builds)
        rows.append([version, *digests])
    text = "".join(f"{' '.join(row)}\n" for row in rows)
    return f"digests() {{\n\t\"$@\" <<'END'\n{text}END\n}}\n"


def _base64(digest: str) -> str:
    """Of "algorithm:hex"; without padding, at most 44 digits."""
    digits = base64.b64encode(bytes.fromhex(digest.partition(":")[2]))[:44]
    return digits.decode("ascii").rstrip("=")


def main() -> int:
    """Writes install.sh, or with --check says whether it is fresh."""
    if sys.argv[1:] == ["--program"]:
        sys.stdout.write("".join(_part(name) for name in PARTS))
        return 0
    text = install_sh(read_table())
    size = len(text.encode())
    if size >= LIMIT_BYTES:
        print(f"install.sh has {size} bytes; it must stay under {LIMIT_BYTES}.", file=sys.stderr)
        return 1
    if sys.argv[1:] == ["--check"]:
        if INSTALL_SH.read_text(encoding="utf-8") != text:
            print("install.sh is stale. Run: make install.sh", file=sys.stderr)
            return 1
        return 0
    INSTALL_SH.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
