"""The launcher, in every shell that /bin/sh may be."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frontends import REPOSITORY
from tests.support.installed import VERSION, Installed, interpreter, launcher_text
from tests.support.toolboxes import real_tool

DIFFICULT = [
    *("", " ", "two words", "'single' \"double\"", "$HOME `date` $(date) \\", "*", "-n", "--"),
    *("line\nbreak", "zażółć", "tab\there"),
]
LAUNCHER = REPOSITORY / "installed" / "launcher"


@pytest.fixture
def wasp(wasp: Installed) -> Installed:
    return wasp.set(WASP_TELEMETRY_DISABLE="1")


def test_it_is_short() -> None:
    assert LAUNCHER.read_text().count("\n") < 100


def test_arguments_arrive_as_they_were(wasp: Installed, shell: str) -> None:
    told = "".join(f"<{argument}>\n" for argument in DIFFICULT)
    assert wasp.called("arguments", *DIFFICULT, shell=shell).ok().stdout == told
    assert wasp.called(shell=shell).ok().stdout == "0.25.0 0\n"


@pytest.mark.parametrize("telemetry", ["on", "off"])
def test_the_environment_arrives_as_it_was(wasp: Installed, shell: str, telemetry: str) -> None:
    """All of it, but what the launcher is there to set."""
    ours = {"waspc_datadir": f"{wasp.binary.parent}/data", "WASP_TELEMETRY_DISABLE": "1"}
    if telemetry == "on":
        ours["WASP_AUTO_NEWS_DISABLE"] = "1"
        wasp.set(WASP_TELEMETRY_DISABLE=None)
    else:
        wasp.set(WASP_AUTO_NEWS_DISABLE=None)
    names = ("version", "root", "python", "dir", "path", "word", "ping", "folder", "config", "left")
    theirs = {f"wasp_{name}": f"their {name}\n$x'" for name in names}
    wasp.set(**theirs, waspc_datadir="/elsewhere", GREETING="*", CDPATH="/", ENV="/no/such")
    run = wasp.used("environment", shell=shell).ok()
    found = dict(pair.split("=", 1) for pair in run.stdout.split("\0") if pair)
    # What the shells themselves set.
    for name in ("_", "PWD", "OLDPWD", "SHLVL", "A__z", "LOGNAME"):
        found.pop(name, None)
    assert found == {**wasp.environment, **ours}


def test_an_exported_empty_name_stays_that(wasp: Installed, shell: str) -> None:
    run = wasp.set(wasp_root="").called("environment", shell=shell).ok()
    assert [pair for pair in run.stdout.split("\0") if pair[:5] == "wasp_"] == ["wasp_root="]


@pytest.mark.parametrize("code", [0, 1, 7, 130, 255])
def test_the_exit_code_is_that_of_wasp(wasp: Installed, code: int) -> None:
    assert wasp.called("exit", str(code)).code == code


def test_standard_input_arrives(wasp: Installed) -> None:
    run = wasp.run([str(wasp.launcher), "read"], stdin="one\ntwo\n")
    assert run.stdout == "read: one\nread: two\n"


def test_wasp_takes_its_place_and_gets_its_signals(wasp: Installed, shell: str) -> None:
    argv = [*interpreter(shell), str(wasp.launcher), "wait"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=wasp.environment, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"ready {process.pid}\n".encode()
        process.send_signal(signal.SIGTERM)
        assert process.communicate()[0] == b"got TERM\n"
    assert process.returncode == 7


def test_any_current_folder_will_do(wasp: Installed, shell: str) -> None:
    wasp.set(WASP_TELEMETRY_DISABLE=None)
    for own in ("", "PWD=."):
        (wasp.here / "gone").mkdir()
        argv = " ".join(f"'{word}'" for word in [*interpreter(shell), str(wasp.launcher)])
        script = f"cd gone && rmdir ../gone && exec env {own} {argv} version"
        run = wasp.run([str(real_tool("sh")), "-c", script], wasp.here)
        # posh itself crashes in a folder that is gone.
        assert run.stdout == "0.25.0 1\n" or shell == "posh"


def test_it_may_be_linked_to(wasp: Installed) -> None:
    link = wasp.here / "link"
    link.symlink_to(wasp.launcher)
    assert wasp.run([str(link)]).ok().stdout == "0.25.0 0\n"


def test_it_starts_no_other_program(wasp: Installed, shell: str) -> None:
    """Each costs a millisecond. With an empty PATH there is none to be found."""
    wasp.set(WASP_TELEMETRY_DISABLE=None, PATH="/no/such/folder")
    for folder in (wasp.here, wasp.folder):
        assert wasp.used(folder=folder, shell=shell).ok().stderr == ""


def test_options_of_the_shell_change_nothing(wasp: Installed, shell: str) -> None:
    """Such as come by SHELLOPTS."""
    wasp.set(WASP_TELEMETRY_DISABLE=None)
    for option in ("-e", "-u", "-f", "-C", "-a"):
        argv = [*interpreter(shell), option, str(wasp.launcher), "arguments", "*", "a b"]
        run = wasp.run(argv)
        assert (run.stdout, run.stderr) == ("<*>\n<a b>\n", "")
        wasp.settle()
        assert len(wasp.collector.deliveries) == 1, option
        wasp.collector.forget()
        wasp.state_file.unlink()


def test_a_version_that_is_gone_is_named(wasp: Installed, shell: str) -> None:
    wasp.binary.unlink()
    run = wasp.called("version", shell=shell)
    assert (run.code, run.stdout) == (127, "")
    assert run.stderr.startswith(f"wasp: Wasp 0.25.0 is no longer in {wasp.root}.\n      Install")


def test_a_version_that_a_killed_run_left_aside_is_started(wasp: Installed, shell: str) -> None:
    aside = wasp.root / ".staging-host-1-abc" / "replaced"
    aside.mkdir(parents=True)
    (wasp.root / VERSION).rename(aside / VERSION)
    run = wasp.called("environment", shell=shell).ok()
    assert f"waspc_datadir={aside}/{VERSION}/data" in run.stdout.split("\0")


def test_the_manager_is_told_the_prefix(wasp: Installed, shell: str) -> None:
    run = wasp.called("installer", "use", "a b", "", shell=shell).ok()
    assert run.stdout == f"<--prefix>\n<{wasp.prefix}>\n<use>\n<a b>\n<>\n"
    wasp.binary.unlink()  # it is what mends this
    assert wasp.called("installer", shell=shell).ok().stdout == f"<--prefix>\n<{wasp.prefix}>\n"
    (wasp.root / "wasp-installer.sh").unlink()
    run = wasp.called("installer", "list", shell=shell)
    assert (run.code, run.stdout) == (127, "")
    assert run.stderr.startswith(f"wasp: There is no wasp-installer.sh in {wasp.root}.\n      ")


@pytest.mark.parametrize("missing", ["python", "ping"])
def test_without_the_ping_wasps_own_telemetry_is_in_charge(wasp: Installed, missing: str) -> None:
    wasp.set(WASP_TELEMETRY_DISABLE=None, WASP_AUTO_NEWS_DISABLE=None)
    if missing == "python":
        wasp.put(wasp.prefix, python="")
    else:
        (wasp.root / "telemetry_ping.py").unlink()
    assert wasp.used("opted-out").ok().stdout == "no no\n"
    assert wasp.called("telemetry").ok().stdout == "0.25.0 1\n"
    assert wasp.set(DO_NOT_TRACK="1").used("opted-out").stdout == "1 no\n"
    assert wasp.collector.server.connections == 0


# Any byte that the name of a file may hold, and often those that a shell may trip over.
awkward = st.sampled_from(list("'\"\\$`*?[]{}()<>|&;#~! \t\n=%-@"))
folder_names = st.text(
    st.one_of(awkward, st.characters(codec="utf-8", exclude_characters="/\0")),
    min_size=1,
    max_size=30,
).filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) < 200)


@settings(max_examples=25, deadline=None)
@given(folder_names)
def test_the_folder_may_have_any_name(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        binary = Path(base, name, VERSION, "wasp-bin")
        binary.parent.mkdir(parents=True)
        binary.write_text('#!/bin/sh\nprintf "%s|%s" "$waspc_datadir" "$1"\n')
        binary.chmod(0o755)
        script = Path(base, f"{len(name)}-the-launcher")
        script.write_bytes(launcher_text(VERSION, Path(base, name), ""))
        run = subprocess.run([*interpreter("dash"), str(script), name], capture_output=True)
        assert os.fsdecode(run.stdout) == f"{base}/{name}/{VERSION}/data|{name}"
