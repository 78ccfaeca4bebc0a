"""Versions: what is one, and in which order they come."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasp_installer.errors import InstallerError
from wasp_installer.versions import is_version, newest_first, older_than, parse_version, sort_key

numbers = st.integers(0, 99_999)
releases = st.tuples(numbers, numbers, numbers).map(lambda parts: ".".join(map(str, parts)))
old_releases = st.tuples(numbers, numbers, numbers, numbers).map(
    lambda parts: ".".join(map(str, parts))
)
candidates = st.tuples(releases, numbers).map(lambda parts: f"{parts[0]}-rc{parts[1]}")
versions = st.one_of(releases, old_releases, candidates)


def _without_v(text: str) -> str:
    return text.removeprefix("v")


@given(versions)
def test_a_version_is_one_with_and_without_a_v(version: str) -> None:
    assert is_version(version)
    assert parse_version(version) == parse_version(f"v{version}") == version


@given(st.text(alphabet="0123456789.-rcv/\\ \n\u0660%", max_size=20))
def test_what_passes_holds_nothing_that_a_path_or_url_could_trip_over(text: str) -> None:
    if is_version(text):
        assert re.fullmatch(r"[0-9]+(\.[0-9]+){2,3}(-rc[0-9]+)?", text, re.ASCII)


@given(st.text())
def test_anything_else_is_refused_and_named(text: str) -> None:
    if is_version(_without_v(text)):
        assert parse_version(text) == _without_v(text)
        return
    with pytest.raises(InstallerError) as caught:
        parse_version(text)
    assert caught.value.slug == "bad-version"


@given(releases, numbers)
def test_a_candidate_comes_before_its_release(release: str, number: int) -> None:
    assert sort_key(f"{release}-rc{number}") < sort_key(release)


@given(st.lists(st.tuples(numbers, numbers, numbers)))
def test_releases_are_ordered_by_their_numbers(parts: list[tuple[int, int, int]]) -> None:
    texts = [".".join(map(str, three)) for three in parts]
    expected = [".".join(map(str, three)) for three in sorted(parts, reverse=True)]
    assert newest_first(texts) == expected


@given(st.lists(numbers, min_size=1, max_size=4), st.lists(numbers, min_size=1, max_size=4))
def test_older_is_by_numbers_and_missing_ones_are_zero(one: list[int], other: list[int]) -> None:
    padded = [list(parts) + [0] * (4 - len(parts)) for parts in (one, other)]
    texts = [".".join(map(str, parts)) for parts in (one, other)]
    assert older_than(texts[0], texts[1]) is (padded[0] < padded[1])


@pytest.mark.parametrize(
    ("one", "other", "older"),
    [("0.9.0", "0.10.0", True), ("24.14.1", "24.14.1", False), ("2.28", "2.29", True)],
)
def test_older(one: str, other: str, older: bool) -> None:
    assert older_than(one, other) is older
