"""The commands in pages are run, in the order in which they stand there, on a made-up machine."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable

import pytest

from tests.documents.pages import PAGES
from tests.documents.sources import shell_text
from tests.support.frontends import INSTALL_PY, INSTALL_SH, SH
from tests.support.machines import MachineRoom, Run
from tests.support.releases import Upstream
from tests.support.replies import Content
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
EVERYDAY = PAGES["docs/everyday.md"]
CURL = """\
case "$*" in
    '-fsSL https://get.wasp.sh/install.sh') exec cat '{installer}' ;;
    '-fsSLO https://get.wasp.sh/install.sh') exec cp '{installer}' install.sh ;;
    *) exec {curl} "$@" ;;
esac"""


Type = Callable[[str], Run]


@pytest.fixture
def type_(machines: MachineRoom, upstream: Upstream) -> Type:
    """Runs what a page says to type, from the same home each time, where Wasp 0.24.0 and 0.25.0 are
    installed, on a machine that has what the pages name."""
    machine = machines.build(SH)
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
    saved, folder = machine.root / "saved", machine.root / "work"
    shutil.copytree(machine.home, saved, symlinks=True)
    folder.mkdir()
    shutil.copy(INSTALL_SH, folder / "install.sh")
    (folder / "wasp-linux-x86_64.tar.gz").write_bytes(release.github_archive)
    names = {
        "HEX": release.github_digest.partition(":")[2],
        "/usr/local": str(machine.root / "local"),
        "python install.py": f"python {INSTALL_PY}",
        "/etc/ssl/company-ca.pem": machine.environment["SSL_CERT_FILE"],
        "https://npm.example.com/": upstream.npm_url,
        "https://github.example.com": upstream.github_url,
        "https://files.example.com": upstream.server.url,
        ".example.com": re.sub(r"^https?://|:\d+.*$", "", upstream.server.url),
    }

    def type_(script: str) -> Run:
        shutil.rmtree(machine.home)
        shutil.copytree(saved, machine.home, symlinks=True)
        text = "\n".join(typed(line) for line in script.splitlines())
        for name, value in names.items():
            text = text.replace(name, value)
        return machine.run_program(["/bin/sh", "-euc", text], cwd=folder)

    return type_


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
def test_what_a_page_says_to_type_works(type_: Type, name: str) -> None:
    for example in EXAMPLES[name]:
        run = type_(example)
        assert run.code == 0, f"{example}\n{run}"


def shown(*, containing: str) -> list[str]:
    """The lines of the one output in the page for every day that has these words."""
    [text] = [text for text in EVERYDAY.of("text") if containing in text]
    return text.splitlines()


def test_an_update_says_what_the_page_says(type_: Type) -> None:
    before = "wasp installer use 0.24.0 && wasp installer uninstall 0.25.0"
    told = type_(f"{before} && wasp installer update").ok().stderr.splitlines()
    assert {*shown(containing="To go back")} <= {*told}


def test_a_doctor_says_what_the_page_says(type_: Type) -> None:
    told = type_("wasp installer doctor || :").stdout.splitlines()
    names = [line[:13] for line in shown(containing="left over") if line[0] != " "]
    assert [line[:13] for line in told if line[0] != " "] == names


def test_a_project_gets_its_version_or_is_told_what_the_page_says(type_: Type) -> None:
    [example] = EVERYDAY.of("wasp")
    project = f"touch .wasproot\ncat >main.wasp <<'END'\n{example}\nEND\n"
    assert type_(f"{project}wasp version").ok().stdout == "0.24.0\n"
    [line] = shown(containing="wants Wasp")
    assert re.sub(r"\^?\d+\.\d+\.\d+", "%s", line) in shell_text()
