"""Every front end leaves the same bytes as every other."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.frontends import BY_NAME, FrontEnd
from tests.support.machines import MachineRoom
from tests.support.releases import Upstream
from tests.support.trees import Entry, picture


def counterpart(front_end: FrontEnd) -> FrontEnd:
    """The front end of the other kind: what equals it, directly or not, equals all."""
    return BY_NAME["dash" if front_end.name == "python" else "python"]


@pytest.mark.parametrize("source", ["npm", "github"])
@pytest.mark.parametrize("home", ["plain", 'it\'s a "home" with $pecials \\ `here`'])
def test_both_front_ends_leave_the_same_bytes(
    machines: MachineRoom, upstream: Upstream, front_end: FrontEnd, source: str, home: str
) -> None:
    upstream.publish("0.25.0", node=">=24.14.1")
    one = _install(machines, front_end, home, source)
    other = _install(machines, counterpart(front_end), home, source)
    assert one == other
    assert ".local/bin/wasp" in one
    assert ".local/share/wasp-lang/0.25.0/.receipt.json" in one


def _install(
    machines: MachineRoom, front_end: FrontEnd, home: str, source: str
) -> dict[str, Entry]:
    """A picture of what this front end installs; always at the same place, as the launcher
    holds the name of it."""
    machine = machines.build(front_end, name=f"machine-of-{front_end.name}")
    place = Path(machine.root.parent) / "homes" / home
    place.mkdir(parents=True)
    machine.set(HOME=str(place))
    machine.install(None, "--source", source).ok()
    made = picture(place)
    shutil.rmtree(place)
    return made


def test_both_front_ends_print_the_same_json(
    machines: MachineRoom, upstream: Upstream, front_end: FrontEnd
) -> None:
    upstream.publish("0.25.0", node=">=24.14.1")
    prefix = machines.build(front_end, name="first").root / "prefix"
    told = []
    for name, chosen in (("one", front_end), ("other", counterpart(front_end))):
        machine = machines.build(chosen, name=name)
        answer = machine.install(None, "--prefix", str(prefix)).ok().json
        shutil.rmtree(prefix)
        del answer["elapsed_s"]
        told.append((list(answer), answer))
    assert told[0] == told[1]


def test_both_front_ends_print_the_same_help(machines: MachineRoom, front_end: FrontEnd) -> None:
    texts = []
    for name, chosen in (("one", front_end), ("other", counterpart(front_end))):
        machine = machines.build(chosen, name=name)
        run = machine.run("--help").ok()
        texts.append(run.stdout.replace("install.py", "install.sh"))
    assert texts[0].split() == texts[1].split()
