"""How `make mutants` breaks a line, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.mutants import python_code, sh_code
from tests.mutants.__main__ import LANGUAGES, Code, read_list

PYTHON: list[tuple[str, list[str]]] = [
    ("a == b", ["pass", "a != b"]),
    ("x = a < 1", ["x = a <= 1", "x = a < 2"]),
    ("x = a not in b", ["x = a in b"]),
    ("x = a and (b or c)", ["x = a or (b or c)", "x = a and (b and c)"]),
    ("x = a + b", ["x = a - b"]),
    ("x = a if b else c", ["x = a if not b else c"]),
    ("x = a if not b else c", ["x = a if b else c"]),
    ("x = [a for a in b if c]", ["x = [a for a in b if not c]"]),
    ("if a: b()", ["if not a: b()", "if a: pass"]),
    ("while a: b += c", ["while not a: b += c", "while a: pass"]),
    ("if a: raise b", ["if not a: raise b", "pass", "if a: pass"]),
    ("a.b = True", ["pass", "a.b = False"]),
    ("a = 0", ["a = 1"]),
    ("a = 'b'", ["a = 'XXb'"]),
    ("x = a(b, c=d)", ["x = a(b)"]),
    ("def a(): return b", ["def a(): return None"]),
    ("def a(): return True", ["def a(): return False"]),
    # Types, texts and what only people read.
    ("LIMIT_S: Final = 10.0", []),
    ("a: Literal['b']", []),
    ("def a(b: int) -> int: 'Text.'", []),
    ("a = 'some words'", []),
    ("__all__ = ['a']", []),
    ("if TYPE_CHECKING: a = 1", []),
    ("console.say('word', 1)", []),
    (
        "raise InstallerError('slug', 'word', 'hint')",
        ["pass", "raise InstallerError('XXslug', 'word', 'hint')"],
    ),
    # What runs on Windows only.
    ('if sys.platform == "win32": a = 1', ["if not sys.platform == 'win32': a = 1"]),
]
SH: list[tuple[str, list[str]]] = [
    ("a && b", [":", "a || b"]),
    (
        "[ -e a ] || return 1",
        [
            ":",
            "[ ! -e a ] || return 1",
            "[ -e a ] && return 1",
            "[ -e a ] || return 0",
            "[ -e a ] || return 2",
        ],
    ),
    ("if [ ! -e a ]; then b; fi", ["if [ -e a ]; then b; fi"]),
    ("if ! a; then b; fi", ["if a; then b; fi"]),
    ("if a; then b; fi", ["if ! a; then b; fi"]),
    (
        'until [ "$a" -gt "$b" ]; do c; done',
        ['until [ ! "$a" -gt "$b" ]; do c; done', 'until [ "$a" -ge "$b" ]; do c; done'],
    ),
    ("case x in\na) b ;;\nesac", ["case x in\n'~') b ;;\nesac", "case x in\na) : ;;\nesac"]),
    ("case x in\na | b) ;;\nesac", [f"case x in\n{it}) ;;\nesac" for it in ("'~'", "a", "b")]),
    ("a=true", [":", "a=false"]),
    ("LIMIT_S=10", [":", "LIMIT_S=1000"]),
    ("a=''", [":", "a=XX''"]),
    ("a 'b'", [":", "a 'XXb'"]),
    ("a >&2 <b", [":", "a <b", "a >&2"]),
    ('a "$b" "$c"', [":", 'a "$c" "$b"']),
    (
        "die 3 slug 'Some words: 1.'",
        [":", "die 4 slug 'Some words: 1.'", "die 3 XXslug 'Some words: 1.'"],
    ),
    (
        "x=$(awk '$1 > 2 { print }')",
        [":", "x=$(awk '$1 >= 2 { print }')", "x=$(awk '$1 > 3 { print }')"],
    ),
    ("a \\\n\t&& b", [":", "a \\\n\t|| b"]),
    # What only people read, or the shell itself.
    ("# a && b", []),
    ("say 'Some words: 1.'", []),
    ("a 2>/dev/null", [":"]),
    ('a "$1"', [":"]),
]


@pytest.mark.parametrize(("line", "broken"), PYTHON)
def test_python_is_broken(line: str, broken: list[str]) -> None:
    text = f"{line}\n"
    assert sorted(it.of(text)[:-1] for it in python_code.changes(text)) == sorted(broken)


@pytest.mark.parametrize(("line", "broken"), SH)
def test_sh_is_broken(line: str, broken: list[str]) -> None:
    text = f"{line}\n"
    assert sorted(it.of(text)[:-1] for it in sh_code.changes(text)) == sorted(broken)


def test_every_guard_that_is_listed_is_in_the_code_once() -> None:
    found = [guard for language in LANGUAGES for guard in Code(language).guards()]
    assert len(found) == len(read_list("guards.txt"))
