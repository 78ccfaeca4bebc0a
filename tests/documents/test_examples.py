"""The commands in pages are run, in the order in which they stand there, on a made-up machine."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.documents.pages import PAGES, page
from tests.support.frontends import INSTALL_PY, INSTALL_SH, SH
from tests.support.machines import MachineRoom, Run
from tests.support.releases import Upstream
from tests.support.replies import Content
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool

#: What needs another program, a checkout, or the real Wasp; such a line is left out.
ELSEWHERE = re.compile(
    r"^(make|docker|brew|asdf|mise|npm|gh|git|sha256sum|shasum|cmp|sudo apt|wasp new)\b"
    r"|^(python packaging|\.venv)/|^\S+ wasp news"
)
#: What can be run where it stands inside a sentence or a table.
RUNNABLE = re.compile(r"(wasp (installer|telemetry|version)\b|sh install\.sh\b)[^…]*")
#: Where something stands for something else, such as COMMAND, or is missing.
NOT_WHOLE = re.compile(r"\b(?!HEX|HOME|PATH)[A-Z]{3,}\b| use$")
EVERYDAY = page("everyday.md")
CURL = """\
case "$*" in
    '-fsSL https://get.wasp.sh/install.sh') exec cat '{installer}' ;;
    '-fsSLO https://get.wasp.sh/install.sh') exec cp '{installer}' install.sh ;;
    *) exec {curl} "$@" ;;
esac"""


class World:
    """A machine on which Wasp 0.24.0 and 0.25.0 are installed, and what the pages name."""

    def __init__(self, machines: MachineRoom, upstream: Upstream) -> None:
        self.machine = machine = machines.build(SH)
        self._saved = machine.root / "saved"
        release = upstream.publish("0.25.0", node=">=22.12.0")
        for version in ("0.24.0", "0.26.0-rc1"):
            upstream.publish(version, latest=False)
        upstream.list_at_npm(["0.24.0", "0.25.0"])
        upstream.list_at_github(["0.24.0", "0.25.0"])
        upstream.server.answer("/install.sh", Content(INSTALL_SH.read_bytes()))
        curl = CURL.format(installer=INSTALL_SH, curl=real_tool("curl"))
        machine.toolbox.remove("curl").script("curl", curl).script("sudo", 'exec "$@"')
        machine.toolbox.script("python", f'exec {sys.executable} "$@"')
        machine.toolbox.link("python3").fake_node("24.14.1")
        machine.set(
            PATH=f"{machine.layout.launcher.parent}:{machine.environment['PATH']}",
            WASP_INSTALLER_URL=f"{upstream.server.url}/install.sh",
            PKG=str(machine.root / "package"),
        )
        for name in ("0.24.0", "0.25.0"):
            machine.layout.plant(name)
        machine.run("use", "0.25.0").ok()
        self.remember()
        self.folder = machine.root / "work"
        self.folder.mkdir()
        shutil.copy(INSTALL_SH, self.folder / "install.sh")
        (self.folder / "wasp-linux-x86_64.tar.gz").write_bytes(release.github_archive)
        self._names = {
            "HEX": release.github_digest.partition(":")[2],
            "/usr/local": str(machine.root / "local"),
            "python install.py": f"python {INSTALL_PY}",
            "/etc/ssl/company-ca.pem": machine.environment["SSL_CERT_FILE"],
            "https://npm.example.com/": upstream.npm_url,
            "https://github.example.com": upstream.github_url,
            "https://files.example.com": upstream.server.url,
            ".example.com": re.sub(r"^https?://|:\d+.*$", "", upstream.server.url),
        }

    def remember(self) -> None:
        """What the home is like before each example."""
        shutil.rmtree(self._saved, ignore_errors=True)
        shutil.copytree(self.machine.home, self._saved, symlinks=True)

    def type(self, script: str, *, folder: Path | None = None) -> Run:
        """Runs what a page says to type, from the same home as all before."""
        shutil.rmtree(self.machine.home)
        shutil.copytree(self._saved, self.machine.home, symlinks=True)
        text = "\n".join(typed(line) for line in script.splitlines())
        for name, value in self._names.items():
            text = text.replace(name, value)
        return self.machine.run_program(["/bin/sh", "-euc", text], cwd=folder or self.folder)


@pytest.fixture
def world(machines: MachineRoom, upstream: Upstream) -> World:
    return World(machines, upstream)


def typed(line: str) -> str:
    """What is left of a line without its comment; nothing, where it cannot be run here."""
    return "" if ELSEWHERE.match(line) else re.sub(r"(^|\s+)# .*", "", line).strip()


def examples() -> dict[str, list[str]]:
    """For each page its pieces of sh, and single commands in its sentences and tables.

    What an earlier page has shown is not run again.
    """
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in (name for name in PAGES if name.startswith(("README", "docs/"))):
        single = [it for it in PAGES[name].code if RUNNABLE.fullmatch(it)]
        whole = [it for it in single if not NOT_WHOLE.search(it)]
        for example in (*PAGES[name].of("sh"), *whole):
            lines = {line for line in map(typed, example.splitlines()) if line}
            if lines - seen:
                found.setdefault(name, []).append(example)
            seen |= lines
    return found


EXAMPLES = examples()


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_page_says_to_type_works(world: World, name: str) -> None:
    for example in EXAMPLES[name]:
        run = world.type(example)
        assert run.code == 0, f"{example}\n{run}"


def test_most_pages_have_examples() -> None:
    """Without this, the test before might run nothing."""
    some = {"README.md", "docs/install.md", "docs/everyday.md", "docs/packaging.md"}
    assert some <= set(EXAMPLES)
    assert sum(map(len, EXAMPLES.values())) > 30


def shown(*, containing: str) -> list[str]:
    """The lines of the one output in the page for every day that has these words."""
    [text] = [text for text in EVERYDAY.of("text") if containing in text]
    return text.splitlines()


def test_an_update_says_what_the_page_says(world: World) -> None:
    shutil.rmtree(world.machine.layout.version_folder("0.25.0"))
    world.machine.run("use", "0.24.0").ok()
    world.remember()
    told = world.type("wasp installer update").ok().stderr.splitlines()
    assert set(shown(containing="To go back")) <= set(told)


def test_a_doctor_says_what_the_page_says(world: World) -> None:
    world.machine.toolbox.fake_node("18.20.4")
    world.machine.run("install", "--force").ok()
    world.remember()
    told = world.type("wasp installer doctor || :").stdout.splitlines()
    expected = shown(containing="left over")
    assert [line[:13] for line in told] == [line[:13] for line in expected]
    assert [it for it in told if it[0] == " "] == [it for it in expected if it[0] == " "]


def test_a_project_without_its_version_is_told_what_the_page_says(world: World) -> None:
    layout, project = world.machine.layout, world.machine.root / "project"
    project.mkdir()
    (project / ".wasproot").touch()
    [example] = EVERYDAY.of("wasp")
    (project / "main.wasp").write_text(example)
    assert world.type("wasp version", folder=project).ok().stdout == "0.24.0\n"
    shutil.rmtree(layout.version_folder("0.24.0"))
    layout.plant("0.23.0")
    argv = [str(layout.launcher), "version"]
    terminal = Terminal(argv, world.machine.environment, project, 120)
    assert terminal.finish() == 0
    assert terminal.shown.splitlines()[0] in shown(containing="wants Wasp")
