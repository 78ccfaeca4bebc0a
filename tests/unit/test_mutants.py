"""How `make mutants` breaks a line, and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.mutants import python_code, sh_code
from tests.mutants.__main__ import LANGUAGES, Code, read_list
from tests.mutants.code import Function
from tests.mutants.coverage import Choice, KnownTest

PYTHON: list[tuple[str, list[str]]] = [
    ("a == b", ["pass", "a != b"]),
    ("x = a < 1", ["x = a <= 1", "x = a < 2"]),
    ("x = a not in b", ["x = a in b"]),
    ("x = a and (b or c)", ["x = a or (b or c)", "x = a and (b and c)"]),
    ("x = a + b", ["x = a - b"]),
    ("x = a if b else c", ["x = a if (not (b)) else c"]),
    ("x = a if not b else c", ["x = a if b else c"]),
    ("x = [a for a in b if c]", ["x = [a for a in b if (not (c))]"]),
    ("if a: b()", ["if (not (a)): b()", "if a: pass"]),
    ("while a: b += c", ["while (not (a)): b += c", "while a: pass"]),
    ("if a: raise b", ["if (not (a)): raise b", "pass", "if a: pass"]),
    ("a.b = True", ["pass", "a.b = False"]),
    ("a = 0", ["a = 1"]),
    ("LIMIT_S: Final = 10.0", ["LIMIT_S: Final = 1000.0"]),
    ("a = 'b'", ["a = 'XXb'"]),
    ("a = f'{b}/c'", ["a = f'XX{b}/c'"]),
    ("x = a(b, c)", ["x = a(c, b)"]),
    ("x = a(b, c=d)", ["x = a(b)"]),
    ("def a(): return b", ["def a(): return None"]),
    ("def a(): return True", ["def a(): return False"]),
    # Types, texts and what only people read.
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
    ('if sys.platform == "win32": a = 1', ['if (not (sys.platform == "win32")): a = 1']),
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
    ("if [ ! -e a ]; then", ["if [ -e a ]; then"]),
    ("if ! a; then", ["if a; then"]),
    ("if a; then", ["if ! a; then"]),
    (
        'until [ "$a" -gt "$b" ]; do',
        ['until [ ! "$a" -gt "$b" ]; do', 'until [ "$a" -ge "$b" ]; do'],
    ),
    ("a) b ;;", ["'~') b ;;", "a) : ;;"]),
    ("a | b) ;;", ["'~') ;;", "a) ;;", "b) ;;"]),
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
    ("done", []),
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


def test_quotes_of_sh_may_have_sh_in_them() -> None:
    text = """a="b $(c 'd' "e ${f#g}") h" # i\nj <<'K'\nl\nK\n"""
    found = sh_code.kinds_of(text)
    assert [text[place] for place, kind in enumerate(found) if kind == "#"] == ["#", " ", "i"]
    assert "".join(it for it, kind in zip(text, found) if kind == "c") == "a=c  ) \nj \n"
    assert "".join(it for it, kind in zip(text, found) if kind == "s") == "'d'"
    assert "".join(it for it, kind in zip(text, found) if kind == "h") == "<<'K'\nl\nK"


def test_functions_of_python() -> None:
    text = "class A:\n    def b(self):\n        def c():\n            pass\n\n\ndef d(): pass\n"
    assert python_code.functions(text) == [
        Function("A.b", 2, 4),
        Function("A.b.c", 3, 4),
        Function("d", 7, 7),
    ]


def test_functions_of_sh() -> None:
    text = "a() {\n\tb\n}\nc() { d; }\n"
    assert sh_code.functions(text) == [Function("a", 1, 3), Function("c", 4, 4)]


def test_the_trace_of_python_comes_after_the_docstring() -> None:
    text = "'Text.'\nfrom __future__ import annotations\n\ndef a():\n    'Text.'\n    return 1\n"
    lines = python_code.traced(text, "a.py", "/trace").splitlines()
    assert lines[-2:] == ["    _wasp_ran(b'a.py::a')", "    return 1"]
    assert lines[:2] == text.splitlines()[:2]


def test_the_trace_of_sh_comes_after_the_lines_that_are_filled_in() -> None:
    text = "#!/bin/sh\n# Text.\n_wasp_version=''\n_wasp_root=''\na() {\n\tb\n}\n"
    assert sh_code.traced(text, "installed/a", "/trace").splitlines()[4:] == [
        "echo 'installed/a::module' >>'/trace'",
        "a() {",
        "echo 'installed/a::a' >>'/trace'",
        "\tb",
        "}",
    ]


def test_of_the_tests_that_run_a_function_the_most_telling_come_first() -> None:
    whole = KnownTest("tests/getters/test_equality.py::a", 1.0, frozenset("fgh"))
    file = "tests/unit/test_texts.py"
    rows = [KnownTest(f"{file}::b[{row}]", 0.0, frozenset("fg")) for row in range(3)]
    other = KnownTest(f"{file}::c", 0.2, frozenset("fgh"))
    elsewhere = KnownTest(f"{file}::d", 0.2, frozenset("g"))
    speaking = KnownTest("tests/unit/test_programs.py::e", 0.3, frozenset("fgh"))
    choice = Choice([whole, elsewhere, other, *rows, speaking])
    assert choice.tests_for(["f"], "", "") == [rows[0], other, speaking, rows[1], rows[2], whole]
    assert choice.tests_for(["f"], "x/programs.py", "")[:2] == [speaking, rows[0]]
    assert choice.tests_for(["f"], "", "class Interrupted:")[:2] == [speaking, rows[0]]
    assert choice.others_for(["f"], [rows[0]]) == [rows[1], rows[2], other, speaking, whole]


def test_every_guard_that_is_listed_is_in_the_code_once() -> None:
    found = [guard for language in LANGUAGES for guard in Code(language).guards()]
    assert len(found) == len(read_list("guards.txt"))
