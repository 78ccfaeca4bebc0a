"""What reaches the inside of WSL: variables, arguments, a terminal, and what comes back."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.machines import Machine
from tests.support.terminals import Terminal
from tests.support.wsl import FakeWsl
from tests.windows.world import World
from wasp_installer.command_line.report import to_json
from wasp_installer.windows.wasp_cmd import wasp_cmd
from wasp_installer.windows.wsl import in_login_shell


def test_the_opt_out_reaches_the_inside(world: World, wsl: FakeWsl) -> None:
    world.environment |= {"DO_NOT_TRACK": "1", "WSLENV": "GOPATH/l:EDITOR"}
    world.run()
    for call in wsl.inner_calls():
        names = call.environment["WSLENV"].split(":")
        assert {"WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"} <= set(names)
        assert names[-2:] == ["GOPATH/l", "EDITOR"]


def test_a_node_that_only_interactive_shells_find(world: World, inside: Machine) -> None:
    """As nvm has it, beside a .bashrc that talks, and that stops where nobody is."""
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
    assert not world.warned("Node.js")


def test_the_line_that_starts_wasp(inside: Machine) -> None:
    inside.move_home("a home of  *")
    cmd = wasp_cmd("Ubuntu", "$HOME/.local/bin/wasp", "wsl.exe").decode()
    found = re.search(r'/bin/sh -lc "([^"]*)" wasp %\*\r\n$', cmd)
    assert found
    # As sh gets it.
    start = ["/bin/sh", "-lc", found[1].replace("%%", "%"), "wasp"]
    gone = inside.run_program([*start, "version"])
    assert gone.code == 127
    gone.says("Wasp is no longer in Ubuntu")
    inside.run("install").ok()
    arguments = ["", "a  b", "*", "'", '"', "$HOME", "\\", "`id`", "-x", "%PATH%", "ä"]
    said = inside.run_program([*start, "arguments", *arguments]).ok().stdout
    assert said == "".join(f"<{each}>\n" for each in arguments)
    assert inside.run_program([*start, "exit", "42"]).code == 42
    assert inside.run_program([*start, "read"], stdin="line\n").stdout == "read: line\n"


def test_a_terminal_stays_wasps_own(inside: Machine) -> None:
    """The interactive shell that is asked for PATH must not take it away."""
    tools = inside.toolbox.folder
    (inside.home / ".bash_profile").write_text(f"export PATH='{tools}:/found'\n")
    wasp = inside.home / "wasp"
    wasp.write_text('#!/bin/sh\nread -r line </dev/tty; echo "got $line, $PATH"; exit 9\n')
    wasp.chmod(0o755)
    terminal = Terminal(in_login_shell(str(wasp)), inside.environment, inside.here)
    terminal.type("hello\n")
    assert terminal.finish() == 9
    assert re.search("got hello, .*/found:", terminal.shown)


@pytest.mark.parametrize(
    ("program", "named"),
    [
        ("wasp", "wasp"),
        ("C:\\Program Files\\WSL\\wsl.exe", "C:\\Program Files\\WSL\\wsl.exe"),
        ("C:\\Windows\\Sysnative\\wsl.exe", "C:\\Windows\\System32\\wsl.exe"),
    ],
)
def test_wasp_cmd_names_the_program_by_its_place(program: str, named: str) -> None:
    text = wasp_cmd("Ubuntu", "/opt/wasp/bin/wasp", program)
    assert f'\r\n"{named}" -d Ubuntu --exec /bin/sh -lc "'.encode() in text
    assert b'set "WSLENV=WASP_TELEMETRY_DISABLE:DO_NOT_TRACK:' in text


def test_json_of_what_is_inside(world: World) -> None:
    result = world.run(quiet=True)
    told = to_json(result, elapsed_s=0, warnings=world.console.warnings, error=None)
    assert json.loads(json.dumps(told)) == told
    assert told["platform"] == {"os": "windows", "arch": "x86_64", "libc": None, "distro": None}
    assert told["executable"] == str(world.cmd)
    assert told["wasp_dir"].endswith("/inside/home/.local/share/wasp-lang/0.25.0")
    assert (told["status"], told["telemetry"]) == ("installed", "disabled")


def test_what_the_doctor_finds_is_printed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run("doctor").code == 5
    assert "versions" in capsys.readouterr().out
    report = world.run("doctor", json=True)
    assert (report.status, report.code) == ("checked", 5)
    assert capsys.readouterr().out == ""
