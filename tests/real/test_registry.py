"""The newest Wasp from the real registry, with the real binary, by every front end."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.real.conftest import go_online
from tests.support.machines import Machine
from tests.support.registries import npm_environment
from tests.support.terminals import Terminal
from tests.support.toolboxes import real_tool

pytestmark = pytest.mark.real


@pytest.fixture(scope="session")
def newest(registry: str) -> dict[str, Any]:
    """What the registry says of the newest version: its number, archive and Node.js."""

    def ask(path: str) -> Any:
        return requests.get(f"{registry}@wasp.sh%2fwasp-cli{path}", timeout=60).json()

    wrapper = ask("/latest")
    dist = ask(f"-linux-x64-glibc/{wrapper['version']}")["dist"]
    digest = base64.b64decode(dist["integrity"].removeprefix("sha512-")).hex()
    return {**wrapper, "url": dist["tarball"], "digest": f"sha512:{digest}", "source": "npm"}


def test_the_newest_wasp_is_installed_and_runs(
    machine: Machine, registry: str, newest: dict[str, Any]
) -> None:
    """What is in the archive is compared in test_published.py."""
    online = go_online(machine, registry)
    told = online.install().ok().json
    for key in ("version", "url", "digest", "source"):
        assert told[key] == newest[key]
    assert online.layout.receipt(newest["version"])["node"] == newest["engines"]["node"]
    assert online.wasp("version").ok().stdout == f"{newest['version']}\n"
    # The tree has seventy megabytes, and there is one for every front end.
    shutil.rmtree(online.home)


def test_npm_takes_over_after_migrating(
    shell_machine: Machine, registry: str, tmp_path: Path
) -> None:
    """npm's package refuses an installed Wasp before it installs anything; migrating helps."""
    online = go_online(shell_machine, registry)
    online.layout.plant("0.24.0")
    online.run("use", "0.24.0").ok()

    def install_by_npm(prefix: Path) -> subprocess.CompletedProcess[str]:
        """The real package, without the binary, which no check looks at."""
        options = ["--omit=optional", "--foreground-scripts", "--prefix", str(prefix)]
        command = [str(real_tool("npm")), "install", "-g", *options, "@wasp.sh/wasp-cli"]
        kept = {"npm_config_cache": str(tmp_path / "npm-cache")}
        environment = {**npm_environment(online.home, registry), **kept}
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=online.root
        )

    before = install_by_npm(tmp_path / "before")
    assert before.returncode != 0
    assert "migrate-to-npm" in before.stderr
    online.run("migrate-to-npm").ok()
    after = install_by_npm(tmp_path / "after")
    assert after.returncode == 0, after.stderr
    assert (tmp_path / "after" / "bin" / "wasp").exists()
    online.install().failed(8, "npm-managed")


# --- tab completion, in real shells on a terminal, as an install has set it up

#: What is typed before the tab key, and the arguments that wasp then has.
LINES = {
    "wasp tele": "telemetry",
    "wasp db migr": "db migrate-dev",
    # Wasp's own list lacks these.
    "wasp installe": "installer",
    "wasp installer doc": "installer doctor",
    "wasp installer use 0.2": "installer use 0.25.0",
    "wasp instal": "install",
    "wasp build st": "build start",
    "wasp telemetry sh": "telemetry show",
    # And it repeats this one.
    "wasp clean cl": "clean cl",
}
ECHO = "PS1='> '; wasp() { echo \"wasp has: $*.\"; }\n"
#: Start-up files that make wasp show what was completed.
OWNERS = {
    "bash": (".bashrc", ECHO),
    "zsh": (".zshrc", f"{ECHO}autoload -Uz compinit && compinit -u\n"),
    "fish": (".config/fish/config.fish", 'function wasp; echo "wasp has: $argv."; end\n'),
}


def test_the_tab_key_completes_what_wasp_has(shell_machine: Machine, registry: str) -> None:
    machine = shell_machine
    go_online(machine, registry).install("0.25.0").ok()
    for name, (startup, content) in OWNERS.items():
        file = machine.home / startup
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        # It is installed already; the lines come with that.
        machine.set(SHELL=f"/bin/{name}").install("0.25.0").ok().says("tab completion")
        # Some shells leave files in TMPDIR.
        environment = {**machine.environment, "TMPDIR": str(machine.home)}
        shell = Terminal([str(real_tool(name)), "-i"], environment, machine.here)
        for typed, arguments in LINES.items():
            shell.type(f"{typed}\t\r")
            shell.wait_for(f"wasp has: {arguments}.")
        shell.type("exit\r")
        shell.finish()
        file.unlink()
