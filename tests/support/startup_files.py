"""What a start-up file of bash may hold while an install puts in its two lines."""

from __future__ import annotations

from tests.support.trees import Entry, entry_of_bytes
from wasp_installer.shells import Bash, BinFolder, SpelledPath
from wasp_installer.startup_files import with_line


def halfway(content: bytes | None, home: str) -> list[Entry]:
    """The file with only one of the lines of the default prefix, in a home with this path."""
    environment = {"HOME": home}
    shell = Bash(environment)
    script = SpelledPath(f"{home}/.local/share/wasp-lang/completions/wasp.bash", environment)
    lines = (
        shell.path_line(BinFolder(f"{home}/.local/bin", environment)),
        shell.completion_line(script),
    )
    return [entry_of_bytes(with_line(content, line.encode()), 0o644) for line in lines]
