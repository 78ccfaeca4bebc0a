"""What the sh program reports by its keys, and the object of ``--json`` that is made from them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.getters.test_json import ERROR_KEYS, KEYS, LIST_KEYS
from wasp_installer import Console, InstallerError
from wasp_installer.command_line.manager import read_report
from wasp_installer.command_line.report import Result, to_json

LISTED = r"""
welcome to this machine
status=listed
current=0.24.0
versions=0.25.0, 0.24.0
version=
prefix=/home/a\\b
os=linux
arch=x86_64
libc=glibc
distro=debian
on_path=true
warning=one\nand its second line
warning=two
"""


def told_by(output: str, code: int = 0) -> tuple[Result, Console]:
    console = Console(quiet=True)
    return read_report(console, code, output), console


def test_a_list_as_json() -> None:
    result, console = told_by(LISTED)
    report = to_json(result, elapsed_s=0.5, warnings=console.warnings, error=None)
    assert list(report) == LIST_KEYS
    assert json.loads(json.dumps(report)) == report
    assert (report["status"], report["current"]) == ("listed", "0.24.0")
    assert report["versions"] == ["0.25.0", "0.24.0"]
    assert (report["version"], report["source"], report["url"]) == (None, None, None)
    assert report["prefix"] == "/home/a\\b"
    assert report["executable"] == "/home/a\\b/bin/wasp"
    assert report["on_path"] is True
    assert report["platform"] == {
        "os": "linux",
        "arch": "x86_64",
        "libc": "glibc",
        "distro": "debian",
    }
    assert report["warnings"] == ["one\nand its second line", "two"]


def test_a_list_of_what_can_be_had_as_json() -> None:
    told, _ = told_by(LISTED + "remote=0.26.0, 0.25.0\nsource=npm\n")
    report = to_json(told, elapsed_s=0, warnings=[], error=None)
    assert list(report) == [*LIST_KEYS[:3], "remote", *LIST_KEYS[3:]]
    assert (report["remote"], report["source"]) == (["0.26.0", "0.25.0"], "npm")


def test_an_error_as_json_is_that_of_the_program() -> None:
    output = "status=error\ncode=8\nerror=npm-managed\nmessage=npm has it.\nhint=This\\nor that\n"
    with pytest.raises(InstallerError) as caught:
        told_by(output, 8)
    error = caught.value
    assert error.shown
    assert error.result is not None
    report = to_json(error.result, elapsed_s=0, warnings=[], error=error)
    assert list(report) == ERROR_KEYS
    assert (report["status"], report["code"], report["error"]) == ("error", 8, "npm-managed")
    assert (report["message"], report["hint"]) == ("npm has it.", "This\nor that")


@pytest.mark.parametrize("output", ["", "garbage\n", "status=listed\n"])
def test_a_program_that_ends_without_a_word_is_an_error_of_its_own(output: str) -> None:
    with pytest.raises(InstallerError) as caught:
        told_by(output, 134)
    assert (caught.value.slug, caught.value.code, caught.value.shown) == ("unexpected", 1, False)
    assert "134" in caught.value.message


def test_a_slug_that_is_not_known_is_unexpected() -> None:
    with pytest.raises(InstallerError) as caught:
        told_by("status=error\nerror=other\nmessage=m\n", 9)
    assert (caught.value.slug, caught.value.code) == ("unexpected", 9)


def test_a_report_has_no_password() -> None:
    told, _ = told_by("status=switched\nurl=https://me:secret@host/@wasp.sh/x\n")
    report = to_json(told, elapsed_s=0, warnings=[], error=None)
    assert report["url"] == "https://host/@wasp.sh/x"
    assert list(report) == KEYS


@given(st.text(st.characters(exclude_characters="\r", codec="utf-8")))
def test_any_text_arrives_as_it_was(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    told, _ = told_by(f"status=listed\nprefix={escaped}\nversion=2\n")
    assert (told.prefix or "") == text
