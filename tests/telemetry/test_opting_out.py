"""One rule for opting out, in Python and in the launcher; then nothing happens, at any entry."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import telemetry_ping as ping
from tests.support.filesystems import without_privileges
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.functions import call_functions
from tests.support.installed import Installed, interpreter, real_python
from tests.support.machines import Machine

LAUNCHER = (REPOSITORY / "installed" / "launcher").read_text()
PROGRAM = CHECKOUT / "program"

#: Variables, and whether they opt out.
CASES: list[tuple[dict[str, str], bool]] = [
    ({}, False),
    *(({"WASP_TELEMETRY_DISABLE": value}, True) for value in ("1", "", "0", "false")),
    *(({"DO_NOT_TRACK": value}, True) for value in ("1", "true", "yes", " ", "of", "00", "on")),
    *(
        ({"DO_NOT_TRACK": value}, False)
        for value in ("", "0", "false", "False", "no", "NO", "off", "oFF")
    ),
    ({"XDG_CONFIG_HOME": "{off}"}, True),
    ({"XDG_CONFIG_HOME": "{linked}"}, True),
    ({"XDG_CONFIG_HOME": "{on}"}, False),
    ({"XDG_CONFIG_HOME": "{home-off}/.config", "HOME": ""}, True),
    ({"XDG_CONFIG_HOME": "relative"}, False),
    ({"XDG_CONFIG_HOME": ""}, False),
    ({"HOME": "{home-off}"}, True),
    ({"HOME": "{home-off}", "XDG_CONFIG_HOME": "{on}"}, False),
    ({"HOME": "{home-off}", "XDG_CONFIG_HOME": "relative"}, True),
    ({"HOME": ""}, False),
    ({"HOME": "relative"}, False),
    ({"XDG_CONFIG_HOME": "{circle}"}, False),
    ({"XDG_CONFIG_HOME": "/" + "n" * 300}, False),
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
    return {name: str(tmp_path / name) for name in ("off", "on", "linked", "home-off", "circle")}


def filled(case: dict[str, str], places: dict[str, str]) -> dict[str, str]:
    return {"HOME": places["on"]} | {
        name: re.sub("{(.*)}", lambda found: places[found[1]], value)
        for name, value in case.items()
    }


def test_the_rule(places: dict[str, str]) -> None:
    for case, is_out in CASES:
        reason = ping.opt_out_reason(filled(case, places))
        assert (reason is not None) is is_out, case
        for name in ("WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"):
            assert not is_out or (name in case) is (f"{name} is set" == reason)


def functions_of(text: str, *names: str) -> str:
    form = rf"^(?:{'|'.join(names)})\(\) {{\n.*?^}}\n"
    found = re.findall(form, text, re.MULTILINE | re.DOTALL)
    assert len(found) == len(names)
    return "".join(found)


def rule_of_the_launcher() -> str:
    return functions_of(LAUNCHER, "_find", "_opted_out")


def test_the_launcher_has_the_same_rule(places: dict[str, str], shell: str) -> None:
    program = rule_of_the_launcher()
    for number, (case, _) in enumerate(CASES):
        for name in ("WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK", "XDG_CONFIG_HOME", "HOME"):
            value = filled(case, places).get(name)
            program += f"unset {name}\n" if value is None else f"{name}='{value}'\n"
        program += f"if _opted_out; then echo {number} True; else echo {number} False; fi\n"
    run = subprocess.run(
        [*interpreter(shell), "-c", program], capture_output=True, text=True, check=True
    )
    expected = [f"{number} {is_out}" for number, (_, is_out) in enumerate(CASES)]
    assert run.stdout.split("\n")[:-1] == expected


def test_the_sh_program_has_the_same_rule(
    places: dict[str, str], every_shell_machine: Machine
) -> None:
    names = ("WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK", "XDG_CONFIG_HOME", "HOME")
    calls = []
    for case, _ in CASES:
        values = filled(case, places)
        set_up = [f"export {name}='{values[name]}'" for name in names if name in values]
        calls.append(
            "\n".join(
                [f"unset {' '.join(names)}", *set_up, "set_defaults", "is_opted_out && echo yes"]
            )
        )
    told = call_functions(every_shell_machine, calls)
    assert [answer == "yes" for answer in told] == [is_out for _, is_out in CASES]


_REASON = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import telemetry_ping as ping; \
print(ping.opt_out_reason({{'XDG_CONFIG_HOME': sys.argv[1]}}))"


def test_an_opt_out_that_cannot_be_looked_for_counts(tmp_path: Path) -> None:
    """Such as after a command with sudo, which left ~/.config to root."""
    program = functions_of(PROGRAM.read_text(), "lines", "absolute_or", "is_opted_out")
    programs = [f"{rule_of_the_launcher()}\n_opted_out", f"home=/\n{program}\nis_opted_out"]
    shells = [
        [*without_privileges(), "sh", "-c", f"unset WASP_TELEMETRY_DISABLE\n{each}"]
        for each in programs
    ]
    config = tmp_path / "home" / "config"
    python = [*without_privileges(), sys.executable, "-c", _REASON, str(config)]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(config)}
    for folder in (config.parent, config, config / "wasp"):
        folder.mkdir()
        folder.chmod(0o600)
        try:
            said = subprocess.run(python, capture_output=True, text=True)
            assert "config folder cannot be read" in said.stdout
            for shell in shells:
                assert subprocess.run(shell, env=environment, check=False).returncode == 0
        finally:
            folder.chmod(0o755)
    for shell in shells:
        assert subprocess.run(shell, env=environment, check=False).returncode == 1


# --- the door

ENTRIES = [
    ["installed"],
    ["invoked", "0.25.0"],
    ["invoked", "0.25.0", "build"],
    ["invoked", "0.25.0", "deploy", "fly"],
    ["messages", "0.25.0"],
    ["telemetry", "0.25.0"],
    ["telemetry", "0.25.0", "show"],
    ["telemetry", "0.25.0", "--help"],
    ["telemetry", "0.25.0", "maybe"],
]
OPTED_OUT: list[dict[str, str | None]] = [
    {"WASP_TELEMETRY_DISABLE": "1"},
    {"WASP_TELEMETRY_DISABLE": ""},
    {"DO_NOT_TRACK": "true"},
    {"XDG_CONFIG_HOME": "{off}"},
]


#: Runs each of these entries with each of these variables, as the launcher does, and prints each
#: process and connection that one of them makes.
EACH_ENTRY = """
import json, os, sys
entries, all_variables = json.loads(sys.argv[2])
names = ("subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "socket.connect",
    "socket.getaddrinfo")
is_ours = False
sys.addaudithook(lambda name, _: name in names and not is_ours and print(name, flush=True))
sys.path.insert(0, sys.argv[1])
import telemetry_ping
for variables in all_variables:
    for entry in entries:
        is_ours = True
        if os.fork() == 0:
            is_ours = False
            os.environ.update(variables)
            try:
                telemetry_ping.run(entry)
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.wait()
        is_ours = False
"""


@pytest.mark.parametrize("debug", [None, "1"])
def test_no_entry_of_the_ping_does_anything(
    wasp: Installed, places: dict[str, str], debug: str | None
) -> None:
    wasp.set(WASP_AUTO_NEWS_DISABLE=None, WASP_TELEMETRY_DEBUG=debug)
    before = wasp.files()
    variables = [
        {name: (value or "").format(**places) for name, value in each.items()} for each in OPTED_OUT
    ]
    argv = [real_python(), "-I", "-S", "-B", "-c", EACH_ENTRY, str(wasp.root)]
    run = wasp.run([*argv, json.dumps([ENTRIES, variables])])
    assert run.stdout.count("DISABLED") >= len(OPTED_OUT)
    for word in ("socket.", "os.", "subprocess.", "Traceback"):
        assert word not in run.stdout + run.stderr
    wasp.settle()
    assert wasp.files() == before
    assert wasp.collector.server.connections == 0


def test_opted_in_they_do_something(wasp: Installed) -> None:
    """Without this, the test before would show nothing."""
    for entry in (["installed"], ["invoked", "0.25.0"]):
        python = [real_python(), "-c", "import telemetry_ping as t, sys; t.run(sys.argv[1:])"]
        wasp.set(PYTHONPATH=str(wasp.root)).run([*python, *entry])
        wasp.settle()
    assert wasp.collector.server.connections == 2
    assert wasp.cache.is_dir()


@pytest.fixture
def starts(wasp: Installed) -> Path:
    """Where each start of Python leaves a line."""
    log = wasp.base / "starts"
    python = wasp.base / "python"
    python.write_text(f"#!/bin/sh\necho started >>'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    return log


@pytest.mark.parametrize("variables", OPTED_OUT, ids=str)
def test_the_launcher_starts_no_process(
    wasp: Installed, starts: Path, places: dict[str, str], variables: dict[str, str | None]
) -> None:
    wasp.set(**{name: (value or "").format(**places) for name, value in variables.items()})
    before = wasp.files()
    for command in ("opted-out", "build", "deploy", "completion:list", "uninstall"):
        wasp.used(command).ok()
    assert wasp.files() == before
    assert not starts.exists()
    assert wasp.used("opted-out").stdout == "1 1\n"
    wasp.set(**dict.fromkeys(variables)).used("version")
    assert starts.read_text() == "started\n"


@pytest.mark.parametrize(
    "arguments", [["completion:list"], ["completion:generate:bash"], ["uninstall"]]
)
def test_what_is_not_counted_starts_none_either(
    wasp: Installed, starts: Path, arguments: list[str]
) -> None:
    before = wasp.files()
    assert wasp.used(*arguments).ok().stderr == ""
    assert wasp.files() == before
    assert not starts.exists()


def test_outside_a_project_none_is_started(wasp: Installed, starts: Path, shell: str) -> None:
    assert wasp.used("opted-out", folder=wasp.here, shell=shell).ok().stdout == "1 1\n"
    assert not starts.exists()
