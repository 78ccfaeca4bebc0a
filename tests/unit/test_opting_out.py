"""One rule for opting out, in three places: Python, install.sh and the launcher."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import telemetry_ping
from tests.support.collector import Collector
from tests.support.filesystems import without_privileges
from tests.support.frontends import INSTALL_SH, SHELLS, FrontEnd
from wasp_installer import launcher

CASES: list[dict[str, str]] = [
    {},
    {"WASP_TELEMETRY_DISABLE": "1"},
    {"WASP_TELEMETRY_DISABLE": ""},
    {"WASP_TELEMETRY_DISABLE": "0"},
    *(
        {"DO_NOT_TRACK": value}
        for value in ("", "0", "1", "false", "False", "no", "NO", "off", "oFF", "true", "yes", " ")
    ),
    {"XDG_CONFIG_HOME": "{off}"},
    {"XDG_CONFIG_HOME": "{on}"},
    {"XDG_CONFIG_HOME": "{linked}"},
    {"XDG_CONFIG_HOME": "relative"},
    {"XDG_CONFIG_HOME": ""},
    {"HOME": "{home-off}"},
    {"HOME": "{home-off}", "XDG_CONFIG_HOME": "{on}"},
    {"HOME": "{home-off}", "XDG_CONFIG_HOME": "relative"},
    {"HOME": ""},
    {"HOME": "relative"},
    {"XDG_CONFIG_HOME": "{circle}"},
    {"XDG_CONFIG_HOME": "/" + "n" * 300},
]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """Folders in which telemetry was switched off, and some in which it was not."""
    for folder in ("off", "linked", "home-off/.config"):
        (tmp_path / folder / "wasp").mkdir(parents=True)
    (tmp_path / "off" / "wasp" / "telemetry-off").touch()
    (tmp_path / "linked" / "wasp" / "telemetry-off").symlink_to("/no/such/file")
    (tmp_path / "home-off" / ".config" / "wasp" / "telemetry-off").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    names = ("off", "on", "linked", "home-off", "circle")
    return {name: str(tmp_path / name) for name in names}


def function_of(script: str, name: str) -> str:
    found = re.search(rf"^( *){name}\(\) {{\n.*?^\1}}\n", script, re.MULTILINE | re.DOTALL)
    assert found, f"no function {name}"
    return found[0]


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_the_three_agree(shell: FrontEnd, places: dict[str, str]) -> None:
    rules = {
        ("is_opted_out", "is_closed"): INSTALL_SH.read_text(),
        ("wasp_opted_out", "wasp_is_closed"): launcher.content("0.25.0", "/x", "").decode(),
    }
    for names, script in rules.items():
        functions = "".join(function_of(script, name) for name in names)
        program = f"{functions}\nif {names[0]}; then echo out; else echo in; fi"
        for case in CASES:
            environment = {"HOME": places["on"]}
            for variable, value in case.items():
                filled = re.sub("{(.*)}", lambda found: places[found[1]], value)
                environment[variable] = filled
            expected = "in" if telemetry_ping.opt_out_reason(environment) is None else "out"
            assert _said(shell, program, environment) == expected, (names, case)


def _said(shell: FrontEnd, program: str, environment: dict[str, str]) -> str:
    # The guard of the tests wants its two variables; the opt-out is taken away again inside.
    disable = environment.pop("WASP_TELEMETRY_DISABLE", None)
    undo = (
        "unset WASP_TELEMETRY_DISABLE" if disable is None else f"WASP_TELEMETRY_DISABLE='{disable}'"
    )
    return subprocess.run(
        [*shell.interpreter(), "-c", f"{undo}\n{program}"],
        env={
            **environment,
            "WASP_TELEMETRY_DISABLE": "1",
            "WASP_TELEMETRY_URL": os.environ["WASP_TELEMETRY_URL"],
            "WASP_NEWS_SERVER_URL": os.environ["WASP_NEWS_SERVER_URL"],
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_each_case_is_what_it_should_be(places: dict[str, str]) -> None:
    off = places["off"]
    reason = telemetry_ping.opt_out_reason
    assert reason({"HOME": places["on"]}) is None
    assert "WASP_TELEMETRY_DISABLE" in str(reason({"WASP_TELEMETRY_DISABLE": ""}))
    assert "DO_NOT_TRACK" in str(reason({"DO_NOT_TRACK": "true"}))
    assert "wasp telemetry off" in str(reason({"XDG_CONFIG_HOME": off}))


_REASON = """
import sys
sys.path.insert(0, sys.argv[1])
import telemetry_ping
print(telemetry_ping.opt_out_reason({"XDG_CONFIG_HOME": sys.argv[2]}))
"""


def test_an_opt_out_that_cannot_be_looked_for_counts(tmp_path: Path) -> None:
    """Such as after a command with sudo, which left ~/.config to root."""
    script = function_of(INSTALL_SH.read_text(), "is_opted_out")
    script += function_of(INSTALL_SH.read_text(), "is_closed")
    check = [
        *without_privileges(),
        *(sys.executable, "-c"),
        _REASON,
        str(Path(telemetry_ping.__file__).parent),
    ]
    program = f"unset WASP_TELEMETRY_DISABLE\n{script}\nis_opted_out"
    shell = [*without_privileges(), "sh", "-c", program]
    config = tmp_path / "home" / "config"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(config)}
    for folder in (config.parent, config, config / "wasp"):
        folder.mkdir()
        folder.chmod(0o600)
        try:
            said = subprocess.run([*check, str(config)], capture_output=True, text=True)
            assert "cannot be looked for" in said.stdout
            assert subprocess.run(shell, env=environment, check=False).returncode == 0
        finally:
            folder.chmod(0o755)
    assert subprocess.run(shell, env=environment, check=False).returncode == 1


# What a caller may write; `ping` is the module.
ENTRIES = {
    "installed": 'ping.main(["installed"])',
    "install event": "ping.send_install_event()",
    "invoked": 'ping.main(["invoked", "0.25.0", "version"])',
    "another CLI": 'ping.notify_invocation(["version"], "0.25.0")',
    "messages": 'ping.main(["messages", "0.25.0"])',
    "printed messages": 'ping.print_messages("0.25.0")',
    "show": 'ping.main(["telemetry", "0.25.0", "show"])',
    "event": (
        'invocation = ping.Invocation(["version"], "0.25.0", os.getcwd(), os.environ);'
        'store = ping.Store(os.environ["HOME"] + "/.cache/wasp/telemetry", "");'
        "ping.record_and_send(invocation, store, lambda: 0)"
    ),
}


@pytest.mark.parametrize(
    "opt_out", [{"WASP_TELEMETRY_DISABLE": "1"}, {"DO_NOT_TRACK": "1"}], ids=str
)
@pytest.mark.parametrize("entry", ENTRIES)
def test_no_entry_sends_or_writes(
    tmp_path: Path, collector: Collector, entry: str, opt_out: dict[str, str]
) -> None:
    """Whoever calls it, and however: opted out, it makes no connection and no file."""
    home, project = tmp_path / "home", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    (project / ".wasproot").touch()
    undo = (
        "" if "WASP_TELEMETRY_DISABLE" in opt_out else 'del os.environ["WASP_TELEMETRY_DISABLE"];'
    )
    program = (
        f"import os, sys; {undo} sys.path.insert(0, {str(Path(telemetry_ping.__file__).parent)!r});"
        f"import telemetry_ping as ping; {ENTRIES[entry]}"
    )
    environment = {
        "HOME": str(home),
        **opt_out,
        "WASP_TELEMETRY_DISABLE": "1",
        "WASP_TELEMETRY_URL": collector.url,
        "WASP_NEWS_SERVER_URL": collector.url,
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        env=environment,
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "Traceback" not in done.stderr
    assert collector.server.connections == 0
    assert list(home.iterdir()) == []


def test_the_command_line_of_an_install_event_is_silent(
    tmp_path: Path, collector: Collector
) -> None:
    done = subprocess.run(
        [sys.executable, "-B", telemetry_ping.__file__, "installed"],
        env={
            "HOME": str(tmp_path),
            "WASP_TELEMETRY_DISABLE": "1",
            "WASP_TELEMETRY_URL": collector.url,
            "WASP_NEWS_SERVER_URL": collector.url,
        },
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert collector.server.connections == 0
    assert list(tmp_path.iterdir()) == []
