"""A machine in words."""

from __future__ import annotations

import pytest

from wasp_installer.getting.platforms import Platform


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        (
            Platform("Linux", "x86_64", "linux", "x86_64", "glibc", "2.36", "debian"),
            "glibc (debian)",
        ),
        (Platform("Linux", "x86_64", "linux", "x86_64", "musl"), "musl"),
    ],
)
def test_it_is_told_as_the_system_tells_it(platform: Platform, words: str) -> None:
    assert platform.in_full() == f"Linux x86_64 {words}"
