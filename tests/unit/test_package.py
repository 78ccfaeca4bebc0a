"""install.py from Python: as a package, and before its libraries are there (see tests/real)."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import wasp_installer
from tests.support.archives import sha256_hex, tiny_package
from tests.support.frontends import INSTALL_PY, REPOSITORY
from tests.support.trees import Layout, expected_version_folder
from wasp_installer import Console, InstallerError, Options, Result, install
from wasp_installer.getting import connections

ARCHIVE = tiny_package("0.25.0").npm_archive()


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Whatever comes of an install, that of the caller stays."""
    before = os.umask(0o027)
    yield
    assert os.umask(before) == 0o027


def installed(folder: Path, archive: bytes = ARCHIVE, **more: Any) -> Result:
    file = folder / "wasp.tgz"
    file.write_bytes(archive)
    options = {"prefix": "/usr", "destdir": f"{folder}/stage", "from_file": str(file), **more}
    return install(Options(**options), Console(quiet=True))


def test_an_install_from_python(tmp_path: Path) -> None:
    result = installed(tmp_path)
    assert (result.status, result.version) == ("installed", "0.25.0")
    assert result.digest == f"sha256:{sha256_hex(ARCHIVE)}"
    there = Layout(tmp_path / "stage/usr").version_picture("0.25.0")
    assert there == expected_version_folder(tiny_package("0.25.0"))


@pytest.mark.parametrize(
    ("wrong", "slug", "code"),
    [
        ({"archive": b"damaged"}, "corrupt-archive", 6),
        ({"source": "ftp"}, "usage", 2),
        ({"sha256": "abc"}, "usage", 2),
        ({"from_file": "/no/such/file"}, "file-system", 7),
    ],
)
def test_errors_are_exceptions(tmp_path: Path, wrong: dict[str, Any], slug: str, code: int) -> None:
    with pytest.raises(InstallerError) as caught:
        installed(tmp_path, **wrong)
    assert (caught.value.slug, caught.value.code) == (slug, code)
    assert caught.value.result is not None
    assert caught.value.result.status == "error"
    assert not (tmp_path / "stage").exists()


def test_there_is_one_version_of_it() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert f'\nversion = "{wasp_installer.__version__}"\n' in project


PROJECT = (REPOSITORY / "pyproject.toml").read_text()


def module_of(path: str | Path, name: str = "install") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bootstrap(tmp_path: Path) -> ModuleType:
    """install.py, reached by a link."""
    link = tmp_path / "wasp-installer.py"
    link.symlink_to(INSTALL_PY)
    return module_of(link)


def test_where_the_libraries_are_kept(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root runs nothing out of the home of another, under a sudo that keeps HOME."""
    assert INSTALL_PY.with_name("requirements.lock") == bootstrap._LOCK
    monkeypatch.setenv("HOME", str(tmp_path))
    for named, base in (("", f"{tmp_path}/.cache"), ("rel", f"{tmp_path}/.cache"), ("/c", "/c")):
        monkeypatch.setenv("XDG_CACHE_HOME", named)
        assert bootstrap._cache() == Path(base, "wasp/installer")
    if os.geteuid() == 0:
        os.chown(tmp_path, 1000, 1000)
    with monkeypatch.context() as context:
        context.setattr("os.geteuid", lambda: 0)
        assert bootstrap._cache() == Path(pwd.getpwuid(0).pw_dir, ".cache/wasp/installer")
    monkeypatch.delenv("HOME")
    with pytest.raises(InstallerError) as caught:
        bootstrap._cache()
    assert caught.value.slug == "file-system"


def test_the_libraries_that_are_there_must_be_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("2.32.0", "3.0rc1", "2.40.dev1", "2.31.9"):
        monkeypatch.setattr("requests.__version__", version)
        is_old = pytest.raises(ImportError, match="is too old")
        with is_old if version == "2.31.9" else contextlib.nullcontext():
            module_of(connections.__file__, "wasp_installer.getting.imported_again")


def test_a_broken_library_is_as_one_that_is_not_there(tmp_path: Path) -> None:
    """And an environment that lacks it is not made again."""
    (tmp_path / "requests.py").write_text("raise ImportError\n")
    done = subprocess.run(
        [sys.executable, str(INSTALL_PY), "--source", "github", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "WASP_INSTALLER_ENVIRONMENT": "1"},
        capture_output=True,
        text=True,
    )
    assert "is incomplete" in json.loads(done.stdout)["message"]


def test_the_libraries_are_those_of_the_project(bootstrap: ModuleType) -> None:
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    assert listed is not None
    named = set(re.findall(r'^ +"(\w+)[^;"]*"', listed[1], re.MULTILINE))
    newer = set(re.findall(r'^ +"(\w+).*python_version >= .3\.10', listed[1], re.MULTILINE))
    assert {*bootstrap._LIBRARIES} == named | (newer if sys.version_info >= (3, 10) else set())


#: A Python that makes environments whose own Python notes how it is called; one that has no venv;
#: and one in whose environments pip fails.
PYTHONS = {
    "": 'mkdir "$4/bin"; printf \'#!/bin/sh\\necho "$@" >>"$0.log"\\n\' >"$4/bin/python"\n'
    'chmod +x "$4/bin/python"',
    "missing-tool": "echo 1; echo 2; echo 3; echo 4; exit 1",
    "connection": 'mkdir "$4/bin" && ln -s /bin/false "$4/bin/python"',
}


@pytest.mark.parametrize("slug", PYTHONS)
def test_the_environment_is_made_once_or_leaves_nothing(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    user, python, lock = (tmp_path / name for name in ("user", "python", "requirements.lock"))
    user.mkdir()
    python.write_text(f"#!/bin/sh\n{PYTHONS[slug]}\n")
    python.chmod(0o755)
    lock.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", f"{user}/cache")
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setattr(bootstrap, "_LOCK", lock)
    if slug:
        with pytest.raises(InstallerError) as caught:
            bootstrap._environment(Console(quiet=True))
        assert caught.value.slug == slug
        # The last lines of what was said come before the advice.
        assert slug != "missing-tool" or str(caught.value.hint).startswith("2\n3\n4\nInstall ")
        assert list(user.iterdir()) == []
        return
    made = bootstrap._environment(Console(quiet=True))
    [folder] = (user / "cache/wasp/installer").iterdir()
    assert made == folder / "bin/python"
    [call] = made.with_name("python.log").read_text().splitlines()
    assert "--require-hashes" in call.split()
    assert call.endswith(f" -r {lock}")
    monkeypatch.setattr(bootstrap, "_make_environment", lambda _: pytest.fail("made again"))
    assert bootstrap._environment(Console(quiet=True)) == made
    # Other libraries are another environment.
    lock.write_text("other")
    with pytest.raises(pytest.fail.Exception):
        bootstrap._environment(Console(quiet=True))
