"""The table of releases: filled from npm and GitHub, and what is rendered from it put to use."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from assemble import LIMIT_BYTES, install_sh

from tests.support.archives import Package, tiny_package
from tests.support.frontends import CHECKOUT, REPOSITORY
from tests.support.machines import Machine, MachineRoom, Run
from tests.support.registries import npm_package, npm_registry
from tests.support.releases import (
    GITHUB_NAMES,
    NPM_PLATFORMS,
    Upstream,
    github_api_path,
    github_asset_path,
    github_download_path,
    npm_platform_path,
)
from tests.support.replies import Content, json_content
from tests.support.toolboxes import macos_toolbox, real_tool
from wasp_installer.versions import newest_first

RELEASES_PY = CHECKOUT / "packaging" / "releases.py"
_SPEC = importlib.util.spec_from_file_location("releases", RELEASES_PY)
assert _SPEC is not None
assert _SPEC.loader is not None
RELEASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(RELEASES)

#: System and processor as Homebrew calls them, and what GitHub's files are called.
BUILDS = {
    ("linux", "intel"): "linux-x86_64-static",
    ("linux", "arm"): "linux-aarch64",
    ("macos", "intel"): "macos-x86_64",
    ("macos", "arm"): "macos-aarch64",
}


class Packager(Machine):
    """Keeps a table of its own, and installs what is rendered from it."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.table = self.root / "releases.json"
        self.table.write_text('{"releases": []}')
        self.out = self.root / "dist"
        self.plugin = self.out / "asdf-wasp"
        self.downloads = self.root / "asdf downloads"
        self.installed = self.root / "asdf installs"

    def releases(self, *arguments: str) -> Run:
        """In this process, which has imported all that it needs, and does not wait."""
        argv = [str(RELEASES_PY), "--table", str(self.table), *arguments]
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as context, contextlib.redirect_stderr(said):
            for name, value in self.environment.items():
                context.setenv(name, value)
            context.setattr("sys.argv", argv)
            context.setattr("wasp_installer.getting.transport.time.sleep", lambda _: None)
            return Run(argv, RELEASES.main(), "", said.getvalue())

    def add(self, version: str) -> Run:
        return self.releases("add", version)

    def render(self) -> Run:
        return self.releases("render", "--out", str(self.out))

    @property
    def rows(self) -> dict[str, Any]:
        listed = json.loads(self.table.read_text())["releases"]
        return {release.pop("version"): release for release in listed}

    def asdf(self, program: str, *arguments: str, version: str = "0.25.0") -> Run:
        """Runs a program of the plugin as asdf and mise do."""
        variables = {
            "ASDF_INSTALL_TYPE": "version",
            "ASDF_INSTALL_VERSION": version,
            "ASDF_INSTALL_PATH": str(self.installed / version),
            "ASDF_DOWNLOAD_PATH": str(self.downloads / version),
        }
        argv = [str(self.toolbox.folder / "sh"), str(self.plugin / "bin" / program), *arguments]
        return self.run_program(argv, env=variables)


def row(npm: str, github: str) -> dict[str, dict[str, str]]:
    """A release of which all is known, each build with the same digest."""
    return {"npm": dict.fromkeys(NPM_PLATFORMS, npm), "github": dict.fromkeys(GITHUB_NAMES, github)}


def published(upstream: Upstream, version: str, **options: Any) -> dict[str, dict[str, str]]:
    """Publishes a release; its row."""
    release = upstream.publish(version, **options)
    return row(release.npm_digest, release.github_digest)


@pytest.fixture
def packager(machines: MachineRoom) -> Packager:
    return machines.build_as(Packager, "dash")


@pytest.fixture
def rendered(packager: Packager, upstream: Upstream) -> Packager:
    """What is rendered of a table of three releases."""
    versions = ("0.26.0-rc1", "0.25.0", "0.24.0")
    releases = [{"version": version, **published(upstream, version)} for version in versions]
    packager.table.write_text(json.dumps({"releases": releases}))
    packager.render().ok()
    return packager


@pytest.mark.parametrize("digests", [True, False], ids=["published", "computed"])
def test_a_release_is_added(packager: Packager, upstream: Upstream, digests: bool) -> None:
    expected = published(upstream, "0.25.0", digests=digests)
    if not digests:
        assets = [{"name": f"wasp-{name}.tar.gz", "digest": None} for name in GITHUB_NAMES]
        answer = json_content({"tag_name": "v0.25.0", "assets": assets})
        upstream.server.answer(github_api_path("0.25.0"), answer)
    packager.add("0.25.0").ok().says("make install.sh")
    assert packager.rows == {"0.25.0": expected}
    fetched = upstream.server.fetched[github_asset_path("0.25.0", "macos-aarch64")]
    assert fetched == (0 if digests else 1)


def test_the_newest_comes_first_whatever_was_added_last(
    packager: Packager, upstream: Upstream
) -> None:
    """Which one that is, npm says."""
    expected = published(upstream, "0.25.0")
    for version in ("0.9.0", "0.26.0-rc1", "0.26.0"):
        upstream.publish(version, latest=False)
    for version in ("0.26.0-rc1", "0.9.0", "latest"):
        packager.add(version).ok()
    assert list(packager.rows) == ["0.26.0-rc1", "0.25.0", "0.9.0"]
    assert packager.rows["0.25.0"] == expected


def test_what_there_is_not_is_left_out(packager: Packager, upstream: Upstream) -> None:
    names = ("linux-x86_64-static", "macos-x86_64")
    expected = published(upstream, "0.11.0", github_names=names)
    upstream.server.forget(npm_platform_path("0.11.0", "linux-x64-musl"))
    packager.add("0.11.0").ok().says("no package linux-x64-musl", "left out")
    del expected["npm"]["linux-x64-musl"]
    expected["github"] = {name: expected["github"][name] for name in names}
    assert packager.rows == {"0.11.0": expected}


@pytest.mark.parametrize("source", ["npm", "github"])
def test_a_source_that_cannot_be_asked_keeps_what_is_known(
    packager: Packager, upstream: Upstream, closed: int, source: str
) -> None:
    """It is said, and its part comes when it can be."""
    expected = published(upstream, "0.25.0")
    nowhere = f"https://127.0.0.1:{closed}"
    variable = {"npm": "WASP_NPM_REGISTRY", "github": "WASP_GITHUB_URL"}[source]
    there = packager.environment[variable]
    packager.set(**{variable: nowhere})
    packager.add("0.25.0").ok().says("refused the connection", "stays")
    assert packager.rows == {"0.25.0": {name: expected[name] for name in {*expected} - {source}}}
    for address in (there, nowhere):
        packager.set(**{variable: address}).add("0.25.0").ok()
        assert packager.rows == {"0.25.0": expected}
    packager.set(WASP_NPM_REGISTRY=nowhere, WASP_GITHUB_URL=nowhere).add("0.25.0").failed(4)


@pytest.mark.parametrize("source", ["npm", "github"])
def test_a_digest_that_changed_is_refused(
    packager: Packager, upstream: Upstream, source: str
) -> None:
    upstream.publish("0.25.0")
    packager.add("0.25.0").ok()
    before = packager.table.read_text()
    other = Package("0.25.0", b"another one")
    upstream.publish("0.25.0", package=other, npm=source == "npm", github=source == "github")
    packager.add("0.25.0").failed(6).says("does not change", "0.25.0 than the table")
    assert packager.table.read_text() == before


def test_what_cannot_be_added_changes_nothing(packager: Packager, upstream: Upstream) -> None:
    answer = upstream.publish("0.24.0")
    upstream.server.answer(github_api_path("0.25.0"), upstream.github_api_answer(answer, []))
    packager.add("0.25.0").failed(4).says("about Wasp 0.24.0")
    packager.add("../0.25.0").failed(2).says("not a Wasp version")
    command = [sys.executable, str(RELEASES_PY), "--table", str(packager.table), "add", "0.99.0"]
    packager.run_program(command).failed(5).says("0.99.0")
    assert packager.rows == {}
    packager.render().failed(5).says("no release", "add latest")
    assert not packager.out.exists()


def test_the_table_of_this_repository() -> None:
    """The newest first, and each digest whole."""
    releases = json.loads((REPOSITORY / "packaging" / "releases.json").read_text())["releases"]
    versions = [release.pop("version") for release in releases]
    assert versions == newest_first(versions) != []
    for release in releases:
        for digest in (each for builds in release.values() for each in builds.values()):
            algorithm, _, digits = digest.partition(":")
            assert len(bytes.fromhex(digits)) == {"sha512": 64, "sha256": 32}[algorithm]


def test_install_sh_has_room_for_the_newest_six() -> None:
    """3.2 of 131 kilobytes, where all of them is known."""
    known = row(f"sha512:{'0a' * 64}", f"sha256:{'0a' * 32}")
    rows = [{"version": f"0.{30 - number}.0", **known} for number in range(8)]
    empty, full = (len(install_sh({"releases": releases}).encode()) for releases in ([], rows))
    assert full - empty < 3300
    # With the commit that `make dist` puts in.
    assert full + 20 < LIMIT_BYTES


def test_the_formula_installs_the_newest_release(rendered: Packager, upstream: Upstream) -> None:
    ruby, formula = str(real_tool("ruby")), str(rendered.out / "homebrew" / "wasp.rb")
    rendered.run_program([ruby, "-wc", formula]).ok().is_silent_about("warning")
    release = upstream.publish("0.25.0")
    for (system, cpu), build in BUILDS.items():
        unpacked, prefix = (rendered.root / f"{system}-{cpu}{each}" for each in ("", "-cellar"))
        with tarfile.open(fileobj=io.BytesIO(release.github_archive)) as content:
            content.extractall(unpacked)  # noqa: S202 - made by this test
        homebrew = str(Path(__file__).with_name("formula.rb"))
        command = [ruby, homebrew, formula, system, cpu, str(prefix)]
        facts = rendered.run_program(command, cwd=unpacked).ok().json
        assert (facts["version"], facts["depends_on"]) == ("0.25.0", "node")
        assert facts["url"] == upstream.server.url + github_download_path("0.25.0", build)
        assert f"sha256:{facts['sha256']}" == release.github_digest
        datadir = rendered.run_program([str(prefix / "bin" / "wasp"), "datadir"]).ok().stdout
        assert datadir == f"{prefix}/libexec/data\n"


# --- asdf and mise -------------------------------------------------------------------------------


def test_the_plugin_lists_the_versions(rendered: Packager) -> None:
    assert rendered.asdf("list-all").ok().stdout == "0.24.0 0.25.0 0.26.0-rc1 \n"
    assert rendered.asdf("latest-stable").ok().stdout == "0.25.0\n"
    assert rendered.asdf("latest-stable", "0.24").ok().stdout == "0.24.0\n"
    rendered.asdf("latest-stable", "0.26").failed(1).says("no Wasp 0.26")


@pytest.mark.parametrize(
    ("shell", "downloader", "programs"),
    [
        ("dash", "curl", ("download", "install")),
        ("busybox", "wget", ("download", "install")),
        # Some call this one alone.
        ("bash", "curl", ("install",)),
    ],
)
def test_the_plugin_installs_a_version(
    rendered: Packager, shell: str, downloader: str, programs: tuple[str, ...]
) -> None:
    rendered.toolbox.remove("curl").link(downloader).alias("sh", shell)
    *_, run = [rendered.asdf(program, version="0.24.0").ok() for program in programs]
    run.is_silent_about("your PATH").says("Installed Wasp 0.24.0")
    wasp = rendered.installed / "0.24.0" / "bin" / "wasp"
    assert rendered.run_program([str(wasp), "version"]).ok().stdout == "0.24.0\n"
    assert not list(rendered.home.iterdir())


def test_the_plugin_refuses_an_archive_with_another_checksum_and_one_that_did_not_come(
    rendered: Packager, upstream: Upstream
) -> None:
    asset = github_asset_path("0.25.0", "linux-x86_64-static")
    upstream.server.answer(asset, Content(tiny_package("0.24.0").github_archive()))
    rendered.asdf("download").ok()
    rendered.asdf("install").failed(6).says("not the one that was published")
    upstream.server.forget(asset)
    assert rendered.asdf("download").code != 0
    assert rendered.asdf("install").code != 0
    assert not list(rendered.downloads.rglob("wasp.tar.gz"))
    assert not list(rendered.installed.rglob("bin"))
    upstream.server.answer(asset, Content(tiny_package("0.25.0").github_archive()))
    rendered.asdf("install").ok()


def test_the_plugin_tells_what_it_does_not_know(rendered: Packager) -> None:
    rendered.asdf("download", version="0.1.0").failed(1).says("no Wasp 0.1.0", "list all")
    rendered.toolbox.fake_uname("Linux", "riscv64")
    rendered.asdf("download").failed(1).says("linux-riscv64")
    assert not rendered.downloads.exists()


@pytest.mark.parametrize("translated", [False, True], ids=["native", "rosetta"])
def test_on_apple_silicon_the_plugin_takes_its_build(
    rendered: Packager, upstream: Upstream, translated: bool
) -> None:
    machine = "x86_64" if translated else "arm64"
    mac = macos_toolbox(rendered.root / "mac tools", machine, translated)
    rendered.set(PATH=str(mac.folder)).asdf("install").ok()
    assert upstream.server.fetched[github_asset_path("0.25.0", "macos-aarch64")] == 1


@pytest.mark.real
@pytest.mark.full
def test_mise_installs_by_the_plugin(rendered: Packager, shared_folder: Path) -> None:
    folder = shared_folder / "mise"
    npm_package("mise@2026.9.15", folder, npm_registry())
    rendered.set(PATH=os.environ["PATH"], MISE_YES="1", MISE_USE_VERSIONS_HOST="0")

    def mise(*words: str) -> str:
        program = str(folder / "node_modules" / ".bin" / "mise")
        return rendered.run_program([program, *words]).ok().stdout

    mise("plugin", "link", "wasp", str(rendered.plugin))
    assert mise("latest", "wasp") == "0.25.0\n"
    mise("install", "wasp@0.24")
    assert mise("exec", "wasp@0.24", "--", "wasp", "version") == "0.24.0\n"
    mise("uninstall", "wasp@0.24.0")
    assert not list(rendered.home.rglob("wasp-bin"))
