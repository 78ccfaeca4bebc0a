"""The pages of this repository: their headings, links, tables, pieces of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from tests.support.frontends import REPOSITORY

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Fence(NamedTuple):
    """A piece of code and its language."""

    language: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page, by its path from the top of the repository."""

    name: str

    @cached_property
    def text(self) -> str:
        return (REPOSITORY / self.name).read_text(encoding="utf-8")

    @cached_property
    def fences(self) -> list[Fence]:
        return [Fence(*found) for found in _FENCE.findall(self.text)]

    @cached_property
    def prose(self) -> str:
        """The page without its pieces of code."""
        return _FENCE.sub("", self.text)

    @cached_property
    def code(self) -> list[str]:
        """What stands between backticks in the prose."""
        return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", self.prose)]

    @cached_property
    def anchors(self) -> set[str]:
        """What GitHub calls the headings in an address."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}

    @cached_property
    def links(self) -> list[str]:
        """The targets of links and pictures."""
        without_code = re.sub(r"`[^`]+`", "code", self.prose)
        return re.findall(r"\]\(([^)\s]+)\)", without_code)

    def section(self, heading: str) -> str:
        """What follows a heading, up to the next one of its rank or a higher one."""
        pattern = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)"
        found = re.search(pattern, self.text, re.DOTALL | re.MULTILINE)
        assert found, f"{self.name} has no section {heading!r}"
        return found[1]

    def __str__(self) -> str:
        return self.name


def table(text: str, head: str) -> list[list[str]]:
    """The rows of the first table whose first column is called so."""
    pattern = rf"^\| {re.escape(head)} \|.*\n\|[-|: ]+\|\n((?:\|.*\n?)+)"
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"there is no table of {head!r}"
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in found[1].splitlines()
    ]


def words(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def _names() -> Iterator[str]:
    for pattern in ("*.md", "docs/*.md", "packaging/*.md"):
        for path in sorted(REPOSITORY.glob(pattern)):
            yield path.relative_to(REPOSITORY).as_posix()


PAGES: Final = {name: Page(name) for name in _names()}


def page(name: str) -> Page:
    """A page of the documentation, by its name there."""
    return PAGES[f"docs/{name}"]
