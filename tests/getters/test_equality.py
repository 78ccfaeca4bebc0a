"""For whatever both getters can be asked, they print, report and leave the same.

And `--json` of install.py is one object, with the same keys in the same order, whatever happens.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import telemetry_ping
from tests.support import releases
from tests.support.archives import tiny_package
from tests.support.frontends import PYTHON, REPOSITORY
from tests.support.functions import call_functions
from tests.support.getters import Getters
from tests.support.machines import Machine, MachineRoom
from tests.support.porcelain import from_porcelain
from tests.support.replies import Content, status
from tests.support.trees import Layout, expected_version_folder, picture
from wasp_installer import Console, InstallerError, Options, programs
from wasp_installer.command_line.manager import read_report
from wasp_installer.command_line.report import Result, result_before, to_json
from wasp_installer.getting import connections, npm_program, transport
from wasp_installer.placing import archives, unpacking

ARCHIVE = tiny_package("0.25.0").npm_archive()
Act = Callable[[Getters], object]


def installed(*versions: str) -> Act:
    return lambda both: both.has_current(*versions)


def writes(path: str, content: str = "") -> Act:
    def act(both: Getters) -> None:
        file = both.machine.layout.prefix / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    return act


def cut_receipt(both: Getters) -> None:
    both.machine.layout.plant("0.25.0", replace(tiny_package("0.25.0"), data=()))
    receipt = both.machine.layout.receipt_file("0.25.0")
    receipt.write_text(receipt.read_text()[:-20])


def cut_archives(both: Getters) -> None:
    server = both.machine.upstream.server
    for path in server.known_paths():
        if path.endswith("gz") and "/download/" not in path:
            server.answer(path, Content(ARCHIVE[:-1]))


def old_node_and_start_up_files(both: Getters) -> None:
    both.machine.toolbox.fake_node("18.0.0")
    for name in (".bashrc", ".profile", ".zshrc"):
        (both.machine.home / name).write_text(f"# {name}")


def odd_home(both: Getters) -> None:
    """It is there already, by a name that ends in slashes, with its programs on PATH."""
    home, path = both.machine.home, both.machine.environment["PATH"]
    both.machine.set(HOME=f"{home}//", PATH=f"{home}/.local/bin:{path}")


def without(**variables: None) -> Act:
    return lambda both: both.machine.set(**variables)


@dataclass(frozen=True)
class Case:
    """What is asked of a machine in a certain state, and words that must be said."""

    arguments: str
    says: tuple[str, ...] = ()
    before: tuple[Act, ...] = ()
    code: int = 0
    slug: str = ""


npm_manages = writes("share/wasp-lang/.uses-npm")
UNCHECKED = ("no checksum is known", "HTTP status 403")
PUT = ("Installed Wasp 0.25.0", "1. Put wasp on the PATH", "~/.bashrc", "Node.js on PATH is 18")
CASES = {
    "plain": Case("", PUT, (old_node_and_start_up_files,)),
    "again": Case("", ("already installed",), (installed("0.25.0"),)),
    "again by force": Case(
        "--force",
        ("Installed Wasp",),
        (installed("0.25.0"), writes("share/wasp-lang/0.25.0/data/stray", "of another release\n")),
    ),
    "in part": Case("", ("Installed Wasp",), (cut_receipt,)),
    "one that is there": Case("-v 0.24.0", ("already",), (installed("0.25.0", "0.24.0"),)),
    "upgrade": Case(
        "",
        ("in ~/.local/share", "What is new: ", "To go back to Wasp 0.24.0", "Next:"),
        (installed("0.24.0"), odd_home),
    ),
    "older by name": Case("-v 0.24.0", ("To go back to Wasp 0.25.0",), (installed("0.25.0"),)),
    "newest is older": Case("", ("Kept your Wasp 0.26.0",), (installed("0.26.0"),)),
    "only on GitHub": Case("-v 0.19.0", (*UNCHECKED, "unchecked")),
    "from GitHub": Case("--source github --require-checksum --no-modify-path"),
    "own checksum": Case("-v 0.19.0 --require-checksum --sha256 SHA256"),
    "plan": Case(
        "--dry-run --source github",
        ("Would install", "~/.bashrc", "sha256:"),
        (old_node_and_start_up_files,),
    ),
    "file": Case("--from-file ../wasp.tgz", ("Wasp from",)),
    "file, again": Case("--from-file ARCHIVE -v 0.25.0", ("already",), (installed("0.25.0"),)),
    "file, planned": Case("--from-file ARCHIVE --dry-run", ("Would install Wasp for",)),
    "take over from npm": Case("--force", ("Installed Wasp",), (npm_manages,)),
    "quiet, without a home": Case("--quiet --prefix HOME/prefix", (), (without(HOME=None),)),
    "no checksum": Case("-v 0.19.0 --require-checksum", UNCHECKED, (), 6, "no-checksum"),
    "wrong checksum": Case(f"--sha256 {'0' * 64}", ("sha256",), (), 6, "checksum-mismatch"),
    # No other source is tried.
    "wrong bytes": Case("", ("sha512",), (cut_archives,), 6, "checksum-mismatch"),
    "wrong bytes, GitHub": Case(
        "--source github", ("sha256",), (cut_archives,), 6, "checksum-mismatch"
    ),
    "file, other version": Case("--from-file ARCHIVE -v 0.24.0", (), (), 6, "wrong-version"),
    "file, missing": Case("--from-file none.tgz", ("none.tgz",), (), 7, "file-system"),
    "no such version": Case("-q -v 0.99.0", ("no source has Wasp",), (), 5, "no-such-version"),
    "no registry": Case(
        "--source npm", ("WASP_NPM_REGISTRY",), (without(WASP_NPM_REGISTRY=None),), 4, "bad-answer"
    ),
    "npm manages": Case("", ("npm manages",), (npm_manages,), 8, "npm-managed"),
    "another wasp": Case("", ("--force",), (writes("bin/wasp", "other\n"),), 8, "foreign-launcher"),
    "no home": Case("", ("HOME", "--prefix"), (without(HOME=None),), 2, "usage"),
    # install.py leaves mistakes to the sh program; test_usage.py has which.
    "no such option": Case("--no-such-option", ("unknown option",), (), 2, "usage"),
    "no version": Case("-v $(evil)", ("is not a Wasp version",), (), 2, "bad-version"),
}


NPM, GITHUB = "linux-x64-glibc", "linux-x86_64"
#: What is asked for, by each getter once.
ASKED = {
    "plain": [releases.npm_cli_path("latest"), releases.npm_platform_path("0.25.0", NPM)],
    "from GitHub": [releases.GITHUB_LATEST_PATH, releases.github_api_path("0.25.0")],
}
ASKED["plain"] += [releases.npm_tarball_path("0.25.0", NPM)]
ASKED["from GitHub"] += [releases.github_download_path("0.25.0", GITHUB)]
ASKED["from GitHub"] += [releases.github_asset_path("0.25.0", GITHUB)]
SHARED = {
    *("telemetry_ping.py", "telemetry_messages.py", "project_version.sh", "completions"),
    *("env.sh", "env.fish", "wasp-installer.sh"),
}


@pytest.mark.parametrize("name", CASES)
def test_both_say_and_leave_the_same(both: Getters, upstream: releases.Upstream, name: str) -> None:
    case, machine = CASES[name], both.machine.with_umask(0o077)
    upstream.publish("0.24.0", latest=False, node=">=24.14.1")
    upstream.publish("0.26.0-rc1", package=tiny_package("0.26.0"), latest=False)
    old = upstream.publish("0.19.0", npm=False, latest=False)
    # GitHub's API is limited to some requests an hour.
    upstream.server.answer(releases.github_api_path("0.19.0"), status(403))
    upstream.publish("0.25.0", node=">=24.14.1")
    for act in case.before:
        act(both)
    before = picture(machine.home)
    _, archive = both.file(ARCHIVE)
    arguments = case.arguments.replace("ARCHIVE", archive).replace("HOME", str(machine.home))
    arguments = arguments.replace("SHA256", old.github_digest.removeprefix("sha256:"))
    run = both.install(None, *arguments.split())
    run.failed(case.code, case.slug) if case.code else run.ok()
    run.says(*case.says)
    assert run.stderr or "--quiet" in arguments
    # Nothing colourful in a pipe, and no bar.
    assert not re.search("[\x1b\r%]", run.stderr)
    told, layout = run.json, Layout(Path(run.json["prefix"] or "/"))
    if case.code or told["status"] == "planned":
        assert picture(machine.home) == before
    else:
        package = tiny_package(told["version"])
        assert layout.version_picture(told["version"]) == expected_version_folder(package)
        run = machine.run_program([str(layout.launcher), "version"])
        assert run.stdout == f"{told['version']}\n"
    fetched = [path for path in upstream.server.fetched if path.endswith(("gz", ".tgz"))]
    is_got = told["status"] == "installed" or case.slug == "checksum-mismatch"
    assert bool(fetched) is (is_got and "--from-file" not in arguments)
    assert not upstream.server.connections or "--from-file" not in arguments
    if told["status"] == "installed":
        receipt = {key: told[key] for key in ("version", "source", "url", "digest")}
        receipt["node"] = ">=24.14.1" if told["source"] == "npm" else None
        receipt["platform"] = {"os": "linux", "arch": "x86_64", "libc": "glibc"}
        file = layout.receipt_file(told["version"])
        assert (file.read_text(), file.stat().st_mode) == (f"{json.dumps(receipt)}\n", 0o100644)
        assert {item.name for item in layout.share.iterdir()} >= SHARED
    if name in ASKED:
        assert upstream.server.requests == dict.fromkeys(ASKED[name], 2)
        # With the slash of a scope escaped.
        assert not [path for path in upstream.server.raw_paths if "@wasp.sh/wasp-cli/" in path]
        left = {path: entry for path, entry in picture(machine.home).items() if path not in before}
        outer = {path: entry.mode for path, entry in left.items() if path.count("/") < 3}
        share = ".local/share/wasp-lang"
        places = (".local", ".local/bin", ".local/share", ".local/bin/wasp", share)
        assert outer == dict.fromkeys(places, 0o755)
        assert {item.name for item in layout.share.iterdir()} == {*SHARED, "0.25.0"}


def test_people_are_told_on_stderr_only(machine: Machine, upstream: releases.Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.run("--verbose").ok()
    assert run.stdout == ""
    run.says("0.25.0", ".local/share/wasp-lang", f"{upstream.npm_url}/@wasp.sh")
    # Of the binary only its version is of interest.
    run.is_silent_about("If you wish to install/switch")


STATE = dict(re.findall(r"^(\w+)=(\S+)$", (REPOSITORY / "sh/state.sh").read_text(), re.MULTILINE))


def test_both_getters_have_the_same() -> None:
    python = {
        "REDIRECT_LIMIT": connections._REDIRECT_LIMIT,
        "ANSWER_LIMIT": transport.JSON_LIMIT,
        "UNPACKED_LIMIT": archives.UNPACKED_LIMIT,
        "ENTRY_LIMIT": unpacking.ENTRY_LIMIT,
        "HELPER_LIMIT_S": round(programs.HELPER_LIMIT_S),
        "NPM_FETCH_LIMIT_S": round(npm_program.FETCH_LIMIT_S),
        "TELEMETRY_URL": telemetry_ping.DEFAULT_URL,
        "TELEMETRY_KEY": telemetry_ping.DEFAULT_KEY,
        "TELEMETRY_DEADLINE_S": telemetry_ping.DEADLINE_S,
    }
    assert {name: STATE[name] for name in python} == {n: str(v) for n, v in python.items()}
    assert transport.ARCHIVE_LIMIT == archives.UNPACKED_LIMIT


KEYS = [
    *("status", "version", "source", "url", "digest", "platform", "prefix", "wasp_dir"),
    *("executable", "on_path", "telemetry", "elapsed_s", "warnings"),
]
ERROR_KEYS = [*KEYS, "code", "error", "message", "hint"]
LIST_KEYS = ["status", "current", "versions", *KEYS[1:]]


def check_shape(told: dict[str, Any], keys: list[str], machine: Machine) -> None:
    """What holds for every answer."""
    assert list(told) == keys
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert told["prefix"] == str(machine.layout.prefix)
    assert told["executable"] == str(machine.layout.launcher)
    assert told["telemetry"] in ("none", "disabled")
    assert isinstance(told["on_path"], bool)
    assert 0 <= told["elapsed_s"] < 600
    assert all(isinstance(warning, str) for warning in told["warnings"])


#: What is done one after the other, and what is reported of it.
COMMANDS = {
    "install --dry-run": (KEYS, "planned", "0.25.0"),
    "install --quiet": (KEYS, "installed", "0.25.0"),
    "install -v 0.25.0": (KEYS, "already-installed", "0.25.0"),
    "use -- 0.24.0": (KEYS, "switched", "0.24.0"),
    "list": (LIST_KEYS, "listed", None),
    "uninstall --yes": (KEYS, "removed", None),
}


def test_every_command(machines: MachineRoom, upstream: releases.Upstream) -> None:
    python = machines.build(PYTHON)
    release = upstream.publish("0.25.0")
    for command, (keys, what, version) in COMMANDS.items():
        run = python.run("--json", *command.split()).ok()
        told = run.json
        check_shape(told, keys, python)
        assert (told["status"], told["version"]) == (what, version)
        if what == "planned":
            python.layout.plant("0.24.0")
        if version == "0.25.0":
            assert (told["source"], told["digest"]) == ("npm", release.npm_digest)
            assert told["url"].startswith(upstream.npm_url)
            assert told["wasp_dir"] == str(python.layout.version_folder("0.25.0"))
        if "--quiet" in command:
            assert (run.stdout[-2:], run.stdout.count("\n"), run.stderr) == ("}\n", 1, "")


def test_what_is_staged_is_listed(machines: MachineRoom) -> None:
    python = machines.build(PYTHON)
    for version in ("0.24.0", "0.25.0"):
        Layout(python.root / "stage/usr").plant(version)
    python.set(DESTDIR=str(python.root / "stage"))
    assert python.run("list", "--prefix", "/usr").ok().stdout == "0.25.0\n0.24.0\n"


def test_errors(machines: MachineRoom, upstream: releases.Upstream) -> None:
    """In the middle, and before anything is known."""
    python = machines.build(PYTHON)
    upstream.publish("0.25.0", github=False)
    for platform in releases.NPM_PLATFORMS:
        upstream.server.answer(
            releases.npm_tarball_path("0.25.0", platform), Content(b"wrong bytes")
        )
    told = python.install("0.25.0").failed(6, "checksum-mismatch").json
    check_shape(told, ERROR_KEYS, python)
    assert told["version"] == "0.25.0"
    assert told["url"].startswith(upstream.npm_url)
    assert told["hint"]
    told = python.run("--no-such-option", "--json").failed(2, "usage").json
    assert list(told) == ERROR_KEYS
    assert list(told["platform"]) == ["os", "arch", "libc", "distro"]
    assert (told["version"], told["url"]) == (None, None)


def test_a_failure_tells_too_whether_the_folder_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, is_it in (("bin", True), ("bin/", True), ("", False), ("bin2", False)):
        monkeypatch.setenv("PATH", f"/usr/bin:/prefix/{folder}")
        assert result_before(Options(prefix="/prefix")).on_path is is_it


STRANGE = ('"quotes"', "back\\slash", "t\tab", "new\nline", "\u017c\u00f3\u0142", "end\\")


def test_strange_text_is_told_exactly(shell_machine: Machine) -> None:
    calls = [f"porcelain=true\ntell message {shlex.quote(f'a {text}')}" for text in STRANGE]
    told = [from_porcelain(said)["message"] for said in call_functions(shell_machine, calls)]
    assert told == [f"a {text}" for text in STRANGE]


def reported(output: str, code: int = 0) -> tuple[dict[str, Any], InstallerError | None]:
    """What is reported of this output of the sh program, and the error that it is."""
    console, error = Console(quiet=True), None
    try:
        result = read_report(console, code, output)
    except InstallerError as caught:
        result, error = caught.result or Result("error"), caught
    return to_json(result, elapsed_s=0, warnings=console.warnings, error=error), error


LISTED = r"""
welcome to this machine
status=listed
versions=0.25.0, 0.24.0
remote=0.26.0, 0.25.0
version=
prefix=/home/a\\b\\n
url=https://me:secret@host/@wasp.sh/x
warning=one\nand its second line
warning=two
"""


def test_a_list_of_what_can_be_had() -> None:
    report, _ = reported(LISTED)
    assert list(report) == [*LIST_KEYS[:3], "remote", *LIST_KEYS[3:]]
    assert (report["versions"], report["version"]) == (["0.25.0", "0.24.0"], None)
    assert (report["remote"], report["current"]) == (["0.26.0", "0.25.0"], None)
    assert report["executable"] == "/home/a\\b\\n/bin/wasp"
    assert report["url"] == "https://host/@wasp.sh/x"
    assert report["warnings"] == ["one\nand its second line", "two"]


@pytest.mark.parametrize(
    ("output", "code", "told", "is_shown"),
    [
        (
            "status=error\ncode=8\nerror=npm-managed\nmessage=no.\nhint=a\\nb",
            8,
            [8, "npm-managed", "no.", "a\nb"],
            True,
        ),
        ("status=error\nerror=other\nmessage=m", 9, [9, "unexpected", "m", None], True),
        *((output, 134, [1, "unexpected"], False) for output in ("", "garbage", "status=listed")),
    ],
)
def test_errors_of_the_program(output: str, code: int, told: list[object], is_shown: bool) -> None:
    report, caught = reported(f"{output}\n", code)
    assert list(report) == ERROR_KEYS
    assert [report[key] for key in ERROR_KEYS[-4:]][: len(told)] == told
    assert caught is not None
    assert caught.shown is is_shown
    assert is_shown or "134" in report["message"]
