"""install.py before its libraries are there; tests/real has the whole of it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pwd
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.frontends import INSTALL_PY, REPOSITORY
from wasp_installer import Console, InstallerError
from wasp_installer.getting import connections

PROJECT = (REPOSITORY / "pyproject.toml").read_text()


def module_of(path: str | Path, name: str = "install") -> ModuleType:
    """The module in a file, imported by this name."""
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
