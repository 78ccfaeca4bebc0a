"""list, use, uninstall and migrate-to-npm, and what is typed in their place."""

from __future__ import annotations

import pytest

from tests.manager.homes import archive, install, set_up, uninstall
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.releases import GITHUB_LIST_PATH, NPM_PACKAGE_PATH, Upstream
from tests.support.replies import Content
from tests.support.trees import Layout, picture


@pytest.fixture
def three(machine: Machine) -> Machine:
    """A machine with three versions, the middle one current, and half of a fourth."""
    for version in ("0.9.0", "0.24.0", "0.25.0"):
        machine.layout.plant(version)
    half = machine.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    machine.run("use", "0.24.0").ok()
    return machine


# --- list ----------------------------------------------------------------------------------------


def test_list_and_use(three: Machine, upstream: Upstream) -> None:
    """Without the network."""
    (three.layout.share / "notes").mkdir()
    (three.layout.share / "0.27.0").write_text("a file")
    before = picture(three.root)
    for run in (three.run("list"), three.wasp("installer", "list")):
        assert run.ok().stdout == "  0.25.0\n* 0.24.0\n  0.9.0\n"
    told = three.run("list", "--json").ok().json
    assert (told["status"], told["current"]) == ("listed", "0.24.0")
    assert told["versions"] == ["0.25.0", "0.24.0", "0.9.0"]
    assert picture(three.root) == before
    three.wasp("installer", "use", "v0.9.0").ok().says("Wasp 0.9.0 is now the current version")
    assert three.wasp("version").stdout == "0.9.0\n"
    assert three.run("list", "--json").json["current"] == "0.9.0"
    assert upstream.server.connections == 0


def test_where_nothing_is_installed(machine: Machine) -> None:
    run = machine.run("list").ok()
    assert (run.stdout, run.stderr) == ("", "Wasp is not installed in ~/.local\n")
    uninstall(machine).says("Wasp is not installed in ~/.local")
    assert picture(machine.home) == {}
    machine.run("migrate-to-npm").ok()
    assert machine.layout.npm_marker.exists()


LISTS = pytest.mark.parametrize("source", ["npm", "github"])
OLDER = "Older versions are on GitHub: wasp installer list --remote --source github\n"


@LISTS
def test_list_remote(three: Machine, upstream: Upstream, source: str) -> None:
    publish = {"npm": upstream.list_at_npm, "github": upstream.list_at_github}[source]
    publish(["0.9.0", "0.24.0", "0.25.0-rc1", "0.25.0", "0.26.0", "nightly"])
    before = picture(three.root)
    run = three.run("list", "--remote", "--source", source).ok()
    shown = "  0.26.0|  0.25.0 (installed)|  0.25.0-rc1|* 0.24.0 (installed)|  0.9.0 (installed)"
    assert run.stdout.splitlines() == shown.split("|")
    assert run.stderr == (OLDER if source == "npm" else "")
    told = three.run("list", "--remote", "--json", "--source", source).ok().json
    assert (told["status"], told["source"], told["current"]) == ("listed", source, "0.24.0")
    assert told["versions"] == ["0.25.0", "0.24.0", "0.9.0"]
    assert told["remote"] == ["0.26.0", "0.25.0", "0.25.0-rc1", "0.24.0", "0.9.0"]
    assert picture(three.root) == before


def test_list_remote_falls_back_to_github(
    machine: Machine, upstream: Upstream, closed: int
) -> None:
    """And WASP_VERSION is for an install."""
    upstream.list_at_github(["0.25.0"])
    run = machine.set(WASP_VERSION="0.12.0").run("list", "--remote").ok()
    assert run.says("Trying GitHub instead").stdout == "  0.25.0\n"
    nowhere = f"https://127.0.0.1:{closed}"
    machine.without_waiting().set(WASP_NPM_REGISTRY=nowhere, WASP_GITHUB_URL=nowhere)
    machine.run("list", "--remote", "--json").failed(4, "connection").says("versions")


PAGE = b"<!doctype html><html>log in</html>"


@LISTS
def test_list_remote_of_nothing(machine: Machine, upstream: Upstream, source: str) -> None:
    path = NPM_PACKAGE_PATH if source == "npm" else GITHUB_LIST_PATH
    for content in (b"{}", b"[]", b'{"versions": {}}', b'[{"tag_name": 3}]', PAGE):
        upstream.server.answer(path, Content(content))
        run = machine.run("list", "--remote", "--json", "--source", source)
        told = (run.code, run.json["error"])
        allowed = (
            [(4, "captive-portal")]
            if content == PAGE
            else [(4, "bad-answer"), (5, "no-such-version")]
        )
        assert told in allowed, run
    assert picture(machine.home) == {}


# --- use -----------------------------------------------------------------------------------------


def test_what_is_not_installed_is_not_used_or_removed(three: Machine) -> None:
    before = picture(three.home)
    for command in ("use 0.99.0", "use 0.26.0", "uninstall 0.99.0"):
        run = three.run(*command.split(), "--json").failed(5, "not-installed")
        run.says(command.split()[1])
    # As of a variable that is not set: it must not remove everything.
    three.run("uninstall", "").failed(2)
    assert picture(three.home) == before


def test_use_puts_back_what_was_lost(three: Machine) -> None:
    """The launcher, and all that lies beside the versions; and else it changes nothing."""
    before = picture(three.home)
    assert three.run("use", "0.24.0", "--json").ok().json["status"] == "switched"
    assert picture(three.home) == before
    three.layout.launcher.unlink()
    for file in three.layout.share.rglob("*"):
        if not file.is_dir() and not file.relative_to(three.layout.share).parts[0][0].isdigit():
            file.write_bytes(b"damaged")
    (three.home / ".bashrc").unlink()
    three.run("use", "0.24.0").ok()
    assert picture(three.home) == before


def test_a_newer_manager_stays(three: Machine) -> None:
    """An old install.sh in a downloads folder must not take commands away."""
    manager = three.layout.share / "wasp-installer.sh"
    newer = manager.read_text().replace("INSTALLER_VERSION=0.", "INSTALLER_VERSION=99.")
    manager.write_text(newer)
    three.run("use", "0.25.0").ok()
    assert manager.read_text() == newer


# --- uninstall -----------------------------------------------------------------------------------

LEAVES = {
    # What is removed, what is left, and what is current then.
    "0.9.0": (["0.24.0", "0.25.0", "0.26.0"], "0.24.0"),
    "0.24.0": (["0.25.0", "0.26.0", "0.9.0"], "0.25.0"),
    "0.26.0": (["0.24.0", "0.25.0", "0.9.0"], "0.24.0"),
}


@pytest.mark.parametrize("version", LEAVES)
def test_uninstall_of_a_version(three: Machine, version: str) -> None:
    left, current = LEAVES[version]
    (three.layout.version_folder("0.9.0") / "data").chmod(0o555)
    beside = {name for name in picture(three.home) if "wasp-lang/0." not in name}
    three.run("uninstall", version).ok().says("Removed Wasp").is_silent_about("start-up", "cache")
    assert three.layout.versions() == left
    assert three.wasp("version").stdout == f"{current}\n"
    assert {name for name in picture(three.home) if "wasp-lang/0." not in name} == beside


def use_wasp(machine: Machine, cache: str = ".cache") -> None:
    """Leaves what using Wasp leaves in a home."""
    of_python = machine.layout.share / "__pycache__" / "telemetry_ping.cpython-311.pyc"
    names = ("wasp/installer/venv/pyvenv.cfg", "wasp/telemetry/secret", "wasp/news.json", "other")
    for file in (of_python, *(machine.home / cache / name for name in names)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kept to save work")


@pytest.mark.parametrize("cache", [".cache", "elsewhere"])
def test_uninstall_leaves_no_trace(three: Machine, cache: str) -> None:
    """By the manager, which removes itself; without a terminal it does not ask."""
    use_wasp(three, cache)
    three.set(XDG_CACHE_HOME=f"{three.home}/{cache}" if cache == "elsewhere" else None)
    three.wasp("installer", "uninstall").ok().says(
        "Removed Wasp from ~/.local", f"Removed the cache ~/{cache}/wasp"
    )
    assert set(picture(three.home)) == {cache, f"{cache}/other"}


@pytest.mark.parametrize("command", ["uninstall", "migrate-to-npm"])
def test_what_is_not_ours_stays(three: Machine, command: str) -> None:
    """Other programs, a foreign launcher such as npm's, what links lead to, and a choice."""
    outside = three.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    (three.layout.version_folder("0.9.0") / "data" / "link").symlink_to(outside)
    kept = {".local/bin/keep-me", ".local/bin/wasp", ".config/wasp/telemetry-off"}
    for name in kept:
        (three.home / name).parent.mkdir(parents=True, exist_ok=True)
        (three.home / name).write_text("#!/usr/bin/env node\n// npm's\n")
    before = picture(three.home)
    three.run(command, "--yes").ok()
    assert (outside / "precious").read_text() == "precious\n"
    after = picture(three.home)
    files = {name for name, entry in after.items() if entry.kind != "folder"}
    assert files - {".local/share/wasp-lang/.uses-npm"} == kept
    assert all(after[name] == before[name] for name in kept)


def test_what_another_prefix_uses_stays(machine: Machine) -> None:
    """One cache for all of a person's installs: the id in it makes one user of them."""
    machine.layout.plant("0.25.0")
    Layout(machine.home / "b").plant("0.24.0")
    use_wasp(machine)
    before = picture(machine.home / ".cache")
    uninstall(machine, "--prefix", f"{machine.home}/b")
    assert picture(machine.home / ".cache") == before
    uninstall(machine)
    assert not (machine.home / ".cache" / "wasp").exists()


def test_uninstall_after_wasps_own_takes_the_rest(machine: Machine) -> None:
    """`wasp uninstall` of wasp-bin removes the versions and the launcher."""
    set_up(machine)
    use_wasp(machine)
    machine.layout.launcher.unlink()
    (machine.layout.share / "0.25.0").rename(machine.root / "gone")
    uninstall(machine).says("Wasp is not installed", "Removed Wasp from", "Removed the cache")
    assert set(picture(machine.home)) == {".cache", ".cache/other"}


@pytest.mark.parametrize("prefix", ["home", "home/empty", "elsewhere"])
def test_empty_folders_of_a_prefix_go_but_the_home_stays(machine: Machine, prefix: str) -> None:
    layout = Layout(machine.home.parent / prefix)
    layout.plant("0.25.0")
    set_up(machine, "--prefix", str(layout.prefix))
    uninstall(machine, "--prefix", str(layout.prefix))
    assert machine.home.is_dir()
    assert picture(machine.home) == {}


def test_a_dry_run_and_what_is_staged_change_nothing_in_a_home(three: Machine) -> None:
    use_wasp(three)
    before = picture(three.home)
    for command in ("use 0.9.0", "uninstall", "uninstall 0.9.0", "migrate-to-npm"):
        run = three.run(*command.split(), "--dry-run", "--porcelain").ok().says("Would ")
        assert run.json["status"] == "planned"
        assert picture(three.home) == before
    three.set(DESTDIR=str(three.root / "stage"))
    for command in ("uninstall", "migrate-to-npm"):
        three.run(command, "--yes", "--porcelain").ok()
    assert picture(three.home) == before


# --- migrate-to-npm, and other prefixes ----------------------------------------------------------


def test_migrate_to_npm_removes_all_and_leaves_the_marker(three: Machine) -> None:
    """And npm's Wasp goes on with the cache of Wasp itself. A second time is no error."""
    use_wasp(three)
    for _ in range(2):
        three.run("migrate-to-npm").ok().says("npm install -g @wasp.sh/wasp-cli")
        found = picture(three.home)
        files = {name for name, entry in found.items() if entry.kind != "folder"}
        cache = {f".cache/{name}" for name in ("other", "wasp/telemetry/secret", "wasp/news.json")}
        assert files == {".local/share/wasp-lang/.uses-npm", *cache}
        assert three.layout.npm_marker.read_bytes() == b""
    three.install(None, "--from-file", archive(three)).failed(8, "npm-managed")


def test_commands_work_in_another_prefix(machine: Machine) -> None:
    layout = Layout(machine.root / "opt")
    layout.plant("0.24.0")
    install(machine, "--prefix", str(layout.prefix))
    machine.set(WASP_INSTALL_PREFIX=str(layout.prefix))
    assert machine.run("list").ok().stdout == "* 0.25.0\n  0.24.0\n"
    machine.run("use", "0.24.0").ok()
    assert machine.run_program([str(layout.launcher), "version"]).stdout == "0.24.0\n"
    # Its own manager knows where it is, whatever the environment says.
    machine.set(WASP_INSTALL_PREFIX=str(machine.root / "elsewhere"))
    machine.run_program([str(layout.launcher), "installer", "uninstall"]).ok()
    assert not layout.prefix.exists()
    assert picture(machine.home) == {}


# --- Slips of the pen, and help ------------------------------------------------------------------

#: What is typed, and what is suggested.
SLIPS = {
    "instal": "install",
    "isntall": "install",
    "uninstal": "uninstall",
    "lst": "list",
    "upate": "update",
    "doctr": "doctor",
    "upgrade": "update",
    "remove": "uninstall",
    "help": "--help",
    "0.25.0": "-v 0.25.0",
    "--verison": "--version",
    "--quite": "--quiet",
    "--dryrun": "--dry-run",
    "--no-modify-pth": "--no-modify-path",
    "-v 0.24": "0.24.3",
    "-v 0": "0.25.0",
    "use 0.24": "0.24.3",
    **dict.fromkeys(["x", "frobnicate", "--frobnicate", "-v 0.26", "-v banana"]),
}


def test_what_was_probably_meant(machine: Machine) -> None:
    """It is named, and nothing is done."""
    for version in ("0.24.0", "0.24.3", "0.25.0"):
        machine.layout.plant(version)
    calls = [f"parse_arguments {typed}\ncheck_arguments\necho went on" for typed in SLIPS]
    for said, (typed, meant) in zip(call_functions(machine, calls), SLIPS.items()):
        assert said.startswith("error: "), typed
        assert "went on" not in said, typed
        assert (f"Did you mean {meant or ''}" in said) is bool(meant), typed


@pytest.mark.parametrize(
    "command", ["list", "use", "update", "uninstall", "migrate-to-npm", "doctor"]
)
def test_help_of_a_command(machine: Machine, command: str) -> None:
    """Of what concerns it, wherever --help stands, and nothing is done."""
    run = machine.run(command, "--help").ok()
    first, empty, what, *rest = run.stdout.splitlines()
    assert (first, empty) == (f"usage: wasp installer {command} [OPTIONS]", "")
    assert what.split()[0] == command
    assert "--from-file" not in run.stdout
    assert ("--remote" in run.stdout) == (command == "list")
    assert any(line.split()[:2] == ["-h,", "--help"] for line in rest)
    assert all(len(line) <= 80 for line in run.stdout.splitlines())
    assert machine.run("-h", command).ok().stdout == run.stdout
    assert picture(machine.home) == {}
