"""What is warned of after an install: Node.js, npm, and another `wasp`."""

from __future__ import annotations

import pytest

from tests.manager.homes import VERSION, install, set_up
from tests.support.functions import call_functions
from tests.support.machines import Machine
from tests.support.toolboxes import Toolbox

NEEDS = " Wasp 0.25.0 needs Node.js >=24.14.1.\n"
UNSAID = (
    *("exit 1", "echo v30.0.0; exit 1", "echo nonsense", "echo v", "sleep 15; echo v30.0.0"),
    "printf 'v1\\033[31m.2.3\\n'",
)
#: In a terminal of another kind, or a script, it may not be on PATH.
ELSEWHERE = (
    *(".nvm/versions/node/v24.14.1", ".local/share/fnm/node-versions/v24.14.1"),
    *(".volta/tools/image/node/24.14.1", ".asdf/installs/nodejs/24.14.1"),
)
#: What `node --version` does, or in which folder Node.js is, and what is warned of.
NODES = {
    **dict.fromkeys(f"echo v{version}" for version in ("24.14.1", "24.15.0", "25.0.0", "100.0.0")),
    "echo v0.1.0 # and no known need": None,
    "echo v24.14.1 # and no npm": "npm is not on PATH",
    **{
        f"echo v{version}": f"Node.js on PATH is {version}.{NEEDS}"
        for version in ("24.14.0", "24.9.9", "9.99.99")
    },
    **dict.fromkeys(UNSAID, f"Node.js does not say which version it is.{NEEDS}"),
    **{place: f"Node.js is not on PATH, but in ~/{place}.{NEEDS}" for place in ELSEWHERE},
    ".": f"Node.js is not on PATH.{NEEDS}",
}


def test_which_node_there_is(machine: Machine) -> None:
    calls = []
    for number, body in enumerate(NODES):
        home = machine.root / str(number)
        box = Toolbox(home / "bin")
        if body.startswith("."):
            (home / body).mkdir(parents=True, exist_ok=True)
        else:
            box.fake_node("0").script("node", body)
        if "no npm" in body:
            box.remove("npm")
        need = "" if "no known need" in body else ">=24.14.1"
        calls.append(
            f"HOME={home} home={home} PATH={box.folder}:$PATH HELPER_LIMIT_S=3\n"
            f"version=0.25.0 release_node='{need}'\ncheck_node"
        )
    for (body, expected), said in zip(NODES.items(), call_functions(machine, calls, together=True)):
        assert said.startswith(f"warning: {expected or ''}") if expected else said == "", body
        assert "\033" not in said
        advice = "nvm use node" if body in ELSEWHERE else "https://nodejs.org"
        assert not expected or advice in said, body


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


#: PATH, and whether the other wasp is spoken of.
OTHERS = {
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
    # It does not come first once this wasp was put on PATH.
    for option in ("--no-modify-path", "--quiet"):
        path = f"{machine.toolbox.folder}:{folders['other']}"
        run = set_up(machine.set(PATH=path), option, "--force")
        told = [warning for warning in run.warnings() if f"{folders['other']}/wasp" in warning]
        assert len(told) == (option == "--no-modify-path")


ENTRIES = {
    **dict.fromkeys(("{bin}", "{bin}/", ":{bin}:/x"), True),
    **dict.fromkeys(("{bin}2", "{bin}/sub", "prefix{bin}"), False),
    **dict.fromkeys(("{home}/xlocal/bin", "{home}/.LOCAL/bin", "{home}/?local/bin"), False),
}


def test_what_counts_as_on_path(every_shell_machine: Machine) -> None:
    names = {"bin": "/home/me/.local/bin", "home": "/home/me"}
    calls = [
        f"prefix=/home/me/.local PATH='{entry.format(**names)}'\nis_on_path\necho $on_path"
        for entry in ENTRIES
    ]
    told = call_functions(every_shell_machine, calls)
    assert {entry: said == "true" for entry, said in zip(ENTRIES, told)} == ENTRIES


def test_few_words(machine: Machine) -> None:
    machine.toolbox.fake_node("24.14.1")
    machine.set(PATH=f"{machine.toolbox.folder}:{machine.layout.launcher.parent}")
    run = install(machine)
    assert run.warnings() == []
    assert len(run.stderr.splitlines()) <= 5
    assert run.stderr.splitlines()[-1] == "Next: wasp new my-app"
    assert VERSION in run.stderr
