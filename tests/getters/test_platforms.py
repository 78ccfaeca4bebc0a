"""Which build is chosen where: asked of the sh program's own functions, with faked tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine
from tests.support.releases import Upstream, npm_tarball_path
from tests.support.skips import need
from tests.support.toolboxes import Toolbox, macos_toolbox

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


def test_the_c_library_by_a_bash_script_in_a_noisy_world(
    machine: Machine, upstream: Upstream
) -> None:
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
