"""install.sh with telemetry_ping.py inside, so that it needs nothing beside it."""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(
    r"(^( *)# begin ping_module\n).*?(?=^ *# end ping_module$)", re.MULTILINE | re.DOTALL
)
_FUNCTION: Final = """\
{indent}ping_module() {{
{indent}    cat <<'{end}'
{text}{end}
{indent}}}
"""


def assemble(script: str, ping_module: str) -> str:
    """``script`` with a function ``ping_module`` that prints the text of that name.

    Raises:
        ValueError: a here-document cannot hold the text, or there is no one place for it.
    """
    if not ping_module.endswith("\n") or "\0" in ping_module:
        raise ValueError("a here-document holds whole lines, without null bytes")
    end = "END_OF_TELEMETRY_PING"
    while end in ping_module:
        end += "_"

    def function(found: re.Match[str]) -> str:
        return found[1] + _FUNCTION.format(indent=found[2], end=end, text=ping_module)

    assembled, count = _PLACE.subn(function, script)
    if count != 1:
        raise ValueError(f"install.sh has {count} places for ping_module, not one")
    return assembled
