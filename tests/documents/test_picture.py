"""The picture of an install: what it shows is what an install says."""

from __future__ import annotations

import picture

from tests.support.collector import Collector
from tests.support.frontends import SH
from tests.support.machines import MachineRoom
from tests.support.releases import Upstream


def test_the_picture_is_that_of_an_install(
    machines: MachineRoom, upstream: Upstream, collector: Collector
) -> None:
    upstream.publish("0.25.0", node=">=22.12.0")
    machine = machines.build(SH).collects(collector)
    machine.toolbox.fake_node(picture.NODE[1:]).fake_uname("Linux", "x86_64").fake_glibc("2.36")
    for name in (".bashrc", ".profile"):
        (machine.home / name).touch()
    code, written = picture.record(machine.front_end.argv(), machine.environment)
    machine.wait_for_background()
    assert code == 0, written
    sign = picture.Piece("$ ", "sign")
    lines = [[sign, picture.Piece(picture.COMMAND)], *picture.screen(written), [sign]]
    drawn = picture.PICTURE.read_text(encoding="utf-8")
    assert picture.svg(lines) == drawn, "to draw it again: make picture"
