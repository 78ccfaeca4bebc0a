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
_Placed = Union[ast.expr, ast.stmt, ast.keyword]
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
    breaker = _Breaker(text.encode())
    found = set(breaker.found(ast.parse(text)))
    return sorted(change for change in found if _compiles(change.of(text)))


def _compiles(text: str) -> bool:
    try:
        compile(text, "", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class _Breaker(ast.NodeVisitor):
    """Its methods say in which ways a node can be broken."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._starts = [0, *accumulate(map(len, content.splitlines(keepends=True)))]

    def found(self, node: ast.AST) -> Iterator[Change]:
        """Those of a node and of all that is in it."""
        if _is_left(node):
            return
        if isinstance(node, ast.stmt) and _can_go(node):
            yield self._instead(node, "pass")
        for test in _conditions(node):
            if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
                yield self._instead(test, test.operand)
            else:
                yield self._instead(test, ast.UnaryOp(ast.Not(), test))
        yield from self.visit(node)
        for child in _children(node):
            yield from self.found(child)

    def _place(self, line: int | None, column: int | None) -> int:
        """The offset of a place that the parser counts in bytes."""
        return len(self._content[: self._starts[(line or 0) - 1] + (column or 0)].decode())

    def _start(self, node: _Placed) -> int:
        return self._place(node.lineno, node.col_offset)

    def _end(self, node: _Placed) -> int:
        return self._place(node.end_lineno, node.end_col_offset)

    def _instead(self, node: _Placed, new: ast.AST | str) -> Change:
        text = new if isinstance(new, str) else ast.unparse(new)
        return Change(self._start(node), self._end(node), text)

    def generic_visit(self, _node: ast.AST) -> Iterable[Change]:
        return ()

    def visit_Compare(self, node: ast.Compare) -> Iterator[Change]:
        for number, operator in enumerate(node.ops):
            operators = [*node.ops]
            operators[number] = _OTHER[type(operator)]()
            yield self._instead(node, ast.Compare(node.left, operators, node.comparators))

    def visit_BoolOp(self, node: ast.BoolOp) -> Iterator[Change]:
        yield self._instead(node, ast.BoolOp(_OTHER[type(node.op)](), node.values))

    def visit_BinOp(self, node: ast.BinOp) -> Iterator[Change]:
        if type(node.op) in _OTHER:
            yield self._instead(node, ast.BinOp(node.left, _OTHER[type(node.op)](), node.right))

    def visit_Return(self, node: ast.Return) -> Iterator[Change]:
        if node.value is not None and not isinstance(node.value, ast.Constant):
            yield self._instead(node, "return None")

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> Iterator[Change]:
        seconds = _seconds(node)
        if node.value is not None and seconds is not None:
            yield self._instead(node.value, str(100 * seconds))

    visit_AnnAssign = visit_Assign  # noqa: N815

    def visit_Call(self, node: ast.Call) -> Iterator[Change]:
        given: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        if _ERROR.search(_called(node)):
            return
        for before, after in zip(given, given[1:]):
            if isinstance(after, ast.keyword) and after.arg is not None:
                yield Change(self._end(before), self._end(after), "")
        one, other = [*node.args, None, None][:2]
        if one and other and ast.dump(one) != ast.dump(other):
            swapped = [other, one, *node.args[2:]]
            yield self._instead(node, ast.Call(node.func, swapped, node.keywords))

    def visit_JoinedStr(self, node: ast.expr) -> Iterator[Change]:
        source = self._content.decode()[self._start(node) : self._end(node)]
        quote = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", source)
        if quote and not _PROSE.search(source):
            place = self._start(node) + quote.end()
            yield Change(place, place, "XX")

    def visit_Constant(self, node: ast.Constant) -> Iterator[Change]:
        if isinstance(node.value, bool):
            yield self._instead(node, str(not node.value))
        elif isinstance(node.value, (int, float)):
            yield self._instead(node, str(node.value + 1))
        else:
            yield from self.visit_JoinedStr(node)


def _conditions(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        return [] if isinstance(node.test, ast.Constant) else [node.test]
    return node.ifs if isinstance(node, ast.comprehension) else []


def _can_go(node: ast.stmt) -> bool:
    """Not the first value of a name, without which nothing works."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Call) or _called(node.value) not in _SAYING[:2]
    if isinstance(node, ast.Assign):
        return not isinstance(node.targets[0], (ast.Name, ast.Tuple))
    if isinstance(node, ast.If):
        return not node.orelse and isinstance(node.body[-1], _LEAVING)
    return isinstance(node, (ast.AugAssign, ast.Delete, ast.Raise, ast.Continue, ast.Break))


def _seconds(node: ast.Assign | ast.AnnAssign) -> float | None:
    """Of so many, one more makes no difference to anybody."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    number = getattr(node.value, "value", None)
    is_time = getattr(target, "id", "").endswith("_S")
    return number if is_time and isinstance(number, (int, float)) else None


def _is_left(node: ast.AST) -> bool:
    """Types, texts and what only people read."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id[0].isupper()
    if isinstance(node, ast.Call):
        return _called(node) in _SAYING
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return _is_docstring(node) or (
        isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )


def _children(node: ast.AST) -> Iterable[ast.AST]:
    if isinstance(node, _Definition):
        return [*filter(None, (*node.args.defaults, *node.args.kw_defaults)), *node.body]
    if isinstance(node, ast.ClassDef):
        return node.body
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return [node.value] if node.value is not None and _seconds(node) is None else []
    if isinstance(node, ast.If) and _ELSEWHERE.match(ast.unparse(node.test)):
        return node.orelse
    if isinstance(node, ast.Call) and _ERROR.search(_called(node)):
        return node.args[:1]
    return () if isinstance(node, ast.JoinedStr) else ast.iter_child_nodes(node)


def _called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))
