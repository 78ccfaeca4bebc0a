"""Pages whose figures come from a run: each stands between two markers and is replaced whole."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class PageError(Exception):
    """A page and the figures for it do not fit together."""


def replace_figures(page: Path, figures: Mapping[str, str]) -> None:
    """Put each text between `<!-- figures: NAME -->` and `<!-- end of figures -->` of its name.

    Raises PageError when the page has no such place for one of them, or the other way round.
    """
    text = page.read_text(encoding="utf-8")
    places = re.findall(r"<!-- figures: (.+?) -->", text)
    if sorted(places) != sorted(figures):
        raise PageError(
            f"{page} has places for {sorted(places)}, and the run has {sorted(figures)}"
        )
    block = re.compile(r"(<!-- figures: (.+?) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
    text = block.sub(lambda found: f"{found[1]}\n{figures[found[2]]}\n\n{found[3]}", text)
    temporary = page.with_name(f".{page.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(page)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    lines = [[cell.replace("|", "\\|") for cell in cells] for cells in [head, rule, *rows]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine_description() -> str:
    """Return in one line what a run was made on."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{platform.system()} {platform.machine()}, {processor()}, {cores} cores, "
        f"{memory:.0f} GiB, Python {platform.python_version()}"
    )


def processor() -> str:
    """Return the name that the processor has in /proc/cpuinfo, or what Python knows of it."""
    if sys.platform == "linux":
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        if found:
            return found[1].strip()
    return platform.processor() or "unknown processor"
