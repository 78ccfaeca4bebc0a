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


@pytest.fixture
def bootstrap() -> ModuleType:
    """install.py as a module."""
    return module_of("install", INSTALL_PY)


def module_of(name: str, path: str | Path) -> ModuleType:
    """The module in a file, imported by this name."""
    spec = importlib.util.spec_from_file_location(name, path)
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
    monkeypatch: pytest.MonkeyPatch, version: str, fits: bool
) -> None:
    monkeypatch.setattr("requests.__version__", version)
    with contextlib.nullcontext() if fits else pytest.raises(ImportError, match="is too old"):
        module_of("wasp_installer.getting.imported_again", connections.__file__)


def test_a_broken_library_is_as_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "requests.py").write_text("raise ImportError\n")
    done = subprocess.run(
        [sys.executable, str(INSTALL_PY), "--source", "github", "--json"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "WASP_INSTALLER_ENVIRONMENT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "is incomplete" in json.loads(done.stdout)["message"]


def test_the_libraries_are_those_of_the_project(bootstrap: ModuleType) -> None:
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    assert listed is not None
    named = set(re.findall(r'^ +"(\w+)[^;"]*"', listed[1], re.MULTILINE))
    newer = set(re.findall(r'^ +"(\w+).*python_version >= .3\.10', listed[1], re.MULTILINE))
    assert {*bootstrap._LIBRARIES} == named | (newer if sys.version_info >= (3, 10) else set())


def test_it_may_be_reached_by_a_link(tmp_path: Path) -> None:
    link = tmp_path / "wasp-installer"
    link.symlink_to(INSTALL_PY)
    code = "import runpy; print(runpy.run_path(__import__('sys').argv[1])['_LOCK'])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(link)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(INSTALL_PY.with_name("requirements.lock"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment is to be; only its uppermost folder is there."""
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user" / "cache"))
    return tmp_path / "user" / "cache" / "wasp" / "installer"


#: A Python that makes environments whose own Python notes how it is called; one that has no venv;
#: and one in whose environments pip fails.
PYTHONS = {
    "": """
        for folder; do :; done
        mkdir "$folder/bin"
        printf '#!/bin/sh\\necho "$@" >>"$0.log"\\n' >"$folder/bin/python"
        chmod +x "$folder/bin/python"
    """,
    "missing-tool": "echo 1; echo 2; echo 3; echo 4; exit 1",
    "connection": """
        for folder; do :; done
        mkdir "$folder/bin" && ln -s /bin/false "$folder/bin/python"
    """,
}


def become(python: Path, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    python.write_text(f"#!/bin/sh\n{PYTHONS[slug]}\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))


def test_the_environment_is_made_once(
    bootstrap: ModuleType, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(tmp_path / "python", "", monkeypatch)
    lock = tmp_path / "requirements.lock"
    lock.write_text("")
    monkeypatch.setattr(bootstrap, "_LOCK", lock)
    python = bootstrap._environment(Console(quiet=True))
    [folder] = cache.iterdir()
    assert python == folder / "bin" / "python"
    [call] = python.with_name("python.log").read_text().splitlines()
    assert "--require-hashes" in call.split()
    assert call.endswith(f" -r {lock}")
    monkeypatch.setattr(bootstrap, "_make_environment", lambda _: pytest.fail("made again"))
    assert bootstrap._environment(Console(quiet=True)) == python
    # Other libraries are another environment.
    lock.write_text("other")
    with pytest.raises(pytest.fail.Exception):
        bootstrap._environment(Console(quiet=True))


@pytest.mark.parametrize("slug", ["missing-tool", "connection"])
def test_an_environment_that_cannot_be_made_leaves_nothing(
    bootstrap: ModuleType, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    become(tmp_path / "python", slug, monkeypatch)
    with pytest.raises(InstallerError) as caught:
        bootstrap._environment(Console(quiet=True))
    assert caught.value.slug == slug
    # The last lines of what was said come before the advice.
    assert slug != "missing-tool" or str(caught.value.hint).startswith("2\n3\n4\nInstall ")
    assert not cache.parent.parent.exists()
    assert cache.parent.parent.parent.exists()


def test_an_environment_that_lacks_the_libraries_is_not_made_again(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASP_INSTALLER_ENVIRONMENT", "1")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InstallerError) as caught:
        bootstrap._see_to_libraries(Console(quiet=True), False)
    assert caught.value.slug == "unexpected"


def test_without_a_home_there_is_no_place_for_the_libraries(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    with pytest.raises(InstallerError) as caught:
        bootstrap._cache()
    assert caught.value.slug == "file-system"
