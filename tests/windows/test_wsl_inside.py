"""What reaches the inside of WSL: variables, arguments, a terminal, and what comes back."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
from pathlib import Path

import pytest

from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.wsl import FakeWsl
from tests.windows.world import World
from wasp_installer.command_line.report import to_json
from wasp_installer.windows.wasp_cmd import wasp_cmd
from wasp_installer.windows.wsl import in_login_shell


def test_the_opt_out_reaches_the_inside(world: World, wsl: FakeWsl, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    world.environment |= {"DO_NOT_TRACK": "1", "WSLENV": "GOPATH/l:EDITOR"}
    world.run()
    for call in wsl.inner_calls():
        names = call.environment["WSLENV"].split(":")
        assert {"WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"} <= set(names)
        assert names[-2:] == ["GOPATH/l", "EDITOR"]


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
    script = script_of(wasp_cmd("Ubuntu", "$HOME/.local/bin/wasp", "wsl.exe"))
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
    text = wasp_cmd("Ubuntu", "/opt/wasp/bin/wasp", name)
    assert f'\r\n"{name}" -d Ubuntu --exec /bin/sh -lc "'.encode() in text
    own = wasp_cmd("Ubuntu", "/x", "C:\\Windows\\Sysnative\\wsl.exe")
    assert b'"C:\\Windows\\System32\\wsl.exe" -d Ubuntu' in own


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


def test_what_the_doctor_finds_is_printed(
    world: World, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.publish("0.25.0")
    assert world.run("doctor").code == 5
    assert "versions" in capsys.readouterr().out
    report = world.run("doctor", json=True)
    assert (report.status, report.code) == ("checked", 5)
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
    assert any(
        "cannot be on PATH: its name has a semicolon" in text for text in world.console.warnings
    )
