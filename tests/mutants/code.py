"""What both languages have in common: a source file, its functions, and a change to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: What stands outside of all functions.
MODULE = "module"


@dataclass(frozen=True, order=True)
class Change:
    """``new`` instead of the text between two offsets."""

    start: int
    end: int
    new: str

    def of(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True)
class Function:
    """The first and the last line of a function, counted from 1, and its name in its file."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Mutant:
    """A file with one change in it; ``functions`` are those whose tests may notice it."""

    file: str
    text: str
    change: Change
    functions: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        return line_of(self.text, self.change.start)

    @property
    def broken(self) -> str:
        return self.change.of(self.text)

    @property
    def diff(self) -> str:
        before, after = self.text.splitlines(), self.broken.splitlines()
        return "\n".join(unified_diff(before, after, self.file, self.file, "", "", 2, ""))


def line_of(text: str, offset: int) -> int:
    """Counted from 1."""
    return text.count("\n", 0, offset) + 1


def innermost(functions: Iterable[Function], line: int) -> Function | None:
    """The function that this line is in."""
    around = [each for each in functions if each.first <= line <= each.last]
    return min(around, key=lambda each: each.last - each.first, default=None)


def with_lines(text: str, added: Sequence[tuple[int, str]]) -> str:
    """The text with each of these lines before the one of that number."""
    lines = text.splitlines(keepends=True)
    for number, line in sorted(added, reverse=True):
        lines.insert(number - 1, f"{line}\n")
    return "".join(lines)
