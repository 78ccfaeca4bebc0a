"""The package itself, as pip makes and installs it: whole without a checkout around it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
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
CARRIED = ("install.sh", "releases.json")
INSTALL = """
import sys
sys.path.insert(0, sys.argv[1])
import wasp_installer
from wasp_installer.command_line.main import main
assert wasp_installer.__file__.startswith(sys.argv[1])
sys.exit(main(sys.argv[2:]))
"""


def python(*arguments: str, **options: object) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made from the sdist, so that this has all that it takes."""
    folder = tmp_path_factory.mktemp("package")
    sources, backend, made = folder / "sources", folder / "backend", folder / "made"
    ignored = shutil.ignore_patterns("__pycache__")
    for root, names in ((REPOSITORY, SOURCES), (CHECKOUT, MADE)):
        for name in names:
            place = sources / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if (root / name).is_dir():
                shutil.copytree(root / name, place, ignore=ignored)
            else:
                shutil.copy(root / name, place)
    pip = ("-m", "pip", "--disable-pip-version-check")
    python(*pip, "install", "-q", "--target", str(backend), "setuptools>=77")
    environment = {**os.environ, "PYTHONPATH": str(backend)}
    build = "import sys; sys.path.insert(0, 'packaging'); import build_backend as backend\n"
    build += f"backend.build_sdist({str(made)!r})"
    made.mkdir()
    python("-c", build, cwd=sources, env=environment)
    [sdist] = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"install.py", *MADE} <= inside
    without = ("--no-deps", "--no-build-isolation", "--no-index")
    python(*pip, "wheel", "-q", *without, "-w", str(made), str(sdist), env=environment)
    [wheel] = made.glob("*.whl")
    return wheel


def test_it_carries_what_it_runs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name, source in zip(CARRIED, MADE):
            assert archive.read(f"wasp_installer/{name}") == (CHECKOUT / source).read_bytes()
        assert "telemetry_ping.py" in archive.namelist()
        assert "wasp_installer/py.typed" in archive.namelist()


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    shutil.unpack_archive(wheel, folder, "zip")
    return folder


def run(site: Path, *arguments: str, **more: str) -> Mapping[str, object]:
    """What the installed package reports, far from any checkout."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", INSTALL, str(site), *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=site.parent,
        env={**os.environ, **more},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return report


def test_an_installed_package_installs(site: Path, tmp_path: Path) -> None:
    archive = tmp_path / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    home = tmp_path / "home"
    home.mkdir()
    report = run(site, "--from-file", str(archive), HOME=str(home))
    assert (report["status"], report["version"]) == ("installed", "0.25.0")
    layout = Layout(home / ".local")
    assert (layout.share / "telemetry_ping.py").exists()
    assert run(site, "list", HOME=str(home))["versions"] == ["0.25.0"]
