"""list, use, uninstall and migrate-to-npm."""

from __future__ import annotations

import pytest

from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.releases import GITHUB_LIST_PATH, NPM_PACKAGE_PATH, Upstream
from tests.support.replies import Content, json_content
from tests.support.trees import Layout, picture


@pytest.fixture
def three(machine: Machine) -> Machine:
    """A machine with three versions, the middle one current."""
    for version in ("0.9.0", "0.24.0", "0.25.0"):
        machine.layout.plant(version)
    machine.run("use", "0.24.0").ok()
    return machine


# --- list ----------------------------------------------------------------------------------------


def test_list_shows_the_newest_first_and_marks_the_current(three: Machine) -> None:
    run = three.run("list").ok()
    assert run.stdout == "  0.25.0\n* 0.24.0\n  0.9.0\n"


def test_list_orders_versions_as_versions(machine: Machine) -> None:
    for version in ("0.10.0", "0.9.0", "0.25.0-rc2", "0.25.0-rc10", "0.25.0", "1.0.0", "0.1.9.1"):
        machine.layout.plant(version)
    order = machine.run("list", "--json").ok().json["versions"]
    assert order == [
        "1.0.0",
        "0.25.0",
        "0.25.0-rc10",
        "0.25.0-rc2",
        "0.10.0",
        "0.9.0",
        "0.1.9.1",
    ]


def test_list_of_nothing(machine: Machine) -> None:
    run = machine.run("list").ok()
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert picture(machine.home) == {}


def test_list_leaves_out_what_is_no_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    (three.layout.share / "notes").mkdir()
    (three.layout.share / "0.27.0").write_text("a file")
    (three.layout.share / "telemetry_ping.py").write_text("")
    assert three.run("list", "--json").ok().json["versions"] == ["0.25.0", "0.24.0", "0.9.0"]


def test_list_changes_nothing(three: Machine) -> None:
    before = picture(three.root)
    three.run("list").ok()
    assert picture(three.root) == before


def test_list_needs_no_network(three: Machine, upstream: Upstream) -> None:
    three.run("list", "--json").ok()
    assert upstream.server.connections == 0


# --- list --remote -------------------------------------------------------------------------------

LISTS = pytest.mark.parametrize("source", ["npm", "github"])
OLDER = "Older versions are on GitHub: list --remote --source github\n"


@LISTS
def test_list_remote_shows_what_there_is(three: Machine, upstream: Upstream, source: str) -> None:
    publish = {"npm": upstream.list_at_npm, "github": upstream.list_at_github}[source]
    publish(["0.9.0", "0.24.0", "0.25.0-rc1", "0.25.0", "0.26.0", "nightly"])
    before = picture(three.root)
    run = three.run("list", "--remote", "--source", source).ok()
    assert run.stdout.splitlines() == [
        "  0.26.0",
        "  0.25.0 (installed)",
        "  0.25.0-rc1",
        "* 0.24.0 (installed)",
        "  0.9.0 (installed)",
    ]
    assert run.stderr == (OLDER if source == "npm" else "")
    assert picture(three.root) == before


@LISTS
def test_list_remote_in_json(three: Machine, upstream: Upstream, source: str) -> None:
    upstream.list_at_npm(["0.26.0", "0.25.0"])
    upstream.list_at_github(["0.26.0", "0.25.0"])
    told = three.run("list", "--remote", "--json", "--source", source).ok().json
    assert (told["status"], told["source"], told["current"]) == ("listed", source, "0.24.0")
    assert told["versions"] == ["0.25.0", "0.24.0", "0.9.0"]
    assert told["remote"] == ["0.26.0", "0.25.0"]


def test_list_remote_falls_back_to_github(machine: Machine, upstream: Upstream) -> None:
    upstream.list_at_github(["0.25.0"])
    run = machine.run("list", "--remote").ok().says("Trying GitHub instead")
    assert run.stdout == "  0.25.0\n"


def test_list_remote_of_everywhere_means_everywhere(machine: Machine, upstream: Upstream) -> None:
    """WASP_VERSION is for an install."""
    upstream.list_at_npm(["0.25.0"])
    assert machine.set(WASP_VERSION="0.12.0").run("list", "--remote").ok().stdout == "  0.25.0\n"


@pytest.mark.parametrize("content", [{}, [], {"versions": {}}, [{"tag_name": 3}], {"versions": []}])
@LISTS
def test_list_remote_of_nothing(
    machine: Machine, upstream: Upstream, source: str, content: object
) -> None:
    path = NPM_PACKAGE_PATH if source == "npm" else GITHUB_LIST_PATH
    upstream.server.answer(path, json_content(content))
    run = machine.run("list", "--remote", "--json", "--source", source)
    run.failed(5, "no-such-version")
    assert picture(machine.home) == {}


@LISTS
def test_list_remote_of_a_web_page(machine: Machine, upstream: Upstream, source: str) -> None:
    for path in (NPM_PACKAGE_PATH, GITHUB_LIST_PATH):
        upstream.server.answer(path, Content(b"<!doctype html><html>log in</html>"))
    machine.run("list", "--remote", "--json", "--source", source).failed(4, "captive-portal")


def test_list_remote_without_a_server(machine: Machine, closed: int) -> None:
    machine.without_waiting().set(
        WASP_NPM_REGISTRY=f"https://127.0.0.1:{closed}",
        WASP_GITHUB_URL=f"https://127.0.0.1:{closed}",
    )
    run = machine.run("list", "--remote", "--json").failed(4, "connection")
    run.says("cannot get the list of versions")


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_remote_belongs_to_list(machine: Machine, command: str) -> None:
    machine.run(command, "--remote").failed(2).says("--remote belongs to the command list")


# --- use -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["0.9.0", "v0.9.0"])
def test_use_switches(three: Machine, upstream: Upstream, spelling: str) -> None:
    three.run("use", spelling).ok()
    assert three.wasp("version").stdout == "0.9.0\n"
    assert three.run("list", "--json").json["current"] == "0.9.0"
    assert upstream.server.connections == 0


def test_use_of_the_current_version_is_no_error(three: Machine) -> None:
    before = picture(three.home)
    three.run("use", "0.24.0").ok()
    assert picture(three.home) == before


def test_use_of_what_is_not_installed(three: Machine) -> None:
    before = picture(three.home)
    run = three.run("use", "0.99.0", "--json").failed(5, "not-installed")
    run.says("0.99.0")
    assert picture(three.home) == before


def test_use_of_half_an_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    three.run("use", "0.26.0", "--json").failed(5, "not-installed")
    assert three.wasp("version").stdout == "0.24.0\n"


def test_use_makes_a_launcher_that_was_lost(three: Machine) -> None:
    three.layout.launcher.unlink()
    three.run("use", "0.25.0").ok()
    assert three.wasp("version").stdout == "0.25.0\n"


# --- uninstall -----------------------------------------------------------------------------------


def test_uninstall_of_another_version_leaves_the_current_one(three: Machine) -> None:
    before = three.layout.launcher.read_bytes()
    three.run("uninstall", "0.9.0").ok()
    assert three.layout.versions() == ["0.24.0", "0.25.0"]
    assert three.layout.launcher.read_bytes() == before


def test_uninstall_of_the_current_version_falls_to_the_newest(three: Machine) -> None:
    three.run("uninstall", "0.24.0").ok()
    assert three.layout.versions() == ["0.25.0", "0.9.0"]
    assert three.wasp("version").stdout == "0.25.0\n"


def test_uninstall_of_the_last_version_takes_the_launcher_along(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    machine.run("use", "0.25.0").ok()
    machine.run("uninstall", "0.25.0").ok()
    assert not machine.layout.launcher.exists()
    assert machine.layout.versions() == []


def test_uninstall_of_a_version_with_a_v(three: Machine) -> None:
    three.run("uninstall", "v0.9.0").ok()
    assert three.layout.versions() == ["0.24.0", "0.25.0"]


def test_uninstall_of_everything(three: Machine) -> None:
    (three.layout.share / "telemetry_ping.py").write_text("")
    keep = three.layout.launcher.with_name("keep-me")
    keep.write_text("")
    three.run("uninstall", "--yes").ok()
    assert not three.layout.launcher.exists()
    assert not three.layout.share.exists()
    assert keep.exists()


CACHE = ".cache/wasp"
OFF = ".config/wasp/telemetry-off"


def use_wasp(machine: Machine) -> None:
    """Leaves what using Wasp leaves in a home."""
    for name in ("installer/venv/pyvenv.cfg", "telemetry/secret", "news.json"):
        file = machine.home / CACHE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kept to save work")
    neighbour = machine.home / ".cache" / "other"
    neighbour.write_text("of another program")


def test_what_another_prefix_uses_stays(machine: Machine) -> None:
    """One cache for all of a person's installs: the id in it makes one user of them."""
    machine.layout.plant("0.25.0")
    Layout(machine.home / "b").plant("0.24.0")
    signature = machine.home / ".cache" / "wasp" / "telemetry" / "signature"
    signature.parent.mkdir(parents=True)
    signature.write_text("an id")
    machine.run("uninstall", "--yes", "--prefix", f"{machine.home}/b").ok()
    assert signature.read_text() == "an id"
    machine.run("uninstall", "--yes").ok().says("Removed the cache ~/.cache/wasp")
    assert not signature.exists()


def test_uninstall_leaves_no_trace(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.run().ok()
    use_wasp(machine)
    machine.run("uninstall", "--yes").ok().says(f"Removed the cache ~/{CACHE}")
    assert set(picture(machine.home)) == {".cache", ".cache/other"}


def test_uninstall_finds_the_cache_where_it_is(three: Machine) -> None:
    use_wasp(three)
    (three.home / ".cache").rename(three.home / "elsewhere")
    three.set(XDG_CACHE_HOME=f"{three.home}/elsewhere")
    three.run("uninstall", "--yes").ok().says("Removed the cache ~/elsewhere/wasp")
    assert set(picture(three.home)) == {"elsewhere", "elsewhere/other"}


def test_uninstall_after_wasps_own_takes_the_rest(machine: Machine) -> None:
    use_wasp(machine)
    machine.run("uninstall", "--yes").ok().says("No Wasp is installed", "Removed the cache")
    assert not (machine.home / CACHE).exists()


@pytest.mark.parametrize("command", [["uninstall", "0.9.0"], ["uninstall", "--dry-run"]])
def test_the_cache_goes_with_the_last_version_only(three: Machine, command: list[str]) -> None:
    use_wasp(three)
    before = picture(three.home / CACHE)
    three.run(*command).ok().is_silent_about("cache")
    assert picture(three.home / CACHE) == before


def test_npm_gets_the_cache_of_wasp_itself(three: Machine) -> None:
    use_wasp(three)
    three.run("migrate-to-npm").ok()
    assert not (three.home / CACHE / "installer").exists()
    assert (three.home / CACHE / "telemetry" / "secret").exists()


def test_what_is_staged_has_no_cache(three: Machine) -> None:
    use_wasp(three)
    before = picture(three.home / CACHE)
    three.run("uninstall", "--yes", "--destdir", str(three.root / "stage")).ok()
    assert picture(three.home / CACHE) == before


def test_a_choice_outlives_an_uninstall(three: Machine) -> None:
    off = three.home / OFF
    off.parent.mkdir(parents=True)
    off.write_text("")
    three.run("uninstall", "--yes").ok().says(f"Kept ~/{OFF}")
    assert off.exists()


@pytest.mark.parametrize("prefix", ["{home}", "{home}/empty"], ids=["home", "folder"])
def test_empty_folders_of_a_prefix_go_but_the_home_stays(machine: Machine, prefix: str) -> None:
    place = prefix.format(home=machine.home)
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    machine.install(None, "--from-file", str(archive), "--prefix", place).ok()
    machine.run("uninstall", "--yes", "--prefix", place).ok()
    assert picture(machine.home) == {}


def test_uninstall_without_a_terminal_does_not_ask(three: Machine) -> None:
    three.run("uninstall").ok()
    assert not three.layout.share.exists()


def test_uninstall_of_what_is_not_installed(three: Machine) -> None:
    before = picture(three.home)
    three.run("uninstall", "0.99.0", "--json").failed(5, "not-installed").says("0.99.0")
    assert picture(three.home) == before


def test_uninstall_of_nothing(machine: Machine) -> None:
    machine.run("uninstall", "--yes").ok()
    assert picture(machine.home) == {}


def test_uninstall_of_half_an_install(three: Machine) -> None:
    half = three.layout.version_folder("0.26.0")
    half.mkdir()
    (half / "wasp-bin").write_text("half")
    three.run("uninstall", "0.26.0").ok()
    assert not half.exists()
    assert three.wasp("version").stdout == "0.24.0\n"


def test_uninstall_of_everything_takes_half_installs_along(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    (machine.layout.version_folder("0.26.0") / "data").mkdir(parents=True)
    machine.run("uninstall", "--yes").ok()
    assert not machine.layout.share.exists()


def test_uninstall_leaves_a_foreign_launcher(three: Machine) -> None:
    three.layout.launcher.write_text("#!/bin/sh\necho mine\n")
    three.run("uninstall", "--yes").ok()
    assert three.layout.launcher.read_text() == "#!/bin/sh\necho mine\n"
    assert three.layout.versions() == []


def test_uninstall_does_not_follow_links(three: Machine) -> None:
    outside = three.root / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious\n")
    (three.layout.version_folder("0.9.0") / "data" / "link").symlink_to(outside)
    three.run("uninstall", "--yes").ok()
    assert (outside / "precious").read_text() == "precious\n"


def test_uninstall_of_a_version_with_read_only_folders(three: Machine) -> None:
    (three.layout.version_folder("0.9.0") / "data").chmod(0o555)
    three.run("uninstall", "0.9.0").ok()
    assert not three.layout.version_folder("0.9.0").exists()


def test_a_dry_run_of_uninstall_removes_nothing(three: Machine) -> None:
    before = picture(three.home)
    assert three.run("uninstall", "--yes", "--dry-run", "--json").ok().json["status"] == "planned"
    assert picture(three.home) == before


# --- migrate-to-npm ------------------------------------------------------------------------------


def test_migrate_to_npm_removes_all_and_leaves_the_marker(three: Machine) -> None:
    (three.layout.version_folder("0.26.0") / "data").mkdir(parents=True)
    (three.layout.share / "telemetry_ping.py").write_text("")
    run = three.run("migrate-to-npm").ok()
    run.says("npm install -g @wasp.sh/wasp-cli")
    assert three.layout.npm_marker.read_bytes() == b""
    assert three.layout.versions() == []
    assert not three.layout.launcher.exists()
    assert not [item for item in three.layout.share.iterdir() if item.is_dir()]


def test_migrate_to_npm_with_nothing_installed(machine: Machine) -> None:
    machine.run("migrate-to-npm").ok()
    assert machine.layout.npm_marker.exists()


def test_migrate_to_npm_leaves_a_foreign_launcher(three: Machine) -> None:
    """After npm install, bin/wasp may be npm's."""
    three.layout.launcher.write_text("#!/usr/bin/env node\n// npm's\n")
    three.run("migrate-to-npm").ok()
    assert three.layout.launcher.read_text() == "#!/usr/bin/env node\n// npm's\n"


def test_migrating_twice_is_no_error(three: Machine) -> None:
    three.run("migrate-to-npm").ok()
    three.run("migrate-to-npm").ok()
    assert three.layout.npm_marker.exists()


def test_after_migrating_an_install_is_refused(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok()
    machine.run("migrate-to-npm").ok()
    machine.install().failed(8, "npm-managed")


def test_a_dry_run_of_migrating_changes_nothing(three: Machine) -> None:
    before = picture(three.home)
    three.run("migrate-to-npm", "--dry-run", "--json").ok()
    assert picture(three.home) == before


# --- Other prefixes ------------------------------------------------------------------------------


def test_commands_work_in_another_prefix(machine: Machine) -> None:
    prefix = machine.root / "opt"
    archive = machine.root / "wasp.tgz"
    for version in ("0.24.0", "0.25.0"):
        archive.write_bytes(tiny_package(version).npm_archive())
        machine.run("install", "--from-file", str(archive), "--prefix", str(prefix)).ok()
    machine.set(WASP_INSTALL_PREFIX=str(prefix))
    assert machine.run("list").ok().stdout == "* 0.25.0\n  0.24.0\n"
    machine.run("use", "0.24.0").ok()
    assert machine.run_program([str(prefix / "bin" / "wasp"), "version"]).stdout == "0.24.0\n"
    machine.run("uninstall", "--yes").ok()
    assert not (prefix / "bin" / "wasp").exists()
    assert picture(machine.home) == {}


def test_an_empty_operand_is_no_operand(machine: Machine) -> None:
    """As of a variable that is not set: it must not remove everything."""
    machine.layout.plant("0.25.0")
    machine.run("uninstall", "").failed(2)
    assert machine.layout.versions() == ["0.25.0"]
