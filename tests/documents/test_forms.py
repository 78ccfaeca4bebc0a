"""What people fill in to report something, and what editors are told of the files here."""

from __future__ import annotations

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents.test_commands import COMMANDS, arguments
from tests.support.frontends import REPOSITORY

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
