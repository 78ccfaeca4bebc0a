"""Where things go: prefix, destdir, and homes with difficult names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.archives import tiny_package
from tests.support.machines import Machine
from tests.support.releases import Upstream
from tests.support.trees import Layout, expected_version_folder, picture

NAMES = {
    "spaces": "a  home with spaces ",
    "quotes": 'it\'s a "home"',
    "dollar": "$HOME ${x} $(touch evil) `touch evil`",
    "backslash": "back\\slash \\n \\\\ end\\",
    "newline": "two\nlines",
    "non-ascii": "zażółć-gęślą-ß-東京-🐝",
    "glob": "[a-z]*?{1,2}~!#&|;<>",
    "leading-dash": "-rf",
    "percent": "%s %d 100%",
    "equals": "a=b=c",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_home_of_any_name(machine: Machine, upstream: Upstream, name: str) -> None:
    release = upstream.publish("0.25.0")
    home = machine.move_home(NAMES[name])
    machine.install().ok()
    assert machine.wasp("version").stdout == "0.25.0\n"
    datadir = machine.layout.version_folder("0.25.0") / "data"
    assert machine.wasp("datadir").stdout == f"{datadir}\n"
    assert machine.layout.version_picture("0.25.0") == expected_version_folder(release.package)
    assert {item.name for item in home.iterdir()} == {".local", ".bashrc", ".profile"}
    for file in (".bashrc", ".profile"):
        found = machine.run_program(["/bin/sh", "-c", f'. "$HOME/{file}"; wasp version'])
        assert found.stdout == "0.25.0\n"


def test_a_prefix(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    prefix = machine.root / "opt" / "wasp"
    told = machine.install(None, "--prefix", str(prefix)).ok().json
    assert told["prefix"] == str(prefix)
    assert set(picture(machine.home)) == {".bashrc", ".profile"}
    assert Layout(prefix).versions() == ["0.25.0"]
    assert machine.run_program([str(prefix / "bin" / "wasp"), "version"]).stdout == "0.25.0\n"


def test_a_prefix_from_the_environment(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    prefix = machine.root / "opt"
    machine.set(WASP_INSTALL_PREFIX=str(prefix)).install().ok()
    assert Layout(prefix).versions() == ["0.25.0"]
    assert not machine.layout.prefix.exists()


def test_the_option_wins_over_the_environment(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.set(WASP_INSTALL_PREFIX=str(machine.root / "not-here"))
    machine.install(None, "--prefix", str(machine.root / "here-please")).ok()
    assert (machine.root / "here-please" / "bin" / "wasp").is_file()
    assert not (machine.root / "not-here").exists()


def test_a_relative_prefix_is_made_absolute(
    machine: Machine, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.publish("0.25.0")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = machine.install(None, "--prefix", "opt/wasp", cwd=elsewhere).ok().json
    assert told["prefix"] == str(elsewhere / "opt" / "wasp")
    launcher = elsewhere / "opt" / "wasp" / "bin" / "wasp"
    assert machine.run_program([str(launcher), "version"], cwd=Path("/")).stdout == "0.25.0\n"


def test_a_slash_at_the_end_of_a_prefix_does_not_matter(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    prefix = machine.root / "opt"
    told = machine.install(None, "--prefix", f"{prefix}/").ok().json
    assert told["prefix"] == str(prefix)
    assert told["executable"] == str(prefix / "bin" / "wasp")


def test_destdir_stages_below_itself(machine: Machine, upstream: Upstream) -> None:
    release = upstream.publish("0.25.0")
    stage = machine.root / "stage"
    told = machine.install(None, "--destdir", str(stage), "--prefix", "/opt/wasp").ok().json
    assert told["prefix"] == "/opt/wasp"
    assert told["executable"] == "/opt/wasp/bin/wasp"
    assert told["wasp_dir"] == "/opt/wasp/share/wasp-lang/0.25.0"
    staged = Layout(stage / "opt" / "wasp")
    assert staged.version_picture("0.25.0") == expected_version_folder(release.package)
    assert str(stage) not in staged.launcher.read_text()
    assert str(stage) not in staged.receipt_file("0.25.0").read_text()
    assert picture(machine.home) == {}
    assert not Path("/opt/wasp").exists()


def test_what_destdir_staged_runs_once_it_is_in_its_place(
    machine: Machine, upstream: Upstream
) -> None:
    upstream.publish("0.25.0")
    stage, final = machine.root / "stage", machine.root / "final"
    machine.install(None, "--destdir", str(stage), "--prefix", str(final)).ok()
    assert not final.exists()
    Path(f"{stage}{final}").rename(final)
    launcher = str(final / "bin" / "wasp")
    assert machine.run_program([launcher, "version"]).stdout == "0.25.0\n"
    datadir = f"{final}/share/wasp-lang/0.25.0/data\n"
    assert machine.run_program([launcher, "datadir"]).stdout == datadir


def test_destdir_from_the_environment(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    stage = machine.root / "stage"
    machine.set(DESTDIR=str(stage)).install(None, "--prefix", "/usr").ok()
    assert Layout(stage / "usr").versions() == ["0.25.0"]


def test_destdir_with_its_value_as_the_last_word(machine: Machine) -> None:
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    stage = machine.root / "stage"
    options = ("--from-file", str(archive), "--prefix", "/usr")
    machine.run("install", *options, f"--destdir={stage}").ok()
    assert Layout(stage / "usr").versions() == ["0.25.0"]


def test_destdir_stages_twice(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    stage = machine.root / "stage"
    options = ("--destdir", str(stage), "--prefix", "/usr")
    machine.install("0.25.0", *options).ok()
    assert machine.install("0.25.0", *options).ok().json["status"] == "already-installed"


def test_destdir_warns_neither_of_path_nor_of_node(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    stage = machine.root / "stage"
    run = machine.install(None, "--destdir", str(stage), "--prefix", "/usr").ok()
    assert not [warning for warning in run.warnings() if "PATH" in warning]


def test_two_prefixes_do_not_meet(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.install().ok()
    prefix = machine.root / "other"
    archive = machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.24.0").npm_archive())
    machine.install(None, "--prefix", str(prefix), "--from-file", str(archive)).ok()
    assert machine.wasp("version").stdout == "0.25.0\n"
    assert Layout(prefix).versions() == ["0.24.0"]


def test_a_share_folder_that_is_a_link_is_followed(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    big_disk = machine.root / "big-disk"
    big_disk.mkdir()
    machine.layout.share.parent.mkdir(parents=True)
    machine.layout.share.symlink_to(big_disk)
    machine.install().ok()
    assert (big_disk / "0.25.0" / "wasp-bin").is_file()
    assert machine.layout.share.is_symlink()
    assert machine.wasp("version").stdout == "0.25.0\n"
