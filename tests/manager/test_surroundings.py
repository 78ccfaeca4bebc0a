"""What is warned of after an install: Node.js, a PATH that is left as it is, and another `wasp`."""

from __future__ import annotations

import pytest

from tests.support.machines import Machine, Run
from tests.support.releases import Upstream
from tests.support.toolboxes import Toolbox


def warnings_about(run: Run, word: str) -> list[str]:
    return [warning for warning in run.ok().warnings() if word in warning]


@pytest.fixture
def published(upstream: Upstream) -> Upstream:
    upstream.publish("0.25.0", node=">=24.14.1")
    return upstream


# --- Node.js -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
def test_a_missing_node_is_warned_of(machine: Machine) -> None:
    run = machine.install()
    [warning] = warnings_about(run, "Node.js")
    assert "24.14.1" in warning
    run.says("warning:", "Node.js")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("version", ["24.14.0", "24.9.9", "20.20.2", "9.99.99"])
def test_an_old_node_is_warned_of(machine: Machine, version: str) -> None:
    machine.toolbox.fake_node(version)
    [warning] = warnings_about(machine.install(), "Node.js")
    assert version in warning
    assert "24.14.1" in warning


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("version", ["24.14.1", "24.15.0", "25.0.0", "100.0.0"])
def test_a_node_that_will_do_is_not_spoken_of(machine: Machine, version: str) -> None:
    machine.toolbox.fake_node(version)
    assert warnings_about(machine.install(), "Node") == []


@pytest.mark.parametrize(
    "body", ["exit 1", "echo nonsense", "exit 127", "echo v"], ids=["fails", "talks", "127", "v"]
)
@pytest.mark.usefixtures("published")
def test_a_node_that_does_not_work_is_warned_of(machine: Machine, body: str) -> None:
    machine.toolbox.fake_node("24.14.1").script("node", body)
    assert len(warnings_about(machine.install(), "Node")) == 1


@pytest.mark.parametrize("version", ["0.1.0", "99.0.0"])
def test_without_a_known_need_any_node_will_do(
    machine: Machine, upstream: Upstream, version: str
) -> None:
    upstream.publish("0.19.0", npm=False)
    machine.toolbox.fake_node(version)
    assert warnings_about(machine.install("0.19.0"), "Node") == []


@pytest.mark.usefixtures("published")
def test_a_node_without_npm_is_warned_of(machine: Machine) -> None:
    machine.toolbox.fake_node("24.14.1").remove("npm")
    assert len(warnings_about(machine.install(), "npm is not on PATH")) == 1


# --- PATH ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
def test_a_bin_folder_on_path_is_no_news(machine: Machine) -> None:
    machine.set(PATH=f"{machine.toolbox.folder}:{machine.layout.prefix}/bin")
    machine.toolbox.fake_node("24.14.1")
    run = machine.install().ok()
    assert run.json["on_path"] is True
    assert run.warnings() == []


@pytest.mark.usefixtures("published")
def test_a_bin_folder_that_is_not_put_on_path_is_warned_of(machine: Machine) -> None:
    """What happens where it is put there is in test_path.py."""
    machine.toolbox.fake_node("24.14.1")
    run = machine.install(None, "--no-modify-path").ok()
    assert run.json["on_path"] is False
    [warning] = run.warnings()
    assert ".local/bin" in warning
    assert "PATH" in warning


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "entry",
    [
        "{root}/home/xlocal/bin",
        "{root}/home/.local/bin2",
        "{root}/home/.local/bin/sub",
        "{root}/home/x.local/bin",
        "prefix{root}/home/.local/bin",
        "{root}/home/.LOCAL/bin",
        "{root}/home/?local/bin",
    ],
)
def test_only_the_very_folder_counts(machine: Machine, entry: str) -> None:
    folder = entry.format(root=machine.root)
    machine.set(PATH=f"{machine.toolbox.folder}:{folder}")
    assert machine.install().ok().json["on_path"] is False


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["{bin}:{tools}", "{tools}:{bin}/", "{tools}::{bin}:/x"])
def test_the_folder_may_stand_anywhere(machine: Machine, form: str) -> None:
    bin_folder = machine.layout.launcher.parent
    machine.set(PATH=form.format(bin=bin_folder, tools=machine.toolbox.folder))
    assert machine.install().ok().json["on_path"] is True


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("/bin/bash", 'export PATH="$HOME/.local/bin:$PATH"'),
        ("/bin/zsh", 'export PATH="$HOME/.local/bin:$PATH"'),
        ("/bin/sh", 'export PATH="$HOME/.local/bin:$PATH"'),
        ("/usr/bin/fish", "fish_add_path"),
    ],
)
@pytest.mark.usefixtures("published")
def test_the_line_for_the_users_shell_is_told(machine: Machine, shell: str, line: str) -> None:
    machine.set(SHELL=shell).install(None, "--no-modify-path").ok().says(line)


# --- Another wasp --------------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
def test_another_wasp_that_comes_first_is_warned_of(machine: Machine) -> None:
    other = Toolbox(machine.root / "other-bin").script("wasp", "echo other")
    bin_folder = machine.layout.launcher.parent
    machine.set(PATH=f"{machine.toolbox.folder}:{other.folder}:{bin_folder}")
    [warning] = warnings_about(machine.install(), f"{other.folder}/wasp")
    assert "PATH" in warning


@pytest.mark.usefixtures("published")
def test_another_wasp_that_will_come_later_is_not_spoken_of(machine: Machine) -> None:
    """Once the start-up files put ours first."""
    other = Toolbox(machine.root / "other-bin").script("wasp", "echo other")
    machine.set(PATH=f"{machine.toolbox.folder}:{other.folder}")
    assert warnings_about(machine.install(), str(other.folder)) == []
    assert len(warnings_about(machine.install(None, "--no-modify-path"), str(other.folder))) == 1


@pytest.mark.usefixtures("published")
def test_another_wasp_that_comes_later_is_not_spoken_of(machine: Machine) -> None:
    other = Toolbox(machine.root / "other-bin").script("wasp", "echo other")
    bin_folder = machine.layout.launcher.parent
    machine.set(PATH=f"{machine.toolbox.folder}:{bin_folder}:{other.folder}")
    assert warnings_about(machine.install(), str(other.folder)) == []


@pytest.mark.usefixtures("published")
def test_a_wasp_that_cannot_be_run_is_not_spoken_of(machine: Machine) -> None:
    other = Toolbox(machine.root / "other-bin")
    (other.folder / "wasp").mkdir()
    plain = Toolbox(machine.root / "plain-bin")
    (plain.folder / "wasp").write_text("no program\n")
    bin_folder = machine.layout.launcher.parent
    machine.set(PATH=f"{machine.toolbox.folder}:{other.folder}:{plain.folder}:{bin_folder}")
    run = machine.install().ok()
    assert [text for text in run.warnings() if "-bin/wasp" in text] == []


@pytest.mark.usefixtures("published")
def test_the_same_wasp_under_another_name_is_not_spoken_of(machine: Machine) -> None:
    other = Toolbox(machine.root / "other-bin")
    (other.folder / "wasp").symlink_to(machine.layout.launcher)
    bin_folder = machine.layout.launcher.parent
    machine.set(PATH=f"{machine.toolbox.folder}:{other.folder}:{bin_folder}")
    assert warnings_about(machine.install(), str(other.folder)) == []


# --- What people read ----------------------------------------------------------------------------


@pytest.mark.usefixtures("published")
def test_the_last_line_says_what_to_type_next(machine: Machine) -> None:
    run = machine.run("install").ok()
    assert "wasp new" in run.stderr.splitlines()[-1]


@pytest.mark.usefixtures("published")
def test_few_words(machine: Machine) -> None:
    machine.toolbox.fake_node("24.14.1")
    machine.set(PATH=f"{machine.toolbox.folder}:{machine.layout.launcher.parent}")
    run = machine.run("install").ok()
    assert len(run.stderr.splitlines()) <= 8
    assert "warning" not in run.stderr
