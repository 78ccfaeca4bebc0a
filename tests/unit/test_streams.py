"""What is printed, and where it cannot be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_PY
from tests.support.trees import Layout, expected_version_folder


def run(redirection: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """install.py, by a shell that redirects its streams, on a terminal that knows few letters."""
    command = [sys.executable, str(INSTALL_PY), *arguments]
    environment = {**os.environ, "HOME": "/nowhere", "PYTHONIOENCODING": "ascii"}
    by_shell = ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *command]
    return subprocess.run(by_shell, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("arguments", ["-V", "--help", "list --json", "--frob --json"])
def test_a_result_that_cannot_be_printed_is_an_error(arguments: str) -> None:
    done = run(">/dev/full", *arguments.split())
    assert done.returncode == 7
    assert "error: cannot write to the standard output: no space left" in done.stderr
    assert "Exception" not in done.stderr
    assert run(">/dev/full 2>/dev/full", *arguments.split()).returncode == 7


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_nobody_has_to_listen(redirection: str) -> None:
    done = run(redirection, "--frob", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"] == "usage"


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    archive, closed = tmp_path / "wasp.tgz", "<&- >&- 2>&-"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    arguments = ["--from-file", str(archive), "--prefix", "/usr", "--destdir", str(tmp_path / "x")]
    assert run(closed, *arguments).returncode == run(closed, "list").returncode == 0
    there = Layout(tmp_path / "x" / "usr").version_picture("0.25.0")
    assert there == expected_version_folder(tiny_package("0.25.0"))


@pytest.mark.parametrize("name", [b"caf\xc3\xa9", b"caf\xff"])
def test_a_path_may_hold_letters_and_bytes_that_a_terminal_does_not_know(
    tmp_path: Path, name: bytes
) -> None:
    prefix = tmp_path / os.fsdecode(name)
    done = run("", "--dry-run", "--prefix", str(prefix), "--from-file", str(INSTALL_PY))
    assert done.returncode == 0
    assert f"{tmp_path}/caf\\" in done.stderr


def test_a_report_is_ascii() -> None:
    done = run("", "list", "--json", "--prefix", "/caf\xe9")
    assert json.loads(done.stdout)["prefix"] == "/caf\xe9"
    assert done.stdout.isascii()
