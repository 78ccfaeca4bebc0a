"""What the sh program makes of the tools that a system has, or lacks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.packaging.jails import Jail
from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_SH
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_tarball_path
from tests.support.replies import status
from tests.support.server import Server
from tests.support.skips import need
from tests.support.toolboxes import BUSYBOX_TOOLS, Toolbox
from tests.support.trees import expected_version_folder, picture
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
        folders = [shell_machine.root / "boxes" / str(number) / sub for sub in ("", "snap/bin")]
        boxes = [Toolbox(folder) for folder in folders]
        for tool in tools.split():
            name, _, real = tool.rpartition("/")[2].partition("=")
            box = boxes["snap" in tool]
            box.alias(name, real) if real else box.script(name, "echo 'no wget at all'")
        calls.append(
            f"PATH='{folders[0]}:{folders[1]}:{path}' porcelain=true\n"
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


# --- busybox -------------------------------------------------------------------------------------


@pytest.fixture
def busybox_machine(shell_machine: Machine) -> Machine:
    """As on Alpine: every tool is busybox's, wget and the hashes too, and ldd is musl's."""
    box = shell_machine.toolbox
    for tool in list(box.folder.iterdir()):
        tool.unlink()
    box.busybox(*BUSYBOX_TOOLS, "sha256sum", "sha512sum", "wget")
    box.fake_musl()
    return shell_machine


def test_busybox_is_enough(busybox_machine: Machine, plain: Server) -> None:
    plain_upstream = Upstream(plain)
    release = plain_upstream.publish("0.25.0")
    busybox_machine.set(WASP_GITHUB_URL=plain_upstream.github_url)
    # Where "latest" leads it cannot tell, since it goes there.
    busybox_machine.install("0.25.0", "--source", "github").ok()
    there = busybox_machine.layout.version_picture("0.25.0")
    assert there == expected_version_folder(release.package)


LOADER = b"/lib64/ld-linux-x86-64.so.2"


def test_nothing_but_busybox_and_no_loader(tmp_path: Path, plain: Server) -> None:
    """As in a small image; NixOS has no loader at the usual place either."""
    need(os.uname().machine == "x86_64", "the loader has another name")
    plain_upstream = Upstream(plain)
    plain_upstream.publish("0.25.0")
    jail = Jail(tmp_path).busybox()
    program = jail.root / "usr/bin/busybox"
    program.write_bytes(program.read_bytes().replace(LOADER, LOADER.replace(b"lib64", b"other")))
    if (jail.root / "lib64").exists():
        (jail.root / "lib64").rename(jail.root / "other")
    (jail.root / "install.sh").write_bytes(INSTALL_SH.read_bytes())
    words = ["sh", "/install.sh", "-v", "0.25.0", "--source", "npm", "--porcelain"]
    told = jail.run(words, {"WASP_NPM_REGISTRY": plain_upstream.npm_url}).ok().json
    assert told["url"].endswith(npm_tarball_path("0.25.0", "linux-x64-musl"))
    wasp = "/root/.local/bin/wasp"
    assert jail.run([wasp, "version"]).ok().stdout == "0.25.0\n"
    jail.run([wasp, "installer", "uninstall", "--yes"]).ok()
    assert picture(jail.root / "root") == picture(jail.root / "tmp") == {}


def test_the_home_may_be_the_root(tmp_path: Path) -> None:
    """As in some containers."""
    jail = Jail(tmp_path).busybox()
    (jail.root / "install.sh").write_bytes(INSTALL_SH.read_bytes())
    (jail.root / "wasp.tgz").write_bytes(tiny_package("0.25.0").npm_archive())
    (jail.root / ".bashrc").write_text("# mine\n")
    home = {"HOME": "/", "SHELL": "/usr/bin/fish", "WASP_NPM_REGISTRY": ""}
    jail.run(["sh", "/install.sh", "--from-file", "/wasp.tgz"], home).ok()
    assert "/.local/share/wasp-lang/env.sh" in (jail.root / ".bashrc").read_text()
    assert (jail.root / ".config/fish/conf.d/wasp.fish").exists()
    jail.run(["/.local/bin/wasp", "installer", "uninstall", "--yes"], home).ok()
    assert (jail.root / ".bashrc").read_text() == "# mine\n"
    assert not any((jail.root / name).exists() for name in (".local", ".config"))


def test_busybox_wget_tells_statuses_apart(busybox_machine: Machine, plain: Server) -> None:
    slugs = {404: "not-found", 403: "http-status", 500: "http-status"}
    calls = []
    for code in slugs:
        plain.answer(f"/{code}", status(code))
        url = f"{plain.url}/{code}"
        calls.append(f"choose_downloader\nfetch_json '{url}' 2>/dev/null || lines $problem")
    assert call_functions(busybox_machine.without_waiting(), calls) == list(slugs.values())


def test_a_wget_that_checks_no_certificates_is_not_trusted(
    busybox_machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    run = busybox_machine.install().failed(4, "no-downloader")
    run.says("certificate", "curl")
    assert not [path for path in upstream.server.fetched if path.endswith(".tgz")]


# --- What is said of one that is missing ---------------------------------------------------------

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
    calls, said = [f"id() {{ echo {user}; }}\nhow_to_install x"], []
    for name in ADVICE:
        folder = Toolbox(shell_machine.root / "managers" / name).script(name, "").folder
        calls.append(f"id() {{ echo {user}; }}\nPATH='{folder}':$PATH\nhow_to_install x")
        monkeypatch.setenv("PATH", str(folder))
        said.append(how_to_install("x"))
    sudo = {name: "sudo " if user and name != "brew" else "" for name in ADVICE}
    expected = [f"Install it: {sudo[name]}{advice}" for name, advice in ADVICE.items()]
    assert said == expected
    none = "Install it with your system's package manager."
    monkeypatch.setenv("PATH", "/no/such/folder")
    assert how_to_install("x") == none
    monkeypatch.undo()
    assert call_functions(shell_machine, calls) == [none, *expected]
