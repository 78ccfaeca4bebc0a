"""The pages: what they tell people to type exists, and links lead somewhere."""

from __future__ import annotations

import os
import re

import pytest
from artefacts.lock import requirements

from tests.documents.pages import PAGES, Page
from tests.support.frontends import REPOSITORY
from wasp_installer.command_line.options import usage

OPTIONS = {*re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", usage())}
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
#: A command of ours, up to its end.
OURS = re.compile(r"(?:wasp installer|(?:^|\bsh |python3? )install\.\w+|sh -s --)(?: [^|;#&<\n]*)?")


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_what_is_typed_exists(page: Page) -> None:
    for line in page.typed:
        for ours in OURS.findall(line):
            assert {*re.findall(r"(?<= )--?[A-Za-z][\w-]*", ours)} <= OPTIONS | {"-s", "--"}, line
        for target in re.findall(r"(?:^|[;&] ?|=\S+ )make ([a-z][\w.]*)", line):
            assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE), line
        # A download stops at an error and follows redirects.
        for options in re.findall(r"\bcurl(?:\.exe)? (\S+) (?=https?:|…)", line):
            assert options in ("-fsSL", "-fsSLO", "…"), line


def test_a_link_leads_to_a_file_and_to_a_heading_in_it_and_every_page_is_linked() -> None:
    linked = set()
    for page in PAGES.values():
        for link in page.links:
            if "://" in link or link.startswith("mailto:"):
                assert not link.startswith("http:"), f"{page.name}: {link}"
                continue
            path, _, anchor = link.partition("#")
            folder = os.path.dirname(page.name)
            file = os.path.normpath(os.path.join(folder, path)) if path else page.name
            assert (REPOSITORY / file).exists(), f"{page.name}: {link}"
            assert not anchor or anchor in PAGES[file].anchors, f"{page.name}: {link}"
            linked.add((page.name, file))
    docs = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("docs/*")}
    assert docs <= {file for name, file in linked if name != file} | {"docs/index.md"}
    assert ("README.md", "docs/index.md") in linked


# --- SECURITY.md

SECURITY = PAGES["SECURITY.md"].text


def test_every_test_that_it_names_exists() -> None:
    named = set(re.findall(r"`(?:tests/)?(\w+/test_\w+\.py)`", SECURITY))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (REPOSITORY / "tests" / name).exists()] == []


def test_it_speaks_of_the_libraries_that_python_39_gets() -> None:
    """Another version of them wants another look at the advisories."""
    every = requirements((REPOSITORY / "requirements.lock").read_text())
    old = {each.name: each.version for each in every if "< (3, 10)" in each.condition}
    assert set(old) == {"requests", "urllib3"}
    assert f"({old['requests']} and {old['urllib3']})" in SECURITY
