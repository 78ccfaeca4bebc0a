"""The whole of it under wine: its cmd, its registry, and a real Python for Windows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.collector import Collector
from tests.support.frontends import INSTALL_PY
from tests.support.machines import Machine
from tests.support.processes import COLLECTING
from tests.support.releases import Upstream
from tests.support.wine import Wine, windows_path
from tests.support.wsl import FakeWsl
from wasp_installer.windows.wasp_cmd import wasp_cmd

pytestmark = pytest.mark.full
#: What is typed in cmd, and what reaches wasp.
TYPED = r'new "my app" "a&b|c<d>e" "x^y" "!z!" "$HOME *" "it\'s" "q\"r" "" C:\x\ -- =,;'
REACHED = [
    *("new", "my app", "a&b|c<d>e", "x^y", "!z!", "$HOME *", r"it\'s", 'q"r', ""),
    *("C:\\x\\", "--", "=,;"),
]


def test_wasp_cmd_hands_over_folder_arguments_and_exit_code(
    wine: Wine, wsl: FakeWsl, inside: Machine, tmp_path: Path
) -> None:
    inside.run("install").ok()
    folder = tmp_path / "a folder, with (signs) & more"
    folder.mkdir()
    cmd, script = tmp_path / "wasp.cmd", tmp_path / "typed.cmd"
    cmd.write_bytes(wasp_cmd("Ubuntu", "$HOME/.local/bin/wasp", "wsl.exe"))
    script.write_text(
        f"@echo off\r\ncall {windows_path(cmd)} arguments {TYPED}\r\n"
        # After "call", wine's own cmd forgets what a program ended with.
        f"cmd /c {windows_path(cmd)} exit 42\r\necho left with %ERRORLEVEL%\r\n"
    )
    port = {"WASP_TESTS_WSL_PORT": str(wsl.port)}
    run = wine.run("cmd", "/c", windows_path(script), env=port, cwd=folder)
    assert run.stdout.splitlines() == [f"<{each}>" for each in REACHED] + ["left with 42"], run
    assert {call.folder for call in wsl.calls} == {windows_path(folder)}
    assert all("WASP_TELEMETRY_DISABLE" in call.environment["WSLENV"] for call in wsl.calls)


def test_install_py_puts_wasp_into_wsl_and_itself_on_path(
    wine: Wine,
    wsl: FakeWsl,
    inside: Machine,
    upstream: Upstream,
    collector: Collector,
    tmp_path: Path,
) -> None:
    prefix = windows_path(tmp_path / "with a space")
    env = {
        "WASP_TESTS_WSL_PORT": str(wsl.port),
        "WASP_GITHUB_URL": upstream.github_url,
        "WASP_TELEMETRY_DISABLE": "(unset)",
        "WASP_TELEMETRY_URL": collector.url,
        COLLECTING: "1",
    }
    key = ["reg", "query", r"HKCU\Environment", "/v", "Path"]
    before = wine.run(*key).stdout
    place = ["--prefix", prefix]
    run = wine.python(windows_path(INSTALL_PY), "--json", *place, env=env).ok()
    run.says("Anonymous telemetry")
    [event] = collector.wait_for(1)
    assert (event["event"], event["properties"]) == ("install-script:run", {"os": "windows"})
    assert (run.json["status"], run.json["platform"]["os"]) == ("installed", "windows")
    cmd = f"{prefix}\\bin\\wasp.cmd"
    assert (run.json["executable"], run.json["telemetry"]) == (cmd, "sent")
    assert inside.layout.versions() == ["0.25.0"]
    added = wine.run(*key).stdout
    assert re.search(r"REG_EXPAND_SZ\s+" + re.escape(f"{prefix}\\bin"), added), added
    assert wine.run("cmd", "/c", cmd, "version", env=env).stdout == "0.25.0\n"
    wine.python(windows_path(INSTALL_PY), "uninstall", *place, env=env).ok()
    assert inside.layout.versions() == []
    assert not (tmp_path / "with a space" / "bin").exists()
    assert wine.run(*key).stdout == before
    assert len(collector.deliveries) == 1
