"""What is warned of after an install, and by the doctor: Node.js, npm, another `wasp`, and more."""

from __future__ import annotations

import os

import pytest

from tests.manager.homes import VERSION, in_home, install, set_up
from tests.support.functions import call_functions
from tests.support.machines import Machine, Run
from tests.support.releases import Upstream
from tests.support.toolboxes import Toolbox
from tests.support.trees import picture

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


# --- `wasp installer doctor` ----------------------------------------------------------------------


@pytest.fixture
def well(machine: Machine) -> Machine:
    """One on which all is well."""
    set_up(machine)
    receipt = machine.layout.receipt_file("0.25.0")
    receipt.write_text(receipt.read_text().replace('"node": null', '"node": ">=24.14.1"'))
    path = machine.toolbox.fake_node("24.14.1").folder
    return machine.set(PATH=f"{machine.home}/.local/bin:{path}")


def lines(run: Run) -> dict[str, str]:
    """What is shown, by its name; what stands in the way, by the "!" before it."""
    found = [line for line in run.stdout.splitlines() if line[0] != " "]
    return {line[:12].rstrip(): line[13:] for line in found}


def test_all_is_well(well: Machine, upstream: Upstream) -> None:
    before, connections = picture(well.home), upstream.server.connections
    run = well.wasp("installer", "doctor").ok()
    shown = lines(run)
    assert "glibc" in shown["machine"]
    expected = {
        "current": "0.25.0, by ~/.local/bin/wasp",
        "versions": "0.25.0",
        "runs here": "0.25.0",
        "PATH": "wasp is ~/.local/bin/wasp",
        "start-up": "~/.bashrc",
        "Node.js": "24.14.1, wanted: >=24.14.1",
        "registry": upstream.npm_url,
        "left over": "none",
        "result": "All is well.",
    }
    assert {name: shown[name] for name in expected} == expected
    assert run.stderr == ""
    assert picture(well.home) == before
    assert upstream.server.connections == connections, "it needs no network"


def test_a_project_and_the_version_that_it_wants(well: Machine) -> None:
    well.layout.plant("0.24.0")
    well.run("use", "0.24.0").ok()
    project = well.home / "project"
    project.mkdir()
    (project / ".wasproot").touch()
    (project / "main.wasp").write_text('app x { wasp: { version: "^0.25.0" } }')
    run = well.run_program([str(well.layout.launcher), "installer", "doctor"], cwd=project)
    assert lines(run.ok())["current"].startswith("0.24.0")
    assert lines(run)["runs here"] == "0.25.0, which this project wants"


def test_secrets_are_not_shown(well: Machine) -> None:
    well.set(WASP_NPM_REGISTRY="https://me:hidden1@registry.example.com/npm")
    for proxy in ("http://me:hidden2@", "me:hidden2@", "http://me:hid/den@2@", ""):
        well.set(HTTPS_PROXY=f"{proxy}proxy.example.com:8080")
        run = well.wasp("installer", "doctor").ok()
        assert lines(run)["registry"] == "https://registry.example.com/npm"
        assert lines(run)["proxy"] == "proxy.example.com:8080"
        assert "hid" not in run.stdout + run.stderr


def test_nothing_is_installed_and_a_machine_that_wasp_does_not_run_on(
    machine: Machine,
) -> None:
    machine.toolbox.remove("node")
    run = machine.run("doctor")
    assert run.code == 5
    assert "To install Wasp: curl -fsSL " in run.stdout
    assert "Node.js is not on PATH. Wasp needs Node.js." in run.stdout
    assert picture(machine.home) == {}
    machine.toolbox.fake_uname("FreeBSD", "amd64")
    run = machine.run("doctor").failed(3).says("Wasp has no release for FreeBSD.")
    assert lines(run)["machine"] == "FreeBSD amd64"
    assert "All is well" not in run.stdout


def test_what_a_killed_run_left(well: Machine) -> None:
    left = ".local/share/wasp-lang/.staging-elsewhere-1-abcdef"
    (well.home / left).mkdir()
    # In another container, it may go on.
    well.run("use", "0.25.0").ok()
    os.utime(well.home / left, (0, 0))
    shown = lines(well.wasp("installer", "doctor").ok())
    assert shown["left over"] == f"~/{left} (the next install removes it)"
    well.run("use", "0.25.0").ok()
    assert lines(well.wasp("installer", "doctor").ok())["left over"] == "none"


BROKEN = {
    # What is done in the home, the exit code, and what is said.
    "PATH": ("", 3, "~/.local/bin is not on PATH in this terminal. To add it: export PATH="),
    "Node.js": ("printf '#!/bin/sh\necho v18\n' >../tools/node", 3, "Node.js on PATH is 18."),
    "binary": ("echo exit 1 >{version}/wasp-bin", 3, "Wasp does not run."),
    "version": ("rm {version}/.receipt.json", 5, "To repair it: wasp installer update"),
    "launcher": ("echo another >.local/bin/wasp", 8, "was not made by this installer"),
    "npm": ("touch {version}/../.uses-npm", 8, "npm manages Wasp here."),
}


@pytest.mark.parametrize("broken", [*((name,) for name in BROKEN), ("PATH", "Node.js", "npm")])
def test_what_stands_in_the_way(well: Machine, broken: tuple[str, ...]) -> None:
    """To people and to programs; the first of all that does decides the exit code."""
    for name in broken:
        deed = BROKEN[name][0].format(version=".local/share/wasp-lang/0.25.0")
        in_home(well, deed or ":")
        if name == "PATH":
            well.set(PATH=str(well.toolbox.folder))
    run, told = well.run("doctor"), well.run("doctor", "--porcelain")
    code = max(BROKEN[name][1] for name in broken)
    assert (run.code, told.code, told.json["code"], told.json["status"]) == (*[code] * 3, "checked")
    for name in broken:
        objections = [line.strip() for line in run.stdout.splitlines() if "! " in line]
        assert any(BROKEN[name][2] in line for line in objections), run
        assert any(BROKEN[name][2] in warning for warning in told.json["warnings"]), told
    assert "All is well" not in run.stdout
