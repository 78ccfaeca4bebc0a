"""install.py before its libraries are there; tests/real has the whole of it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.frontends import INSTALL_PY


@pytest.fixture
def bootstrap() -> ModuleType:
    """install.py as a module."""
    spec = importlib.util.spec_from_file_location("install", INSTALL_PY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_libraries_are_kept_in_the_cache(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert bootstrap._cache() == tmp_path / ".cache/wasp/installer"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert bootstrap._cache() == tmp_path / ".cache/wasp/installer"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert bootstrap._cache() == Path("/cache/wasp/installer")


def test_root_runs_nothing_out_of_the_home_of_another(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a sudo that keeps HOME."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 1000, 1000)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", f"{tmp_path}/.cache")
    assert bootstrap._cache() == Path(pwd.getpwuid(0).pw_dir) / ".cache/wasp/installer"


@pytest.mark.parametrize(
    ("version", "fits"),
    [("2.32.0", True), ("2.31.9", False), ("3.0rc1", True), ("2.40.dev1", True)],
)
def test_the_libraries_that_are_there_must_be_new_enough(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, version: str, fits: bool
) -> None:
    monkeypatch.setattr("requests.__version__", version)
    assert bootstrap._has_libraries() == fits


def test_a_broken_library_is_as_one_that_is_not_there(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", refuse)
    assert not bootstrap._has_libraries()


def test_it_may_be_reached_by_a_link(tmp_path: Path) -> None:
    link = tmp_path / "wasp-installer"
    link.symlink_to(INSTALL_PY)
    code = "import runpy; print(runpy.run_path(__import__('sys').argv[1])['_LOCK'])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(link)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(INSTALL_PY.with_name("requirements.lock"))
