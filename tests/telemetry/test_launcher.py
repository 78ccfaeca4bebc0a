"""The launcher, in every shell that /bin/sh may be."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.support.frontends import REPOSITORY
from tests.support.installed import VERSION, Installed, interpreter

DIFFICULT = [
    *("", " ", "two words", "'single' \"double\"", "$HOME `date` $(date) \\", "*", "-n", "--"),
    *("line\nbreak", "zażółć", "tab\there"),
]


@pytest.fixture
def wasp(wasp: Installed) -> Installed:
    """In a folder whose name is full of what a shell may trip over."""
    wasp.put(wasp.home / "'\"\\$HOME`date`*?[a]{b}(c)<>|&;#~! \t\n=%-@ż")
    return wasp.set(WASP_TELEMETRY_DISABLE="1")


def test_it_is_short() -> None:
    assert (REPOSITORY / "installed" / "launcher").read_text().count("\n") < 100


def test_arguments_arrive_as_they_were(wasp: Installed, shell: str) -> None:
    told = "".join(f"<{argument}>\n" for argument in DIFFICULT)
    assert wasp.called("arguments", *DIFFICULT, shell=shell).ok().stdout == told
    assert wasp.called(shell=shell).ok().stdout == "0.25.0 0\n"


@pytest.mark.parametrize("telemetry", ["on", "off"])
def test_the_environment_arrives_as_it_was(wasp: Installed, shell: str, telemetry: str) -> None:
    """All of it, but what the launcher is there to set."""
    ours = {"waspc_datadir": f"{wasp.binary.parent}/data", "WASP_TELEMETRY_DISABLE": "1"}
    value = "" if telemetry == "off" else "their value\n$x'"
    if telemetry == "on":
        ours["WASP_AUTO_NEWS_DISABLE"] = "1"
        wasp.set(WASP_TELEMETRY_DISABLE=None)
    else:
        wasp.set(WASP_AUTO_NEWS_DISABLE=None)
    names = ("version", "root", "python", "dir", "path", "word", "ping", "folder", "config", "left")
    wasp.set(**{f"wasp_{name}": value for name in names})
    wasp.set(waspc_datadir="/elsewhere", GREETING="*", CDPATH="/", ENV="/no/such")
    run = wasp.used("environment", shell=shell).ok()
    found = dict(pair.split("=", 1) for pair in run.stdout.split("\0") if pair)
    # What the shells themselves set.
    for name in ("_", "PWD", "OLDPWD", "SHLVL", "A__z", "LOGNAME"):
        found.pop(name, None)
    assert found == {**wasp.environment, **ours}


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
        script = f'cd gone && rmdir ../gone && exec env {own} "$@" version'
        argv = [*interpreter(shell), str(wasp.launcher)]
        run = wasp.run(["/bin/sh", "-c", script, "sh", *argv], wasp.here)
        # posh itself crashes in a folder that is gone.
        assert run.stdout == "0.25.0 1\n" or shell == "posh"


def test_it_starts_no_other_program(wasp: Installed, shell: str) -> None:
    """Each costs a millisecond. With an empty PATH there is none to be found."""
    wasp.set(WASP_TELEMETRY_DISABLE=None, PATH="/no/such/folder")
    for folder in (wasp.here, wasp.folder):
        assert wasp.used(folder=folder, shell=shell).ok().stderr == ""


def test_options_of_the_shell_change_nothing(wasp: Installed, shell: str) -> None:
    """Such as come by SHELLOPTS; and it may be linked to."""
    link = wasp.here / "link"
    link.symlink_to(wasp.launcher)
    wasp.set(WASP_TELEMETRY_DISABLE=None)
    for option in ("-e", "-u", "-f", "-C", "-a"):
        run = wasp.run([*interpreter(shell), option, str(link), "arguments", "*", "a b"])
        assert (run.stdout, run.stderr) == ("<*>\n<a b>\n", "")
        wasp.settle()
        assert len(wasp.collector.deliveries) == 1, option
        wasp.collector.forget()
        wasp.state_file.unlink()


def test_a_version_that_is_gone_is_named_or_started_where_a_killed_run_left_it(
    wasp: Installed, shell: str
) -> None:
    aside = wasp.root / ".staging-host-1-abc" / "replaced"
    aside.mkdir(parents=True)
    (wasp.root / VERSION).rename(aside / VERSION)
    run = wasp.called("environment", shell=shell).ok()
    assert f"waspc_datadir={aside}/{VERSION}/data" in run.stdout.split("\0")
    (aside / VERSION / "wasp-bin").unlink()
    run = wasp.called("version", shell=shell)
    assert (run.code, run.stdout) == (127, "")
    assert run.stderr.startswith(f"wasp: Wasp 0.25.0 is no longer in {wasp.root}.\n      Install")


def test_the_manager_is_told_the_prefix(wasp: Installed, shell: str) -> None:
    wasp.binary.unlink()  # the manager is what mends this
    run = wasp.called("installer", "use", "a b", "", shell=shell).ok()
    assert run.stdout == f"<--prefix>\n<{wasp.prefix}>\n<use>\n<a b>\n<>\n"
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
