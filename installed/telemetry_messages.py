"""Messages back: what the Wasp team has to say to the users of a version.

After an event, telemetry_ping.py lets this look for them: in what the collector answered and, once
in 12 hours, in the news feed and where this Wasp came from. No request says anything of the user.
The launcher prints the text that comes of it, and empties that.
"""

from __future__ import annotations

import json
import os
import re

import telemetry_ping as ping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Message = dict[str, Any]

DEFAULT_NEWS_URL = "https://news.wasp.sh"
LEVELS = ("critical", "important", "info")

DAY_S = 24 * 60 * 60
DAILY_S = 20 * 60 * 60  # nobody comes back at the same second

#: What bad text raises.
BROKEN = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def version_key(version: str) -> tuple[Any, ...]:
    """Sorts versions as https://semver.org does; ValueError for what is none."""
    form = r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?"
    found = re.fullmatch(form, version, re.ASCII | re.IGNORECASE)
    if not found:
        raise ValueError("not a version")
    parts = (found[4] or "").split(".")
    order = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
    return int(found[1]), int(found[2]), int(found[3]), not found[4], order


def is_in_range(version: str, text: str) -> bool:
    """Whether ``version`` is in a range such as ``>=0.20.0 <0.25.1 || 0.26.0``."""
    # All are read, so that no mistake hides.
    alternatives = [[_holds(version, word) for word in part.split()] for part in text.split("||")]
    if len(text) > 200 or [] in alternatives:
        raise ValueError("not a range")
    return any(map(all, alternatives))


def _holds(version: str, word: str) -> bool:
    limit = word.lstrip("<>=")
    a, b = version_key(version), version_key(limit)
    held = {"": a == b, "=": a == b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}
    return held[word[: len(word) - len(limit)]]


def newer_releases(releases: list[str], version: str) -> list[str]:
    """The newest of the line of ``version`` (0.25, or 1), and of the others, or ""."""
    size, found = 2 if version.startswith("0.") else 1, ["", ""]
    for newer in sorted(releases, key=version_key):
        if version_key(newer) > version_key(version):
            found[version_key(newer)[:size] != version_key(version)[:size]] = newer
    return found


def _is_release(version: str) -> bool:
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,9}){2}", version, re.ASCII))


def messages_from(value: list[Message]) -> list[Message]:
    """The messages of a feed; as in ``wasp news``, a bad one refuses all."""
    return [_message(fields) for fields in value[:1000]]


def _message(fields: Message) -> Message:
    message = {name: _plain(fields[name]) for name in ("id", "level", "title", "body")}
    message["body"] = message["body"][:800]
    for name in ("publishedAt", "url", "affectedVersions"):
        message[name] = fields.get(name) or ""
    is_https = re.fullmatch(r"(https://[!-~]{1,200})?", message["url"])
    if message["level"] not in LEVELS or len(fields["title"]) > 60 or not is_https:
        raise ValueError("not a message")
    published_at(message)
    is_in_range("0.0.0", message["affectedVersions"] or "0.0.0")
    return message


def _plain(text: str) -> str:
    """One line of ASCII: nothing that colours, hides, or looks like something else."""
    from unicodedata import normalize

    quotes = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--")
    ascii_text = normalize("NFKD", text.translate(quotes)).encode("ascii", "ignore").decode()
    return " ".join(re.sub("[^!-~]", " ", ascii_text).split())


def published_at(message: Message) -> int:
    """Seconds since 1970, of a time like 2026-01-31T12:00:00Z; else ValueError."""
    from datetime import datetime

    form = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)"
    found = re.fullmatch(form, message["publishedAt"], re.ASCII)
    if not found:
        raise ValueError("not a full time")
    return int(datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00")).timestamp())


class News:
    """What ``messages.json`` keeps; nothing when it cannot be read.

    ``looked_at`` and ``shown``: seconds since 1970; ``ready``: what a version's text has in it.
    """

    def __init__(self, text: bytes = b"") -> None:
        self.looked_at = 0
        self.feed: list[Message] = []
        self.answer: list[Message] = []
        self.releases: list[str] = []
        self.shown: dict[str, int] = {}
        self.ready: dict[str, list[str]] = {}
        try:
            kept = json.loads(text)
            self.shown = {name: int(at) for name, at in kept["shown"].items()}
            self.ready = {name: [*map(str, its)] for name, its in kept["ready"].items()}
            self.looked_at = int(kept["looked_at"])
            self.releases = [*filter(_is_release, kept["releases"])]
            self.feed, self.answer = map(messages_from, (kept["feed"], kept["answer"]))
        except BROKEN:
            return

    def to_text(self) -> bytes:
        """As JSON."""
        return json.dumps(vars(self)).encode("ascii")

    def due(self, version: str, now: int) -> dict[str, list[str]]:
        """Names and lines of what users of ``version`` are to read, the gravest first."""

        def is_due(name: str, pause: int) -> bool:
            return not 0 <= now - self.shown.get(name, -pause) < pause

        found: dict[str, list[str]] = {}
        infos: dict[str, list[str]] = {}
        patch, breaking = newer_releases(self.releases, version)
        for message in sorted(self.feed + self.answer, key=_gravity):
            name, level = message["id"], message["level"]
            pause = DAILY_S if level == "critical" else now
            if name not in found and is_due(name, pause) and _concerns(message, version, now):
                into = infos if level == "info" else found
                into[name] = _lines_of(message, [patch, breaking])
        if patch and is_due(" patch", DAILY_S):
            text = f"Wasp {patch} is out, a newer patch of your {version}."
            # No message has a name with a space in front.
            found[" patch"] = _lines(text, "", update_command(patch))
        if breaking and is_due(" release", 6 * DAY_S + DAILY_S):
            text = f"Wasp {breaking} is out; you have {version}. Your project may need changes."
            notes = f"What changed: https://github.com/wasp-lang/wasp/releases/tag/v{breaking}"
            found[" release"] = _lines(text, "", notes, update_command(breaking))
        # Infos never by themselves.
        return dict([*found.items(), *(infos.items() if found else ())][:3])


def _gravity(message: Message) -> tuple[int, int]:
    return LEVELS.index(message["level"]), -published_at(message)


def _concerns(message: Message, version: str, now: int) -> bool:
    age, affected = now - published_at(message), message["affectedVersions"]
    # Newcomers get no old news.
    is_news = message["level"] == "critical" or age < 30 * DAY_S
    return age >= -DAY_S and (is_in_range(version, affected) if affected else is_news)


def _lines_of(message: Message, newer: list[str]) -> list[str]:
    more = f"More: {message['url']}" if message["url"] else ""
    if message["level"] != "critical":
        return _lines(message["title"], message["body"], more)
    affected = message["affectedVersions"] or "0.0.0"
    fixed = [found for found in newer if found and not is_in_range(found, affected)]
    links, rule = (more, update_command("".join(fixed[:1]))), "!" * 76
    return [rule, *_lines(f"CRITICAL: {message['title']}", message["body"], *links), rule]


def _lines(title: str, body: str, *links: str) -> list[str]:
    """Wrapped, but for links and commands, which are copied."""
    from textwrap import indent, wrap

    first, then = wrap(title, 76), wrap(body, 74)
    return [*first, *(indent(line, "  ") for line in (*then, *links) if line)]


def update_command(version: str) -> str:
    """What gets ``version`` into this install; "" without our manager."""
    from shlex import quote

    root = os.path.dirname(os.path.abspath(ping.__file__))
    wasp = quote(root[: -len("/share/wasp-lang")] + "/bin/wasp")
    home = os.path.join(os.environ.get("HOME", ""), "")
    if len(home) > 1 and wasp.startswith(home):
        wasp = f"~/{wasp[len(home) :]}"
    sudo = "" if os.access(root, os.W_OK) else "sudo "
    line = f"To update: {sudo}{wasp} installer update {version}".rstrip()
    is_ours = os.path.exists(f"{root}/wasp-installer.sh")
    return line if is_ours and line.isascii() and line.isprintable() else ""


def look(store: ping.Store, version: str, answer: bytes, now: int) -> None:
    """Prepares what the launcher shows; a channel that fails is left out."""
    if "WASP_AUTO_NEWS_DISABLE" in os.environ or ping.is_on_ci(os.environ):
        return
    feed = os.environ.get("WASP_NEWS_SERVER_URL") or DEFAULT_NEWS_URL
    channels: dict[str, Callable[[], Any]] = {
        "answer": lambda: messages_from(json.loads(answer)["messages"])
    }
    with store.lock():
        news = _news(store)
        if not 0 <= now - news.looked_at <= ping.PAUSE_S:
            news.looked_at = now
            channels["feed"] = lambda: messages_from(_get(feed))
            channels["releases"] = lambda: _releases(version)
        _prepare(store, news, version, now)
    for name, channel in channels.items():
        try:
            found = channel()
        except (*BROKEN, OSError):
            continue
        # The next may take until the deadline.
        with store.lock():
            news = _news(store)
            setattr(news, name, found)
            _prepare(store, news, version, now)


def _news(store: ping.Store) -> News:
    return News(store.read("messages.json", 8 * ping.ANSWER_LIMIT_BYTES))


def _prepare(store: ping.Store, news: News, version: str, now: int) -> None:
    """Writes the text for ``version``; an empty one was shown."""
    name = f"messages-{version}"
    path = f"{store.folder}/{name}"
    if os.path.exists(path) and os.path.getsize(path) == 0:
        at = int(os.path.getmtime(path))
        news.shown.update(dict.fromkeys(news.ready.get(version, []), at))
    due = news.due(version, now)
    news.ready[version] = list(due)
    # Gone first, as an empty text would make new names pass for shown.
    store.remove(name)
    store.write("messages.json", news.to_text())
    if due:
        text = "".join(f"{line}\n" for lines in due.values() for line in (*lines, ""))
        store.write(name, text.encode("ascii"))


def _get(url: str, accept: str = "application/json") -> Any:
    status, content = ping.ask(url, fields=f"Accept: {accept}\r\n")
    if status != 200:
        raise ValueError(status)
    return json.loads(content)


def _releases(version: str) -> list[str]:
    """Those of where a version came from, by its receipt."""
    folder = os.path.dirname(os.path.abspath(ping.__file__))
    with open(f"{folder}/{version}/.receipt.json", "rb") as file:
        receipt = json.load(file)
    if receipt["source"] == "npm":
        accept = "application/vnd.npm.install-v1+json, application/json"
        registry = receipt["url"].partition("/@wasp.sh")[0]
        listed = _get(f"{registry}/@wasp.sh%2fwasp-cli", accept)["versions"].items()
        found = [name for name, its in listed if not its.get("deprecated")]
    else:
        base = receipt["url"].partition("/wasp-lang/wasp/")[0]
        api = "https://api.github.com" if base == "https://github.com" else f"{base}/api/v3"
        listed = _get(f"{api}/repos/wasp-lang/wasp/releases?per_page=20")
        found = [one["tag_name"].lstrip("v") for one in listed if not one.get("prerelease")]
    return [*filter(_is_release, found)]
