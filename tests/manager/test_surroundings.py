"""What is warned of after an install: Node.js, npm, and another `wasp`."""

from __future__ import annotations

import pytest

from tests.manager.homes import VERSION, install, set_up
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.toolboxes import Toolbox

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
            f"PATH={box.folder}:$PATH HELPER_LIMIT_S=3 version=0.25.0 release_node='>=24.14.1'\n"
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


NO_NODE = "Node.js is not on PATH"
NODES: dict[str, list[str]] = {
    # What there is, and what is warned of.
    "": [f"{NO_NODE}. Wasp 0.25.0 needs Node.js.", "https://nodejs.org"],
    # In a terminal of another kind, or a script, it may not be on PATH.
    **{
        place: [f"{NO_NODE}, but in ~/{place}.", "nvm use node"]
        for place in (
            ".nvm/versions/node/v24.14.1",
            ".local/share/fnm/node-versions/v24.14.1",
            ".volta/tools/image/node/24.14.1",
            ".asdf/installs/nodejs/24.14.1",
        )
    },
    # Without a known need, any will do.
    "node 0.1.0, npm": [],
    "node 99.0.0, npm": [],
    "node 24.14.1": ["npm is not on PATH"],
}


def test_which_node_there_is(machine: Machine) -> None:
    calls = []
    for number, there in enumerate(NODES):
        home = machine.root / str(number)
        box = Toolbox(home / "bin")
        if there.startswith("node"):
            box.fake_node(there.split(",")[0].split()[1])
            box.remove(*([] if "npm" in there else ["npm"]))
        else:
            (home / there).mkdir(parents=True, exist_ok=True)
        calls.append(f"HOME={home} home={home} PATH={box.folder}:$PATH version=0.25.0\ncheck_node")
    for said, expected in zip(call_functions(machine, calls), NODES.values()):
        assert said.count("warning: ") == bool(expected)
        assert all(words in said for words in expected)


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
    "{other}:{bin}": True,
    "{bin}:{other}": False,
    "{folder}:{bin}": False,
    "{plain}:{bin}": False,
    # By another name, such as through a link to the home folder.
    "{link}:{bin}": False,
    "{other}": True,
}


#: busybox takes any file for a program, and posh does not know -ef: they warn in vain.
IN_VAIN = {"busybox": "{plain}:{bin}", "posh": "{link}:{bin}"}


def test_another_wasp(machine: Machine) -> None:
    boxes = {name: Toolbox(machine.root / name) for name in ("other", "folder", "plain", "link")}
    boxes["bin"] = Toolbox(machine.layout.launcher.parent).script("wasp", "echo ours")
    boxes["other"].script("wasp", "echo other")
    (boxes["folder"].folder / "wasp").mkdir()
    (boxes["plain"].folder / "wasp").write_text("no program\n")
    (boxes["link"].folder / "wasp").symlink_to(machine.layout.launcher)
    folders = {name: box.folder for name, box in boxes.items()}
    calls = [
        f"PATH=$PATH:{form.format(**folders)}\nis_on_path\ncheck_other_wasp" for form in OTHERS
    ]
    for said, form in zip(call_functions(machine, calls), OTHERS):
        assert (f"{folders['other']}/wasp" in said) is OTHERS[form], form
        is_in_vain = IN_VAIN.get(machine.front_end.name) == form
        assert ("warning: " in said) is (OTHERS[form] or is_in_vain), form


@pytest.mark.parametrize("option", ["--no-modify-path", "--quiet"])
def test_another_wasp_that_comes_first_now(machine: Machine, option: str) -> None:
    """It does not once this wasp was put on PATH."""
    other = Toolbox(machine.root / "other").script("wasp", "echo other").folder
    run = set_up(machine.set(PATH=f"{machine.toolbox.folder}:{other}"), option)
    told = [warning for warning in run.warnings() if f"{other}/wasp" in warning]
    assert len(told) == (option == "--no-modify-path")


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
