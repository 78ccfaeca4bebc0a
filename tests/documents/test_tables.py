"""What stands in the code once, and again in a page, is the same."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from assemble import INSTALLED

from tests.documents.pages import PAGES, page, table, words
from tests.documents.sources import errors_of_shell, python_text, says, shell_text, variables
from tests.support.frontends import INSTALL_PY, INSTALL_SH, PYTHON, REPOSITORY
from tests.support.machines import MachineRoom
from tests.support.releases import GITHUB_NAMES
from wasp_installer.errors import EXIT_CODES
from wasp_installer.windows.wsl import INSTALLER_VARIABLES

REFERENCE = page("reference.md")
TROUBLE = page("troubleshooting.md")


def help_of(*program: str) -> str:
    return subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout


def test_the_help_is_in_the_reference() -> None:
    """Where install.py has two options more."""
    shown = help_of("sh", str(INSTALL_SH))
    assert REFERENCE.fences[0].text == shown
    shell = shown.replace("install.sh", "install.py").splitlines()
    python = help_of(sys.executable, str(INSTALL_PY)).splitlines()
    assert [line for line in python if line in shell] == shell
    more = [line for line in python if line not in shell]
    assert REFERENCE.fences[1].text.splitlines() == more
    assert [line.split()[0] for line in more] == ["--destdir", "--json"]
    assert max(map(len, python)) < 80


# --- errors


def test_both_getters_and_the_pages_have_the_same_errors() -> None:
    others = {"unexpected": 1, "interrupted": 130}
    assert {**errors_of_shell(), **others} == EXIT_CODES
    rows = table(REFERENCE.section("Exit codes"), "Code")
    assert {slug: int(code) for code, _, slugs in rows for slug in words(slugs)} == EXIT_CODES
    explained = set(re.findall(r"^`([a-z-]+)`[.,]", TROUBLE.prose, re.MULTILINE))
    assert explained == set(EXIT_CODES)


NO_MESSAGES = {"wasp: command not found", "an error that is not on this page"}


@pytest.mark.parametrize(
    "words_of_page",
    [
        *(text for text in re.findall(r"^### (.+)$", TROUBLE.text, re.MULTILINE)),
        *(" ".join(text.split()) for text in re.findall(r'"([^"]+)"', TROUBLE.prose)),
    ],
)
def test_the_words_that_people_search_for_are_those_of_a_message(words_of_page: str) -> None:
    if words_of_page not in NO_MESSAGES:
        for fragment in words_of_page.split("…"):
            assert says(fragment.strip(" .,")), f"no message says {fragment!r}"


# --- variables


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    rows = table(REFERENCE.section("Variables"), "Variable")
    rows += table(page("telemetry.md").section("Variables"), "Variable")
    told = {name.partition("=")[0] for row in rows for name in words(row[0])}
    assert {name for name in told if name.startswith("WASP_")} == variables()
    for name in told:
        assert re.search(rf"\b{name}\b", shell_text() + python_text()), f"nothing reads {name}"


# --- platforms


def test_the_archives_are_those_of_each_platform() -> None:
    rows = table(page("install.md").section("Install offline"), "System")
    told = {name for row in rows for name in re.findall(r"`wasp-([^`]+)\.tar\.gz`", row[1])}
    assert told == set(GITHUB_NAMES)
    chosen = re.findall(r"github_builds='?((?:[a-z]+-[\w-]+ ?)+)", shell_text())
    assert {name for names in chosen for name in names.split()} == told


def test_the_oldest_glibc_is_the_same_everywhere() -> None:
    [oldest] = re.findall(r"^OLDEST_GLIBC=(.+)$", shell_text(), re.MULTILINE)
    told = re.findall(r"glibc (?:older than )?(\d+\.\d+)", page("install.md").text)
    assert set(told) == {oldest}


# --- --json


def test_the_keys_of_the_report(machines: MachineRoom) -> None:
    rows = table(REFERENCE.section("JSON"), "Key")
    told = [name for row in rows for name in words(row[0])]
    machine = machines.build(PYTHON)
    listed = machine.run("list", "--json").ok().json
    failed = machine.run("use", "0.9.0", "--json").failed(5).json
    assert [key for key in told if key != "remote"] == [*list(listed), *list(failed)[-4:]]
    [platform] = [row[1] for row in rows if words(row[0]) == ["platform"]]
    assert words(platform) == list(listed["platform"])


def test_the_statuses_of_the_report() -> None:
    rows = table(REFERENCE.section("JSON"), "`status`")
    told = {status for row in rows for status in words(row[0])}
    results = re.findall(r"^\t+(?:result|finish_install) ([a-z-]+)$", shell_text(), re.MULTILINE)
    usual = re.findall(r"\boutcome=([a-z]+) ", shell_text())
    assert told == {*results, *usual}


# --- files


@pytest.mark.parametrize(("name", "heading"), [("reference.md", "Files"), ("packaging.md", "")])
def test_the_files_beside_wasp(name: str, heading: str) -> None:
    section = page(name).section(heading) if heading else page(name).text
    [shown] = re.findall(r"^```text\n(PREFIX/bin.*?)^```", section, re.DOTALL | re.MULTILINE)
    for file in {*INSTALLED} - {"launcher"}:
        if name == "reference.md" or not file.startswith("env."):
            assert file.rpartition("/")[2] in shown, file


# --- pages with figures


def test_each_table_of_figures_has_its_place() -> None:
    """Without this, a long run would find out at its end."""
    measured = set()
    for file in sorted(REPOSITORY.glob("benchmarks/*.py")):
        text = file.read_text()
        measured |= set(re.findall(r'(?:Report\(|Part\(\n +name=)"([^"]+)"', text))
    assert places("performance.md") == {"Run", *measured}
    counted = set()
    for file in sorted(REPOSITORY.glob("tests/torture/test_*.py")):
        text = file.read_text()
        counted |= set(re.findall(r'^AREA(?:: Final)? = "([^"]+)"', text, re.MULTILINE))
        counted |= {found for found in re.findall(r'figure\("([^"]+)"', text) if "svg" not in found}
    assert places("reliability.md") == {"Run", *counted}


def places(name: str) -> set[str]:
    found = re.findall(r"<!-- figures: (.+?) -->", page(name).text)
    assert len(found) == len(set(found))
    return set(found)


def figures(name: str, *row: str) -> list[float]:
    """The figures of the first row of a page whose name is one of ``row``, from left to right."""
    found = re.search(
        rf"^\| (?:{'|'.join(map(re.escape, row))}) \|(.+)\|$", page(name).text, re.MULTILINE
    )
    assert found, row
    return [float(cell) for cell in found[1].split("|")]


def test_the_summary_of_performance_is_that_of_its_tables() -> None:
    summary = page("performance.md").text.partition("<!--")[0]
    [told] = re.findall(r"about ([\d.]+) times as long as curl piped into tar", summary)
    for getter in ("install.sh", "install.py"):
        _, _, _, of_floor, of_npm, *_ = figures("performance.md", getter)
        assert abs(of_floor - float(told)) <= 0.2
        assert of_npm < 0.5
    assert "less than half as long as npm" in summary
    [alone, counted] = re.findall(
        r"adds less than (\d) ms to Wasp, and about (\d) ms with telemetry", summary
    )[0]
    assert figures("performance.md", "launcher, opted out")[3] < float(alone)
    for state in ("paused", "sending", "dead network"):
        assert abs(figures("performance.md", f"launcher, {state}")[3] - float(counted)) <= 0.5
    [chosen] = re.findall(r"project wants adds less than (\d) ms", summary)
    assert figures("performance.md", "two versions, wanted in line 60")[3] < float(chosen)
    [memory] = re.findall(r"at most (\d+) MB", summary)
    pings = re.findall(r"^\| ping.* ([\d.]+) \|$", page("performance.md").text, re.MULTILINE)
    assert max(map(float, pings)) <= float(memory)


def test_the_load_that_the_team_is_told_is_that_of_the_table() -> None:
    told = page("telemetry-team.md").section("The load to expect")
    mean, *_ = figures("reliability.md", "Requests a second, mean")
    busy, outage, *_ = figures("reliability.md", "… in the busiest hour")
    peak, *_ = figures("reliability.md", "… in the busiest minute")
    assert f"**{mean:g} requests a second on average, {busy:g} in the busiest hour.**" in told
    assert f"CI: {peak:g} requests a second in the minute after midnight" in told
    assert f"the busiest hour has {outage:g} requests a second instead of {busy:g}" in told


# --- how a change travels

PLACE = re.compile(r"(`[^`]+`(?:(?:, | and )`[^`]+`)*) (?:in|of) `([\w./]+\.\w+)`")


def test_what_a_change_touches_is_there() -> None:
    section = PAGES["CONTRIBUTING.md"].section("How a change travels")
    found = PLACE.findall(section)
    assert len(found) > 8
    for names, file in found:
        text = (REPOSITORY / file).read_text(encoding="utf-8")
        for name in words(names):
            assert name in text, f"{file} has no {name}"
    for file in re.findall(r"`([\w./]+/[\w.]+\.(?:py|sh|md))`", section):
        assert (REPOSITORY / file).is_file(), file


# --- variables that reach the inside of WSL


def test_what_reaches_the_inside_of_wsl_is_in_the_pages() -> None:
    text = REFERENCE.text + page("telemetry.md").text
    assert [name for name in INSTALLER_VARIABLES if f"`{name}`" not in text] == []
