"""One rule for opting out, in Python and in the launcher; then nothing happens, at any entry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import telemetry_ping as ping
from tests.support.filesystems import without_privileges
from tests.support.frontends import REPOSITORY
from tests.support.functions import call_functions
from tests.support.installed import Installed, interpreter, real_python
from tests.support.machines import Machine, MachineRoom

NAMES = ("WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK", "XDG_CONFIG_HOME", "HOME")
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
def cases(tmp_path: Path) -> list[dict[str, str]]:
    """The variables of CASES, with folders in which telemetry was switched off, or not."""
    for folder in ("off", "linked", "home-off/.config"):
        (tmp_path / folder / "wasp").mkdir(parents=True)
    (tmp_path / "off" / "wasp" / "telemetry-off").touch()
    (tmp_path / "linked" / "wasp" / "telemetry-off").symlink_to("/no/such/file")
    (tmp_path / "home-off" / ".config" / "wasp" / "telemetry-off").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    return [
        {"HOME": f"{tmp_path}/on"}
        | {name: re.sub("{(.*)}", rf"{tmp_path}/\1", value) for name, value in case.items()}
        for case, _ in CASES
    ]


def in_sh(variables: dict[str, str]) -> str:
    given = [f"export {name}='{value}'\n" for name, value in variables.items()]
    return f"unset {' '.join(NAMES)}\n{''.join(given)}"


def test_the_rule(cases: list[dict[str, str]]) -> None:
    for variables, (case, is_out) in zip(cases, CASES):
        reason = ping.opt_out_reason(variables)
        assert (reason is not None) is is_out, case
        for name in ("WASP_TELEMETRY_DISABLE", "DO_NOT_TRACK"):
            assert not is_out or (name in case) is (f"{name} is set" == reason)


def test_the_launcher_has_the_same_rule(cases: list[dict[str, str]], shell: str) -> None:
    launcher = (REPOSITORY / "installed" / "launcher").read_text()
    rule = re.findall(r"^_(?:find|opted_out)\(\) {\n.*?^}\n", launcher, re.MULTILINE | re.DOTALL)
    program = "".join(rule)
    for variables in cases:
        program += f"{in_sh(variables)}if _opted_out; then echo True; else echo False; fi\n"
    argv = [*interpreter(shell), "-c", program]
    run = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(is_out) for _, is_out in CASES]


def test_the_sh_program_has_the_same_rule(
    cases: list[dict[str, str]], every_shell_machine: Machine
) -> None:
    calls = [f"{in_sh(variables)}set_defaults\nis_opted_out && echo yes" for variables in cases]
    told = call_functions(every_shell_machine, calls)
    assert [answer == "yes" for answer in told] == [is_out for _, is_out in CASES]


def test_an_opt_out_that_cannot_be_looked_for_counts(
    wasp: Installed, machines: MachineRoom
) -> None:
    """Such as after a command with sudo, which left ~/.config to root."""
    config = wasp.here / "home" / "config"
    wasp.set(XDG_CONFIG_HOME=str(config), WASP_AUTO_NEWS_DISABLE=None)
    machine = machines.build("dash")
    machine.wrapper = without_privileges()
    call = f"{in_sh({'XDG_CONFIG_HOME': str(config)})}home=/\nis_opted_out && echo yes"

    def told() -> list[str]:
        argv = [*without_privileges(), str(wasp.launcher)]
        said = [wasp.run([*argv, word]).stdout for word in ("opted-out", "telemetry")]
        return [*said, *call_functions(machine, [call])]

    reason = "Telemetry: DISABLED (your config folder cannot be read)\n"
    for folder in (config.parent, config, config / "wasp"):
        folder.mkdir()
        folder.chmod(0o600)
        try:
            assert told() == ["1 no\n", reason, "yes"]
        finally:
            folder.chmod(0o755)
    assert [told()[0], told()[2]] == ["1 1\n", ""]


# --- the door

ENTRIES = [
    *("installed", "invoked 0.25.0", "invoked 0.25.0 build", "invoked 0.25.0 deploy fly"),
    *("messages 0.25.0", "telemetry 0.25.0", "telemetry 0.25.0 show", "telemetry 0.25.0 maybe"),
]
OPTED_OUT: list[dict[str, str | None]] = [
    {"WASP_TELEMETRY_DISABLE": "1"},
    {"WASP_TELEMETRY_DISABLE": ""},
    {"DO_NOT_TRACK": "true"},
    {"XDG_CONFIG_HOME": "{off}"},
]


#: Runs each of these entries, and prints each process and connection that it makes.
EACH_ENTRY = """
import sys
sys.path.insert(0, sys.argv[1])
import telemetry_ping
names = ("subprocess.", "os.fork", "os.exec", "os.posix_spawn", "socket.")
sys.addaudithook(lambda name, _: name.startswith(names) and print(name, flush=True))
for entry in sys.argv[2:]:
    telemetry_ping.main(entry.split(" "))
"""


@pytest.fixture(params=OPTED_OUT, ids=str)
def opted_out(wasp: Installed, request: pytest.FixtureRequest) -> Installed:
    folder = wasp.base / "off"
    (folder / "wasp").mkdir(parents=True)
    (folder / "wasp" / "telemetry-off").touch()
    variables = {name: value.format(off=folder) for name, value in request.param.items()}
    return wasp.set(**variables, WASP_AUTO_NEWS_DISABLE=None)


def test_no_entry_of_the_ping_does_anything(opted_out: Installed) -> None:
    wasp, before = opted_out, opted_out.files()
    argv = [real_python(), "-I", "-S", "-B", "-c", EACH_ENTRY, str(wasp.root), *ENTRIES]
    for debug in (None, "1"):
        run = wasp.set(WASP_TELEMETRY_DEBUG=debug).run(argv)
        assert re.fullmatch(r"(Telemetry: DISABLED \(.+\)\n)+", run.stdout)
        assert "Traceback" not in run.stderr
    assert wasp.files() == before
    assert wasp.collector.server.connections == 0
    # Without this, nothing would have been shown.
    wasp.set(**dict.fromkeys(NAMES[:3]), WASP_TELEMETRY_DEBUG=None)
    assert "socket.connect" in wasp.run(argv).stdout


@pytest.fixture
def starts(wasp: Installed) -> Path:
    """Where each start of Python leaves a line."""
    log = wasp.base / "starts"
    python = wasp.base / "python"
    python.write_text(f"#!/bin/sh\necho started >>'{log}'\n")
    python.chmod(0o755)
    wasp.put(wasp.prefix, python=str(python))
    return log


def test_the_launcher_starts_no_process(opted_out: Installed, starts: Path) -> None:
    wasp, before = opted_out, opted_out.files()
    for command in ("opted-out", "build", "deploy", "completion:list", "uninstall"):
        wasp.used(command).ok()
    assert wasp.files() == before
    assert not starts.exists()
    assert wasp.used("opted-out").stdout == "1 no\n"
    wasp.set(**dict.fromkeys(NAMES[:3])).used("version")
    assert starts.read_text() == "started\n"


def test_nor_does_what_is_not_counted(wasp: Installed, starts: Path, shell: str) -> None:
    before = wasp.files()
    for command in ("completion:list", "completion:generate:bash", "uninstall"):
        assert wasp.used(command, shell=shell).ok().stderr == ""
    assert wasp.files() == before
    assert wasp.used("opted-out", folder=wasp.here, shell=shell).ok().stdout == "1 1\n"
    assert not starts.exists()
