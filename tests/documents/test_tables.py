"""What stands in the code once, and again in a page, is the same."""

from __future__ import annotations

import re
import subprocess
import sys

from assemble import INSTALLED

from tests.documents.pages import PAGES, words
from tests.documents.sources import python_text, shell_text
from tests.support.frontends import INSTALL_PY, INSTALL_SH, PYTHON
from tests.support.machines import MachineRoom
from tests.support.releases import GITHUB_NAMES
from wasp_installer.errors import EXIT_CODES
from wasp_installer.windows.wsl import INSTALLER_VARIABLES

REFERENCE = PAGES["docs/reference.md"]
INSTALL = PAGES["docs/install.md"]
TROUBLE = PAGES["docs/troubleshooting.md"]


def help_of(*program: str) -> str:
    return subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout


def test_the_help_is_in_the_reference() -> None:
    """Where install.py has two options more."""
    shown = help_of("sh", str(INSTALL_SH))
    assert REFERENCE.fences[0] == ("text", shown)
    shell = shown.replace("install.sh", "install.py").splitlines()
    python = help_of(sys.executable, str(INSTALL_PY)).splitlines()
    assert [line for line in python if line in shell] == shell
    more = [line for line in python if line not in shell]
    assert REFERENCE.fences[1][1].splitlines() == more
    assert [line.split()[0] for line in more] == ["--destdir", "--json"]
    assert max(map(len, python)) < 80


def test_both_getters_and_the_pages_have_the_same_errors() -> None:
    found = {*re.findall(r"\bdie (\d) ([a-z-]+)", shell_text())}
    found |= {
        ("4", it) for it in re.findall(r"(?:\bset_problem |\bproblem=)([a-z-]+)", shell_text())
    }
    found |= {("7", it) for it in re.findall(r"\b_slug=([a-z-]+)", shell_text())}
    # A source that lacks something is asked for nothing more, and is no error by itself.
    found -= {("4", "not-found"), ("4", "no-build")}
    found |= {("1", "unexpected"), ("130", "interrupted")}
    assert sorted(found) == sorted((str(code), slug) for slug, code in EXIT_CODES.items())
    rows = REFERENCE.table("Code", "Exit codes")
    assert {slug: int(code) for code, _, slugs in rows for slug in words(slugs)} == EXIT_CODES
    explained = set(re.findall(r"^`([a-z-]+)`[.,]", TROUBLE.prose, re.MULTILINE))
    assert explained == set(EXIT_CODES)


def test_the_words_that_people_search_for_are_those_of_a_message() -> None:
    searched = re.findall(r"^### (.+)$", TROUBLE.text, re.MULTILINE)
    searched += re.findall(r'"([^"]+)"', TROUBLE.prose)
    for text in {*searched} - {"wasp: command not found", "an error that is not on this page"}:
        for fragment in " ".join(text.split()).split("…"):
            assert fragment.strip(" .,") in shell_text() + python_text(), text


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    rows = [*REFERENCE.table("Variable"), *PAGES["docs/telemetry.md"].table("Variable")]
    told = {name.partition("=")[0] for row in rows for name in words(row[0])}
    read = {*re.findall(r"\$\{?(WASP_[A-Z_]+)", shell_text())}
    read |= {*re.findall(r"^(WASP_[A-Z_]+)$", python_text(), re.MULTILINE)}
    # From install.py to itself, in the environment that it makes.
    assert {name for name in told if name.startswith("WASP_")} == read - {
        "WASP_INSTALLER_ENVIRONMENT"
    }
    for name in told:
        assert re.search(rf"\b{name}\b", shell_text() + python_text()), f"nothing reads {name}"
    # And those that reach the inside of WSL.
    text = REFERENCE.text + PAGES["docs/telemetry.md"].text
    assert [name for name in INSTALLER_VARIABLES if f"`{name}`" not in text] == []


def test_the_archives_and_the_oldest_glibc_are_those_of_the_code() -> None:
    rows = INSTALL.table("System", "Install offline")
    told = {name for row in rows for name in re.findall(r"`wasp-([^`]+)\.tar\.gz`", row[1])}
    assert told == set(GITHUB_NAMES)
    chosen = re.findall(r"github_builds='?((?:[a-z]+-[\w-]+ ?)+)", shell_text())
    assert {name for names in chosen for name in names.split()} == told
    [oldest] = re.findall(r"^OLDEST_GLIBC=(.+)$", shell_text(), re.MULTILINE)
    assert {*re.findall(r"glibc (?:older than )?(\d+\.\d+)", INSTALL.text)} == {oldest}


def test_the_keys_and_statuses_of_the_report(machines: MachineRoom) -> None:
    rows = REFERENCE.table("Key", "JSON")
    told = [name for row in rows for name in words(row[0])]
    machine = machines.build(PYTHON)
    listed = machine.run("list", "--json").ok().json
    failed = machine.run("use", "0.9.0", "--json").failed(5).json
    assert [key for key in told if key != "remote"] == [*list(listed), *list(failed)[-4:]]
    [platform] = [row[1] for row in rows if words(row[0]) == ["platform"]]
    assert words(platform) == list(listed["platform"])
    statuses = {status for row in REFERENCE.table("`status`", "JSON") for status in words(row[0])}
    results = re.findall(r"^\t+(?:result|finish_install) ([a-z-]+)$", shell_text(), re.MULTILINE)
    assert statuses == {*results, *re.findall(r"\boutcome=([a-z]+) ", shell_text())}


def test_the_files_beside_wasp() -> None:
    shown = REFERENCE.section("Files")
    names = {file.rpartition("/")[2] for file in {*INSTALLED} - {"launcher"}}
    assert [name for name in names if name not in shown] == []


def test_what_is_said_of_figures_is_what_the_tables_say() -> None:
    text = PAGES["docs/performance.md"].text + PAGES["docs/reliability.md"].text
    rows = re.findall(r"^\| ([^|]+) \|([\d.| -]+)\|$", text, re.MULTILINE)
    figures = {
        name: [float(cell.replace(" ", "")) for cell in cells.split("|")] for name, cells in rows
    }
    [times] = re.findall(r"about ([\d.]+) times as long as curl piped into tar", text)
    for getter in ("install.sh", "install.py"):
        assert abs(figures[getter][3] - float(times)) <= 0.2
        assert figures[getter][4] < 0.5
    [(alone, sending)] = re.findall(r"adds less than (\d) ms to Wasp, and about (\d) ms", text)
    assert figures["launcher, opted out"][3] < float(alone)
    for state in ("paused", "sending", "dead network"):
        assert abs(figures[f"launcher, {state}"][3] - float(sending)) <= 0.5
    [memory] = re.findall(r"at most (\d+) MB", text)
    assert max(row[-1] for name, row in figures.items() if name.startswith("ping")) <= float(memory)
    load = PAGES["docs/telemetry-team.md"].section("The load to expect")
    busy, outage, *_ = figures["… in the busiest hour"]
    mean = figures["Requests a second, mean"][0]
    assert f"**{mean:g} requests a second on average, {busy:g} in the busiest hour.**" in load
    assert f"the busiest hour has {outage:g} requests a second instead of {busy:g}" in load
