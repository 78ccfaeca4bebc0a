"""What a start-up file of bash may hold when an install has put in its lines, or one of the two."""

from __future__ import annotations

from functools import reduce
from itertools import permutations

from wasp_installer.shells import Bash, BinFolder, SpelledPath
from wasp_installer.startup_files import with_line

from tests.support.trees import Entry, entry_of_bytes


def with_lines(content: bytes | None, home: str, number: int) -> list[bytes]:
    """The file with so many of the two lines for the default prefix, in any order."""
    environment = {"HOME": home}
    shell = Bash(environment)
    script = SpelledPath(f"{home}/.local/share/wasp-lang/completions/wasp.bash", environment)
    lines = (
        shell.path_line(BinFolder(f"{home}/.local/bin", environment)).encode(),
        shell.completion_line(script).encode(),
    )
    return [reduce(with_line, chosen, content) or b"" for chosen in permutations(lines, number)]


def halfway(content: bytes | None, home: str) -> list[Entry]:
    """The file with only one of the lines."""
    return [entry_of_bytes(found, 0o644) for found in with_lines(content, home, 1)]


def complete(content: bytes | None, home: str) -> list[Entry]:
    """The file with both, in either order: a later run may have added the first."""
    return [entry_of_bytes(found, 0o644) for found in with_lines(content, home, 2)]
