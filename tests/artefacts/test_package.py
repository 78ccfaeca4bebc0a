"""The package itself, as pip makes and installs it: whole without a checkout around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.trees import Layout

pytestmark = pytest.mark.real

SOURCES = (
    *("pyproject.toml", "packaging/build_backend.py", "README.md", "LICENSE", "requirements.lock"),
    *("install.py", "telemetry_ping.py", "wasp_installer"),
)
#: Those of a checkout whose installer knows no release, as those of the tests are made up.
MADE = ("install.sh", "packaging/releases.json")
BUILD = """
import sys
sys.path.insert(0, 'packaging')
import build_backend
build_backend.build_sdist(sys.argv[1])
"""
INSTALL = """
import sys
sys.path.insert(0, sys.argv[1])
import wasp_installer
from wasp_installer.command_line.main import main
assert wasp_installer.__file__.startswith(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""
PIP = ("-m", "pip", "--disable-pip-version-check")


def python(*arguments: str | Path, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where it is installed, from a wheel, made from the sdist, which so has all that it takes."""
    sources, backend, made = tmp_path / "sources", tmp_path / "backend", tmp_path / "made"
    made.mkdir()
    for root, names in ((REPOSITORY, SOURCES), (CHECKOUT, MADE)):
        for name in names:
            place = sources / name
            place.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (root / name).is_dir() else shutil.copy
            copy(root / name, place)
    python(*PIP, "install", "-q", "--target", backend, "setuptools>=77", cwd=tmp_path)
    python("-c", BUILD, made, cwd=sources, PYTHONPATH=str(backend))
    [sdist] = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        assert {"install.py", *MADE} <= {name.partition("/")[2] for name in archive.getnames()}
    without = ("--no-deps", "--no-build-isolation", "--no-index")
    packed = ("wheel", "-q", *without, "-w", str(made), str(sdist))
    python(*PIP, *packed, cwd=tmp_path, PYTHONPATH=str(backend))
    shutil.unpack_archive(next(made.glob("*.whl")), tmp_path / "site", "zip")
    return tmp_path / "site"


def test_an_installed_package_installs_far_from_any_checkout(site: Path, tmp_path: Path) -> None:
    for source in MADE:
        inside = site / "wasp_installer" / Path(source).name
        assert inside.read_bytes() == (CHECKOUT / source).read_bytes()
    assert (site / "wasp_installer" / "py.typed").exists()
    archive = tmp_path / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    home = tmp_path / "home"
    home.mkdir()

    def run(*arguments: str) -> dict[str, object]:
        words = ("-I", "-c", INSTALL, str(site), *arguments, "--json")
        report = json.loads(python(*words, cwd=tmp_path, HOME=str(home)))
        assert isinstance(report, dict)
        return report

    report = run("--from-file", str(archive))
    assert (report["status"], report["version"]) == ("installed", "0.25.0")
    assert (Layout(home / ".local").share / "telemetry_ping.py").exists()
    assert run("list")["versions"] == ["0.25.0"]
