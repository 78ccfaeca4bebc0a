"""SECURITY.md: what it names is there."""

from __future__ import annotations

import re

from artefacts.lock import requirements

from tests.support.frontends import REPOSITORY

PAGE = (REPOSITORY / "SECURITY.md").read_text()


def test_every_test_that_it_names_exists() -> None:
    named = set(re.findall(r"`(?:tests/)?(\w+/test_\w+\.py)`", PAGE))
    assert len(named) > 15
    assert [name for name in sorted(named) if not (REPOSITORY / "tests" / name).exists()] == []


def test_it_speaks_of_the_libraries_that_python_39_gets() -> None:
    """Another version of them wants another look at the advisories."""
    every = requirements((REPOSITORY / "requirements.lock").read_text())
    old = {each.name: each.version for each in every if "< (3, 10)" in each.condition}
    assert set(old) == {"requests", "urllib3"}
    assert f"({old['requests']} and {old['urllib3']})" in PAGE
