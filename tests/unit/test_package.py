"""`wasp_installer` as packaging scripts use it: from Python, typed, without a command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wasp_installer
from tests.support.archives import sha256_hex, tiny_package
from tests.support.frontends import REPOSITORY
from tests.support.trees import Layout, expected_version_folder
from wasp_installer import Console, InstallerError, Options, Result, install

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
def test_an_error_is_an_exception_with_slug_and_exit_code(
    tmp_path: Path, wrong: dict[str, Any], slug: str, code: int
) -> None:
    with pytest.raises(InstallerError) as caught:
        installed(tmp_path, **wrong)
    assert (caught.value.slug, caught.value.code) == (slug, code)
    assert caught.value.result is not None
    assert caught.value.result.status == "error"
    assert not (tmp_path / "stage").exists()


def test_there_is_one_version_of_it() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert f'\nversion = "{wasp_installer.__version__}"\n' in project
