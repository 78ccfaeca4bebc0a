"""What the sh program makes of the tools that a system has, or lacks."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.packaging.jails import Jail
from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_SH
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.replies import status
from tests.support.server import Server
from tests.support.skips import need
from tests.support.toolboxes import Toolbox
from tests.support.trees import Layout, expected_version_folder, picture
from wasp_installer.placing.binary import _how_to_install as how_to_install


def test_wget_serves_too(shell_machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    shell_machine.toolbox.remove("curl").link("wget")
    shell_machine.install(None, "--source", "github").ok()
    there = shell_machine.layout.version_picture("0.25.0")
    assert there == expected_version_folder(release.package)


#: What is on PATH, a link of another name or a script, and the downloader that is chosen.
DOWNLOADERS = {
    "wget=wget": "wget",
    "wget=busybox": "wget",
    "snap/bin/curl=curl wget=wget": "wget",
    "snap/bin/curl=curl": "",
    "wget=wget2": "",
    "wget=": "",
    "": "",
}


def test_which_downloader_is_of_use(shell_machine: Machine) -> None:
    """Snap's curl is confined: it cannot write where it is asked to."""
    path = shell_machine.toolbox.remove("curl").folder
    calls = []
    for number, tools in enumerate(DOWNLOADERS):
        folder = shell_machine.root / "boxes" / str(number)
        boxes = {"": Toolbox(folder), "snap/bin/": Toolbox(folder / "snap/bin")}
        for place, name, real in re.findall(r"(snap/bin/)?(\w+)=(\w*)", tools):
            box = boxes[place]
            box.alias(name, real) if real else box.script(name, "echo 'no wget at all'")
        calls.append(
            f"PATH='{folder}:{folder}/snap/bin:{path}' porcelain=true\n"
            'choose_downloader\nlines "$downloader"'
        )
    told = call_functions(shell_machine, calls)
    for (tools, downloader), said in zip(DOWNLOADERS.items(), told):
        if downloader:
            assert said == downloader, tools
        else:
            assert "error=no-downloader" in said, tools
            assert all(words in said for words in ("curl", "wget", "snap", "hint=Install it")), said


@pytest.mark.parametrize("tool", ["tar", "gzip", "awk"])
def test_a_missing_tool_is_named(shell_machine: Machine, upstream: Upstream, tool: str) -> None:
    upstream.publish("0.25.0")
    shell_machine.toolbox.remove(tool, "gunzip" if tool == "gzip" else tool)
    shell_machine.run("install").failed(3).says(f"'{tool}'", "install")
    assert shell_machine.layout.versions() == []


LOADER = b"/lib64/ld-linux-x86-64.so.2"


@pytest.fixture
def jail(tmp_path: Path) -> Jail:
    jail = Jail(tmp_path).busybox()
    (jail.root / "install.sh").write_bytes(INSTALL_SH.read_bytes())
    return jail


@pytest.mark.parametrize("source", ["npm", "github"])
def test_nothing_but_busybox_and_no_loader(jail: Jail, plain: Server, source: str) -> None:
    """As in a small image; NixOS has no loader at the usual place either."""
    need(os.uname().machine == "x86_64", "the loader has another name")
    upstream = Upstream(plain)
    release = upstream.publish("0.25.0")
    program = jail.root / "usr/bin/busybox"
    program.write_bytes(program.read_bytes().replace(LOADER, LOADER.replace(b"lib64", b"other")))
    if (jail.root / "lib64").exists():
        (jail.root / "lib64").rename(jail.root / "other")
    words = ["sh", "/install.sh", "-v", "0.25.0", "--source", source, "--porcelain"]
    servers = {"WASP_NPM_REGISTRY": upstream.npm_url, "WASP_GITHUB_URL": upstream.github_url}
    told = jail.run(words, servers).ok().json
    assert told["url"].endswith(("linux-x64-musl-0.25.0.tgz", "linux-x86_64-static.tar.gz"))
    there = Layout(jail.root / "root/.local").version_picture("0.25.0")
    assert there == expected_version_folder(release.package)
    wasp = "/root/.local/bin/wasp"
    assert jail.run([wasp, "version"]).ok().stdout == "0.25.0\n"
    jail.run([wasp, "installer", "uninstall", "--yes"]).ok()
    assert picture(jail.root / "root") == picture(jail.root / "tmp") == {}


def test_the_home_may_be_the_root(jail: Jail) -> None:
    """As in some containers."""
    (jail.root / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    (jail.root / ".bashrc").write_text("# mine\n")
    home = {"HOME": "/", "SHELL": "/usr/bin/fish", "WASP_NPM_REGISTRY": ""}
    jail.run(["sh", "/install.sh", "--from-file", "/wasp.tgz"], home).ok()
    assert "/.local/share/wasp-lang/env.sh" in (jail.root / ".bashrc").read_text()
    assert (jail.root / ".config/fish/conf.d/wasp.fish").exists()
    jail.run(["/.local/bin/wasp", "installer", "uninstall", "--yes"], home).ok()
    assert (jail.root / ".bashrc").read_text() == "# mine\n"
    assert not any((jail.root / name).exists() for name in (".local", ".config"))


def test_the_wget_of_busybox(shell_machine: Machine, plain: Server, upstream: Upstream) -> None:
    """It tells statuses apart, and is not trusted, as it checks no certificates."""
    machine = shell_machine.without_waiting()
    machine.toolbox.remove("curl").busybox("wget")
    slugs = {404: "not-found", 403: "http-status", 500: "http-status"}
    calls = []
    for code in slugs:
        plain.answer(f"/{code}", status(code))
        url = f"{plain.url}/{code}"
        calls.append(f"choose_downloader\nfetch_json '{url}' 2>/dev/null || lines $problem")
    assert call_functions(machine, calls) == list(slugs.values())
    upstream.publish("0.25.0")
    machine.install().failed(4, "no-downloader").says("certificate", "curl")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


#: By the package managers, for everybody and for root; Homebrew is never root's.
ADVICE = {
    "apt-get": "apt-get install x",
    "apk": "apk add x",
    "dnf": "dnf install x",
    "pacman": "pacman -S x",
    "zypper": "zypper install x",
    "brew": "brew install x",
}


@pytest.mark.parametrize("user", [0, 1000])
def test_how_to_install_it(
    shell_machine: Machine, monkeypatch: pytest.MonkeyPatch, user: int
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: user)
    expected = {"none": "Install it with your system's package manager."}
    for name, advice in ADVICE.items():
        expected[name] = f"Install it: {'sudo ' if user and name != 'brew' else ''}{advice}"
    calls, python = [], []
    for name in expected:
        folder = Toolbox(shell_machine.root / "managers" / name).script(name, "").folder
        calls.append(f"id() {{ echo {user}; }}\nPATH='{folder}':$PATH\nhow_to_install x")
        with monkeypatch.context() as context:
            context.setenv("PATH", str(folder))
            python.append(how_to_install("x"))
    assert python == [*expected.values()]
    assert call_functions(shell_machine, calls) == [*expected.values()]
