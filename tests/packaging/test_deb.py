"""The Debian package: built from what install.py stages, installed by dpkg, and removed again."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.jails import Jail, run_to_end
from tests.support.archives import Member, Package, tiny_binary
from tests.support.frontends import CHECKOUT
from tests.support.locks import locked
from tests.support.machines import Run
from tests.support.registries import npm_registry
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture

DEB_PY = CHECKOUT / "packaging" / "deb.py"
SHARE = "usr/lib/wasp/share/wasp-lang"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
#: Quick, not small.
SETTINGS = {"SOURCE_DATE_EPOCH": "1700000000", "DPKG_DEB_COMPRESSOR_LEVEL": "1"}


def build(folder: Path, version: str, *options: str) -> Path:
    """The package that deb.py makes of a release with a native program; in a folder of its own."""
    native = Member("data/Cli/native", real_tool("gzip").read_bytes(), 0o755)
    archive = folder / f"wasp-{version}.tgz"
    archive.write_bytes(Package(version, tiny_binary(version), (native,)).npm_archive())
    return deb_py(folder, "--from-file", str(archive), "-v", version, *options)


def deb_py(folder: Path, *options: str, **variables: str) -> Path:
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "objdump"):
        real_tool(tool)
    command = [sys.executable, str(DEB_PY), "--compression", "gzip", "--out", str(folder), *options]
    run = run_to_end(command, {**os.environ, **SETTINGS, "HOME": str(folder), **variables})
    return Path(run.ok().stdout.rstrip("\n"))


def build_candidate(folder: Path) -> Path:
    return build(folder, "0.25.0-rc2", "--revision", "3")


def checked_fields(package: Path) -> dict[str, str]:
    """What the package says, of which lintian has nothing to say."""
    # How the words inside Wasp's program are spelled is not for its package to say, and takes long.
    lintian = [str(real_tool("lintian")), "--allow-root", "-X", "binaries/spelling"]
    lintian += ["--fail-on", "error,warning"]
    assert run_to_end([*lintian, str(package)]).ok().stdout == ""
    text = run_to_end(["dpkg-deb", "--field", str(package)]).ok().stdout
    return dict(re.findall(r"^([A-Z][\w-]*): (.*)$", text, re.MULTILINE))


class Debian(Jail):
    """A jail with dpkg's database, which knows the packages that Wasp depends on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.bring("sh", "rm")
        database = root / "var" / "lib" / "dpkg"
        for name in ("updates", "info", "triggers"):
            (database / name).mkdir(parents=True)
        known = ["libc6", "libgmp10", "zlib1g"]
        query = ["dpkg-query", "--status", *known]
        status = subprocess.run(query, capture_output=True, text=True, check=True).stdout
        (database / "status").write_text(status)
        for name in known:
            (database / "info" / f"{name}:{ARCHITECTURE}.list").touch()

    def dpkg(self, *arguments: str) -> Run:
        command = [str(real_tool("dpkg")), f"--root={self.root}", "--log=/dev/null", *arguments]
        return run_to_end(command).ok()

    def without_database(self) -> dict[str, Entry]:
        tree = picture(self.root)
        return {name: tree[name] for name in tree if not name.startswith("var/lib/dpkg/")}


@pytest.fixture
def debian(tmp_path: Path) -> Debian:
    return Debian(tmp_path / "debian")


@pytest.fixture(scope="session")
def package(shared_folder: Path) -> Path:
    """That of a release candidate, made once."""
    folder = shared_folder / "deb"
    with locked(folder):
        if not folder.exists():
            folder.mkdir()
            build_candidate(folder)
    [package] = folder.glob("*.deb")
    return package


def test_the_same_release_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        second = build_candidate(tmp_path)
    finally:
        os.umask(umask)
    assert package != second
    assert package.read_bytes() == second.read_bytes()


def test_its_fields_and_contents(package: Path, tmp_path: Path) -> None:
    assert package.name == f"wasp_0.25.0~rc2-3_{ARCHITECTURE}.deb"
    found = checked_fields(package)
    assert (found["Version"], found["Architecture"]) == ("0.25.0~rc2-3", ARCHITECTURE)
    # gzip needs nothing else, and would need less than this machine has.
    assert re.fullmatch(r"libc6 \(>= 2\.\d+\)", found["Depends"])
    assert (found["Recommends"], found["Suggests"]) == ("nodejs", "python3")
    assert int(found["Installed-Size"]) > 100
    run_to_end(["dpkg-deb", "--extract", str(package), str(tmp_path)]).ok()
    tree = picture(tmp_path)
    assert tree["usr/bin/wasp"] == Entry("link", 0o777, "../lib/wasp/bin/wasp")
    assert {f"{SHARE}/0.25.0-rc2/wasp-bin", f"{SHARE}/telemetry_ping.py"} <= set(tree)
    for link in (
        "usr/share/bash-completion/completions/wasp",
        "usr/share/zsh/vendor-completions/_wasp",
        "usr/share/fish/vendor_completions.d/wasp.fish",
    ):
        assert tree[link].kind == "link"
        assert (tmp_path / link).is_file()
    listing = ["dpkg-deb", "--contents", str(package)]
    lines = run_to_end(listing, {**os.environ, "TZ": "UTC"}).ok().stdout.splitlines()
    # The day of SOURCE_DATE_EPOCH.
    assert {tuple(line.split()[1:4:2]) for line in lines} == {("root/root", "2023-11-14")}


def test_without_dpkgs_tools_it_says_what_to_install(tmp_path: Path) -> None:
    run = run_to_end([sys.executable, str(DEB_PY)], {"PATH": str(tmp_path)})
    run.failed(3).says("dpkg-shlibdeps", "apt-get install dpkg-dev")


def test_a_failed_download_is_told_and_makes_no_package(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.tgz")
    command = [sys.executable, str(DEB_PY), "--out", str(tmp_path), "--from-file", missing]
    run_to_end(command).failed(7).says("cannot read the archive")
    assert list(tmp_path.glob("*.deb")) == []


def test_dpkg_installs_upgrades_and_removes_it(
    package: Path, tmp_path: Path, debian: Debian
) -> None:
    before = debian.without_database()
    for each, version in ((build(tmp_path, "0.24.0"), "0.24.0"), (package, "0.25.0-rc2")):
        debian.dpkg("--install", str(each))
        assert debian.run(["wasp", "version"]).ok().stdout == f"{version}\n"
        # As root's Python leaves it.
        (debian.root / SHARE / "__pycache__").mkdir()
        (debian.root / SHARE / "__pycache__" / "telemetry_ping.pyc").touch()
    assert debian.dpkg("--verify", "wasp").stdout == ""
    assert [path.name for path in (debian.root / SHARE).glob("*.*.*")] == ["0.25.0-rc2"]
    debian.dpkg("--purge", "wasp")
    assert debian.without_database() == before


@pytest.mark.full
@pytest.mark.real
@pytest.mark.timeout(240)  # lintian reads all of it
def test_the_real_wasp_as_a_package(tmp_path: Path, debian: Debian) -> None:
    package = deb_py(tmp_path, WASP_NPM_REGISTRY=npm_registry())
    found = checked_fields(package)
    depends = r"libc6 \(>= (2\.\d+)\), libgmp10, zlib1g"
    assert re.fullmatch(depends, found["Depends"]), found["Depends"]
    assert re.fullmatch(r"nodejs \(>= [0-9.]+\)", found["Recommends"])
    debian.dpkg("--install", str(package))
    version = found["Version"].partition("-")[0]
    debian.bring_libraries(debian.root / SHARE / version / "wasp-bin")
    assert debian.run(["wasp", "version"]).ok().stdout == f"{version}\n"
    debian.dpkg("--purge", "wasp")
    assert not (debian.root / "usr/lib/wasp").exists()
