#!/usr/bin/env python3
"""Wasp's telemetry, the whole of it: what is sent, when it is sent, and how to opt out.

Two events exist. ``install_event`` is sent when the installer starts to install Wasp; ``cli_event``
when ``wasp`` is used inside a project, at most twice in 12 hours for each project: once for
``wasp build``, once for all other commands. These two functions list every key that is sent, and
their arguments are the only things that can get into it: no path, no name, no argument of a command
but five fixed words (``DEPLOY_KEYWORDS``).

Nothing is sent, written or started when any of these is so (``opt_out_reason``):

    WASP_TELEMETRY_DISABLE is set, to whatever value, even an empty one
    DO_NOT_TRACK is set to anything but 0, false, no, off or nothing
    ``wasp telemetry off`` was called

To see what would be sent: ``wasp telemetry show``, or WASP_TELEMETRY_DEBUG=1 before any command.

The launcher ``wasp`` runs this file beside Wasp, in the background, with the Python (3.8 or newer)
that the machine has, as ``python -I -S telemetry_ping.py invoked VERSION ARGUMENT...`` does. Most
runs meet a pause and end at once, so modules of the standard library are imported only where they
are needed, and the few fields of the state are read without ``json``.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # the name that type checkers look for; importing it would take 15 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from http.client import HTTPConnection
    from ssl import SSLContext
    from subprocess import Popen
    from typing import IO, Any, Final, NoReturn

DEFAULT_URL: Final = "https://app.posthog.com/capture/"
#: Write-only and public: with it, events can be sent and not read.
DEFAULT_KEY: Final = "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"

#: Between two events of one kind from one project.
PAUSE_S: Final = 12 * 60 * 60
#: The same, when the first of them could not be delivered.
FAILED_PAUSE_S: Final = 60 * 60
#: That is longer by up to so much, for each project by another time: after an outage of the
#: collector, not all are to come back at once.
FAILED_SPREAD_S: Final = 60 * 60
#: After so long the process ends, whatever it waits for, name resolution included.
DEADLINE_S: Final = 10
#: So many processes of a user send at once, in however many projects.
SENDERS_LIMIT: Final = 8
#: A process that has been stopped for so long does not send any more.
STALE_S: Final = 60
#: So long each step of a request waits, so that others can still be asked before the deadline.
POST_TIMEOUT_S: Final = 4.0
GET_TIMEOUT_S: Final = 2.5
#: More than this is not read of an answer.
ANSWER_LIMIT_BYTES: Final = 64 * 1024

DAY_S: Final = 24 * 60 * 60
DEFAULT_NEWS_URL: Final = "https://news.wasp.sh"
LEVELS: Final = ("critical", "important", "info")
#: More is not read of the news, nor of a list of releases.
NEWS_LIMIT_BYTES: Final = 1024 * 1024
MESSAGES_LIMIT: Final = 200
RELEASES_LIMIT: Final = 200
SHOWN_LIMIT: Final = 1000
RANGE_LIMIT_CHARACTERS: Final = 200
ETAG_LIMIT_CHARACTERS: Final = 80
#: Of our own file: the messages, each with what JSON adds.
KEPT_LIMIT_BYTES: Final = 4 * NEWS_LIMIT_BYTES
#: So old, a message that names no versions is no news.
NEWS_AGE_S: Final = 30 * DAY_S
#: More are not shown at once.
NOTICES_LIMIT: Final = 3

#: The only arguments of ``wasp deploy`` that are ever sent.
DEPLOY_KEYWORDS: Final = ("fly", "setup", "create-db", "deploy", "cmd")
#: More of them are left out, so that what is remembered stays short.
DEPLOY_LIMIT_WORDS: Final = 20
CONTEXT_LIMIT_CHARACTERS: Final = 200
CI_VARIABLES: Final = (
    "CI",
    "BUILD_ID",
    "BUILD_NUMBER",
    "CI_APP_ID",
    "CI_BUILD_ID",
    "CI_BUILD_NUMBER",
    "CI_NAME",
    "CONTINUOUS_INTEGRATION",
    "RUN_ID",
    "GITHUB_ACTIONS",
    "TRAVIS",
)

# --- opting out ---------------------------------------------------------------------------------


def opt_out_reason(environment: Mapping[str, str]) -> str | None:
    """Why nothing may be sent, in words; None when something may.

    The launcher and install.sh have this rule too, in sh; the tests hold the three together.
    """
    if "WASP_TELEMETRY_DISABLE" in environment:
        return "WASP_TELEMETRY_DISABLE is set"
    # https://consoledonottrack.com
    if environment.get("DO_NOT_TRACK", "").lower() not in ("", "0", "false", "no", "off"):
        return "DO_NOT_TRACK is set"
    off = off_file(environment)
    if off is None:
        return None
    try:
        os.lstat(off)
    except PermissionError:
        return f"{off} cannot be looked for"
    except OSError:
        return None  # there is no such place
    return "it was switched off with: wasp telemetry off"


def off_file(environment: Mapping[str, str]) -> str | None:
    """The file whose presence means off; None when there is no home to keep it in."""
    folder = _user_folder(environment, "XDG_CONFIG_HOME", ".config")
    return None if folder is None else os.path.join(folder, "wasp", "telemetry-off")


def _user_folder(environment: Mapping[str, str], variable: str, default: str) -> str | None:
    """https://specifications.freedesktop.org/basedir-spec: a relative path is to be ignored."""
    named = environment.get(variable, "")
    if os.path.isabs(named):
        return named
    home = environment.get("USERPROFILE" if os.name == "nt" else "HOME", "")
    return os.path.join(home, default) if os.path.isabs(home) else None


# --- the two events -----------------------------------------------------------------------------


def install_event(*, key: str, distinct_id: str, os_name: str) -> dict[str, Any]:
    """What is sent when an install starts: a random number, and the operating system."""
    return {
        "api_key": key,
        "type": "capture",
        "event": "install-script:run",
        "distinct_id": distinct_id,
        "properties": {"os": os_name},
    }


def cli_event(
    *,
    key: str,
    distinct_id: str,
    project_hash: str,
    is_build: bool,
    deploy_cmd_args: str,
    wasp_version: str,
    os_name: str,
    context: str,
) -> dict[str, Any]:
    """What is sent when ``wasp`` is used inside a project."""
    return {
        "api_key": key,
        "event": "cli",
        "distinct_id": distinct_id,
        "properties": {
            "project_hash": project_hash,
            "is_build": is_build,
            "deploy_cmd_args": deploy_cmd_args,
            "wasp_version": wasp_version,
            "os": os_name,
            "context": context,
        },
    }


def to_body(event: Mapping[str, Any]) -> bytes:
    """An event as the JSON that is sent."""
    import json

    return json.dumps(event).encode("ascii")


def _is_version(text: str) -> bool:
    """Letters, digits, dots and dashes, such as 0.25.0-rc1."""
    return len(text) <= 40 and text.isascii() and text.translate({45: "", 46: ""}).isalnum()


def random_digits() -> str:
    """24 random digits, the first of them not 0, from the system's random source."""
    return str(10**23 + int.from_bytes(os.urandom(32), "big") % (9 * 10**23))


def this_os() -> str:
    """The operating system: linux, osx, windows or Unknown."""
    return {"linux": "linux", "darwin": "osx", "win32": "windows"}.get(sys.platform, "Unknown")


def counting_words(arguments: Sequence[str]) -> list[str]:
    """Those of the arguments of ``wasp`` that matter here, as others see the rest of a process."""
    if list(arguments[:1]) == ["deploy"]:
        return ["deploy", *(word for word in arguments[1:] if word in DEPLOY_KEYWORDS)]
    if list(arguments[:1]) == ["build"]:
        return ["build", *(["start"] if list(arguments[1:2]) == ["start"] else [])]
    return []


def is_build(arguments: Sequence[str]) -> bool:
    """Whether the command is ``wasp build``, which ``wasp build start`` is not."""
    return list(arguments[:1]) == ["build"] and list(arguments[1:2]) != ["start"]


def deploy_keywords(arguments: Sequence[str]) -> str:
    """Those arguments of ``wasp deploy`` that may be sent, in order; "" for other commands."""
    return _keywords(arguments[1:]) if list(arguments[:1]) == ["deploy"] else ""


def _keywords(words: Sequence[str]) -> str:
    return ";".join([word for word in words if word in DEPLOY_KEYWORDS][:DEPLOY_LIMIT_WORDS])


def is_on_ci(environment: Mapping[str, str]) -> bool:
    """Whether this runs in continuous integration, as far as its variables tell."""
    return any(environment.get(name, "") not in ("", "false", "0") for name in CI_VARIABLES)


def context_of(environment: Mapping[str, str]) -> str:
    """WASP_TELEMETRY_CONTEXT without control characters, then "CI" on CI."""
    named = environment.get("WASP_TELEMETRY_CONTEXT", "")
    text = "".join(character for character in named if character.isprintable()).strip()
    suffix = " CI" if is_on_ci(environment) else ""
    return (text[: CONTEXT_LIMIT_CHARACTERS - len(suffix)].strip() + suffix).strip()


# --- when to send -------------------------------------------------------------------------------


class Attempt:
    """The last attempt to send events of one kind: when (seconds since 1970), and how it ended.

    ``failed`` is only so when the event has certainly not arrived.
    """

    __slots__ = ("at", "failed")

    def __init__(self, at: int = 0, failed: bool = False) -> None:
        self.at = at
        self.failed = failed


class State:
    """What is remembered of a project; ``deploy`` holds keywords that no event has carried yet.

    ``spread`` is by how many seconds this project waits longer than FAILED_PAUSE_S.
    """

    __slots__ = ("build", "deploy", "other", "spread")

    def __init__(self, build: Attempt, other: Attempt, deploy: str = "", spread: int = 0) -> None:
        self.build = build
        self.other = other
        self.deploy = deploy
        self.spread = spread

    def attempt(self, build: bool) -> Attempt:
        """The last attempt for ``wasp build``, or for the other commands."""
        return self.build if build else self.other

    def pause_ends(self, build: bool) -> int:
        """The last second in which no event of this kind may be sent."""
        attempt = self.attempt(build)
        return attempt.at + (FAILED_PAUSE_S + self.spread if attempt.failed else PAUSE_S)

    def to_text(self) -> str:
        """One line of JSON; ``state_from`` reads exactly this."""
        fields = (
            ("build_at", str(self.build.at)),
            ("build_failed", str(self.build.failed).lower()),
            ("other_at", str(self.other.at)),
            ("other_failed", str(self.other.failed).lower()),
            ("deploy", f'"{self.deploy}"'),
        )
        return "{" + ", ".join(f'"{name}": {value}' for name, value in fields) + "}\n"


def state_from(text: str, spread: int = 0) -> State:
    """The state in ``text``; a fresh one when that is not what ``State.to_text`` writes."""
    fields = dict(part.partition(": ")[::2] for part in text.strip("{}\n").split(", "))
    try:
        build, other = (
            Attempt(int(fields[f'"{kind}_at"']), fields[f'"{kind}_failed"'] == "true")
            for kind in ("build", "other")
        )
        words = fields['"deploy"'].strip('"').split(";")
    except (KeyError, ValueError):
        return State(Attempt(), Attempt(), "", spread)
    return State(build, other, _keywords(words), spread)


def _spread(project_hash: str) -> int:
    """Evenly from 0 to FAILED_SPREAD_S, and for one project always the same."""
    return int(project_hash[:8], 16) * FAILED_SPREAD_S >> 32


class Decision:
    """Whether to send now, with which deploy keywords; ``changed``: the state is to be kept."""

    __slots__ = ("changed", "deploy", "send")

    def __init__(self, send: bool, deploy: str, changed: bool) -> None:
        self.send = send
        self.deploy = deploy
        self.changed = changed


def decide(state: State, *, build: bool, deploy: str, now: int, may_send: bool = True) -> Decision:
    """Whether an invocation at ``now`` sends an event; brings ``state`` to what is to be kept.

    Unless it ``may_send``, it leaves the event to the next one, as it does in a pause.

    An attempt counts as failed until the event is on its way (``delivered``), so that whatever ends
    the process before leaves a pause of an hour or two, and whatever ends it later twelve.
    """
    attempt = state.attempt(build)
    changed = False
    if attempt.at > now:
        # The clock was set back. To wait until it is there again could take years.
        attempt.at = now
        changed = True
    if may_send and now > state.pause_ends(build):
        attempt.at, attempt.failed = now, True
        state.deploy = deploy or state.deploy
        return Decision(True, state.deploy, True)
    if deploy and deploy != state.deploy:
        state.deploy = deploy
        changed = True
    return Decision(False, "", changed)


def delivered(state: State, *, build: bool, deploy: str) -> None:
    """The event that ``decide`` let go, with these keywords, is on its way."""
    state.attempt(build).failed = False
    # Another deploy may have been remembered meanwhile.
    if state.deploy == deploy:
        state.deploy = ""


def refused(state: State, *, build: bool, deploy: str) -> None:
    """The event was not taken; its keywords wait for the next one."""
    state.attempt(build).failed = True
    state.deploy = state.deploy or deploy


# --- what is kept on this machine ---------------------------------------------------------------


class Store:
    """The folder with this machine's id, its secret, and the state of each project.

    With WASP_TELEMETRY_USER_ID, id and secret come from that instead: one person, many machines.

    Its methods raise OSError when the folder cannot be used.
    """

    def __init__(self, folder: str, user_id: str = "") -> None:
        self.folder = folder
        self._was_made = False
        self._user_id = user_id.encode("utf-8", "surrogateescape")

    def distinct_id(self) -> str:
        """The random UUID of this machine, which Wasp itself uses too; or the hash of a user id."""
        if self._user_id:
            return _sha256(self._user_id).hex()
        return self._once("signature", _is_uuid, _new_uuid).decode("ascii").strip()

    def project_hash(self, project: str) -> str:
        """16 hex digits for an absolute path; without the secret, it cannot be guessed back."""
        return _hmac_sha256(self._secret(), os.fsencode(project)).hex()[:16]

    def _secret(self) -> bytes:
        if self._user_id:
            # Of something else than the id, whose own hash is sent.
            return _sha256(b"wasp project secret of " + self._user_id)
        return self._once("secret", lambda known: len(known) == 32, lambda: os.urandom(32))

    def state(self, project_hash: str) -> State:
        """What is remembered of a project; nothing, when that cannot be read."""
        text = self.read(f"project-{project_hash}.json").decode("ascii", "replace")
        return state_from(text, _spread(project_hash))

    def keep(self, project_hash: str, state: State) -> None:
        """Remembers ``state``; only with the lock."""
        self.write(f"project-{project_hash}.json", state.to_text().encode("ascii"))

    def lock(self, *, wait: bool = True) -> _Lock:
        """For a ``with`` block; whoever changes anything has it. It ends with the process, too.

        Id and secret are not asked for inside: they may have to be made, which takes the lock.

        Raises:
            BlockingIOError: another process has it, and this one does not want to wait.
        """
        self._make_folder()
        return _Lock(os.path.join(self.folder, "lock"), wait=wait)

    def sender(self) -> _Sender:
        """For a ``with`` block: True, when this process is one of the few that may send."""
        self._make_folder()
        return _Sender(self.folder)

    def _make_folder(self) -> None:
        if self._was_made:
            return  # an uninstall that has removed it meanwhile is the last word
        self._was_made = True
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        if os.name == "posix" and os.stat(self.folder).st_mode & 0o077:
            # Wasp itself may have made it, readable to all.
            os.chmod(self.folder, 0o700)

    def _once(
        self, name: str, is_good: Callable[[bytes], bool], make: Callable[[], bytes]
    ) -> bytes:
        """The content of a file, which is made when it is not there or not good."""
        content = self.read(name)
        if not is_good(content):
            with self.lock():
                content = self.read(name)  # another process may have been first
                if not is_good(content):
                    content = make()
                    self.write(name, content)
        return content

    def read(self, name: str, limit: int = 1024) -> bytes:
        """At most ``limit`` bytes of a file; none of what cannot be read."""
        try:
            # Without waiting for whoever might write into a pipe of this name.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(os.path.join(self.folder, name), flags)
        except OSError:
            return b""
        try:
            return os.read(descriptor, limit)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Removes a file, if it is there; only with the lock."""
        try:
            os.unlink(os.path.join(self.folder, name))
        except FileNotFoundError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; only with the lock.

        With that, one name for what is not whole yet is enough.
        """
        path = os.path.join(self.folder, name)
        # Never into what is there, which may be a link to elsewhere, or a pipe.
        self.remove(f"{name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(f"{path}.new", flags, 0o600)
        try:
            complete = os.write(descriptor, content) == len(content)
        finally:
            os.close(descriptor)
        if not complete:
            raise OSError(f"no room for {path}")
        os.replace(f"{path}.new", path)


class _Lock:
    """A lock on a file, which the system takes back from whoever ends."""

    def __init__(self, path: str, *, wait: bool) -> None:
        self._path = path
        self._wait = wait
        self._file = -1

    def __enter__(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.open(self._path, flags, 0o600)
        try:
            self._take()
        except BaseException:
            os.close(self._file)
            raise

    def _take(self) -> None:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(self._file, msvcrt.LK_LOCK if self._wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if self._wait else fcntl.LOCK_NB))

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


class _Sender:
    """One of the SENDERS_LIMIT places for processes that send, if one is free."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._place: _Lock | None = None

    def __enter__(self) -> bool:
        for number in range(SENDERS_LIMIT):
            place = _Lock(os.path.join(self._folder, f"sender-{number}"), wait=False)
            try:
                place.__enter__()
            except OSError:
                continue
            self._place = place
            return True
        return False

    def __exit__(self, *_: object) -> None:
        if self._place is not None:
            self._place.__exit__()


def usable_folder(environment: Mapping[str, str]) -> str | None:
    """The folder for the ``Store``; None where it is not this user's to write to.

    With sudo the home may be another user's, who could then not change the files any more.
    """
    if os.name == "nt":
        base = environment.get("LOCALAPPDATA") or None
    else:
        base = _user_folder(environment, "XDG_CACHE_HOME", ".cache")
    if base is None:
        return None
    folder = os.path.join(base, "wasp", "telemetry")
    return folder if os.name == "nt" or _is_ours(folder, environment) else None


def _is_ours(folder: str, environment: Mapping[str, str]) -> bool:
    home = environment.get("HOME", "").rstrip("/")
    existing = _nearest_existing(folder)
    if folder.startswith(home) and not existing.startswith(home):
        return False  # the home itself is missing
    places = [existing, home] if os.path.isdir(home) else [existing]
    return all(os.stat(place).st_uid == os.geteuid() for place in places) and os.access(
        existing, os.W_OK | os.X_OK
    )


def _nearest_existing(folder: str) -> str:
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return folder


def project_of(folder: str) -> str | None:
    """The Wasp project that ``folder`` is in: the nearest folder upwards with .wasproot."""
    while not os.path.exists(os.path.join(folder, ".wasproot")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _is_uuid(content: bytes) -> bool:
    parts = content.strip().split(b"-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        byte in b"0123456789abcdefABCDEF" for part in parts for byte in part
    )


def _new_uuid() -> bytes:
    import uuid

    return str(uuid.uuid4()).encode("ascii")


def _sha256(data: bytes) -> bytes:
    """SHA-256 from the module that needs no OpenSSL, which takes 5 ms to load."""
    for name in ("_sha2" if sys.version_info >= (3, 12) else "_sha256", "hashlib"):
        try:
            digest: bytes = __import__(name).sha256(data).digest()
        except (ImportError, AttributeError):
            continue
        return digest
    raise ImportError("this Python has no SHA-256")


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    """https://www.rfc-editor.org/rfc/rfc2104, for keys of at most 64 bytes; hmac takes 8 ms."""
    block = key.ljust(64, b"\0")
    inner = _sha256(bytes(byte ^ 0x36 for byte in block) + message)
    return _sha256(bytes(byte ^ 0x5C for byte in block) + inner)


# --- sending ------------------------------------------------------------------------------------


class Target:
    """Where events go, and with which key: WASP_TELEMETRY_URL and WASP_TELEMETRY_KEY, or ours."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.url = environment.get("WASP_TELEMETRY_URL") or DEFAULT_URL
        self.key = environment.get("WASP_TELEMETRY_KEY") or DEFAULT_KEY


def post(url: str, body: bytes, when_connected: Callable[[], None]) -> tuple[int, bytes]:
    """Sends ``body`` once, without following a redirect; returns the HTTP status and the answer.

    ``when_connected`` is called when the connection stands, before anything of the body is sent.

    Raises:
        OSError: there is no connection, or no answer came.
        ValueError: ``url`` is neither https nor on this very machine.
        http.client.HTTPException: what came is not HTTP.
    """
    connection, path = _connection(url, POST_TIMEOUT_S)
    try:
        connection.connect()
        when_connected()
        headers = {"Content-Type": "application/json", "User-Agent": "wasp", "Connection": "close"}
        connection.request("POST", path, body, headers)
        with connection.getresponse() as response:
            return response.status, response.read(ANSWER_LIMIT_BYTES)
    finally:
        connection.close()


def get(url: str, known: Etag, accept: str) -> tuple[Etag, bytes]:
    """Asks for ``url`` once, without following a redirect; returns its etag and content.

    Raises:
        OSError, ValueError, http.client.HTTPException: as ``post``; ValueError also when there is
            nothing new, when it was refused, and for more than NEWS_LIMIT_BYTES.
    """
    connection, path = _connection(url, GET_TIMEOUT_S)
    try:
        headers = {"Accept": accept, "User-Agent": "wasp", "Connection": "close"}
        if known.for_url(url):
            headers["If-None-Match"] = known.for_url(url)
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:
            content = response.read(NEWS_LIMIT_BYTES + 1)
            if response.status != 200 or len(content) > NEWS_LIMIT_BYTES:
                raise ValueError(f"{url}: nothing to read ({response.status})")
            return Etag(url, response.headers.get("ETag", "")), content
    finally:
        connection.close()


def _connection(url: str, timeout_s: float) -> tuple[HTTPConnection, str]:
    """A connection, not yet made, to the host of ``url``; and the path to ask for there."""
    from http.client import HTTPConnection, HTTPSConnection
    from urllib.parse import urlsplit

    if not is_allowed(url):
        raise ValueError(f"{url} is not an https address")
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path or "/"
    path += f"?{parts.query}" if parts.query else ""
    # Without a port, the end of an IPv6 address would be taken for one.
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme == "http":
        return HTTPConnection(host, port, timeout=timeout_s), path
    proxy = _proxy_for(host)
    if proxy is None:
        return HTTPSConnection(host, port, timeout=timeout_s, context=_tls()), path
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if through.scheme != "http" or not through.hostname:
        raise ValueError(f"{proxy} is not the address of an HTTP proxy")
    connection = HTTPSConnection(
        through.hostname, through.port or 80, timeout=timeout_s, context=_tls()
    )
    connection.set_tunnel(host, port, _proxy_login(through.username, through.password))
    return connection, path


def is_allowed(url: str) -> bool:
    """Whether events may go to ``url``: it is https, or on this very machine."""
    from urllib.parse import urlsplit

    if not (url.isascii() and url.isprintable()) or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    numbers = host.split(".")
    is_ipv4 = len(numbers) == 4 and all(number.isdecimal() for number in numbers)
    is_here = host in ("localhost", "::1") or (is_ipv4 and numbers[0] == "127")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_here))


def _proxy_for(host: str) -> str | None:
    names = ("https_proxy", "all_proxy")
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in names):
        return None
    import urllib.request

    bypass: Callable[[str], bool] = vars(urllib.request)["proxy_bypass_environment"]
    if bypass(host):
        return None
    proxies = urllib.request.getproxies_environment()
    return proxies.get("https") or proxies.get("all")


def _proxy_login(user: str | None, password: str | None) -> dict[str, str]:
    if user is None:
        return {}
    from base64 import b64encode
    from urllib.parse import unquote

    login = f"{unquote(user)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(login).decode()}"}


def _tls() -> SSLContext:
    """Certificates are checked against the system's authorities, or those of SSL_CERT_FILE.

    The same for all connections of a process, since reading them takes longer than a connection.
    """
    if not _tls_contexts:
        _tls_contexts.append(_new_tls())
    return _tls_contexts[0]


_tls_contexts: list[SSLContext] = []


def _new_tls() -> SSLContext:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    folder = ssl.get_default_verify_paths().openssl_capath
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys() and _is_hashed(folder):
        # Only what is needed is read from such a folder; to read them all takes 30 ms.
        context.load_verify_locations(capath=folder)
        return context
    context.load_default_certs()
    # Python's own build for macOS knows no authorities at first.
    if not context.cert_store_stats()["x509_ca"] and os.path.exists("/etc/ssl/cert.pem"):
        context.load_verify_locations("/etc/ssl/cert.pem")
    return context


def _is_hashed(folder: str) -> bool:
    """Whether OpenSSL can find authorities in ``folder`` by the hashes of their names."""
    try:
        return any(len(name) == 10 and name.endswith(".0") for name in os.listdir(folder))
    except OSError:
        return False


def _end_at_deadline() -> None:
    """Ends this process when its time is over, also inside a call that knows no timeout."""
    if os.name == "posix":
        # Imported by its inner name, which brings nothing else: it is wanted before every pause.
        signals = __import__("_signal")
        signals.signal(signals.SIGALRM, signals.SIG_DFL)
        signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
        signals.alarm(DEADLINE_S)
        return
    import threading

    timer = threading.Timer(DEADLINE_S, os._exit, [0])
    timer.daemon = True
    timer.start()


# --- one invocation -----------------------------------------------------------------------------


class Invocation:
    """One call of ``wasp``, as far as telemetry looks at it.

    ``arguments`` are those after ``wasp``, ``project`` is the absolute path of the project.
    """

    __slots__ = ("arguments", "environment", "project", "wasp_version")

    def __init__(
        self,
        arguments: Sequence[str],
        wasp_version: str,
        project: str,
        environment: Mapping[str, str],
    ) -> None:
        self.arguments = arguments
        self.wasp_version = wasp_version
        self.project = project
        self.environment = environment

    def body(self, store: Store, key: str, deploy: str) -> bytes:
        """What this invocation sends, with these keywords of a deploy."""
        event = cli_event(
            key=key,
            distinct_id=store.distinct_id(),
            project_hash=store.project_hash(self.project),
            is_build=is_build(self.arguments),
            deploy_cmd_args=deploy,
            wasp_version=self.wasp_version if _is_version(self.wasp_version) else "",
            os_name=this_os(),
            context=context_of(self.environment),
        )
        return to_body(event)


def is_due(invocation: Invocation, store: Store, now: int) -> bool:
    """Whether there is something to send or to remember; most times there is not.

    Reads without the lock, so ``record_and_send`` looks again.
    """
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    state = store.state(store.project_hash(invocation.project))
    return decide(state, build=build, deploy=deploy, now=now).changed


def record_and_send(
    invocation: Invocation,
    store: Store,
    clock: Callable[[], int],
    send: Callable[[str, bytes, Callable[[], None]], tuple[int, bytes]] = post,
    *,
    may_send: bool = True,
) -> bytes | None:
    """Sends the event of an invocation, unless a pause is on; returns what was answered.

    None stands for an opt-out, for a pause, and for an event that is left to the next invocation
    as it may not be sent by this one.

    The attempt is kept before the network is touched: of many invocations at once, one sends.
    ``clock`` gives the seconds since 1970.

    Raises:
        OSError: the store cannot be written to (then nothing is sent), or the network failed.
        ValueError: WASP_TELEMETRY_URL is neither https nor on this very machine.
    """
    if opt_out_reason(invocation.environment):
        return None
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    project_hash = store.project_hash(invocation.project)
    with store.lock():
        # Not before: whoever had the lock would then have sent in what looks like the future.
        now = clock()
        state = store.state(project_hash)
        decision = decide(state, build=build, deploy=deploy, now=now, may_send=may_send)
        if decision.changed:
            store.keep(project_hash, state)
    if not decision.send:
        return None
    target = Target(invocation.environment)
    body = invocation.body(store, target.key, decision.deploy)

    def keep(change: Callable[..., None]) -> None:
        with store.lock():
            state = store.state(project_hash)
            if state.attempt(build).at != now or not 0 <= clock() - now < STALE_S:
                # It slept, perhaps with the whole machine, and another may have sent meanwhile.
                raise TimeoutError("this attempt is of another time")
            change(state, build=build, deploy=decision.deploy)
            store.keep(project_hash, state)

    status, answer = send(target.url, body, lambda: keep(delivered))
    if is_refusal(status):
        keep(refused)
    return answer if 200 <= status < 300 else b""


def is_refusal(status: int) -> bool:
    """Whether an HTTP status says that the event was not taken.

    What stands before a server may answer 500, 502 or 504 for one that has taken it.
    """
    return 300 <= status < 500 or status == 503


def current_project() -> str | None:
    """The project that this process is in."""
    try:
        return project_of(os.getcwd())
    except OSError:
        return None  # the current folder was removed


def print_messages(wasp_version: str) -> None:
    """Prints what a user of this version is to be told now, which is mostly nothing.

    The launcher calls this only while there is a flag for it, and only on a terminal.

    Raises:
        OSError: it cannot be kept that they were shown, or another process is just at it.
    """
    if opt_out_reason(os.environ):
        return
    folder = usable_folder(os.environ)
    if folder is not None:
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        # A letter that this terminal does not have is no reason to keep the rest back.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        Postbox(store, wasp_version, os.environ).show(sys.stdout, int(time.time()))


def is_counted(arguments: Sequence[str]) -> bool:
    """Whether this is somebody's command, and not a shell that asks for completions."""
    return not (arguments and arguments[0].startswith("completion:"))


def is_debugging(environment: Mapping[str, str]) -> bool:
    """Whether events are to be printed in place of being sent."""
    return environment.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")


def notify_invocation(argv: Sequence[str], wasp_version: str) -> None:
    """For a CLI that is Python itself: counts this call of it, as the launcher does for Wasp's.

    Returns at once; another process does the rest. ``argv`` is what follows the program's name.
    Nothing is raised and nothing printed, whatever goes wrong (but see WASP_TELEMETRY_DEBUG).
    """
    try:
        if opt_out_reason(os.environ) or not is_counted(argv) or current_project() is None:
            return
        if is_debugging(os.environ):
            _invoked(wasp_version, argv)
        else:
            _start_apart(["invoked", wasp_version, *counting_words(argv)])
    except Exception:  # noqa: BLE001 - see the docstring
        return


def _start_apart(arguments: Sequence[str]) -> None:
    """Runs this file in a process that neither this one nor its terminal holds on to."""
    if sys.platform == "win32":
        start(arguments)
    else:
        # A shell between, which ends at once: nobody here would collect what becomes of a child.
        between = ["/bin/sh", "-c", "trap '' HUP INT QUIT; \"$@\" &", "sh"]
        start(arguments, between).wait()


# Imported, and not run, so that what Python has compiled is used.
_IMPORTED: Final = """\
import sys; sys.path.insert(0, sys.argv[1])
import telemetry_ping; telemetry_ping.run(sys.argv[2:])"""


def start(arguments: Sequence[str], before: Sequence[str] = ()) -> Popen[bytes]:
    """Starts ``main`` with ``arguments`` in a process of its own, away from the terminal.

    ``before`` is a program, with its arguments, that starts it in turn.

    Raises:
        OSError: no process can be started.
    """
    import subprocess

    folder = os.path.dirname(os.path.abspath(__file__))
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    null = subprocess.DEVNULL
    return subprocess.Popen(
        [*before, sys.executable, "-I", "-S", "-B", "-c", _IMPORTED, folder, *arguments],
        stdin=null,
        stdout=null,
        stderr=null,
        **options,
    )


def _leave_the_terminal() -> None:
    """Takes this process out of reach of Ctrl-C, of a closed terminal, and of who waits for it."""
    if os.name == "posix":
        if os.getpgrp() != os.getpid():  # who leads a group cannot leave it
            os.setsid()
        os.nice(10)
        _close_what_was_inherited()


def _close_what_was_inherited() -> None:
    """Whoever reads from a pipe waits until nobody can write into it any more."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        numbers = list(range(3, 256))
    for number in numbers:
        if number > 2:
            os.closerange(number, number + 1)


def _invoked(wasp_version: str, arguments: Sequence[str]) -> None:
    environment = os.environ
    if opt_out_reason(environment):
        return
    project, folder = current_project(), usable_folder(environment)
    if project is None or folder is None or not is_counted(arguments):
        return
    invocation = Invocation(arguments, wasp_version, project, environment)
    store = Store(folder, environment.get("WASP_TELEMETRY_USER_ID", ""))
    if is_debugging(environment):
        _print_event(invocation, store, sys.stderr)
        return
    _end_at_deadline()
    if os.name == "posix":
        os.chdir("/")  # so that the folder can be removed or unmounted meanwhile
    now = _now()
    postbox = Postbox(store, wasp_version, environment)
    if not is_due(invocation, store, now):
        postbox.attend(now)
        return
    answer: bytes | None = b""
    with store.sender() as may_send:
        try:
            answer = record_and_send(invocation, store, _now, may_send=may_send)
        finally:
            # Who cannot send may still be told of a danger.
            if answer is None:
                postbox.attend(now)
            else:
                postbox.look(answer, _receipt(wasp_version), now)


def _now() -> int:
    return int(time.time())


def _receipt(wasp_version: str) -> dict[str, Any]:
    """What the installer noted of where a version came from; nothing where it was not the one."""
    import json

    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        with open(os.path.join(folder, wasp_version, ".receipt.json"), "rb") as file:
            receipt = json.load(file)
    except (OSError, ValueError):
        return {}
    return receipt if isinstance(receipt, dict) else {}


def send_install_event() -> None:
    """Sends the event of an install; with WASP_TELEMETRY_DEBUG, only prints it.

    Raises:
        OSError, ValueError, http.client.HTTPException: as ``post`` does.
    """
    if opt_out_reason(os.environ):
        return
    target = Target(os.environ)
    event = install_event(key=target.key, distinct_id=random_digits(), os_name=this_os())
    if is_debugging(os.environ):
        print(to_body(event).decode(), file=sys.stderr)
        return
    _end_at_deadline()
    post(target.url, to_body(event), lambda: None)


# --- messages back: versions --------------------------------------------------------------------


def version_key(version: str) -> tuple[Any, ...]:
    """Sorts versions as https://semver.org/#spec-item-11 says; missing numbers count as 0.

    Raises:
        ValueError: it is no version.
    """
    release, dash, candidate = version.partition("+")[0].partition("-")
    numbers = [int(part) for part in release.split(".") if _is_number(part)]
    identifiers = candidate.split(".") if dash else []
    if len(numbers) != release.count(".") + 1 or len(numbers) > 4 or "" in identifiers:
        raise ValueError(f"{version!r} is not a version")
    return (
        numbers + [0] * (4 - len(numbers)),
        not dash,
        [(0, int(part), "") if _is_number(part) else (1, 0, part) for part in identifiers],
    )


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 9


def is_in_range(version: str, text: str) -> bool:
    """Whether ``version`` is in a range such as ``>=0.20.0 <0.25.1 || 0.26.x``.

    A pre-release is where semver orders it: 0.25.1-rc1 is in ``<0.25.1``. A version that is not
    given in full stands for all that it begins, as in npm.

    Raises:
        ValueError: the range or the version cannot be understood.
    """
    key = version_key(version)
    if len(text) > RANGE_LIMIT_CHARACTERS:
        raise ValueError("too long for a range of versions")
    # Each is looked at, so that no mistake hides behind a part that holds.
    held = [_is_between(key, part) for part in text.split("||")]
    return any(held)


def _is_between(key: tuple[Any, ...], comparators: str) -> bool:
    held = [_holds(key, operator, limit) for operator, limit in _comparators(comparators)]
    if not held:
        raise ValueError("an empty range of versions")
    return all(held)


def _comparators(text: str) -> list[tuple[str, str]]:
    """The operators ("" for none) and versions of one alternative of a range."""
    found, operator = [], ""
    for word in text.split():
        begun = next((sign for sign in (">=", "<=", ">", "<", "=") if word.startswith(sign)), "")
        if begun and operator:
            raise ValueError(f"{text!r} is not a range of versions")
        operator, limit = operator or begun, word[len(begun) :]
        if limit:
            found.append((operator, limit[limit.startswith("v") :]))
            operator = ""
    if operator:
        raise ValueError(f"{text!r} is not a range of versions")
    return found


def _holds(key: tuple[Any, ...], operator: str, limit: str) -> bool:
    given = limit.split(".")
    while given and given[-1] in ("x", "X", "*"):
        given.pop()
    if len(given) >= 3 or "-" in limit:
        low = high = version_key(limit)
        after = key > high
    else:
        # All that begins so: from its first pre-release to before that of the next.
        low = version_key(".".join([*given, "0", "0"][: max(3, len(given))]) + "-0")
        following = [*given[:-1], str(int(given[-1]) + 1)] if given else ["999999999"]
        high = version_key(".".join([*following, "0", "0"][:3]) + "-0")
        after = key >= high
    before = key < low
    return {"<": before, ">=": not before, ">": after, "<=": not after}.get(
        operator, not before and not after
    )


# --- messages back: what there is to say --------------------------------------------------------


class Message:
    """A message from the Wasp team, as the news feed and a collector's answer hold it.

    ``published`` is in seconds since 1970; ``affected`` is a range of versions, or "" for all.
    """

    __slots__ = ("affected", "body", "id", "level", "published", "title", "url")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.id = _one_line(fields["id"], 100)
        self.level = fields["level"]
        self.title = _one_line(fields["title"], 120)
        self.body = _one_line(fields["body"], 800)
        self.published = _seconds(fields["publishedAt"])
        self.url = fields.get("url") or ""
        self.affected = fields.get("affectedVersions") or ""
        if not (self.id and self.title) or self.level not in LEVELS:
            raise ValueError("neither name, title nor level may be missing")
        is_plain = self.url.isascii() and self.url.isprintable() and " " not in self.url
        if self.url and not (is_plain and len(self.url) <= 200 and self.url.startswith("https://")):
            self.url = ""
        is_in_range("0.0.0", self.affected or "*")

    def concerns(self, version: str, now: int) -> bool:
        """Whether a user of ``version`` is to read this at all."""
        if self.published > now + DAY_S:
            return False
        if self.affected:
            return is_in_range(version, self.affected)
        # Who has just come to Wasp is not to read all that there ever was.
        return self.level == "critical" or now - self.published < NEWS_AGE_S

    def to_json(self) -> dict[str, Any]:
        """In the form of the news feed."""
        return {
            "id": self.id,
            "level": self.level,
            "title": self.title,
            "body": self.body,
            "publishedAt": _timestamp(self.published),
            "url": self.url,
            "affectedVersions": self.affected,
        }


def messages_from(value: Any) -> list[Message]:
    """The messages in a list that came from elsewhere; what is none, and repetitions, left out.

    Raises:
        ValueError: it is no list.
    """
    if not isinstance(value, list):
        raise ValueError("messages come as a list")
    found: dict[str, Message] = {}
    for fields in value[:MESSAGES_LIMIT]:
        try:
            message = Message(fields)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue
        found.setdefault(message.id, message)
    return list(found.values())


def _one_line(text: str, limit: int) -> str:
    """Without anything that could move the cursor, colour, hide, or look like another line."""
    if not isinstance(text, str):
        raise TypeError("no text")
    begun = text[: 4 * limit]  # more of it would not be shown, however much of this goes
    words = "".join(" " if _is_blank(letter) else letter for letter in begun).split()
    line = _without_piles(" ".join(words))
    return line if len(line) <= limit else line[: limit - 1] + "\u2026"


def _is_blank(letter: str) -> bool:
    """What shows nothing, or moves what follows; the last few pass for letters or accents."""
    return (
        not letter.isprintable()
        or letter in "\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5"
        or "\u180b" <= letter <= "\u180f"
        or "\ufe00" <= letter <= "\ufe0f"
        or "\U000e0100" <= letter <= "\U000e01ef"
    )


def _without_piles(line: str) -> str:
    """With two accents on a letter at most, as more would cover the lines above it."""
    from unicodedata import category

    kept, accents = [], 0
    for letter in line:
        accents = accents + 1 if category(letter).startswith("M") else 0
        if accents <= 2:
            kept.append(letter)
    return "".join(kept)


def _seconds(timestamp: str) -> int:
    """Of a time such as 2026-01-31T12:00:00Z."""
    from datetime import datetime, timezone

    year, month, day = int(timestamp[0:4]), int(timestamp[5:7]), int(timestamp[8:10])
    clock = timestamp[11:19] or "00:00:00"
    hour, minute, second = int(clock[0:2]), int(clock[3:5]), int(clock[6:8])
    return int(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp())


def _timestamp(seconds: int) -> str:
    from datetime import datetime, timezone

    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


class Etag:
    """What a server gave to be asked with the next time, so that it can answer "nothing new".

    Only for the address that it came from, and only as long as one for a file would be.
    """

    __slots__ = ("url", "value")

    def __init__(self, url: str = "", value: str = "") -> None:
        is_one = value.isascii() and value.isprintable() and len(value) <= ETAG_LIMIT_CHARACTERS
        self.url = url
        self.value = value if is_one else ""

    def for_url(self, url: str) -> str:
        """The value, for the address that it came from."""
        return self.value if url == self.url else ""


class News:
    """All that is known here of messages, kept as ``news.json``.

    ``looked_at`` is when they were last looked for, ``shown`` when each was last shown, in seconds
    since 1970. The etags let a server answer "nothing new".
    """

    def __init__(self, text: bytes = b"") -> None:
        self.looked_at = 0
        self.feed: list[Message] = []
        self.feed_etag = Etag()
        self.answer: list[Message] = []
        self.releases: list[str] = []
        self.releases_etag = Etag()
        self.shown: dict[str, int] = {}
        if text:
            self._read_what_can_be_read(text)

    def _read_what_can_be_read(self, text: bytes) -> None:
        try:
            self._read(text)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            return

    def _read(self, text: bytes) -> None:
        import json

        fields = json.loads(text)
        self.shown = {str(name): int(at) for name, at in fields["shown"].items()}
        self.looked_at = int(fields["looked_at"])
        self.answer = messages_from(fields["answer"])
        self.feed, self.feed_etag = messages_from(fields["feed"]), Etag(*fields["feed_etag"])
        self.releases = list(filter(_is_release, fields["releases"]))
        self.releases_etag = Etag(*fields["releases_etag"])

    def to_text(self) -> bytes:
        """One line of JSON."""
        import json

        fields = {
            "looked_at": self.looked_at,
            "feed": [message.to_json() for message in self.feed],
            "feed_etag": [self.feed_etag.url, self.feed_etag.value],
            "answer": [message.to_json() for message in self.answer],
            "releases": self.releases,
            "releases_etag": [self.releases_etag.url, self.releases_etag.value],
            "shown": self.shown,
        }
        # JSON can hold the half of a surrogate pair, which no encoding has.
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"

    def remember_shown(self, names: Sequence[str], now: int) -> None:
        """Remembers what was shown, as far back as it may matter."""
        self.shown.update(dict.fromkeys(names, now))
        newest = sorted(self.shown.items(), key=lambda item: item[1])[-SHOWN_LIMIT:]
        self.shown = dict(newest)

    def messages(self) -> list[Message]:
        """From both channels; of two with one id the graver, so that none can hide another."""
        by_gravity = sorted(
            self.feed + self.answer, key=lambda message: LEVELS.index(message.level), reverse=True
        )
        return list({message.id: message for message in by_gravity}.values())

    def newer_releases(self, version: str) -> tuple[str, str]:
        """The newest release of the line of ``version``, and the newest of all beyond that line.

        Each is "" when it is not newer. A line is what may be updated without changing a project:
        0.25, or 1.
        """
        newer = [found for found in self.releases if version_key(found) > version_key(version)]
        newer.sort(key=version_key)
        patches = [found for found in newer if _line(found) == _line(version)]
        breaking = [found for found in newer if _line(found) != _line(version)]
        return (patches or [""])[-1], (breaking or [""])[-1]


def _line(version: str) -> list[int]:
    numbers: list[int] = version_key(version)[0]
    return numbers[:2] if numbers[0] == 0 else numbers[:1]


# --- messages back: when to say it --------------------------------------------------------------


# What these are remembered by: no message can have such an id, as none begins with a space.
PATCH: Final = " newer patch"
BREAKING: Final = " newer release"


class Notice:
    """Something to show now.

    ``name`` is under which it is remembered as shown. ``links`` are (label, URL or command); they
    are never broken into lines, so that they can be copied.
    """

    __slots__ = ("body", "heading", "is_critical", "links", "name")

    def __init__(
        self,
        name: str,
        heading: str,
        body: str,
        links: Sequence[tuple[str, str]],
        is_critical: bool = False,
    ) -> None:
        self.name = name
        self.heading = heading
        self.body = body
        self.links = links
        self.is_critical = is_critical


def next_showing(news: News, version: str, now: int, read: Sequence[str] = ()) -> int | None:
    """When something is next to be shown to a user of ``version``; None when nothing is.

    ``read`` holds the ids of messages that the user has read elsewhere (``wasp news``).
    """
    times = [_next(news, name, pause, now) for name, pause in _pauses(news, version, now)]
    for message in news.messages():
        is_new = message.id not in news.shown and message.id not in read
        if message.level == "important" and is_new and message.concerns(version, now):
            times.append(0)
    return min(times, default=None)


def _pauses(news: News, version: str, now: int) -> list[tuple[str, int]]:
    """The names of what is shown again and again, with the seconds between."""
    pauses = [
        (message.id, DAY_S)
        for message in news.messages()
        if message.level == "critical" and message.concerns(version, now)
    ]
    patch, breaking = news.newer_releases(version)
    if patch:
        pauses.append((PATCH, DAY_S))
    if breaking:
        pauses.append((BREAKING, 7 * DAY_S))
    return pauses


def due_notices(news: News, version: str, now: int, read: Sequence[str] = ()) -> list[Notice]:
    """What is to be shown to a user of ``version`` at ``now``, the gravest first."""
    due = {
        name for name, pause in _pauses(news, version, now) if _next(news, name, pause, now) <= now
    }
    patch, breaking = news.newer_releases(version)
    concerning = [message for message in news.messages() if message.concerns(version, now)]
    concerning.sort(key=lambda message: (LEVELS.index(message.level), -message.published))
    new = [message for message in concerning if message.id not in {*news.shown, *read}]
    grave = [message for message in concerning if message.id in due]
    grave += [message for message in new if message.level == "important"]
    notices = [_notice_of(message, version, news) for message in grave]
    if PATCH in due:
        text = f"Wasp {patch} is out, a newer patch of your {version}."
        notices.append(Notice(PATCH, text, "", [_update(patch)]))
    if BREAKING in due:
        text = f"Wasp {breaking} is out; you have {version}. Your project may need changes."
        notes = f"https://github.com/wasp-lang/wasp/releases/tag/v{breaking}"
        links = [("What changed", notes), _update(breaking)]
        notices.append(Notice(BREAKING, text, "", links))
    if notices:
        infos = [message for message in new if message.level == "info"]
        notices += [_notice_of(message, version, news) for message in infos]
    return notices[:NOTICES_LIMIT]


def _next(news: News, name: str, pause: int, now: int) -> int:
    """When ``name`` may be shown; 0 when it never was, also by a clock that was set back since."""
    shown = news.shown.get(name)
    return 0 if shown is None or shown > now else shown + pause


def _notice_of(message: Message, version: str, news: News) -> Notice:
    links = [("More", message.url)] if message.url else []
    if message.level == "critical":
        fixed = [
            found
            for found in news.newer_releases(version)
            if found and not (message.affected and is_in_range(found, message.affected))
        ]
        if fixed or message.affected:
            links.append(_update((fixed or [""])[0]))
    return Notice(message.id, message.title, message.body, links, message.level == "critical")


def _update(version: str) -> tuple[str, str]:
    chosen = f" -s -- -v {version}" if version else ""
    return "To update", f"curl -sSL https://get.wasp.sh/install.sh | sh{chosen}"


def layout(notices: Sequence[Notice], columns: int, in_colour: bool) -> str:
    """The notices as lines for a terminal that is so wide."""
    import textwrap

    full_width = max(20, min(columns, 80)) - 1
    bold, red, plain = ("\033[1m", "\033[1;31m", "\033[0m") if in_colour else ("", "", "")
    lines = []
    for notice in notices:
        heading = ("CRITICAL: " if notice.is_critical else "") + notice.heading
        rule = [red + "!" * full_width + plain] if notice.is_critical else []
        # Some letters are two columns wide.
        width = full_width // 2 if _has_wide_letters(heading + notice.body) else full_width
        colour = red if notice.is_critical else bold
        wrapped = textwrap.wrap(heading, width, subsequent_indent="  ")
        lines += rule + [colour + line + plain for line in wrapped]
        lines += textwrap.wrap(notice.body, width, initial_indent="  ", subsequent_indent="  ")
        lines += [f"  {label}: {link}" for label, link in notice.links] + rule + [""]
    return "\n".join(lines) + "\n" if lines else ""


def _has_wide_letters(text: str) -> bool:
    """Whether some are two columns wide: https://www.unicode.org/reports/tr11/."""
    from unicodedata import east_asian_width

    return any(east_asian_width(letter) in ("W", "F") for letter in text)


# --- messages back: looking for them, and showing them ------------------------------------------


class Postbox:
    """The messages of this machine, for a user of one version of Wasp."""

    def __init__(self, store: Store, version: str, environment: Mapping[str, str]) -> None:
        self._store = store
        self._version = version
        self._environment = environment
        #: While this is there, the launcher calls ``show``.
        self._flag = f"messages-{version}"
        self._due = f"messages-{version}.due"

    def attend(self, now: int) -> None:
        """Makes the launcher show what has become due; mostly reads one small file."""
        if self._wants_attention(now):
            self._prepare(now)

    def _wants_attention(self, now: int) -> bool:
        due = self._store.read(self._due)
        if not due:
            # Nothing was prepared for this version yet.
            return os.path.exists(os.path.join(self._store.folder, "news.json"))
        # What lies further ahead was written by a clock that has been set back.
        return not due.isdigit() or not now < int(due) <= now + DAY_S

    def look(self, answer: bytes, receipt: Mapping[str, Any], now: int) -> None:
        """Asks the channels, at most once in 12 hours; takes what the collector answered, too.

        ``receipt`` says where this version came from: its ``source`` and ``url``. No lookup says
        anything of this machine or its user. A channel that fails changes nothing.
        """
        if not are_messages_wanted(self._environment):
            return
        with self._store.lock():
            news = self._news()
            is_time = not 0 <= now - news.looked_at <= PAUSE_S
            if is_time:
                news.looked_at = now
                self._keep(news)
        asked: list[Callable[[], Callable[[News], None]]] = [lambda: _take_answer(answer)]
        if is_time:
            asked.append(lambda: _ask_feed(news.feed_etag, self._environment))
            asked.append(lambda: _ask_source(news.releases_etag, receipt))
        for ask in asked:
            try:
                change = ask()
            except Exception:  # noqa: BLE001, S112 - whatever a server did: as if it had not been
                continue
            # At once, since the next may take until the deadline; and onto what is kept by now.
            with self._store.lock():
                current = self._news()
                change(current)
                self._keep(current)
                self._raise_flag(current, now)
        # Nothing new may have come, and yet something have become due.
        self._prepare(now)

    def _prepare(self, now: int) -> None:
        """Puts the flag up for the launcher, or writes down when to look again."""
        with self._store.lock():
            self._raise_flag(self._news(), now)

    def _keep(self, news: News) -> None:
        self._store.write("news.json", news.to_text())
        for name in os.listdir(self._store.folder):
            # Users of other versions may now have something to read, too.
            if name.startswith("messages-") and name.endswith(".due") and name != self._due:
                self._store.remove(name)

    def _raise_flag(self, news: News, now: int) -> None:
        following = next_showing(news, self._version, now, self._read_elsewhere())
        if following is None or following > now:
            self._store.remove(self._flag)
        else:
            self._store.write(self._flag, b"")
            following = None
        # At least once a day, as what is dated ahead may then be due.
        ahead = min(following or now + DAY_S, now + DAY_S)
        self._store.write(self._due, str(ahead).encode("ascii"))

    def show(self, output: IO[str], now: int) -> None:
        """Prints what is due on a terminal, and remembers that it was shown.

        Raises:
            BlockingIOError: another process is just at it; nobody waits for that.
            OSError: it cannot be remembered.
        """
        if not are_messages_wanted(self._environment):
            return
        with self._store.lock(wait=False):
            news = self._news()
            notices = due_notices(news, self._version, now, self._read_elsewhere())
            news.remember_shown([notice.name for notice in notices], now)
            try:
                self._keep(news)
                self._raise_flag(news, now)
            except OSError:
                # On a full disk it will be said again; only what is grave is worth that.
                notices = [notice for notice in notices if notice.is_critical]
        output.write(layout(notices, _columns(output), _wants_colour(self._environment)))
        output.flush()

    def looked_at(self) -> int:
        """When messages were last looked for; 0 when they were not."""
        return self._news().looked_at

    def _news(self) -> News:
        return News(self._store.read("news.json", KEPT_LIMIT_BYTES))

    def _read_elsewhere(self) -> list[str]:
        """The ids of what ``wasp news`` has listed, which keeps them beside our folder."""
        import json

        try:
            seen = json.loads(self._store.read("../news.json", NEWS_LIMIT_BYTES))["seenNewsIds"]
            return [name for name in seen if isinstance(name, str)]
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
            return []


def are_messages_wanted(environment: Mapping[str, str]) -> bool:
    """Whether somebody is there who wants to read them."""
    return "WASP_AUTO_NEWS_DISABLE" not in environment and not is_on_ci(environment)


def _take_answer(answer: bytes) -> Callable[[News], None]:
    import json

    messages = messages_from(json.loads(answer)["messages"])

    def change(news: News) -> None:
        news.answer = messages

    return change


def _ask_feed(known: Etag, environment: Mapping[str, str]) -> Callable[[News], None]:
    import json

    url = environment.get("WASP_NEWS_SERVER_URL") or DEFAULT_NEWS_URL
    etag, content = get(url, known, "application/json")
    messages = messages_from(json.loads(content))

    def change(news: News) -> None:
        news.feed, news.feed_etag = messages, etag

    return change


def _ask_source(known: Etag, receipt: Mapping[str, Any]) -> Callable[[News], None]:
    import json

    url, find = _releases_of(receipt)
    # npm's short form of a package; https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md
    etag, content = get(url, known, "application/vnd.npm.install-v1+json, application/json")
    releases = sorted(filter(_is_release, find(json.loads(content))), key=version_key)

    def change(news: News) -> None:
        news.releases, news.releases_etag = releases[-RELEASES_LIMIT:], etag

    return change


def _releases_of(receipt: Mapping[str, Any]) -> tuple[str, Callable[[Any], list[Any]]]:
    """Where the source of an installed version lists others, and how to find them there."""
    url = str(receipt["url"])
    if receipt["source"] == "npm":
        registry = url.partition("/@wasp.sh")[0]
        return f"{registry}/@wasp.sh%2fwasp-cli", _not_deprecated
    # https://docs.github.com/en/rest/releases/releases#list-releases
    base = url.partition("/wasp-lang/wasp/")[0]
    api = "https://api.github.com" if base == "https://github.com" else f"{base}/api/v3"
    return (
        f"{api}/repos/wasp-lang/wasp/releases?per_page=20",
        lambda found: [one["tag_name"].lstrip("v") for one in found if not one.get("prerelease")],
    )


def _not_deprecated(package: Any) -> list[Any]:
    versions: dict[str, Any] = package["versions"]
    return [name for name, its in versions.items() if not (its or {}).get("deprecated")]


def _is_release(version: Any) -> bool:
    """Whether it is three numbers and nothing else, as it is printed inside a command."""
    if not isinstance(version, str) or version.count(".") != 2:
        return False
    return all(_is_number(part) for part in version.split("."))


def _columns(output: IO[str]) -> int:
    try:
        return os.get_terminal_size(output.fileno()).columns or 80
    except OSError:
        return 80


def _wants_colour(environment: Mapping[str, str]) -> bool:
    """The rule of https://no-color.org."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


# --- wasp telemetry -----------------------------------------------------------------------------

_USAGE: Final = """\
usage: wasp telemetry          whether it is enabled, and when it sends
       wasp telemetry show     the exact data that would be sent now
       wasp telemetry off      switch it off, for all projects
       wasp telemetry on       switch it on again
"""


def command(wasp_version: str, arguments: Sequence[str]) -> int:
    """``wasp telemetry [on|off|show]``; returns the exit code."""
    commands = {(): status, ("show",): show, ("on",): on, ("off",): off}
    chosen = commands.get(tuple(arguments))
    if chosen is None:
        is_help = tuple(arguments) in (("-h",), ("--help",), ("help",))
        print(_USAGE, end="", file=sys.stdout if is_help else sys.stderr)
        return 0 if is_help else 2
    for stream in (sys.stdout, sys.stderr):
        # A path may hold bytes that are no text.
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return chosen(wasp_version)
    except OSError as error:
        # A full disk is told of without a name.
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
        return 7


def status(_wasp_version: str) -> int:
    """Prints whether telemetry is enabled, and when it sends."""
    reason = opt_out_reason(os.environ)
    folder = usable_folder(os.environ)
    print("Telemetry: " + ("ENABLED" if reason is None else f"DISABLED ({reason})"))
    print(f"Kept in:   {folder or 'nowhere: there is no home folder of yours to write to'}")
    url = Target(os.environ).url
    if not is_allowed(url):
        print(f"Nothing is sent: WASP_TELEMETRY_URL ({url}) is not an https address.")
    elif reason is None and folder is not None:
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        _print_pauses(store)
        _print_news(store)
    if reason is None:
        print("\nTo see what is sent: wasp telemetry show")
        print("To opt out:          wasp telemetry off, or set WASP_TELEMETRY_DISABLE")
    elif "wasp telemetry off" in reason:
        print("\nTo switch it on:     wasp telemetry on")
    return 0


def _print_pauses(store: Store) -> None:
    project = current_project()
    if project is None:
        print("Nothing is sent from here: this folder is in no Wasp project.")
        return
    now = int(time.time())
    known = bool(os.environ.get("WASP_TELEMETRY_USER_ID")) or bool(store.read("secret"))
    state = store.state(store.project_hash(project)) if known else State(Attempt(), Attempt())
    print("\nIn this project   last event            the next")
    for name, build in (("wasp build", True), ("other commands", False)):
        attempt, ends = state.attempt(build), state.pause_ends(build)
        last = "none yet" if attempt.at == 0 else _local_time(attempt.at)
        following = f"after {_local_time(ends)}" if ends >= now else "with the next command"
        failed = "  (the last did not arrive)" if attempt.failed else ""
        print(f"  {name:<16}{last:<22}{following}{failed}")
    if state.deploy:
        print(f"  The next event will also tell of a deploy: {state.deploy}")


def _print_news(store: Store) -> None:
    looked_at = Postbox(store, "", os.environ).looked_at()
    when = f"last looked for {_local_time(looked_at)}" if looked_at else "not looked for yet"
    if not are_messages_wanted(os.environ):
        when = "not looked for (WASP_AUTO_NEWS_DISABLE, or CI)"
    print(f"\nMessages from the Wasp team: {when}")


def _local_time(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "never"


def show(wasp_version: str) -> int:
    """Prints the exact data that a command would send now; nothing when it would send nothing."""
    reason = opt_out_reason(os.environ)
    project, folder = current_project(), usable_folder(os.environ)
    if reason is not None:
        print(f"Telemetry is DISABLED ({reason}): nothing is sent.", file=sys.stderr)
    elif project is None:
        print("This folder is in no Wasp project: nothing is sent from here.", file=sys.stderr)
    elif folder is None:
        print("There is no home folder of yours to write to: nothing is sent.", file=sys.stderr)
    elif not is_allowed(Target(os.environ).url):
        print("WASP_TELEMETRY_URL is not an https address: nothing is sent.", file=sys.stderr)
    else:
        invocation = Invocation([], wasp_version, project, os.environ)
        store = Store(folder, os.environ.get("WASP_TELEMETRY_USER_ID", ""))
        _print_event(invocation, store, sys.stdout)
    return 0


def _print_event(invocation: Invocation, store: Store, output: IO[str]) -> None:
    """The event of an invocation; when it would not be sent now, that too, on stderr."""
    build, deploy = is_build(invocation.arguments), deploy_keywords(invocation.arguments)
    state = store.state(store.project_hash(invocation.project))
    ends = state.pause_ends(build)
    if ends >= time.time():
        print(f"Paused until {_local_time(ends)}; without the pause:", file=sys.stderr)
    body = invocation.body(store, Target(os.environ).key, deploy or state.deploy)
    print(body.decode("ascii"), file=output)


def on(_wasp_version: str) -> int:
    """Takes ``wasp telemetry off`` back."""
    file = off_file(os.environ)
    if file is not None and os.path.lexists(file):
        os.remove(file)
    reason = opt_out_reason(os.environ)
    print("Telemetry: " + ("ENABLED" if reason is None else f"still DISABLED ({reason})"))
    return 0


def off(_wasp_version: str) -> int:
    """Opts out, from now on and for all projects."""
    file = off_file(os.environ)
    if file is None:
        print("error: HOME is not set. Set WASP_TELEMETRY_DISABLE instead.", file=sys.stderr)
        return 7
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="ascii") as output:
        output.write("While this file is here, Wasp sends no telemetry (wasp telemetry on).\n")
    print("Telemetry: DISABLED. To switch it on again: wasp telemetry on")
    return 0


# --- running this file --------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """What the launcher and the installer call; returns the exit code.

    ``invoked VERSION [ARGUMENT...]``, ``messages VERSION``, ``telemetry VERSION [on|off|show]``, or
    ``installed``.
    """
    if len(arguments) >= 2 and arguments[0] == "telemetry":
        return command(arguments[1], arguments[2:])
    if opt_out_reason(os.environ) is not None:
        return 0
    is_debug = is_debugging(os.environ)
    try:
        if len(arguments) == 2 and arguments[0] == "messages":
            print_messages(arguments[1])
            return 0
        if not is_debug:
            _leave_the_terminal()
        if len(arguments) >= 2 and arguments[0] == "invoked":
            _invoked(arguments[1], arguments[2:])
        elif list(arguments) == ["installed"]:
            send_install_event()
    except Exception:  # whatever goes wrong, a user's command does not show it
        if is_debug:
            raise
    return 0


def run(arguments: Sequence[str]) -> NoReturn:
    """``main`` as a process of its own, which ends with the exit code that it returns."""
    code = main(arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        code = code or 1  # nobody reads any more
    # The interpreter's own cleaning up takes a few milliseconds more.
    os._exit(code)


if __name__ == "__main__":
    run(sys.argv[1:])
