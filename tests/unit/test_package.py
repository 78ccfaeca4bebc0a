"""`wasp_installer` as packaging scripts use it: from Python, typed, without a command line."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import wasp_installer
from tests.support.archives import sha256_hex, tiny_package
from tests.support.frontends import REPOSITORY
from tests.support.trees import Layout, expected_version_folder
from wasp_installer import Console, InstallerError, Options, install


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "wasp.tgz"
    file.write_bytes(tiny_package("0.25.0").npm_archive())
    return file


def options(archive: Path, stage: Path) -> Options:
    return Options(prefix="/usr", destdir=str(stage), from_file=str(archive))


def test_an_install_from_python(archive: Path, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    result = install(options(archive, stage), Console(quiet=True))
    assert (result.status, result.version) == ("installed", "0.25.0")
    assert result.digest == f"sha256:{sha256_hex(archive.read_bytes())}"
    there = Layout(stage / "usr").version_picture("0.25.0")
    assert there == expected_version_folder(tiny_package("0.25.0"))


def test_the_umask_of_the_caller_stays(archive: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        install(options(archive, tmp_path / "stage"), Console(quiet=True))
        (tmp_path / "empty").write_bytes(b"")
        with pytest.raises(InstallerError):
            install(options(tmp_path / "empty", tmp_path / "stage"), Console(quiet=True))
    finally:
        left = os.umask(before)
    assert left == 0o027


@pytest.mark.usefixtures("_signals")
def test_when_a_version_is_in_its_place_no_signal_ends_the_rest(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.plant("0.25.0")
    there = Options(prefix=str(layout.prefix), wanted="0.25.0", no_modify_path=True)
    assert install(there, Console(quiet=True)).status == "already-installed"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_an_error_is_an_exception_with_slug_and_exit_code(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(b"damaged")
    with pytest.raises(InstallerError) as caught:
        install(options(archive, tmp_path / "stage"), Console(quiet=True))
    assert caught.value.slug == "corrupt-archive"
    assert caught.value.code == 6
    assert caught.value.result is not None
    assert (caught.value.result.status, caught.value.result.source) == ("error", "file")


@pytest.mark.parametrize(
    ("wrong", "slug"),
    [
        ({"source": "ftp"}, "usage"),
        ({"sha256": "abc"}, "usage"),
        ({"from_file": "/no/such/file"}, "file-system"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_done(
    tmp_path: Path, wrong: dict[str, str], slug: str
) -> None:
    stage = tmp_path / "stage"
    with pytest.raises(InstallerError) as caught:
        install(Options(prefix="/usr", destdir=str(stage), **wrong), Console(quiet=True))  # type: ignore[arg-type]
    assert caught.value.slug == slug
    assert not stage.exists()


def test_it_says_that_it_is_typed() -> None:
    assert wasp_installer.__file__ is not None
    assert Path(wasp_installer.__file__).with_name("py.typed").exists()


def test_what_it_offers_is_there() -> None:
    for name in wasp_installer.__all__:
        assert getattr(wasp_installer, name).__doc__, name


def test_there_is_one_version_of_it() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert f'\nversion = "{wasp_installer.__version__}"\n' in project
