"""requirements.lock: which libraries there are, for which machines, and what their hashes are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_REQUIREMENT: Final = re.compile(
    r"(?P<name>[\w.-]+)==(?P<version>[\w.+!-]+)"
    r"(?: ; (?P<marker>[^\\]+?))?(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)
#: The markers that the lock uses, and what they say in Python. Only these, since any other would
#: have to be thought about.
_MARKERS: Final = (
    (re.compile(r"python_full_version (<|>=) '(\d+)\.(\d+)'"), r"sys.version_info \1 (\2, \3)"),
    (re.compile(r"sys_platform == '(\w+)'"), r'sys.platform == "\1"'),
)


@dataclass(frozen=True)
class Requirement:
    """One library in one version; ``condition`` is the Python expression for where it is used."""

    name: str
    version: str
    condition: str
    hashes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def line(self) -> str:
        """It as pip takes it, for whichever machine."""
        hashes = "".join(f" --hash=sha256:{digest}" for digest in sorted(self.hashes))
        return f"{self.name}=={self.version}{hashes}"


def requirements(lock: str) -> list[Requirement]:
    """What the text of a lock file names, in its order.

    Raises:
        ValueError: a line is not understood.
    """
    lines = re.sub(r"\\\n", "", lock).splitlines()
    return [_requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def _requirement(line: str) -> Requirement:
    found = _REQUIREMENT.fullmatch(line.strip())
    if found is None:
        raise ValueError(f"not understood in the lock file: {line[:60]}")
    hashes = frozenset(re.findall(r"sha256:([0-9a-f]{64})", found["hashes"]))
    return Requirement(found["name"], found["version"], _condition(found["marker"]), hashes)


def _condition(marker: str | None) -> str:
    if marker is None:
        return "True"
    for pattern, python in _MARKERS:
        if pattern.fullmatch(marker.strip()):
            return pattern.sub(python, marker.strip())
    raise ValueError(f"not understood in the lock file: {marker}")
