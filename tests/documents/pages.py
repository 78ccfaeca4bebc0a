"""The pages of this repository: their headings, links, tables, pieces of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tests.support.frontends import REPOSITORY

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A page, by its path from the top of the repository."""

    name: str

    @cached_property
    def text(self) -> str:
        return (REPOSITORY / self.name).read_text(encoding="utf-8")

    @cached_property
    def fences(self) -> list[tuple[str, str]]:
        """The language and the text of each piece of code."""
        return _FENCE.findall(self.text)

    def of(self, *languages: str) -> list[str]:
        """The pieces of code in one of these languages."""
        return [text for language, text in self.fences if language in languages]

    @cached_property
    def prose(self) -> str:
        """The page without its pieces of code."""
        return _FENCE.sub("", self.text)

    @cached_property
    def code(self) -> list[str]:
        """What stands between backticks in the prose."""
        return [" ".join(text.split()) for text in words(self.prose)]

    @property
    def typed(self) -> Iterator[str]:
        """Each command that the page shows, in a line of its own or inside a sentence."""
        for text in self.of("sh", "powershell", "dockerfile", "yaml"):
            yield from (re.sub(r"(^|\s)# .*", "", line) for line in text.splitlines())
        yield from self.code

    @cached_property
    def anchors(self) -> set[str]:
        """What GitHub calls the headings in an address."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}

    @cached_property
    def links(self) -> list[str]:
        """The targets of links and pictures."""
        return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]+`", "code", self.prose))

    def section(self, heading: str) -> str:
        """What follows a heading, up to the next one of its rank or a higher one."""
        pattern = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#{{1,2}} |\Z)"
        found = re.search(pattern, self.text, re.DOTALL | re.MULTILINE)
        assert found, f"{self.name} has no section {heading!r}"
        return found[1]

    def table(self, head: str, section: str = "") -> list[list[str]]:
        """The rows of the first table, here or in a section, whose first column is called so."""
        text = self.section(section) if section else self.text
        pattern = rf"^\| {re.escape(head)} \|.*\n\|[-|: ]+\|\n((?:\|.*\n?)+)"
        found = re.search(pattern, text, re.MULTILINE)
        assert found, f"{self.name} has no table of {head!r}"
        return [
            [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
            for row in found[1].splitlines()
        ]


def words(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", text)


_PATTERNS: Final = ("*.md", "docs/*.md", "packaging/*.md")
_FILES: Final = [path for pattern in _PATTERNS for path in sorted(REPOSITORY.glob(pattern))]
PAGES: Final = {name: Page(name) for name in (str(it.relative_to(REPOSITORY)) for it in _FILES)}
