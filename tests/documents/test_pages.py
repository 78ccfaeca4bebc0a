"""The pages: what they tell people to type exists, and links lead somewhere; and other files."""

from __future__ import annotations

import configparser
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from artefacts.lock import requirements

from tests.documents.pages import PAGES, Page
from tests.support.frontends import REPOSITORY
from wasp_installer.command_line.options import usage

OPTIONS = set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", usage()))
COMMANDS = set(re.findall(r"^  ([a-z][a-z-]+) ", usage(), re.MULTILINE))
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


# --- Links ---------------------------------------------------------------------------------------


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


# --- SECURITY.md ---------------------------------------------------------------------------------

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


# --- What people fill in, and what editors are told ----------------------------------------------

FORMS = sorted(REPOSITORY.glob(".github/ISSUE_TEMPLATE/[!c]*.yml"))
#: Folders with files that people write.
WRITTEN = ("sh", "installed", "docs", "packaging", "tests", "wasp_installer", "benchmarks")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_a_form_is_one_that_github_takes(form: Path) -> None:
    """https://docs.github.com/communities/using-templates-to-encourage-useful-issues"""
    content: dict[str, Any] = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert content["name"]
    assert content["description"]
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} == {"textarea"}
    assert all(field["attributes"]["label"] for field in fields)
    names = [field["id"] for field in fields]
    assert len(set(names)) == len(names)
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_a_bug_comes_with_what_the_doctor_says() -> None:
    [form] = [form for form in FORMS if form.stem == "bug"]
    said = form.read_text(encoding="utf-8").replace("`", "\n")
    named = [words[0] for line in said.splitlines() for words in arguments(line.strip()) if words]
    assert named == ["doctor", "doctor"]
    assert "doctor" in COMMANDS


def files() -> list[Path]:
    found = [path for folder in WRITTEN for path in (REPOSITORY / folder).rglob("*")]
    kinds = {".sh", ".py", ".md", ".svg", ".fish", ".bash", ".json"}
    return [path for path in found if path.suffix in kinds and path.is_file()]


def test_files_are_as_editors_are_told() -> None:
    settings = configparser.ConfigParser()
    settings.read_string("[root]\n" + (REPOSITORY / ".editorconfig").read_text(encoding="utf-8"))
    everywhere = settings["*"]
    assert (everywhere["charset"], everywhere["end_of_line"]) == ("utf-8", "lf")
    assert everywhere["insert_final_newline"] == everywhere["trim_trailing_whitespace"] == "true"
    assert len(files()) > 100
    for path in files():
        text = path.read_bytes().decode("utf-8")
        assert "\r\n" not in text, path
        assert not text or text.endswith("\n"), path
        assert not [line for line in text.splitlines() if line.endswith((" ", "\t"))], path
