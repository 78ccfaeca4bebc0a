"""install.py with all that it imports inside: one text that any Python runs, also from a pipe.

The installer's own code stands in it to be read. The libraries are wheels, byte for byte as they
are published (packing them anew would depend on the zlib of the machine), and only looked into, in
memory, when they are imported, so that what needs none of them is as quick as without.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .lock import Requirement
from .wheels import Wheel

#: What requests imports and this installer has no use for, with what is there in place of it.
STAND_INS: Final = {
    "certifi": '''\
"""In place of certifi: only those authorities count that the operating system trusts."""


def where():
    return ""  # where no authorities are, so that nothing can be checked against them
''',
    "charset-normalizer": '''\
"""In place of charset_normalizer, which guesses encodings; nothing here is ever guessed."""

__version__ = "{version}"
''',
}

# Until the version is known, this has to be understood by Pythons of any age.
_HEAD: Final = """\
#!/usr/bin/env python3
#
# Installs Wasp (https://wasp.sh), the full-stack web framework.
#
#     python install.py
#     curl -sSL https://get.wasp.sh/install.py | python3 -
#
# Needs Python 3.9 or newer and nothing else: no package, no package index, no compiler. Inside are:
#
#     the installer {version} itself, to be read below, and telemetry_ping.py, which it sends with
#     install.sh, which does all but getting Wasp
{libraries}
#     the licences of all of these, as comments
#
# It is the same, byte for byte, whenever "make dist" makes it from the same sources:
# https://github.com/wasp-lang/wasp

import sys

if sys.version_info < (3, 9):
    sys.stderr.write("error: this installer needs Python 3.9 or newer.\\n")
    sys.stderr.write("       Without Python: curl -sSL https://get.wasp.sh/install.sh | sh\\n")
    sys.exit(3)
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # what lies beside this file, or in the current folder, is not part of it

# --- the installer -------------------------------------------------------------------------------

FILES = {{}}
"""
_TAIL: Final = """
# --- running it ----------------------------------------------------------------------------------

NAMES = {"__name__": "loader"}
exec(compile(LOADER, "loader.py", "exec"), NAMES)
sys.exit(NAMES["main"](globals().get("__file__", "<install.py>"), FILES, WHEELS))
"""
_WIDTH: Final = 100


@dataclass(frozen=True)
class Contents:
    """What goes into install.py; ``files`` are the installer's own, but for the two scripts."""

    version: str
    files: Mapping[str, str]
    ping_module: str
    script: str
    wheels: Sequence[Wheel]
    left_out: Sequence[Requirement]
    loader: str
    licences: str


def assemble(contents: Contents) -> str:
    """The text of install.py, all of it ASCII, so that no transport of texts can change it."""
    parts = [_HEAD.format(version=contents.version, libraries=_listed(contents.wheels))]
    parts += [_file(name, literal(text)) for name, text in contents.files.items()]
    parts.append(_title("what it runs"))
    parts.append(_file("telemetry_ping.py", literal(contents.ping_module)))
    before, _, after = contents.script.partition(contents.ping_module)
    pieces = (literal(before), 'FILES["telemetry_ping.py"]', literal(after))
    parts.append(_file("install.sh", " + ".join(pieces)))
    parts.append(_title("how all of this is imported"))
    parts.append(f"LOADER = {literal(contents.loader)}\n")
    parts.append(_title("its libraries: wheels as they are published, in base64"))
    parts.append("WHEELS = []\n")
    for wheel in contents.wheels:
        parts.append(_wheel(wheel))
    for requirement in contents.left_out:
        stand_in = STAND_INS[requirement.name].replace("{version}", requirement.version)
        parts.append(_file(f"{requirement.name.replace('-', '_')}.py", literal(stand_in)))
    parts.append(_title("licences"))
    parts += [f"# {line}".rstrip() + "\n" for line in _ascii(contents.licences).splitlines()]
    return "".join(parts) + _TAIL


def _listed(wheels: Sequence[Wheel]) -> str:
    names = ", ".join(str(wheel.requirement) for wheel in wheels)
    return textwrap.fill(
        f"its libraries: {names}",
        _WIDTH,
        initial_indent="#     ",
        subsequent_indent="#         ",
    )


def _title(text: str) -> str:
    return "\n" + f"# --- {text} ".ljust(_WIDTH, "-") + "\n\n"


def _file(name: str, expression: str) -> str:
    return f"FILES[{json.dumps(name)}] = {expression}\n"


def _wheel(wheel: Wheel) -> str:
    lines = "\n".join(textwrap.wrap(base64.b64encode(wheel.content).decode("ascii"), _WIDTH))
    return (
        f"# {wheel.file_name}\n# SHA-256 {hashlib.sha256(wheel.content).hexdigest()}\n"
        f"if {wheel.requirement.condition}:\n"
        f'    WHEELS.append(({wheel.names!r}, """\n{lines}\n"""))\n'
    )


def literal(text: str) -> str:
    """``text`` as a string of Python, line by line as it is, as far as that can be."""
    escaped = text.replace("\\", "\\\\")
    escaped = re.sub(r'"{3,}|"\Z', lambda found: found[0].replace('"', '\\"'), escaped)
    escaped = re.sub(r"[^\n -~]", lambda found: ascii(found[0])[1:-1], escaped)
    written = f'"""\\\n{escaped}"""'
    assert ast.literal_eval(written) == text, "an escape is missing"
    return written


def _ascii(text: str) -> str:
    """For a comment, where a name that is not ASCII is best written by its letters' codes."""
    return text.encode("ascii", "backslashreplace").decode("ascii")
