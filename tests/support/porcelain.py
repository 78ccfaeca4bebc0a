"""What the sh program says to install.py, as the object that `--json` prints of it."""

from __future__ import annotations

import re
from typing import Any

_LISTS = ("versions", "remote")
_PLATFORM = ("os", "arch", "libc", "distro")


def from_porcelain(text: str) -> dict[str, Any]:
    """The "key=value" lines as an object; a line of another form fails."""
    found: dict[str, Any] = {"platform": {}, "warnings": []}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals or not key.replace("_", "").isalpha():
            raise AssertionError(f"not of the form key=value: {line!r}")
        value = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], value)
        if key == "warning":
            found["warnings"].append(value)
        elif key in _LISTS:
            found[key] = value.split(", ") if value else []
        elif key in _PLATFORM:
            found["platform"][key] = value or None
        elif key == "on_path":
            found[key] = {"true": True, "false": False}[value]
        elif key == "code":
            found[key] = int(value)
        else:
            found[key] = value or None
    if "prefix" in found:
        prefix, version = found["prefix"], found["version"]
        found["wasp_dir"] = f"{prefix}/share/wasp-lang/{version}" if version else None
        found["executable"] = f"{prefix}/bin/wasp" if prefix else None
    return found
