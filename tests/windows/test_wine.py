"""The whole of it under wine: its cmd, its registry, and a real Python for Windows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.archives import DATA_MEMBERS, Member, tgz_of
from tests.support.collector import Collector
from tests.support.frontends import REPOSITORY
from tests.support.machines import Machine
from tests.support.processes import COLLECTING
from tests.support.releases import (
    GITHUB_LATEST_PATH,
    Upstream,
    github_api_path,
    github_download_path,
    github_tag_path,
)
from tests.support.replies import Content, json_content, redirect
from tests.support.server import Server
from tests.support.windows_programs import python_program
from tests.support.wine import Wine, windows_path
from tests.support.wsl import FakeWsl
from wasp_installer.windows import wasp_cmd

pytestmark = pytest.mark.thorough

INSTALL = REPOSITORY / "install.py"


def test_wasp_cmd_hands_over_folder_arguments_and_exit_code(
    wine: Wine, wsl: FakeWsl, inside: Machine, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.publish("0.25.0")
    inside.install().ok()
    folder = tmp_path / "a folder, with (signs) & more"
    folder.mkdir()
    cmd = tmp_path / "wasp.cmd"
    cmd.write_bytes(wasp_cmd("Ubuntu", "$HOME/.local/bin/wasp", "wsl.exe", r"C:\windows"))
    wasp = f"call {windows_path(cmd)}"
    typed = (
        r'arguments new "my app" "a&b|c<d>e" "x^y" "!z!" "$HOME *" "it\'s" "q\"r" "" C:\x\ -- =,;'
    )
    run = wine.batch(
        f"{wasp} {typed}",
        # After "call", wine's own cmd forgets what a program ended with.
        f"cmd /c {windows_path(cmd)} exit 42",
        "echo left with %ERRORLEVEL%",
        env={"WASP_TESTS_WSL_PORT": str(wsl.port)},
        cwd=folder,
    )
    expected = [
        *("new", "my app", "a&b|c<d>e", "x^y", "!z!", "$HOME *", r"it\'s", 'q"r', ""),
        *("C:\\x\\", "--", "=,;"),
    ]
    assert run.stdout.split("\n")[: len(expected)] == [f"<{each}>" for each in expected], run
    assert run.stdout.endswith("left with 42\n")
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
    upstream.publish("0.25.0")
    prefix = tmp_path / "with a space"
    env = {
        "WASP_TESTS_WSL_PORT": str(wsl.port),
        "WASP_GITHUB_URL": upstream.github_url,
        "WASP_TELEMETRY_DISABLE": "(unset)",
        "WASP_TELEMETRY_URL": collector.url,
        COLLECTING: "1",
    }
    key = ["reg", "query", r"HKCU\Environment", "/v", "Path"]
    before = wine.run(*key).stdout
    place = ["--prefix", windows_path(prefix)]
    run = wine.python(windows_path(INSTALL), "--json", *place, env=env).ok()
    [event] = collector.wait_for(1)
    assert event["event"] == "install-script:run"
    assert event["properties"] == {"os": "windows"}
    assert 'a random id and "windows" are sent' in run.stderr
    assert (run.json["status"], run.json["platform"]["os"]) == ("installed", "windows")
    cmd = windows_path(prefix) + "\\bin\\wasp.cmd"
    assert (run.json["executable"], run.json["telemetry"]) == (cmd, "sent")
    assert inside.layout.versions() == ["0.25.0"]
    added = wine.run(*key).stdout
    assert re.search(r"REG_EXPAND_SZ\s+" + re.escape(windows_path(prefix) + "\\bin"), added), added
    assert wine.run("cmd", "/c", cmd, "version", env=env).stdout == "0.25.0\n"
    wine.python(windows_path(INSTALL), "uninstall", *place, env=env).ok()
    assert inside.layout.versions() == []
    assert not (prefix / "bin").exists()
    assert wine.run(*key).stdout == before
    assert len(collector.deliveries) == 1


def test_a_build_for_windows_is_installed_as_it_is(
    wine: Wine, server: Server, upstream: Upstream, tmp_path: Path
) -> None:
    script = tmp_path / "wasp.py"
    script.write_text(
        "import os, sys\n"
        "if sys.argv[1:] == ['version']: print('0.30.0'); sys.exit()\n"
        "print(sys.argv[1:], os.environ['waspc_datadir'])\n"
        "sys.exit(7)\n"
    )
    binary = python_program("-S", windows_path(script))
    archive = tgz_of([Member("wasp-bin.exe", binary, 0o755), DATA_MEMBERS[0]])
    name = "windows-x86_64"
    path = github_download_path("0.30.0", name)
    server.answer(path, Content(archive))
    server.answer(github_tag_path("0.30.0"), Content(b"<html>\n"))
    server.answer(GITHUB_LATEST_PATH, redirect(f"{server.url}{github_tag_path('0.30.0')}"))
    assets = json_content({"assets": [{"name": f"wasp-{name}.tar.gz"}]})
    server.answer(github_api_path("0.30.0"), assets)
    prefix = tmp_path / "prefix"
    home = {"PYTHONHOME": windows_path(wine.home), "WASP_GITHUB_URL": upstream.github_url}
    place = ["--prefix", windows_path(prefix), "--no-modify-path"]
    run = wine.python(windows_path(INSTALL), "--json", *place, env=home).ok()
    assert (run.json["status"], run.json["source"]) == ("installed", "github")
    version = prefix / "share" / "wasp-lang" / "0.30.0"
    assert (version / "wasp-bin.exe").read_bytes() == binary
    receipt = json.loads((version / ".receipt.json").read_text())
    assert receipt["platform"] == {"os": "windows", "arch": "x86_64", "libc": None}
    cmd = windows_path(prefix / "bin" / "wasp.cmd")
    wasp = wine.batch(f'cmd /c {cmd} new "my app"', "echo %ERRORLEVEL%", env=home, cwd=tmp_path)
    data = windows_path(prefix / "bin") + "\\..\\share\\wasp-lang\\0.30.0\\data"
    assert wasp.stdout == f"['new', 'my app'] {data}\n7\n"
    wine.python(windows_path(INSTALL), "uninstall", *place, env=home).ok()
    assert not (prefix / "bin").exists()


def test_without_wsl_it_says_what_to_type(wine: Wine) -> None:
    env = {"WINEPATH": "(unset)", "WASP_NPM_REGISTRY": "http://127.0.0.1:1"}
    run = wine.python(windows_path(INSTALL), "--json", "--source", "npm", env=env)
    run.failed(3, "unsupported-platform").says("wsl --install", "restart Windows")


def test_telemetry_of_a_program_in_python(wine: Wine, collector: Collector, tmp_path: Path) -> None:
    """``notify_invocation`` starts a process without a window, which outlives its own."""
    project = tmp_path / "project"
    project.mkdir()
    (project / ".wasproot").touch()
    folder = windows_path(tmp_path / "local")
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {windows_path(REPOSITORY)!r})\n"
        f"os.chdir({windows_path(project)!r})\n"
        f"os.environ['LOCALAPPDATA'] = {folder!r}\n"
        "from telemetry_ping import notify_invocation\n"
        "notify_invocation(['build'], '0.25.0')\n"
        f"print(os.path.exists({folder!r}))\n"
        "del os.environ['WASP_TELEMETRY_DISABLE']\n"
        "notify_invocation(['build'], '0.25.0')\n"
        "notify_invocation(['build'], '0.25.0')\n"
    )
    env = {"WASP_TELEMETRY_URL": collector.url, COLLECTING: "1"}
    run = wine.python(windows_path(program), env=env).ok()
    assert (run.stdout, run.stderr) == ("False\n", "")
    [event] = collector.wait_for(1)
    assert event["properties"]["os"] == "windows"
    assert event["properties"]["is_build"] is True
    assert event["properties"]["wasp_version"] == "0.25.0"
