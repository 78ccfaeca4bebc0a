"""Python: its functions, a trace of them, and the ways to break a line.

By hand: mutmut and cosmic-ray know only what runs in the process of the tests, and run the whole
suite for the rest, while most of this code runs in processes that the tests start.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any, Union

from tests.mutants.code import MODULE, Change, Function, with_lines

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef)
_Scope = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]
_Variant = tuple[Union[ast.expr, ast.stmt], Union[ast.AST, str]]
_PAIRS = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.In, ast.NotIn)),
    *((ast.Is, ast.IsNot), (ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.FloorDiv)),
)
_OTHER: dict[type[ast.AST], Any] = {**dict(_PAIRS), **{b: a for a, b in _PAIRS}}
#: Only people read what these are given, but for the word of an error, its first argument.
_SAYING = ("say", "say_step", "warn", "print")
_ERROR = re.compile(r"(Error|Problem)$")
_PROSE = re.compile(r"[A-Za-z]{2,}[,.:]? +[A-Za-z]")
#: What runs on Windows only, and tests of that need wine; or on an older Python.
_ELSEWHERE = re.compile(r"sys\.platform == 'win32'|os\.name == 'nt'|sys\.version_info <")
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)
_RAN = """\
def _wasp_ran(name, os=__import__("os")):
    try:
        file = os.open({trace!r}, os.O_WRONLY | os.O_APPEND)
        os.write(file, name + b"\\n")
        os.close(file)
    except OSError:
        pass
"""


def functions(text: str) -> list[Function]:
    """With those inside of others, as "Class.method" or "outer.inner"."""
    return [
        Function(name, node.lineno, node.end_lineno or node.lineno)
        for name, node in _scopes(ast.parse(text))
        if isinstance(node, _Definition)
    ]


def _scopes(node: ast.AST, before: str = "") -> Iterator[tuple[str, _Scope]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_Definition, ast.ClassDef)):
            yield f"{before}{child.name}", child
            yield from _scopes(child, f"{before}{child.name}.")
        else:
            yield from _scopes(child, before)


def traced(text: str, file: str, trace: str) -> str:
    """The same code, each of whose functions appends its name to the file ``trace``."""
    tree = ast.parse(text)
    rest = [it for it in tree.body if not _is_docstring(it) and not _is_future(it)]
    added = [(rest[0].lineno, _RAN.format(trace=trace))]
    for name, node in _scopes(tree):
        body = [it for it in node.body if not _is_docstring(it)]
        if not isinstance(node, _Definition) or not body or body[0].lineno == node.lineno:
            continue
        first = min([body[0].lineno, *(it.lineno for it in getattr(body[0], "decorator_list", []))])
        called = f"_wasp_ran({f'{file}::{name}'.encode()!r})"
        added.append((first, " " * body[0].col_offset + called))
    return with_lines(text, added)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_future(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def constant_at(text: str, line: int) -> str:
    """The name that this line outside of all functions gives a value, or MODULE."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and (
            node.lineno <= line <= (node.end_lineno or 0)
        ):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return target.id if isinstance(target, ast.Name) else MODULE
    return MODULE


def changes(text: str) -> list[Change]:
    """Every way to break this code a little."""
    content = text.encode()
    starts = [0, *accumulate(map(len, content.splitlines(keepends=True)))]

    def place(line: int | None, column: int | None) -> int:
        """The offset of a place that the parser counts in bytes."""
        return len(content[: starts[(line or 0) - 1] + (column or 0)].decode())

    found = set()
    for old, new in _variants(ast.parse(text)):
        start, end = place(old.lineno, old.col_offset), place(old.end_lineno, old.end_col_offset)
        found.add(Change(start, end, new if isinstance(new, str) else ast.unparse(new)))
    return sorted(change for change in found if _compiles(change.of(text)))


def _compiles(text: str) -> bool:
    try:
        compile(text, "", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _variants(node: ast.AST) -> Iterator[_Variant]:
    """What is to be replaced in a node and in all that is in it, and by what."""
    if isinstance(node, ast.stmt) and _can_go(node):
        yield node, "pass"
    if isinstance(node, (ast.expr, ast.Return)):
        yield from _broken(node)
    tests = [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []
    for test in node.ifs if isinstance(node, ast.comprehension) else tests:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield test, test.operand
        elif not isinstance(test, ast.Constant):
            yield test, ast.UnaryOp(ast.Not(), test)
    for child in _children(node):
        if not _is_left(child):
            yield from _variants(child)


def _broken(node: ast.expr | ast.Return) -> Iterator[_Variant]:
    if isinstance(node, ast.Compare):
        for number, operator in enumerate(node.ops):
            operators = [*node.ops[:number], _OTHER[type(operator)](), *node.ops[number + 1 :]]
            yield node, ast.Compare(node.left, operators, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield node, ast.BoolOp(_OTHER[type(node.op)](), node.values)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OTHER:
        yield node, ast.BinOp(node.left, _OTHER[type(node.op)](), node.right)
    elif isinstance(node, ast.Return) and not isinstance(node.value, (ast.Constant, type(None))):
        yield node, "return None"
    elif isinstance(node, ast.Constant) and not _PROSE.search(str(node.value)):
        yield from ((node, repr(value)) for value in _others(node.value))
    elif isinstance(node, ast.Call):
        for keyword in node.keywords if not _ERROR.search(_called(node)) else ():
            left = [each for each in node.keywords if each is not keyword]
            yield node, ast.Call(node.func, node.args, left)


def _others(value: object) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
    elif isinstance(value, str):
        yield f"XX{value}"


def _can_go(node: ast.stmt) -> bool:
    """Not the first value of a name, without which nothing works."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Call) or _called(node.value) not in _SAYING[:2]
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    if isinstance(node, ast.If):
        return not node.orelse and isinstance(node.body[-1], _LEAVING)
    return isinstance(node, (ast.AugAssign, ast.Delete, ast.Raise, ast.Continue, ast.Break))


def _is_left(node: ast.AST) -> bool:
    """Types, texts and what only people read; of so many seconds, one more is nothing."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id[0].isupper()
    if isinstance(node, ast.Call):
        return _called(node) in _SAYING
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return _is_docstring(node) or (
        isinstance(node, (ast.Assign, ast.AnnAssign))
        and re.match(r"__all__|\w+_S\b", ast.unparse(node)) is not None
    )


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, _Definition):
        return [*filter(None, (*node.args.defaults, *node.args.kw_defaults)), *node.body]
    if isinstance(node, ast.ClassDef):
        return node.body
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return [node.value] if node.value is not None else []
    if isinstance(node, ast.If) and _ELSEWHERE.match(ast.unparse(node.test)):
        return node.orelse
    if isinstance(node, ast.Call) and _ERROR.search(_called(node)):
        return node.args[:1]
    return () if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node)


def _called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))
