"""The picture of an install: what it shows is what an install says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import picture
import pytest

from tests.support.collector import Collector
from tests.support.frontends import SH
from tests.support.machines import MachineRoom
from tests.support.releases import Upstream

SVG = "{http://www.w3.org/2000/svg}"


def lines_of(svg: str) -> list[str]:
    """The text of a picture, from top to bottom."""
    root = ET.fromstring(svg)  # noqa: S314 - a file of this repository
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_the_picture_shows_what_an_install_says(
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
    said = [text for line in picture.screen(written) if (text := picture.text_of(line))]
    shown = lines_of(picture.PICTURE.read_text(encoding="utf-8"))
    assert shown[0] == f"$ {picture.COMMAND}"
    assert shown[1:-1] == said, "to draw it again: make picture"


def test_it_is_drawn_for_light_and_dark_screens() -> None:
    text = picture.PICTURE.read_text(encoding="utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    for kind in ("rect", "text", ".bold", ".sign", ".red", ".yellow"):
        assert f" {kind} {{" in light
    for kind in set(re.findall(r"(\S+) \{ fill: ", light)):
        assert f" {kind} {{ fill: " in dark


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        ("a\r\nb\r\n", ["a", "b"]),
        ("Downloading 1%\rDownloading 50%\r\x1b[KDone\r\n", ["Done"]),
        ("\x1b[1;31mno:\x1b[0m x\r\n", ["no: x"]),
        ("12345678\r\n", ["12345", "678"]),
        ("\x1b[1m123\x1b[0m45\r\n\r\n6\r\n", ["12345", "", "6"]),
    ],
)
def test_a_screen_is_what_stays_on_it(written: str, lines: list[str]) -> None:
    assert [picture.text_of(line) for line in picture.screen(written, columns=5)] == lines


def test_styles_and_special_characters() -> None:
    [line] = picture.screen("\x1b[1;33mwarning:\x1b[0m <a> & b\r\n")
    assert [piece.style for piece in line] == ["yellow", ""]
    svg = picture.svg([line])
    assert '<tspan class="yellow">warning:</tspan>' in svg
    assert lines_of(svg) == ["warning: <a> & b"]
