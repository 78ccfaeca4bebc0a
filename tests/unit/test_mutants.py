"""The list of guards keeps step with the code (`make mutants ARGS=--guards`)."""

from __future__ import annotations

from tests.mutants.__main__ import LANGUAGES, Code, read_list


def test_every_guard_that_is_listed_is_in_the_code_once() -> None:
    found = [guard for language in LANGUAGES for guard in Code(language).guards()]
    assert len(found) == len(read_list("guards.txt"))
