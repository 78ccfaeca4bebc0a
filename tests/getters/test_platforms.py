"""Which build is chosen where, and what is made of the tools that a system has, or lacks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.packaging.jails import Jail
from tests.support.archives import tiny_package
from tests.support.frontends import INSTALL_SH
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_tarball_path
from tests.support.replies import status
from tests.support.server import Server
from tests.support.skips import need
from tests.support.toolboxes import Toolbox, macos_toolbox
from tests.support.trees import Layout, expected_version_folder, picture
from wasp_installer.placing.binary import _how_to_install as how_to_install

GLIBC, OLD_GLIBC = "echo glibc 2.36", "echo glibc 2.28"
LDD = "echo 'ldd (Ubuntu GLIBC 2.36-3ubuntu1.6) 2.36'; echo 'Copyright (C) 2018 Free Software'"
MUSL_LDD = "printf 'musl libc (x86_64)\\nVersion 1.2.4\\nUsage: ldd ...\\n' >&2; exit 1"
SYSCTL = """\
case "$*" in *hw.optional.arm64*) [ {silicon} = yes ] && echo 1 || exit 1 ;; *) exit 1 ;; esac"""

#: What a machine is, and the builds for it: of npm, and those of GitHub.
USUAL = "linux x86_64 glibc linux-x64-glibc linux-x86_64"
STATIC = "linux x86_64 musl linux-x64-musl linux-x86_64-static"
OLDER = "linux x86_64 glibc linux-x64-musl linux-x86_64-static"
ARM = "linux aarch64 glibc linux-arm64-glibc linux-aarch64"
INTEL_MAC = "macos x86_64 - darwin-x64-unknown macos-x86_64 macos-universal"
SILICON = "macos aarch64 - darwin-arm64-unknown macos-aarch64 macos-universal macos-x86_64"
#: Where there is none.
NONE, ONLY = "Wasp has no release for", ", only for glibc 2.29 or newer."


@dataclass(frozen=True)
class Case:
    """What uname says, and what the other tools do, where they are there."""

    told: str
    uname: str = "Linux x86_64"
    tools: dict[str, str] = field(default_factory=lambda: {"getconf": GLIBC})


def getconf(body: str) -> dict[str, str]:
    return {"getconf": body}


CASES = {
    # --- Linux
    "glibc": Case(USUAL),
    "AMD": Case(USUAL, "Linux amd64"),
    "the oldest glibc": Case(USUAL, tools=getconf("echo glibc 2.29")),
    "a glibc of the future": Case(USUAL, tools=getconf("echo glibc 3.0")),
    "an older glibc": Case(OLDER, tools=getconf(OLD_GLIBC)),
    "glibc 2.4": Case(OLDER, tools=getconf("echo glibc 2.4")),
    "ARM": Case(ARM, "Linux aarch64"),
    "ARM, as a Mac calls it": Case(ARM, "Linux arm64", getconf("echo glibc 2.29")),
    # --- how the C library is found out: noise is no answer, and what cannot be told gets the
    # build that runs anywhere
    "only ldd": Case(USUAL, tools={"getconf": "exit 1", "ldd": LDD}),
    "getconf knows a word less": Case(USUAL, tools={"getconf": "echo undefined", "ldd": LDD}),
    "getconf complains": Case(USUAL, tools=getconf(f"echo 'no such locale' >&2; {GLIBC}")),
    "getconf talks": Case(USUAL, tools={"getconf": f"echo warning; {GLIBC}", "ldd": LDD}),
    "ldd complains": Case(USUAL, tools={"ldd": f"echo 'warning: setlocale: LC_ALL' >&2; {LDD}"}),
    "ldd minds the locale": Case(USUAL, tools={"ldd": f'[ "$LC_ALL" = C ] || exit 1; {LDD}'}),
    "ldd of Red Hat": Case(USUAL, tools={"ldd": "echo 'ldd (GNU libc) 2.34'"}),
    "ldd of an old one": Case(OLDER, tools={"ldd": "echo 'ldd (GNU libc) 2.17'"}),
    "musl": Case(STATIC, tools={"getconf": "exit 1", "ldd": MUSL_LDD}),
    "they fail after an answer": Case(
        STATIC, tools={"getconf": f"{GLIBC}; exit 3", "ldd": f"{LDD}; exit 1"}
    ),
    "no number": Case(STATIC, tools={"getconf": "echo 'glibc $(id)'", "ldd": "echo 'GLIBC new'"}),
    "neither is there": Case(STATIC, tools={}),
    "getconf hangs": Case(
        USUAL, tools={"getconf": '[ "$1" = LONG_BIT ] || exec sleep 60', "ldd": LDD}
    ),
    # --- macOS
    "Intel": Case(INTEL_MAC, "Darwin x86_64", {"sysctl": SYSCTL.format(silicon="no")}),
    "Apple silicon": Case(SILICON, "Darwin arm64", {"sysctl": SYSCTL.format(silicon="yes")}),
    "Rosetta": Case(SILICON, "Darwin x86_64", {"sysctl": SYSCTL.format(silicon="yes")}),
    # --- what there is no release for
    "FreeBSD": Case(f"{NONE} FreeBSD.", "FreeBSD amd64"),
    "i686": Case(f"{NONE} i686 processors.", "Linux i686"),
    "RISC-V": Case(f"{NONE} riscv64 processors.", "Linux riscv64"),
    "Power Macintosh": Case(f"{NONE} Power Macintosh processors.", "Darwin Power Macintosh"),
    "Git Bash": Case(
        "MINGW64_NT-10.0 is Windows, where Wasp runs inside WSL.", "MINGW64_NT-10.0 x86_64"
    ),
    **{
        f"32-bit userland on {arch}": Case(
            f"{NONE} a 32-bit userland on a {arch} processor.",
            f"Linux {arch}",
            getconf('[ "$1" = LONG_BIT ] && echo 32'),
        )
        for arch in ("x86_64", "aarch64")
    },
    "musl on ARM": Case(f"{NONE} aarch64 with musl{ONLY}", "Linux aarch64", {"ldd": MUSL_LDD}),
    "an older glibc on ARM": Case(
        f"{NONE} aarch64 with glibc 2.28{ONLY}", "Linux aarch64", getconf(OLD_GLIBC)
    ),
}


def test_which_build_is_chosen(shell_machine: Machine) -> None:
    shell_machine.toolbox.remove("uname", "getconf", "ldd")
    calls = []
    for number, case in enumerate(CASES.values()):
        box = Toolbox(shell_machine.root / "machines" / str(number))
        system, _, processor = case.uname.partition(" ")
        box.fake_uname(system, f"'{processor}'")
        for tool, body in case.tools.items():
            box.script(tool, body)
        calls.append(
            f"PATH='{box.folder}:{shell_machine.toolbox.folder}' HELPER_LIMIT_S=1\n"
            "identify_platform\nchoose_build\n"
            'lines "$os $arch ${libc:--} $npm_build $github_builds"'
        )
    said = call_functions(shell_machine, calls, together=True)
    told = (answer.removeprefix("error: ").partition("\n")[0] for answer in said)
    assert dict(zip(CASES, told)) == {name: case.told for name, case in CASES.items()}


def test_macos(both: Getters, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine = both.machine
    machine.toolbox = macos_toolbox(machine.root / "mac-tools", "arm64", translated=False)
    machine.set(PATH=str(machine.toolbox.folder), SHELL="/bin/zsh")
    told = both.install().ok().json
    assert told["url"].endswith(npm_tarball_path("0.25.0", "darwin-arm64-unknown"))
    platform = {"os": "macos", "arch": "aarch64", "libc": None}
    assert machine.layout.receipt("0.25.0")["platform"] == platform
    assert machine.wasp("version").stdout == "0.25.0\n"


def test_the_c_library_in_a_noisy_world(machine: Machine, upstream: Upstream) -> None:
    """The real ldd is one. A locale that is missing, tracing, and a folder that is gone."""
    need(Path("/usr/bin/ldd").exists(), "no ldd on this machine")
    upstream.publish("0.25.0")
    noise = machine.root / "noise.sh"
    noise.write_text("echo noise; echo noise >&2; rmdir . 2>/dev/null\n")
    machine.toolbox.remove("getconf").link("bash")
    machine.set(LC_ALL="xx_XX.UTF-8", BASH_ENV=str(noise), SHELLOPTS="xtrace")
    # posh itself crashes there.
    if machine.front_end.name != "posh":
        script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
        machine.wrapper = ["/bin/sh", "-c", script, "sh"]
    told = machine.install(None, "--dry-run").ok().json
    assert told["platform"]["libc"] == "glibc"


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
def test_how_to_get_it(shell_machine: Machine, monkeypatch: pytest.MonkeyPatch, user: int) -> None:
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
