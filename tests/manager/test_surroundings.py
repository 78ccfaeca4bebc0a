"""What is warned of after an install: Node.js, npm, and another `wasp`."""

from __future__ import annotations

import pytest

from tests.manager.homes import VERSION, install
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.toolboxes import Toolbox


@pytest.fixture
def machine(shell_machine: Machine) -> Machine:
    return shell_machine


def warnings(machine: Machine, word: str) -> list[str]:
    """Of an install: those with the word."""
    return [warning for warning in install(machine).warnings() if word in warning]


# --- Node.js -------------------------------------------------------------------------------------

NODE_SAYS = {
    # What `node --version` does, and what is warned of for ">=24.14.1".
    "echo v24.14.1": None,
    "echo v24.15.0": None,
    "echo v25.0.0": None,
    "echo v100.0.0": None,
    "echo v24.14.0": "Node.js on PATH is 24.14.0.",
    "echo v24.9.9": "Node.js on PATH is 24.9.9.",
    "echo v9.99.99": "Node.js on PATH is 9.99.99.",
    "exit 1": "does not say which version",
    "echo v30.0.0; exit 1": "does not say which version",
    "echo nonsense": "does not say which version",
    "echo v": "does not say which version",
    "printf 'v1\\033[31m.2.3\\n'": "does not say which version",
    "sleep 15; echo v30.0.0": "does not say which version",
}


def test_what_node_says(machine: Machine) -> None:
    calls = []
    for number, body in enumerate(NODE_SAYS):
        box = Toolbox(machine.root / "nodes" / str(number)).fake_node("0").script("node", body)
        calls.append(
            f"PATH={box.folder}:$PATH HELPER_LIMIT_S=1 version=0.25.0 release_node='>=24.14.1'\n"
            "check_node"
        )
    told = call_functions(machine, calls, together=True)
    for (body, expected), said in zip(NODE_SAYS.items(), told):
        if expected is None:
            assert said == "", body
        else:
            assert said.startswith("warning: Node.js "), body
            assert expected in said, body
            assert " Wasp 0.25.0 needs Node.js >=24.14.1.\n" in said, body
            assert "\033" not in said


def test_no_node(machine: Machine) -> None:
    [warning] = warnings(machine, "Node.js is not on PATH")
    assert "https://nodejs.org" in warning


@pytest.mark.parametrize(
    "place",
    [
        ".nvm/versions/node/v24.14.1",
        ".local/share/fnm/node-versions/v24.14.1",
        ".volta/tools/image/node/24.14.1",
        ".asdf/installs/nodejs/24.14.1",
    ],
)
def test_a_node_that_a_version_manager_keeps(machine: Machine, place: str) -> None:
    """In a terminal of another kind, or a script, it may not be on PATH."""
    (machine.home / place).mkdir(parents=True)
    [warning] = warnings(machine, "Node.js is not on PATH")
    assert f"but in ~/{place}" in warning
    assert "nvm use node" in warning


@pytest.mark.parametrize("version", ["0.1.0", "99.0.0"])
def test_without_a_known_need_any_node_will_do(machine: Machine, version: str) -> None:
    machine.toolbox.fake_node(version)
    assert warnings(machine, "ode") == []


def test_a_node_without_npm(machine: Machine) -> None:
    machine.toolbox.fake_node("24.14.1").remove("npm")
    assert len(warnings(machine, "npm is not on PATH")) == 1


@pytest.mark.parametrize(
    ("npm", "is_told"), [("/mnt/c/Program Files/nodejs/npm", True), ("/usr/bin/npm", False)]
)
def test_an_npm_of_windows(machine: Machine, npm: str, is_told: bool) -> None:
    """In WSL, PATH goes on with that of Windows."""
    call = f"""
    command() {{ case $2 in npm) echo '{npm}' ;; *) echo "/usr/bin/$2" ;; esac }}
    node_version=24.14.1 version=0.25.0
    finish_lookups() {{ :; }}
    check_node
    """
    [said] = call_functions(machine, [call])
    assert ("npm on PATH belongs to Windows" in said) is is_told
    assert ("Install it: https://nodejs.org" in said) is is_told


# --- Another wasp --------------------------------------------------------------------------------

OTHERS = {
    # PATH, and whether the other wasp is spoken of.
    "first": ("{other}:{bin}", True),
    "later": ("{bin}:{other}", False),
    "later-once-put-on-PATH": ("{other}", False),
    "a-folder": ("{folder}:{bin}", False),
    "no-program": ("{plain}:{bin}", False),
    "ours-by-a-link": ("{link}:{bin}", False),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_wasp(machine: Machine, case: str) -> None:
    form, told = OTHERS[case]
    boxes = {
        name: Toolbox(machine.root / f"{name}-bin") for name in ("other", "folder", "plain", "link")
    }
    boxes["other"].script("wasp", "echo other")
    (boxes["folder"].folder / "wasp").mkdir()
    (boxes["plain"].folder / "wasp").write_text("no program\n")
    (boxes["link"].folder / "wasp").symlink_to(machine.layout.launcher)
    folders = {name: str(box.folder) for name, box in boxes.items()}
    path = form.format(bin=machine.layout.launcher.parent, **folders)
    machine.set(PATH=f"{machine.toolbox.folder}:{path}")
    found = warnings(machine, "-bin/wasp")
    assert [f"{folders['other']}/wasp" in warning for warning in found] == [True] * told


def test_another_wasp_that_stays_first(machine: Machine) -> None:
    other = Toolbox(machine.root / "other-bin").script("wasp", "echo other")
    machine.set(PATH=f"{machine.toolbox.folder}:{other.folder}")
    run = install(machine, "--no-modify-path")
    assert len([warning for warning in run.warnings() if f"{other.folder}/wasp" in warning]) == 1


# --- PATH ----------------------------------------------------------------------------------------

ENTRIES = {
    "{bin}": True,
    "{bin}/": True,
    ":{bin}:/x": True,
    "{bin}2": False,
    "{bin}/sub": False,
    "prefix{bin}": False,
    "{home}/xlocal/bin": False,
    "{home}/.LOCAL/bin": False,
    "{home}/?local/bin": False,
}


def test_what_counts_as_on_path(every_shell_machine: Machine) -> None:
    names = {"bin": "/home/me/.local/bin", "home": "/home/me"}
    calls = [
        f"prefix=/home/me/.local PATH='{entry.format(**names)}'\nis_on_path\necho $on_path"
        for entry in ENTRIES
    ]
    told = call_functions(every_shell_machine, calls)
    assert {entry: said == "true" for entry, said in zip(ENTRIES, told)} == ENTRIES


# --- What people read ----------------------------------------------------------------------------


def test_few_words(machine: Machine) -> None:
    machine.toolbox.fake_node("24.14.1")
    machine.set(PATH=f"{machine.toolbox.folder}:{machine.layout.launcher.parent}")
    run = install(machine)
    assert run.warnings() == []
    assert len(run.stderr.splitlines()) <= 5
    assert run.stderr.splitlines()[-1] == "Next: wasp new my-app"
    assert VERSION in run.stderr
