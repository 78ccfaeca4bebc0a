"""sh: its functions, a trace of them, and the ways to break a line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.mutants.code import MODULE, Change, Function, line_of, with_lines

_FUNCTION = re.compile(r"^(\w+)\(\) \{(.*)$", re.MULTILINE)
#: Where the manager fills in lines, the trace comes after them.
_FILLED_IN = re.compile(r"(?:\n_{1,2}wasp_(?:version|root|python)='')+\n")
#: What is said to people: with a space between words, and not a program of awk or sed.
_PROSE = re.compile(r"[A-Za-z]{2,}[,.:]? +[\w$]")
_PROGRAM = re.compile(r"[{}=;|\\]")
_STRUCTURE = re.compile(
    r"(if|then|elif|else|fi|for|while|until|do|done|case|esac|\{|\}|\(|\)|[^()]*\)|;;|#|say|say_step)(\s|;|$)"
)
_REDIRECT = re.compile(
    r" (?!2>/dev/null)\d?(?:>>|>\||>|<)(?:&\d|\"[^\"\n]*\"[\w/.-]*|[^\s;)|&\"'<>]+)"
)
_ARM = re.compile(
    r"(?:^[ \t]*|;;[ \t]+|\bin[ \t]+)((?:[^\s()#;&|]|\| | \||\\ )[^()\n;&]*?)\)", re.MULTILINE
)
#: By the name or the type that shfmt gives to what it parses.
_KINDS = {"DblQuoted": b"d", "SglQuoted": b"s", "CmdSubst": b"c"}
_KINDS |= {"Hdoc": b"h", "Comments": b"#", "Last": b"#"}
_WORD = r"(?:\"\$\w+\"|\"\$\{\w+\}\"|\$\w+)"
#: What is looked for, the kinds of text that it counts in, and what comes instead of the group.
_RULES: tuple[tuple[str, str, dict[str, str] | str], ...] = (
    (r"(&&|\|\|)", "cs", {"&&": "||", "||": "&&"}),
    (r"(?<![\w$])(\[ ! )", "c", "[ "),
    (r"(?<![\w$!])(\[ )(?!! )", "c", "[ ! "),
    (r"(?:^[ \t]*|[;|&{(] ?|\b(?:if|while|until|then|do|else) |\) )(! )(?!\[)", "c", ""),
    (r"\b(?:if|elif|until|while) ()(?!! |\[)", "c", "! "),
    (
        r" (-eq|-ne|-gt|-ge|-lt|-le|=|!=) ",
        "c",
        {"-eq": "-ne", "-ne": "-eq", "-gt": "-ge", "-ge": "-gt", "-lt": "-le", "-le": "-lt"}
        | {"=": "!=", "!=": "="},
    ),
    (r"\breturn (0|1)\b", "c", {"0": "1", "1": "0"}),
    (r"=(true|false)\b", "c", {"true": "false", "false": "true"}),
    (r"\b\w+=()(?!true\b|false\b)(?:''|[A-Za-z/@][\w./:@%-]*)(?=[\s;])", "cs", "XX"),
    (r"\b(?:die|set_problem) (?:\d+ )?()[a-z]", "c", "XX"),
    (r"(\|\| (?:\\\n\s*)?die\w*)\b", "c", "|| : die"),
    (
        r"(?<=[\s(]|\{)([<>]=?|==|!=)(?= )",
        "s",
        {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    ),
)


def functions(text: str) -> list[Function]:
    """A function ends at the next line that is only a brace, or where it began."""
    found = []
    for match in _FUNCTION.finditer(text):
        first = line_of(text, match.start())
        end = match.end() if match[2] else text.index("\n}", match.end()) + 2
        found.append(Function(match[1], first, line_of(text, end - 1)))
    return found


def traced(text: str, file: str, trace: str) -> str:
    """The same code, each of whose functions appends its name to the file ``trace``."""

    def line(name: str) -> str:
        return f"echo '{file}::{name}' >>'{trace}'"

    added = [
        (each.first + 1, line(each.name)) for each in functions(text) if each.last > each.first
    ]
    if not file.startswith("sh/"):
        filled_in = _FILLED_IN.search(text)
        start = line_of(text, filled_in.end()) if filled_in else _first_command(text)
        added.append((start, line(MODULE)))
    return with_lines(text, added)


def _first_command(text: str) -> int:
    lines = enumerate(text.splitlines(), 1)
    return next(number for number, line in lines if line and not line.startswith("#"))


def constant_at(text: str, line: int) -> str:
    """The name that this line outside of all functions gives a value, or MODULE."""
    found = re.match(r"(\w+)=", text.splitlines()[line - 1])
    return found[1] if found else MODULE


def changes(text: str) -> list[Change]:
    """Every way to break this code a little; some are no sh any more."""
    kinds = kinds_of(text)
    found = [*_by_rules(text, kinds), *_arms(text, kinds), *_constants(text, kinds)]
    found += [
        Change(*match.span(), "")
        for match in _REDIRECT.finditer(text)
        if kinds[match.start()] == "c"
    ]
    found += _swaps(text, kinds)
    found += _commands(text, kinds)
    spans = list(_prose(text, kinds))
    return sorted({it for it in found if not any(start < it.start < end for start, end in spans)})


def _by_rules(text: str, kinds: str) -> Iterator[Change]:
    for pattern, where, new in _RULES:
        for match in re.finditer(pattern, text, re.MULTILINE):
            if kinds[match.start(1)] in where:
                yield Change(*match.span(1), new if isinstance(new, str) else new[match[1]])


def _arms(text: str, kinds: str) -> Iterator[Change]:
    """An arm of a case that does nothing, or that is not met by something that it is for."""
    for match in _ARM.finditer(text):
        start, end = match.span(1)
        if kinds[end] != "c" or kinds[start] == "#":
            continue
        yield Change(start, end, "'~'")
        words = re.split(r" \| ", match[1])
        for number in range(len(words) if len(words) > 1 else 0):
            yield Change(start, end, " | ".join(words[:number] + words[number + 1 :]))
        body = re.compile(r"\) (\S[^\n]*?) ;;").match(text, end)
        if body and not body[1].startswith("say"):
            yield Change(*body.span(1), ":")


def _constants(text: str, kinds: str) -> Iterator[Change]:
    for match in re.finditer(r"(?<![\w$.{#&>-])\d+(?![\w.><])", text):
        if kinds[match.start()] in "csd":
            # Of so many seconds, one more makes no difference to anybody.
            is_time = text.endswith("_S=", 0, match.start())
            yield Change(*match.span(), match[0] + "00" if is_time else str(int(match[0]) + 1))
    for match in re.finditer(r"(?<![\w\\])(['\"])()[\w./:@%=+-]+\1", text):
        if kinds[match.start()] in "sd" and kinds[match.start() - 1] == "c":
            yield Change(*match.span(2), "XX")


def _swaps(text: str, kinds: str) -> Iterator[Change]:
    for match in re.finditer(rf"(?<= )({_WORD}) ({_WORD})(?=[\s;)])", text):
        if kinds[match.start() - 1] == "c" and match[1] != match[2]:
            yield Change(*match.span(), f"{match[2]} {match[1]}")


def _commands(text: str, kinds: str) -> Iterator[Change]:
    """Each command on lines of its own, by one that does nothing."""
    start = 0
    while start < len(text):
        end = text.index("\n", start)
        while (
            kinds[end] != "c"
            or re.search(r"(\\|\||&&)$", text[start:end])
            or re.match(r"\n\s*(\|\||&&|\|)", text[end : end + 80])
        ):
            end = text.index("\n", end + 1)
        command = text[start:end].lstrip()
        is_whole = kinds[start] == "c" and not command.endswith((";;", "{", " in", " then", " do"))
        if command and is_whole and not _STRUCTURE.match(command) and "() {" not in command:
            yield Change(end - len(command), end, ":")
        start = end + 1


def _prose(text: str, kinds: str) -> Iterator[tuple[int, int]]:
    """Where words for people begin and end."""
    for match in re.finditer(r"s+|d+", kinds):
        words = text[match.start() : match.end()]
        if _PROSE.search(words) and (match[0][0] == "d" or not _PROGRAM.search(words)):
            yield match.span()


def kinds_of(text: str) -> str:
    """What each character is in: code, single or double quotes, here-document, comment (csdh#)."""
    content = text.encode()
    shfmt = [str(Path(sys.executable).with_name("shfmt")), "--to-json", "-ln", "posix"]
    tree = json.loads(subprocess.run(shfmt, input=content, capture_output=True, check=True).stdout)
    kinds = bytearray(b"c" * len(content))

    def paint(node: dict[str, Any], name: str) -> None:
        """What is inside comes later, over it."""
        start, end = (node[each]["Offset"] for each in ("Pos", "End"))
        kind = _KINDS.get(name) or _KINDS.get(node.get("Type", ""))
        if name == "Hdoc":
            # With the word that ends it.
            end = content.index(b"\n", end)
        if kind:
            kinds[start:end] = kind * (end - start)
        for key, value in node.items():
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, dict) and "Pos" in child:
                    paint(child, key)

    paint(tree, "")
    # One for each character, of which some are more than a byte.
    return bytes(it for it, byte in zip(kinds, content) if byte & 0xC0 != 0x80).decode()
