"""Links lead somewhere, and every page can be reached."""

from __future__ import annotations

import os

import pytest

from tests.documents.pages import PAGES, Page
from tests.support.frontends import REPOSITORY


def targets(page: Page) -> list[tuple[str, str]]:
    """Files, by their path from the top of the repository, and the places in them."""
    found = []
    for link in page.links:
        if "://" not in link and not link.startswith("mailto:"):
            file, _, anchor = link.partition("#")
            folder = os.path.dirname(page.name)
            found.append(
                (os.path.normpath(os.path.join(folder, file)) if file else page.name, anchor)
            )
    return found


@pytest.mark.parametrize("page", PAGES.values(), ids=str)
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(page: Page) -> None:
    for file, anchor in targets(page):
        assert (REPOSITORY / file).exists(), file
        assert not anchor or anchor in PAGES[file].anchors, f"{file}#{anchor}"


@pytest.mark.parametrize("page", PAGES.values(), ids=str)
def test_other_addresses_are_https(page: Page) -> None:
    assert not [link for link in page.links if "://" in link and not link.startswith("https://")]


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, new = set(), {"README.md"}
    while new:
        reached |= new
        new = {file for name in new for file, _ in targets(PAGES[name]) if file in PAGES} - reached
    # Found by its folder; it leads to a page.
    assert set(PAGES) - reached == {"packaging/README.md"}


def test_every_page_is_in_the_index() -> None:
    listed = {file for file, _ in targets(PAGES["docs/index.md"])}
    assert listed >= {name for name in PAGES if name.startswith("docs/")} - {"docs/index.md"}


def test_every_picture_is_shown() -> None:
    shown = {file for page in PAGES.values() for file, _ in targets(page)}
    pictures = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("docs/*.svg")}
    assert pictures
    assert pictures <= shown
