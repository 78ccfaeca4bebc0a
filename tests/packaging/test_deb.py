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
from tests.support.registries import connection, npm_registry
from tests.support.toolboxes import real_tool
from tests.support.trees import Entry, picture

DEB_PY = CHECKOUT / "packaging" / "deb.py"
SHARE = "usr/lib/wasp/share/wasp-lang"
EPOCH = 1_700_000_000
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]


def build(tmp_path: Path, *options: str) -> Path:
    """Runs deb.py; the package that it names."""
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "objdump"):
        real_tool(tool)
    environment = {
        **connection(),
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SOURCE_DATE_EPOCH": str(EPOCH),
        # Quick, not small.
        "DPKG_DEB_COMPRESSOR_LEVEL": "1",
    }
    if "--from-file" not in options:
        environment["WASP_NPM_REGISTRY"] = npm_registry()
    command = [sys.executable, str(DEB_PY), "--compression", "gzip", *options]
    return Path(run_to_end(command, environment).ok().stdout.rstrip("\n"))


def archive(tmp_path: Path, version: str) -> str:
    """A release that holds a native program beside its script."""
    native = Member("data/Cli/native", real_tool("gzip").read_bytes(), 0o755)
    path = tmp_path / f"wasp-{version}.tgz"
    path.write_bytes(Package(version, tiny_binary(version), (native,)).npm_archive())
    return str(path)


def fields(package: Path) -> dict[str, str]:
    text = run_to_end(["dpkg-deb", "--field", str(package)], dict(os.environ)).ok().stdout
    return dict(re.findall(r"^([A-Z][\w-]*): (.*)$", text, re.MULTILINE))


def contents(package: Path, folder: Path) -> dict[str, Entry]:
    subprocess.run(["dpkg-deb", "--extract", str(package), str(folder)], check=True)
    return picture(folder)


def lint(package: Path) -> None:
    # How the words inside Wasp's program are spelled is not for its package to say, and takes long.
    lintian = [str(real_tool("lintian")), "--allow-root", "-X", "binaries/spelling"]
    lintian += ["--fail-on", "error,warning"]
    assert run_to_end([*lintian, str(package)], dict(os.environ)).ok().stdout == ""


class Debian(Jail):
    """A jail with dpkg's database, which knows the packages that Wasp depends on."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.bring("sh", "rm")
        self._database = root / "var" / "lib" / "dpkg"
        for name in ("updates", "info", "triggers"):
            (self._database / name).mkdir(parents=True)
        known = ["libc6", "libgmp10", "zlib1g"]
        query = ["dpkg-query", "--status", *known]
        status = subprocess.run(query, capture_output=True, text=True, check=True).stdout
        (self._database / "status").write_text(status)
        for name in known:
            (self._database / "info" / f"{name}:{ARCHITECTURE}.list").touch()

    def dpkg(self, *arguments: str) -> Run:
        command = [str(real_tool("dpkg")), f"--root={self.root}", "--log=/dev/null", *arguments]
        return run_to_end(command, dict(os.environ))

    def without_database(self) -> dict[str, Entry]:
        return {
            name: entry
            for name, entry in picture(self.root).items()
            if not name.startswith("var/lib/dpkg/")
        }


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


def build_candidate(folder: Path) -> Path:
    options = ["--from-file", archive(folder, "0.25.0-rc2"), "-v", "0.25.0-rc2"]
    return build(folder, *options, "--revision", "3", "--out", str(folder))


def test_the_same_release_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        second = build_candidate(tmp_path)
    finally:
        os.umask(umask)
    assert package != second
    assert package.read_bytes() == second.read_bytes()


def test_its_fields_and_contents(package: Path, tmp_path: Path) -> None:
    lint(package)
    assert package.name == f"wasp_0.25.0~rc2-3_{ARCHITECTURE}.deb"
    found = fields(package)
    assert found["Version"] == "0.25.0~rc2-3"
    assert found["Architecture"] == ARCHITECTURE
    # gzip needs nothing else, and would need less than this machine has.
    assert re.fullmatch(r"libc6 \(>= 2\.\d+\)", found["Depends"])
    assert (found["Recommends"], found["Suggests"]) == ("nodejs", "python3")
    assert int(found["Installed-Size"]) > 100
    tree = contents(package, tmp_path / "contents")
    assert tree["usr/bin/wasp"] == Entry("link", 0o777, "../lib/wasp/bin/wasp")
    assert {f"{SHARE}/0.25.0-rc2/wasp-bin", f"{SHARE}/telemetry_ping.py"} <= set(tree)
    for link in (
        "bash-completion/completions/wasp",
        "zsh/vendor-completions/_wasp",
        "fish/vendor_completions.d/wasp.fish",
    ):
        entry = tree[f"usr/share/{link}"]
        target = os.path.normpath(os.path.join("usr/share", os.path.dirname(link), entry.content))
        assert tree[target].kind == "file"
    listing = ["dpkg-deb", "--contents", str(package)]
    lines = run_to_end(listing, {**os.environ, "TZ": "UTC"}).ok().stdout.splitlines()
    assert {line.split()[1] for line in lines} == {"root/root"}
    # 1,700,000,000 seconds.
    assert {line.split()[3] for line in lines} == {"2023-11-14"}


def test_without_dpkgs_tools_it_says_what_to_install(tmp_path: Path) -> None:
    run = run_to_end([sys.executable, str(DEB_PY)], {"PATH": str(tmp_path)})
    run.failed(3).says("dpkg-shlibdeps", "apt-get install dpkg-dev")


def test_a_failed_download_is_told_and_makes_no_package(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.tgz")
    command = [sys.executable, str(DEB_PY), "--out", str(tmp_path), "--from-file", missing]
    run_to_end(command, dict(os.environ)).failed(7).says("cannot read the archive")
    assert list(tmp_path.glob("*.deb")) == []


def test_dpkg_installs_upgrades_and_removes_it(
    package: Path, tmp_path: Path, debian: Debian
) -> None:
    before = debian.without_database()
    older = build(tmp_path, "--from-file", archive(tmp_path, "0.24.0"), "--out", str(tmp_path))
    for each, version in ((older, "0.24.0"), (package, "0.25.0-rc2")):
        debian.dpkg("--install", str(each)).ok()
        assert debian.run(["wasp", "version"]).ok().stdout == f"{version}\n"
        # As root's Python leaves it.
        (debian.root / SHARE / "__pycache__").mkdir()
        (debian.root / SHARE / "__pycache__" / "telemetry_ping.pyc").touch()
    assert debian.dpkg("--verify", "wasp").ok().stdout == ""
    assert sorted(path.name for path in (debian.root / SHARE).glob("*.*.*")) == ["0.25.0-rc2"]
    debian.dpkg("--purge", "wasp").ok()
    assert debian.without_database() == before


@pytest.mark.full
@pytest.mark.real
@pytest.mark.timeout(240)  # lintian reads all of it
def test_the_real_wasp_as_a_package(tmp_path: Path, debian: Debian) -> None:
    package = build(tmp_path, "--out", str(tmp_path))
    lint(package)
    found = fields(package)
    depends = r"libc6 \(>= (2\.\d+)\), libgmp10, zlib1g"
    assert re.fullmatch(depends, found["Depends"]), found["Depends"]
    assert re.fullmatch(r"nodejs \(>= [0-9.]+\)", found["Recommends"])
    debian.dpkg("--install", str(package)).ok()
    version = found["Version"].partition("-")[0]
    debian.bring_libraries(debian.root / SHARE / version / "wasp-bin")
    said = debian.run(["wasp", "version"]).ok().stdout
    assert said == f"{version}\n"
    debian.dpkg("--purge", "wasp").ok()
    assert not (debian.root / "usr/lib/wasp").exists()
