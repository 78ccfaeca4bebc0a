"""Draws docs/install.svg: what an install shows on a terminal, recorded from a real run.

    python packaging/picture.py                          from where Wasp is published
    python packaging/picture.py --from-file ARCHIVE      without a network

The run has a home of its own, a Node.js that is new enough (a stand-in that says so), and
telemetry that goes to a port where nobody listens.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
PICTURE: Final = REPOSITORY / "docs" / "install.svg"
COMMAND: Final = "curl -fsSL https://get.wasp.sh/install.sh | sh"
COLUMNS: Final = 100
ROWS: Final = 40
#: A port that nothing may listen on: events end there.
NOWHERE: Final = "http://127.0.0.1:1/"
NODE: Final = "v24.14.1"

#: npm is run by the Node.js of this machine.
_NODE: Final = """\
#!/bin/sh
case $1 in --version | -v) echo {version} ;; *) exec {node} "$@" ;; esac
"""

# Pixels; the font of a browser may be a little wider or narrower than a cell.
CELL: Final = 8.4
LINE: Final = 20
PADDING: Final = 20
TITLE: Final = 34

#: Select graphic rendition, erase the rest of the line, and whatever else a terminal may be told.
_CONTROL: Final = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r\n|[\r\n]|[^\x1b\r\n]+")
_STYLES: Final = {"": "", "0": "", "1": "bold", "1;31": "red", "1;33": "yellow"}


@dataclass(frozen=True)
class Piece:
    """Text in one style: "" (plain), bold, red or yellow."""

    text: str
    style: str = ""


def record(
    command: Sequence[str], environment: Mapping[str, str], columns: int = COLUMNS
) -> tuple[int, str]:
    """Runs a program on a terminal of its own; returns its exit code and all that it wrote."""
    child, terminal = pty.fork()
    if child == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
            os.execvpe(command[0], list(command), dict(environment))
        finally:
            os._exit(127)
    written = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux says so when the program has ended.
            break
        if not data:
            break
        written += data
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), written.decode()


def screen(written: str, columns: int = COLUMNS) -> list[list[Piece]]:
    """The lines that stay on a terminal of this width after ``written``, each as its pieces."""
    lines: list[list[Piece]] = [[]]
    style = ""
    for found in _CONTROL.finditer(written):
        parameter, letter = found.group(1), found.group(2)
        if letter == "m":
            style = _STYLES[parameter]
        elif found.group() in ("\n", "\r\n"):
            lines.append([])
        elif found.group() == "\r" or letter:
            # A line that is begun anew is drawn anew here, and ESC [K follows where less is left.
            lines[-1] = []
        else:
            lines[-1].append(Piece(found.group(), style))
    return [part for line in lines[: None if lines[-1] else -1] for part in _wrapped(line, columns)]


def _wrapped(line: Sequence[Piece], columns: int) -> list[list[Piece]]:
    parts: list[list[Piece]] = [[]]
    for piece in line:
        text = piece.text
        while text:
            room = columns - len(text_of(parts[-1]))
            if not room:
                parts.append([])
                continue
            parts[-1].append(Piece(text[:room], piece.style))
            text = text[room:]
    return parts


def text_of(line: Sequence[Piece]) -> str:
    """A line without its styles."""
    return "".join(piece.text for piece in line)


def svg(lines: Sequence[Sequence[Piece]]) -> str:
    """A picture of a terminal with these lines, dark or light as the reader's screen is."""
    width = max(len(text_of(line)) for line in lines) * CELL + 2 * PADDING
    height = TITLE + len(lines) * LINE + PADDING
    label = escape(f"A terminal: {text_of(lines[0])}")
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    rows = []
    for number, line in enumerate(lines):
        if text_of(line):
            pieces = "".join(_span(piece) for piece in line)
            y = TITLE + LINE * number + 14
            rows.append(f'  <text x="{PADDING}" y="{y}">{pieces}</text>')
    buttons = [f'  <circle cx="{PADDING + 18 * n}" cy="18" r="5.5"/>' for n in range(3)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}',
            f'    xml:space="preserve" role="img" aria-label="{label}">',
            _STYLE_SHEET,
            f'  <rect width="{width:.0f}" height="{height}" rx="8"/>',
            *buttons,
            *rows,
            "</svg>",
            "",
        ]
    )


def _span(piece: Piece) -> str:
    kind = f' class="{piece.style}"' if piece.style else ""
    return f"<tspan{kind}>{escape(piece.text, quote=False)}</tspan>"


_STYLE_SHEET: Final = """\
  <style>
    rect { fill: #f6f8fa; stroke: #d0d7de }
    circle { fill: #d0d7de }
    text { fill: #1f2328; font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
    .bold { font-weight: 700 }
    .sign { fill: #1a7f37; font-weight: 700 }
    .red { fill: #cf222e; font-weight: 700 }
    .yellow { fill: #9a6700; font-weight: 700 }
    @media (prefers-color-scheme: dark) {
      rect { fill: #161b22; stroke: #30363d }
      circle { fill: #30363d }
      text { fill: #e6edf3 }
      .sign { fill: #3fb950 }
      .red { fill: #ff7b72 }
      .yellow { fill: #d29922 }
    }
  </style>"""


def _home_for(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a user whose home and temporary folder are below ``folder``."""
    home, tools, temporary = (folder / name for name in ("home", "tools", "tmp"))
    for made in (home, tools, temporary):
        made.mkdir()
    (home / ".bashrc").touch()
    (home / ".profile").touch()
    node = tools / "node"
    node.write_text(_NODE.format(version=NODE, node=shutil.which("node") or "false"))
    node.chmod(0o755)
    kept = {
        name: value for name, value in environment.items() if name in ("HTTPS_PROXY", "NO_PROXY")
    }
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(temporary),
        "SHELL": "/bin/bash",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "WASP_TELEMETRY_URL": NOWHERE,
        "WASP_NEWS_SERVER_URL": NOWHERE,
    }


def main(arguments: Sequence[str]) -> int:
    """Records an install with these arguments, and draws it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _home_for(Path(folder), os.environ)
        program = ["sh", str(REPOSITORY / "install.sh"), *arguments]
        code, written = record(program, environment)
    if code != 0:
        print(f"The install ended with {code}:\n{written}", file=sys.stderr)
        return 1
    lines = [[Piece("$ ", "sign"), Piece(COMMAND)], *screen(written), [Piece("$ ", "sign")]]
    PICTURE.write_text(svg(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
