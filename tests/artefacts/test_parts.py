"""The parts of the builder that meet texts which the present sources do not have."""

from __future__ import annotations

import ast

import pytest
from artefacts.lock import requirements
from artefacts.python import literal
from hypothesis import given
from hypothesis import strategies as st

HASH = "--hash=sha256:" + "0" * 64


@given(st.text(st.sampled_from("\"\\\n\r\t\0a'é…\U0001f41d")) | st.text())
def test_a_literal_is_the_text(text: str) -> None:
    written = literal(text)
    assert ast.literal_eval(written) == text
    assert written.isascii()


def test_a_literal_reads_as_the_text_does() -> None:
    text = 'def f(x):\n    return "a"\n'
    assert literal(text) == f'"""\\\n{text}"""'


@pytest.mark.parametrize(
    ("marker", "condition"),
    [
        ("", "True"),
        (" ; python_full_version < '3.10'", "sys.version_info < (3, 10)"),
        (" ; python_full_version >= '3.10'", "sys.version_info >= (3, 10)"),
        (" ; sys_platform == 'win32'", 'sys.platform == "win32"'),
    ],
)
def test_the_markers_of_a_lock(marker: str, condition: str) -> None:
    [requirement] = requirements(f"# made by uv\none==1.2{marker} \\\n    {HASH} \\\n    {HASH}\n")
    assert str(requirement) == "one 1.2"
    assert requirement.condition == condition


@pytest.mark.parametrize(
    "line",
    [
        f"one==1.2 ; implementation_name == 'pypy' {HASH}",
        f"one==1.2 ; python_full_version > '3.10' {HASH}",
        f"one>=1.2 {HASH}",
        "one==1.2",
        "one @ https://example.com/one.whl",
    ],
)
def test_a_lock_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        requirements(line)
