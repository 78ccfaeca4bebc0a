"""Versions: what is one, and in which order they come; tests/getters/test_usage.py has both."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasp_installer.errors import InstallerError
from wasp_installer.versions import is_version, newest_first, older_than, parse_version

number = st.integers(0, 99_999)
parts = st.tuples(number, number, number, number | st.just(math.inf))


@given(st.text() | st.text(alphabet="0123456789.-rcv/\\ \n\u0660%", max_size=20))
def test_no_other_text_may_reach_a_path_or_an_address(text: str) -> None:
    version = text.removeprefix("v")
    if is_version(version):
        assert re.fullmatch(r"[0-9]+(\.[0-9]+){2,3}(-rc[0-9]+)?", version, re.ASCII)
        assert parse_version(text) == version
    else:
        with pytest.raises(InstallerError) as caught:
            parse_version(text)
        assert (caught.value.slug, caught.value.code) == ("bad-version", 2)


def written(version: tuple[float, ...]) -> str:
    *release, candidate = version
    return ".".join(map(str, release)) + (f"-rc{candidate}" if candidate < math.inf else "")


@given(st.lists(parts), parts, parts)
def test_versions_are_ordered_by_their_numbers_and_candidates_come_first(
    versions: list[tuple[float, ...]], one: tuple[float, ...], other: tuple[float, ...]
) -> None:
    assert newest_first(map(written, versions)) == [*map(written, sorted(versions, reverse=True))]
    assert older_than(written(one), written(other)) is (one < other)
