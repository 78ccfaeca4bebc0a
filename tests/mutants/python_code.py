"""Python: its functions, a trace of them, and the ways to break a line.

By hand: mutmut and cosmic-ray know only what runs in the process of the tests, and run the whole
suite for the rest, while most of this code runs in processes that the tests start.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Union

from tests.mutants.code import MODULE, Change, Function, with_lines

_Definition = (ast.FunctionDef, ast.AsyncFunctionDef)
_Scope = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]

_OPERATORS = {
    "==": "!=",
    "!=": "==",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
    "and": "or",
    "or": "and",
    "+": "-",
    "-": "+",
    "*": "//",
}
#: Only people read what these are given, but for the word of an error, its first argument.
_SAYING = ("say", "say_step", "warn", "print")
_ERROR = re.compile(r"(Error|Problem)$")
_PROSE = re.compile(r"[A-Za-z]{2,}[,.:]? +[A-Za-z]")
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
            name = f"{before}{child.name}"
            yield name, child
            yield from _scopes(child, f"{name}.")
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
        added.append(
            (first, f"{' ' * body[0].col_offset}_wasp_ran({f'{file}::{name}'.encode()!r})")
        )
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
    breaker = _Breaker(text)
    breaker.visit(ast.parse(text))
    return sorted(set(filter(breaker.is_code, breaker.found)))


class _Breaker(ast.NodeVisitor):
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self.found: list[Change] = []

    def is_code(self, change: Change) -> bool:
        try:
            compile(change.of(self._text), "", "exec", dont_inherit=True)
        except SyntaxError:
            return False
        return True

    def _at(self, line: int, column: int) -> int:
        """The offset of a place that the parser counts in bytes."""
        before = self._lines[line - 1].encode()[:column].decode()
        return self._starts[line - 1] + len(before)

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._at(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._at(node.end_lineno or 0, node.end_col_offset or 0)

    def _source(self, node: ast.expr | ast.stmt) -> str:
        return self._text[self._start(node) : self._end(node)]

    def _replace(self, node: ast.expr | ast.stmt, new: str) -> None:
        self.found.append(Change(self._start(node), self._end(node), new))

    def _turn(self, test: ast.expr) -> None:
        """The condition, turned."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            self._replace(test, self._source(test.operand))
        elif not isinstance(test, ast.Constant):
            self._replace(test, f"(not ({self._source(test)}))")

    def _operator(self, left: ast.expr, right: ast.expr) -> None:
        """The operator between two operands, by another."""
        start, end = self._end(left), self._start(right)
        found = re.fullmatch(
            r"([\s)]*)([a-z][a-z ]*[a-z]|[-+*=<>!]+)([\s(]*)", self._text[start:end]
        )
        if found and found[2] in _OPERATORS:
            self.found.append(
                Change(start + found.start(2), start + found.end(2), _OPERATORS[found[2]])
            )

    # --- what is left as it is

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        for statement in node.body:
            self.visit(statement)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._visit_value(node.target, node.value)

    def _visit_value(self, target: ast.expr, value: ast.expr) -> None:
        """Of so many seconds, one more makes no difference to anybody."""
        name = getattr(target, "id", "")
        number = value.value if isinstance(value, ast.Constant) else None
        if name.endswith("_S") and isinstance(number, (int, float)):
            self._replace(value, str(number * 100))
        else:
            self.visit(value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.value, ast.Name) or not node.value.id[0].isupper():
            self.generic_visit(node)

    # --- what is broken

    def visit_Expr(self, node: ast.Expr) -> None:
        if _is_docstring(node):
            return
        if not isinstance(node.value, ast.Call) or _called(node.value) not in ("say", "say_step"):
            self._replace(node, "pass")
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return
        # Without the first value of a name nothing works.
        if not isinstance(node.targets[0], (ast.Name, ast.Tuple)):
            self._replace(node, "pass")
        self._visit_value(node.targets[0], node.value)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, (ast.AugAssign, ast.Delete, ast.Raise, ast.Continue, ast.Break)):
            self._replace(node, "pass")
        super().generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            if not isinstance(node.value, ast.Constant):
                self._replace(node, "return None")
            self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        test = self._source(node.test)
        if "TYPE_CHECKING" in test:
            return
        self._turn(node.test)
        if not node.orelse and isinstance(node.body[-1], _LEAVING):
            self._replace(node, "pass")
        if re.match(r'sys\.platform == "win32"|os\.name == "nt"|sys\.version_info <', test):
            # Runs on Windows only, and tests of that need wine; or on an older Python.
            for statement in node.orelse:
                self.visit(statement)
        else:
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._turn(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._turn(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._turn(test)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, right in zip([node.left, *node.comparators], node.comparators):
            self._operator(left, right)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in zip(node.values, node.values[1:]):
            self._operator(left, right)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._operator(node.left, node.right)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        if name in _SAYING:
            return
        if _ERROR.search(name):
            for argument in node.args[:1]:
                self.visit(argument)
            return
        places: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        for before, after in zip(places, places[1:]):
            if isinstance(after, ast.keyword) and after.arg is not None:
                self.found.append(Change(self._end(before), self._end(after), ""))
        if len(node.args) > 1 and not any(isinstance(it, ast.Starred) for it in node.args[:2]):
            one, other = node.args[:2]
            between = self._text[self._end(one) : self._start(other)]
            if self._source(one) != self._source(other):
                swapped = self._source(other) + between + self._source(one)
                self.found.append(Change(self._start(one), self._end(other), swapped))
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._change_string(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace(node, str(not node.value))
        elif isinstance(node.value, (int, float)):
            self._replace(node, str(node.value + 1))
        elif isinstance(node.value, (str, bytes)):
            self._change_string(node)

    def _change_string(self, node: ast.expr) -> None:
        source = self._source(node)
        quote = re.match(r"[A-Za-z]*(\"\"\"|'''|\"|')", source)
        if quote and not _PROSE.search(source):
            place = self._start(node) + quote.end()
            self.found.append(Change(place, place, "XX"))


def _called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    function = node.func
    return str(getattr(function, "attr", getattr(function, "id", "")))
