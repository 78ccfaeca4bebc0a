"""What a page tells people to type exists: commands, options, targets of make."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.documents.pages import PAGES, Page
from tests.support.frontends import INSTALL_PY, REPOSITORY

HELP = subprocess.run(
    [sys.executable, str(INSTALL_PY), "--help"], capture_output=True, text=True, check=True
).stdout
OPTIONS = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", HELP))
COMMANDS = set(re.findall(r"^  ([a-z][a-z-]+) ", HELP, re.MULTILINE))
#: What begins a command of ours, up to its arguments.
OURS = re.compile(
    r"(?:wasp installer|(?:^|\bsh |\bpython3? )install\.(?:sh|py)|\| (?:\w+=\S+ )?sh -s --)"
    r"(?=\s|$)([^|;#&<\n]*)"
)
#: Options of ours that stand alone in a text.
ALONE = re.compile(
    r"(-v|--(?:prefix|version|source|from-file|sha256|re|no-|force|dry|json|quiet)\S*)( .*)?"
)


def shown(page: Page) -> Iterator[str]:
    """Each command that a page shows, in a line of its own or inside a sentence."""
    for fence in page.fences:
        if fence.language in ("sh", "powershell", "dockerfile", "yaml"):
            yield from (re.sub(r"(^|\s)# .*", "", line) for line in fence.text.splitlines())
    yield from page.code


def arguments(line: str) -> Iterator[list[str]]:
    """Those of each command of ours in a line."""
    for found in OURS.finditer(line):
        yield shlex.split(found[1].replace("'", "").replace('"', ""))


@pytest.mark.parametrize("page", PAGES.values(), ids=str)
def test_every_option_and_command_exists(page: Page) -> None:
    for line in shown(page):
        for words in arguments(line):
            named = [word for word in words if not word.startswith("-")]
            if named and re.fullmatch("[a-z][a-z-]+", named[0]) and words[0] == named[0]:
                assert named[0] in COMMANDS, line
            for word in words:
                option = word.partition("=")[0]
                assert not re.match("--?[a-zA-Z]", word) or option in OPTIONS, line
        alone = ALONE.fullmatch(line)
        assert not alone or alone[1].partition("=")[0] in OPTIONS, line


def test_the_pages_show_every_command_and_most_options() -> None:
    """Without this, the test before might look at nothing."""
    used = {
        word
        for page in PAGES.values()
        for line in shown(page)
        for words in arguments(line)
        for word in words
    }
    assert used >= COMMANDS - {"install"}
    assert used >= {"-v", "--prefix", "--source", "--from-file", "--sha256", "--remote", "--json"}


@pytest.mark.parametrize("page", PAGES.values(), ids=str)
def test_every_target_of_make_exists(page: Page) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for line in shown(page):
        for target in re.findall(r"(?:^|[;&] ?|=\S+ )make ([a-z][\w.]*)", line):
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), line


@pytest.mark.parametrize("page", PAGES.values(), ids=str)
def test_every_download_stops_at_an_error_and_follows_redirects(page: Page) -> None:
    for line in shown(page):
        for options in re.findall(r"\bcurl(?:\.exe)? (\S+) (?=https?:|…)", line):
            assert options in ("-fsSL", "-fsSLO", "…"), line


def test_the_first_page_is_short() -> None:
    assert len(PAGES["README.md"].text.splitlines()) <= 100
