"""install.sh with telemetry_ping.py inside, so that it needs nothing beside it."""

from __future__ import annotations

import re
from typing import Final

_PLACE: Final = re.compile(
    r"(?<=^# begin ping_module\n).*?(?=^# end ping_module$)", re.MULTILINE | re.DOTALL
)
_FUNCTION: Final = """\
ping_module() {{
    cat <<'{end}'
{text}{end}
}}
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
    function = _FUNCTION.format(end=end, text=ping_module)
    assembled, count = _PLACE.subn(lambda _: function, script)
    if count != 1:
        raise ValueError(f"install.sh has {count} places for ping_module, not one")
    return assembled
