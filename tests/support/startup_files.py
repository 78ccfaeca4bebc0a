"""What a start-up file of bash may hold when an install has put in its lines, or one of the two."""

from __future__ import annotations

from functools import reduce
from itertools import permutations

from tests.support.trees import Entry, entry_of_bytes
from wasp_installer.shells import Bash, BinFolder, SpelledPath
from wasp_installer.startup_files import with_line


def _lines(home: str) -> list[bytes]:
    """Those for the default prefix, in a home with this path."""
    environment = {"HOME": home}
    shell = Bash(environment)
    script = SpelledPath(f"{home}/.local/share/wasp-lang/completions/wasp.bash", environment)
    return [
        shell.path_line(BinFolder(f"{home}/.local/bin", environment)).encode(),
        shell.completion_line(script).encode(),
    ]


def halfway(content: bytes | None, home: str) -> list[Entry]:
    """The file with only one of the lines."""
    return [entry_of_bytes(with_line(content, line), 0o644) for line in _lines(home)]


def complete(content: bytes | None, home: str) -> list[Entry]:
    """The file with both, in either order: a later run may have added the first."""
    return [
        entry_of_bytes(reduce(with_line, lines, content) or b"", 0o644)
        for lines in permutations(_lines(home))
    ]
