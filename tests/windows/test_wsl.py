"""Wasp inside WSL: every way in which wsl.exe answers, and real runs of install.sh behind it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
from pathlib import Path

import pytest

from tests.support.machines import Machine
from tests.support.registry_double import RegistryDouble
from tests.support.releases import Upstream
from tests.support.wsl import FakeWsl
from wasp_installer import Console, InstallerError, Options, Result
from wasp_installer.command_line.report import to_json
from wasp_installer.windows import wsl as wsl_module
from wasp_installer.windows.commands import Run
from wasp_installer.windows.user_path import UserPath
from wasp_installer.windows.wasp_cmd import wasp_cmd
from wasp_installer.windows.wsl import (
    Distribution,
    Wsl,
    by_preference,
    decoded,
    distributions_in,
    in_login_shell,
    shared,
)

HEADING = "  NAME                   STATE           VERSION\n"
DOCKER = "  docker-desktop         Running         2\n  docker-desktop-data    Running         2\n"
UBUNTU = "* Ubuntu-22.04           Stopped         2\n"

# --- what is listed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        (HEADING + UBUNTU, [("Ubuntu-22.04", 2, True)]),
        (HEADING + UBUNTU + DOCKER, [("Ubuntu-22.04", 2, True)]),
        (
            HEADING + DOCKER.replace("  d", "* d", 1) + "  Debian  Running  1\n",
            [("Debian", 1, False)],
        ),
        (
            "  NAME    STATUS             VERSION\n* Debian  Wird ausgeführt    2\n",
            [("Debian", 2, True)],
        ),
        (
            "  NOM     ÉTAT               VERSION\n* Ubuntu  Arrêté  1\n",
            [("Ubuntu", 1, True)],
        ),
        ("  名前      状態      バージョン\n* Ubuntu    停止    2\n", [("Ubuntu", 2, True)]),
        (
            HEADING + "* old   Stopped 1\n  a   Stopped   1\n  b   Stopped   2\n",
            [("old", 1, True), ("b", 2, False), ("a", 1, False)],
        ),
        (HEADING, []),
        ("", []),
        ("Windows Subsystem for Linux has no installed distributions.\n", []),
        ("Usage: wsl.exe [Argument]\n    --set-default-version 1 or 2\n", []),
    ],
)
def test_the_distributions_that_are_listed(
    listing: str, expected: list[tuple[str, int, bool]]
) -> None:
    found = by_preference(distributions_in(listing.replace("\n", "\r\n")))
    assert found == [Distribution(*each) for each in expected]


def as_printed(output: bytes) -> str:
    """As a program's output is read."""
    return output.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_what_wsl_prints_is_read_in_each_encoding(encoding: str) -> None:
    assert decoded(as_printed((HEADING + UBUNTU).encode(encoding))) == HEADING + UBUNTU


@pytest.mark.parametrize("cut", [b"\xff\xfe\x41", b"A\0B", b"\xff", b""])
def test_what_is_cut_is_no_reason_to_fail(cut: bytes) -> None:
    assert distributions_in(decoded(as_printed(cut))) == []


# --- a machine -----------------------------------------------------------------------------------


class World:
    """A Windows with this WSL, on Linux; ``cmd`` is the wasp.cmd that a run leaves."""

    def __init__(self, wsl: FakeWsl | None, folder: Path) -> None:
        self.wsl = wsl
        self.folder = folder
        programs = folder / "System32"
        programs.mkdir(parents=True)
        if wsl is not None:
            wsl.program(programs)
        self.environment = {
            "PATH": str(programs),
            **{name: os.environ[name] for name in os.environ if name.startswith("WASP_")},
        }
        self.prefix = folder / "me" / ".local"
        self.cmd = self.prefix / "bin" / "wasp.cmd"
        self.registry = RegistryDouble(Path=("C:\\a", RegistryDouble.REG_EXPAND_SZ))
        self.announced = 0
        self.console = Console()

    def _announce(self) -> None:
        self.announced += 1

    def run(self, *words: str, **options: object) -> Result:
        self.console = Console()
        chosen = {"source": "npm", "no_telemetry": True, "yes": True, **options}
        made = Options(others=words, prefix=str(self.prefix), **chosen)  # type: ignore[arg-type]
        user_path = UserPath(self.registry, self._announce, self.environment)
        return Run(made, self.console, Wsl(self.environment), user_path).execute()

    def refuses(self, *words: str, **options: object) -> None:
        """A run ends with exit code 3 and says all of this; nothing is changed."""
        with pytest.raises(InstallerError) as caught:
            self.run(**options)
        assert (caught.value.code, caught.value.slug) == (3, "unsupported-platform")
        said = f"{caught.value.message}\n{caught.value.hint}"
        for word in words:
            assert word in said
        assert not self.cmd.exists()
        assert self.announced == 0


@pytest.fixture
def world(wsl: FakeWsl, tmp_path: Path) -> World:
    return World(wsl, tmp_path / "windows")


# --- no WSL to use -------------------------------------------------------------------------------


def test_a_windows_without_wsl_is_told_what_to_type(tmp_path: Path) -> None:
    World(None, tmp_path / "windows").refuses("wsl --install\n", "restart Windows")


@pytest.mark.parametrize(
    ("listing", "code"),
    [
        ("Windows Subsystem for Linux has no installed distributions.\n", 1),
        (
            "Für das Windows-Subsystem für Linux sind keine Distributionen installiert.\n",
            0xFFFFFFFF,
        ),
        ("The Windows Subsystem for Linux is not installed.\nwsl.exe --install\n", 50),
        (HEADING, 0),
    ],
)
def test_a_wsl_without_distributions(world: World, wsl: FakeWsl, listing: str, code: int) -> None:
    wsl.lists(listing, code=code)
    world.refuses("no Linux distribution yet", "wsl --install\n", "restart Windows")


def test_docker_alone_is_no_distribution_for_wasp(world: World, wsl: FakeWsl) -> None:
    wsl.lists(HEADING + DOCKER)
    world.refuses("only docker-desktop, docker-desktop-data", "wsl --install -d Ubuntu")


def test_a_wsl_that_does_not_answer_is_not_waited_for(
    world: World, wsl: FakeWsl, monkeypatch: pytest.MonkeyPatch
) -> None:
    wsl.stuck = ("--list",)
    monkeypatch.setattr(wsl_module, "LIST_LIMIT_S", 0.5)
    world.refuses("WSL does not answer", "wsl --shutdown")


@pytest.mark.parametrize("how", ["broken", "stuck"])
def test_a_distribution_that_does_not_start(
    world: World, wsl: FakeWsl, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    wsl.lists(HEADING + UBUNTU)
    setattr(wsl, how, ("Ubuntu-22.04",))
    monkeypatch.setattr(wsl_module, "START_LIMIT_S", 0.5)
    world.refuses("does not start its distribution (Ubuntu-22.04)", "wsl -d Ubuntu-22.04")


def test_a_distribution_that_was_asked_for_must_be_there(world: World) -> None:
    world.environment["WASP_WSL_DISTRIBUTION"] = "Arch"
    world.refuses("'Arch'", "wsl --list --verbose")


# --- real runs of install.sh ---------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_an_install(
    world: World, wsl: FakeWsl, inside: Machine, upstream: Upstream, encoding: str
) -> None:
    release = upstream.publish("0.25.0")
    wsl.lists(HEADING + UBUNTU, encoding)
    result = world.run()
    assert (result.status, result.version) == ("installed", "0.25.0")
    assert (result.source, result.digest) == ("npm", release.npm_digest)
    assert inside.layout.versions() == ["0.25.0"]
    assert inside.wasp("version").stdout == "0.25.0\n"
    assert b"-d Ubuntu-22.04 --exec /bin/sh -lc" in world.cmd.read_bytes()
    bin_folder = str(world.cmd.parent)
    assert world.registry.values["Path"] == (f"{bin_folder};C:\\a", 2)
    assert world.announced == 1
    assert not list(world.cmd.parent.glob(".wasp-*"))


def test_doing_it_again_changes_nothing(world: World, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    world.run()
    before = (world.cmd.read_bytes(), dict(world.registry.values))
    assert world.run().status == "already-installed"
    assert (world.cmd.read_bytes(), world.registry.values) == before
    assert world.announced == 1


def test_the_options_reach_install_sh(world: World, wsl: FakeWsl, upstream: Upstream) -> None:
    upstream.publish("0.24.0", latest=False)
    upstream.publish("0.25.0")
    digest = "0" * 64
    with pytest.raises(InstallerError) as caught:
        world.run(wanted="0.24.0", sha256=digest, force=True, require_checksum=True, quiet=True)
    assert caught.value.slug == "checksum-mismatch"
    assert caught.value.code == 6
    arguments = wsl.inner_calls()[-1].arguments
    for option in (
        "--force",
        "--require-checksum",
        "--no-telemetry",
        "--quiet",
        "--porcelain",
        digest,
    ):
        assert option in arguments
    assert not world.cmd.exists()


def test_an_error_inside_is_told_once(
    world: World, upstream: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    upstream.publish("0.25.0")
    with pytest.raises(InstallerError) as caught:
        world.run(wanted="0.26.0")
    world.console.show_error(caught.value)
    assert (caught.value.slug, caught.value.code) == ("no-such-version", 5)
    assert capfd.readouterr().err.count("error: ") == 1


def test_version_1_works_and_is_said(world: World, wsl: FakeWsl, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    wsl.lists(HEADING + "* Debian   Running   1\n")
    assert world.run().status == "installed"
    [warning] = [text for text in world.console.warnings if "WSL 1" in text]
    assert "wsl --set-version Debian 2" in warning


def test_a_default_that_does_not_start_is_passed_over(
    world: World, wsl: FakeWsl, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    wsl.lists(HEADING + DOCKER.replace("  d", "* d", 1) + "  a  Stopped  2\n  b  Stopped  2\n")
    wsl.broken = ("a",)
    assert world.run().status == "installed"
    assert b"rem distribution: b\r\n" in world.cmd.read_bytes()


def test_the_distribution_that_has_wasp_is_kept(
    world: World, wsl: FakeWsl, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    world.environment["WASP_WSL_DISTRIBUTION"] = "b"
    wsl.lists(HEADING + "* a  Stopped  2\n  b  Stopped  2\n")
    world.run()
    del world.environment["WASP_WSL_DISTRIBUTION"]
    world.run("list")
    assert wsl.calls[-1].arguments[:2] == ["-d", "b"]


def test_a_dry_run_changes_nothing(world: World, inside: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    assert world.run(dry_run=True).status == "planned"
    assert inside.layout.versions() == []
    assert not world.cmd.exists()
    assert world.announced == 0


def test_an_archive_is_found_by_its_path_inside(
    world: World, inside: Machine, upstream: Upstream, tmp_path: Path
) -> None:
    archive = tmp_path / "my wasp.tar.gz"
    archive.write_bytes(upstream.publish("0.25.0").github_archive)
    inside.toolbox.script("wslpath", '[ "$1 $2" = "-a -u" ] && printf "%s\\n" "$3"')
    assert world.run(from_file=str(archive)).status == "installed"
    inside.toolbox.script("wslpath", "exit 1")
    with pytest.raises(InstallerError, match="cannot see"):
        world.run(from_file=str(archive))


def test_a_foreign_wasp_cmd_stays(world: World) -> None:
    world.cmd.parent.mkdir(parents=True)
    world.cmd.write_text("@echo mine\n")
    with pytest.raises(InstallerError) as caught:
        world.run()
    assert (caught.value.slug, caught.value.code) == ("foreign-launcher", 8)
    assert world.cmd.read_text() == "@echo mine\n"


# --- the other commands --------------------------------------------------------------------------


def test_list_use_and_uninstall(
    world: World,
    inside: Machine,
    upstream: Upstream,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.publish("0.24.0", latest=False)
    upstream.publish("0.25.0")
    world.run(wanted="0.24.0")
    world.run()
    capsys.readouterr()
    world.run("list")
    assert capsys.readouterr().out == "* 0.25.0\n  0.24.0\n"
    upstream.list_at_npm(["0.26.0", "0.25.0"])
    world.run("list", "--remote")
    assert capsys.readouterr().out == "  0.26.0\n* 0.25.0 (installed)\n"
    assert world.run("use", "0.24.0").status == "switched"
    assert inside.wasp("version").stdout == "0.24.0\n"
    world.run("uninstall", "0.24.0")
    assert world.cmd.exists()
    assert world.run("uninstall").status == "removed"
    assert inside.layout.versions() == []
    assert world.registry.values["Path"] == ("C:\\a", 2)
    assert not world.prefix.joinpath("bin").exists()
    assert not list(world.prefix.rglob("*wasp*/*"))


def test_what_the_doctor_finds_is_printed(
    world: World, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.publish("0.25.0")
    assert world.run("doctor").exit_code == 5
    assert "versions" in capsys.readouterr().out
    report = world.run("doctor", json=True)
    assert (report.status, report.exit_code) == ("checked", 5)
    assert capsys.readouterr().out == ""
    world.run()
    capsys.readouterr()
    world.run("doctor")
    assert "current      0.25.0" in capsys.readouterr().out


def test_a_folder_that_cannot_be_on_path(wsl: FakeWsl, upstream: Upstream, tmp_path: Path) -> None:
    upstream.publish("0.25.0")
    world = World(wsl, tmp_path / "100%")
    assert world.run().status == "installed"
    assert world.registry.values["Path"] == ("C:\\a", 2)
    assert any("cannot be, because of a semicolon" in text for text in world.console.warnings)


def test_uninstall_takes_the_libraries_of_install_py_along(
    world: World, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.publish("0.25.0")
    libraries = tmp_path / "local" / "wasp" / "installer"
    libraries.mkdir(parents=True)
    world.environment["LOCALAPPDATA"] = str(tmp_path / "local")
    world.run()
    world.run("uninstall", dry_run=True)
    assert libraries.exists()
    world.run("uninstall")
    assert not libraries.exists()


def test_removing_the_last_version_removes_wasp_cmd(world: World, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    world.run()
    world.run("uninstall", "0.25.0")
    assert not world.cmd.exists()
    assert world.announced == 2


def test_an_entry_of_path_that_was_there_before_stays(world: World, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    there = (f"{world.cmd.parent};C:\\a", RegistryDouble.REG_SZ)
    world.registry.values["Path"] = there
    world.run()
    world.run("uninstall")
    assert world.registry.values["Path"] == there


@pytest.mark.parametrize(
    "why",
    [
        "asked",
        "ci",
        "locked",
    ],
)
def test_path_is_left_alone(world: World, upstream: Upstream, why: str) -> None:
    upstream.publish("0.25.0")
    if why == "ci":
        world.environment["CI"] = "true"
    world.registry.is_locked = why == "locked"
    assert world.run(no_modify_path=why == "asked").status == "installed"
    assert world.registry.values["Path"] == ("C:\\a", 2)
    assert any("not on your PATH" in text for text in world.console.warnings)


def test_a_github_job_gets_it_for_its_next_steps(
    world: World, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.publish("0.25.0")
    file = tmp_path / "github-path"
    world.environment |= {"GITHUB_ACTIONS": "true", "CI": "true", "GITHUB_PATH": str(file)}
    world.run()
    assert file.read_text() == f"{world.cmd.parent}\n"
    assert world.registry.values["Path"] == ("C:\\a", 2)


# --- what is passed on ---------------------------------------------------------------------------


def test_the_opt_out_reaches_the_inside(world: World, wsl: FakeWsl, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    world.environment["DO_NOT_TRACK"] = "1"
    world.run()
    for call in wsl.inner_calls():
        names = call.environment["WSLENV"].split(":")
        assert {"WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"} <= set(names)


def test_what_is_shared_already_stays_as_it_is() -> None:
    environment = {"WSLENV": "GOPATH/l:ci/u", "CI": "1", "DO_NOT_TRACK": "1"}
    assert shared(["CI", "DO_NOT_TRACK", "TRAVIS"], environment) == "DO_NOT_TRACK:GOPATH/l:ci/u"


def test_a_node_that_only_interactive_shells_find(
    world: World, inside: Machine, upstream: Upstream
) -> None:
    """As nvm has it, beside a .bashrc that talks, and that stops where nobody is."""
    upstream.publish("0.25.0")
    node = inside.root / "node of nvm"
    node.mkdir()
    (node / "node").write_text("#!/bin/sh\necho v24.0.0\n")
    (node / "node").chmod(0o755)
    (node / "npm").symlink_to(node / "node")
    (inside.home / ".bash_profile").write_text(". ~/.profile; . ~/.bashrc\n")
    (inside.home / ".bashrc").write_text(
        f"case $- in *i*) ;; *) return ;; esac\necho welcome\nexport PATH='{node}':$PATH\n"
    )
    world.run()
    assert not [text for text in world.console.warnings if "Node.js" in text]


def script_of(cmd: bytes) -> str:
    """The line of sh in a wasp.cmd, as sh gets it."""
    found = re.search(r'/bin/sh -lc "([^"]*)" wasp %\*\r\n$', cmd.decode())
    assert found
    return found[1].replace("%%", "%")


def test_the_line_that_starts_wasp(inside: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    home = inside.move_home("a home of  *")
    script = script_of(wasp_cmd("Ubuntu", "$HOME/.local/bin/wasp", "wsl.exe", ""))
    start = ["/bin/sh", "-lc", script, "wasp"]
    gone = inside.run_program([*start, "version"])
    assert gone.code == 127
    assert "Wasp is no longer in Ubuntu" in gone.stderr
    inside.run("install").ok()
    arguments = ["", "a  b", "*", "'", '"', "$HOME", "\\", "`id`", "-x", "%PATH%", "ä"]
    said = inside.run_program([*start, "arguments", *arguments]).ok().stdout
    assert said == "".join(f"<{each}>\n" for each in arguments)
    assert inside.run_program([*start, "exit", "42"]).code == 42
    assert inside.run_program([*start, "read"], stdin="line\n").stdout == "read: line\n"
    assert home.joinpath(".local/bin/wasp").exists()


def test_a_terminal_stays_wasps_own(inside: Machine) -> None:
    """The interactive shell that is asked for PATH must not take it away."""
    tools = inside.toolbox.folder
    (inside.home / ".bash_profile").write_text(f"export PATH='{tools}:/found'\n")
    wasp = inside.home / "wasp"
    wasp.write_text('#!/bin/sh\nread -r line </dev/tty; echo "got $line, $PATH"; exit 9\n')
    wasp.chmod(0o755)
    start = in_login_shell(str(wasp))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(start[0], start, inside.environment)
    os.write(terminal, b"hello\n")
    said = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            said += part
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert b"got hello" in said
    assert b"/found:" in said


@pytest.mark.parametrize("name", ["wasp", "C:\\Program Files\\WSL\\wsl.exe"])
def test_wasp_cmd_names_the_program_by_its_place(name: str) -> None:
    text = wasp_cmd("Ubuntu", "/opt/wasp/bin/wasp", name, "C:\\Windows")
    assert f'\r\n"{name}" -d Ubuntu --exec /bin/sh -lc "'.encode() in text
    own = wasp_cmd("Ubuntu", "/x", "c:\\windows\\Sysnative\\wsl.exe", "C:\\Windows")
    assert b'"%SystemRoot%\\System32\\wsl.exe" -d Ubuntu' in own


def test_json_of_what_is_inside(world: World, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    result = world.run(quiet=True)
    told = to_json(
        result,
        elapsed_s=0,
        warnings=world.console.warnings,
        error=None,
    )
    assert json.loads(json.dumps(told)) == told
    assert told["platform"] == {"os": "windows", "arch": "x86_64", "libc": None, "distro": None}
    assert told["executable"] == str(world.cmd)
    assert told["wasp_dir"].endswith("/inside/home/.local/share/wasp-lang/0.25.0")
    assert (told["status"], told["telemetry"]) == ("installed", "disabled")
