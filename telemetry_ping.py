#!/usr/bin/env python3
"""Wasp's telemetry: what is sent, when it is sent, and how to opt out.

Two events exist: ``install_event``, when an install starts, and ``cli_event``, when ``wasp`` is
used in a project, at most twice in 12 hours: once for ``wasp build``, once for all other commands.
These two functions list every key that is sent, and only their arguments can get into it: no path,
no name, no argument of a command but five fixed words (``DEPLOY_KEYWORDS``).

Nothing is sent, written or started when any of these is so (``opt_out_reason``):

    WASP_TELEMETRY_DISABLE is set, to whatever value, even an empty one
    DO_NOT_TRACK is set to anything but 0, false, no, off or nothing
    ``wasp telemetry off`` was called

To see what would be sent: ``wasp telemetry show``, or WASP_TELEMETRY_DEBUG=1 before any command.

The launcher runs this in the background, with the machine's Python (3.8 or newer). Most runs meet a
pause and end at once, so modules are imported only where they are needed, and the state is read
without ``json``. After an event, telemetry_messages.py looks for messages from the Wasp team.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # the name that type checkers look for; importing it would take 15 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from socket import socket
    from ssl import SSLContext
    from typing import IO, Any, Final, NoReturn

DEFAULT_URL: Final = "https://app.posthog.com/capture/"
#: Public: with it, events can be sent and not read.
DEFAULT_KEY: Final = "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"

#: Between two events of one kind from one project.
PAUSE_S: Final = 12 * 60 * 60
#: The same when the first was not delivered, and by how much more at most: each project has its own
#: part of that, so that not all come back at once after an outage.
FAILED_PAUSE_S: Final = 60 * 60
FAILED_SPREAD_S: Final = 60 * 60
#: The process then ends, whatever it waits for, name resolution included.
DEADLINE_S: Final = 10
#: For each step of a request.
STEP_TIMEOUT_S: Final = 3.0
#: Processes of a user that send at once, in however many projects.
SENDERS_LIMIT: Final = 8
#: One that was stopped for so long does not send any more.
STALE_S: Final = 60
ANSWER_LIMIT_BYTES: Final = 1024 * 1024

#: The only arguments of ``wasp deploy`` that are ever sent.
DEPLOY_KEYWORDS: Final = ("fly", "setup", "create-db", "deploy", "cmd")
DEPLOY_LIMIT_WORDS: Final = 20
CONTEXT_LIMIT_CHARACTERS: Final = 200
CI_VARIABLES: Final = (
    *("CI", "BUILD_ID", "BUILD_NUMBER", "CI_APP_ID", "CI_BUILD_ID", "CI_BUILD_NUMBER", "CI_NAME"),
    *("CONTINUOUS_INTEGRATION", "RUN_ID", "GITHUB_ACTIONS", "TRAVIS"),
)

# --- opting out


def opt_out_reason(environment: Mapping[str, str]) -> str | None:
    """Why nothing may be sent, in words, or None. Launcher and installer have this rule in sh."""
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


# --- the two events


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


def random_digits() -> str:
    """24 random digits, the first of them not 0, from the system's random source."""
    return str(10**23 + int.from_bytes(os.urandom(32), "big") % (9 * 10**23))


def this_os() -> str:
    """The operating system: linux, osx, windows or Unknown."""
    return {"linux": "linux", "darwin": "osx", "win32": "windows"}.get(sys.platform, "Unknown")


def is_version(text: str) -> bool:
    """Whether these are letters, digits, dots and dashes, such as 0.25.0-rc1."""
    return len(text) <= 40 and text.isascii() and text.translate({45: "", 46: ""}).isalnum()


def is_build(arguments: Sequence[str]) -> bool:
    """Whether the command is ``wasp build``, which ``wasp build start`` is not."""
    return [*arguments[:1]] == ["build"] and [*arguments[1:2]] != ["start"]


def deploy_keywords(arguments: Sequence[str]) -> str:
    """Those arguments of ``wasp deploy`` that may be sent, in order; "" for other commands."""
    return _keywords(arguments[1:]) if [*arguments[:1]] == ["deploy"] else ""


def _keywords(words: Sequence[str]) -> str:
    return ";".join([word for word in words if word in DEPLOY_KEYWORDS][:DEPLOY_LIMIT_WORDS])


def is_on_ci(environment: Mapping[str, str]) -> bool:
    """Whether this runs in continuous integration, as far as its variables tell."""
    return any(environment.get(name, "").lower() not in ("", "0", "false") for name in CI_VARIABLES)


def context_of(environment: Mapping[str, str]) -> str:
    """WASP_TELEMETRY_CONTEXT without control characters, then "CI" on CI."""
    named = environment.get("WASP_TELEMETRY_CONTEXT", "")
    text = "".join(character for character in named if character.isprintable()).strip()
    suffix = " CI" if is_on_ci(environment) else ""
    return (text[: CONTEXT_LIMIT_CHARACTERS - len(suffix)].strip() + suffix).strip()


# --- when to send

_KINDS: Final = ("other", "build")


class State:
    """What is remembered of a project; what cannot be read is as if nothing were.

    ``at``: the seconds since 1970 of the last attempt to send an event, for all other commands, and
    for ``wasp build`` (by False and True). ``failed``: whether it has certainly not arrived.
    ``deploy``: keywords that no event has carried yet. ``spread``: this project's FAILED_SPREAD_S.
    """

    def __init__(self, text: str = "", spread: int = 0) -> None:
        self.at, self.failed, self.deploy, self.spread = [0, 0], [False, False], "", spread
        fields = dict(part.partition(": ")[::2] for part in text.strip("{}\n").split(", "))
        try:
            at = [int(fields[f'"{kind}_at"']) for kind in _KINDS]
            failed = [fields[f'"{kind}_failed"'] == "true" for kind in _KINDS]
            deploy = _keywords(fields['"deploy"'].strip('"').split(";"))
        except (KeyError, ValueError):
            return
        self.at, self.failed, self.deploy = at, failed, deploy

    def to_text(self) -> str:
        """One line of JSON, of exactly the form that is read."""
        fields = [
            f'"{kind}_at": {at}, "{kind}_failed": {str(failed).lower()}'
            for kind, at, failed in zip(_KINDS, self.at, self.failed)
        ]
        return "{" + ", ".join([*fields, f'"deploy": "{self.deploy}"']) + "}\n"

    def pause_ends(self, build: bool) -> int:
        """The last second in which no event of this kind may be sent."""
        return self.at[build] + (FAILED_PAUSE_S + self.spread if self.failed[build] else PAUSE_S)

    def begin(self, now: int, build: bool, deploy: str, may_send: bool = True) -> bool:
        """Whether an invocation at ``now`` sends an event, with the keywords in ``deploy`` then.

        If not, the next one may. An attempt counts as failed until the event is on its way, so that
        whatever ends the process before leaves a pause of an hour or two, and else twelve.
        """
        self.deploy = deploy or self.deploy
        # When the clock was set back, waiting until it is there again could take years.
        self.at[build] = min(self.at[build], now)
        if not may_send or now <= self.pause_ends(build):
            return False
        self.at[build], self.failed[build] = now, True
        return True

    def settle(self, build: bool, deploy: str, taken: bool) -> None:
        """The event that has these keywords is on its way, or was not taken after all."""
        self.failed[build] = not taken
        if not taken:
            self.deploy = self.deploy or deploy
        elif self.deploy == deploy:  # and no other deploy was remembered meanwhile
            self.deploy = ""


# --- what is kept on this machine


class Store:
    """The folder with this machine's id, its secret, and the state of projects; raises OSError.

    WASP_TELEMETRY_USER_ID stands for id and secret: one person, many machines.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._was_made = False
        user_id = os.environ.get("WASP_TELEMETRY_USER_ID", "")
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

    def lock(self) -> IO[bytes]:
        """For whoever changes anything. Not around id and secret, which take it to be made."""
        self._make_folder()
        return _locked(os.path.join(self.folder, "lock"), wait=True)

    def sender(self) -> IO[bytes] | None:
        """While this is open, its process is one of the few that may send."""
        self._make_folder()
        for number in range(SENDERS_LIMIT):
            try:
                return _locked(os.path.join(self.folder, f"sender-{number}"), wait=False)
            except OSError:
                continue
        return None

    def _make_folder(self) -> None:
        """Once, and nothing above the cache: a home that was removed meanwhile stays away."""
        if self._was_made:
            return
        self._was_made = True
        wasp = os.path.dirname(self.folder)
        for folder in (os.path.dirname(wasp), wasp, self.folder):
            try:
                os.mkdir(folder, 0o700)
            except FileExistsError:
                continue
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
        # Without waiting for whoever might write into a pipe of this name.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(os.path.join(self.folder, name), flags)
            try:
                return os.read(descriptor, limit)
            finally:
                os.close(descriptor)
        except OSError:
            return b""

    def remove(self, name: str) -> None:
        """Removes a file, if it is there; only with the lock."""
        try:
            os.unlink(os.path.join(self.folder, name))
        except FileNotFoundError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; only with the lock, as there is one ``.new``."""
        # Never into what is there, which may be a link to elsewhere, or a pipe.
        self.remove(f"{name}.new")
        path = os.path.join(self.folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(f"{path}.new", flags, 0o600)
        try:
            complete = os.write(descriptor, content) == len(content)
        finally:
            os.close(descriptor)
        if not complete:
            raise OSError(f"no room for {path}")
        os.replace(f"{path}.new", path)


class _Sample(Store):
    """What nothing is kept of."""

    def distinct_id(self) -> str:
        return "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b"

    def project_hash(self, _: str) -> str:
        return "6d7e561d62b955d1"


def _locked(path: str, *, wait: bool) -> IO[bytes]:
    """A file, locked until it is closed or the process ends."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, 0o600), "rb")
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    return file


def usable_folder() -> str | None:
    """The folder for the ``Store``; None where it is not this user's, as with sudo at times."""
    if os.name == "nt":
        local = os.environ.get("LOCALAPPDATA")
        return os.path.join(local, "wasp", "telemetry") if local else None
    base = _user_folder(os.environ, "XDG_CACHE_HOME", ".cache")
    if base is None:
        return None
    folder = there = os.path.join(base.rstrip("/"), "wasp", "telemetry")
    for _ in range(3):
        there = there if os.path.isdir(there) else os.path.dirname(there)
    places = [there, *filter(os.path.isdir, [os.environ.get("HOME", "")])]
    is_ours = os.access(there, os.W_OK | os.X_OK) and all(
        os.stat(place).st_uid == os.geteuid() for place in places
    )
    return folder if is_ours else None


def current_project() -> str | None:
    """The Wasp project that this is in: the nearest folder upwards with .wasproot."""
    try:
        folder = os.getcwd()
    except OSError:
        return None  # it was removed
    while not os.path.exists(os.path.join(folder, ".wasproot")):
        if folder == os.path.dirname(folder):
            return None
        folder = os.path.dirname(folder)
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


# --- sending


def collector() -> tuple[str, str]:
    """Where events go, and with which key."""
    url = os.environ.get("WASP_TELEMETRY_URL") or DEFAULT_URL
    return url, os.environ.get("WASP_TELEMETRY_KEY") or DEFAULT_KEY


def ask(
    url: str, fields: str, body: bytes = b"", when_connected: Callable[[], None] = lambda: None
) -> tuple[int, bytes]:
    """Sends one HTTP request, a POST if it has a body; returns the status and the answer.

    By hand, as http.client takes 10 ms; no redirect is followed. ``fields`` are header lines.
    Raises OSError; ValueError for a ``url`` that is not allowed, or an answer that is not HTTP.
    """
    host, port, path = _parts(url)
    authority = (f"[{host}]" if ":" in host else host) + ("" if port in (80, 443) else f":{port}")
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: {authority}\r\n{fields}"
    head += f"Content-Length: {len(body)}\r\n" if body else ""
    head += "Accept-Encoding: identity\r\nUser-Agent: wasp\r\nConnection: close\r\n\r\n"
    with _connect(url.startswith("https:"), host, port) as connection:
        when_connected()
        connection.sendall(head.encode("ascii") + body)
        return _answer(_received(connection))


def _received(connection: socket, end: bytes = b"") -> bytes:
    data = piece = connection.recv(65536)
    while piece and len(data) < ANSWER_LIMIT_BYTES and not (end and end in data):
        piece = connection.recv(65536)
        data += piece
    return data


def _answer(data: bytes) -> tuple[int, bytes]:
    """The status and the content of an HTTP answer."""
    status = 100
    while status // 100 == 1:  # more is to come
        head, _, data = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1."):
            raise ValueError("no answer in HTTP")
        status = int(head[9:12])
    if b"\ntransfer-encoding: chunked" not in head.lower():
        return status, data
    content, size = b"", 1
    while size > 0:
        line, _, data = data.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        content, data = content + data[: max(size, 0)], data[size + 2 :]
    return status, content


def is_allowed(url: str) -> bool:
    """Whether events may go to ``url``: it is https, or on this very machine."""
    try:
        return bool(_parts(url))
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and path; ValueError for an address that is not allowed."""
    import re

    here, anywhere = r"localhost|\[::1\]|127(?:\.[0-9]{1,3}){3}", r"\[[0-9A-Fa-f:]+\]|[\w.-]+"
    hosts = rf"(?:http://({here})|https://({anywhere}))"
    found = re.fullmatch(rf"{hosts}(?::([0-9]{{1,5}}))?(/[!-~]*)?", url, re.ASCII)
    port = int(found[3] or (80 if found[1] else 443)) if found else 65536
    if not found or port > 65535:
        raise ValueError(f"{url} is not an https address")
    return (found[1] or found[2]).strip("[]"), port, found[4] or "/"


def _connect(secure: bool, host: str, port: int) -> socket:
    from socket import create_connection

    through, login = _proxy_for(host, port) if secure else (None, "")
    connection = create_connection(through or (host, port), STEP_TIMEOUT_S)
    try:
        if through:
            head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n"
            connection.sendall(head.encode("ascii"))
            status, _ = _answer(_received(connection, b"\r\n\r\n"))
            if status != 200:
                raise OSError(f"the proxy answered {status}")
        return _tls().wrap_socket(connection, server_hostname=host) if secure else connection
    except BaseException:
        connection.close()
        raise


def _proxy_for(host: str, port: int) -> tuple[tuple[str, int] | None, str]:
    """The address of the proxy, if there is one, and a line with the login for it."""
    if not any(name.lower() in ("https_proxy", "all_proxy") for name in os.environ):
        return None, ""
    from base64 import b64encode
    from urllib import request
    from urllib.parse import unquote, urlsplit

    proxies = request.getproxies_environment()
    proxy = proxies.get("https") or proxies.get("all")
    is_bypassed: Callable[[str], bool] = vars(request)["proxy_bypass_environment"]
    if not proxy or is_bypassed(f"{host}:{port}"):
        return None, ""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("the proxy has not the address of an HTTP proxy")
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    line = f"Proxy-Authorization: Basic {b64encode(login).decode()}\r\n" if len(login) > 1 else ""
    return (parts.hostname, parts.port or 80), line


_tls_contexts: list[SSLContext] = []


def _tls() -> SSLContext:
    """With the system's authorities, or those of SSL_CERT_FILE, which take long to read."""
    import ssl

    if _tls_contexts:
        return _tls_contexts[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _tls_contexts.append(context)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    folder = ssl.get_default_verify_paths().openssl_capath
    if not {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys() and _is_hashed(folder):
        # Only what is needed is then read; all of them take 20 ms.
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


# --- one invocation


class Invocation:
    """One call of ``wasp`` with these arguments, in the project at this absolute path."""

    def __init__(
        self, arguments: Sequence[str], wasp_version: str, project: str, store: Store
    ) -> None:
        self.build, self.deploy = is_build(arguments), deploy_keywords(arguments)
        self.wasp_version = wasp_version if is_version(wasp_version) else ""
        self._store = store
        self._project_hash = store.project_hash(project)
        self._file = f"project-{self._project_hash}.json"

    def state(self) -> State:
        """As it is kept now."""
        text = self._store.read(self._file).decode("ascii", "replace")
        return State(text, int(self._project_hash[:8], 16) * FAILED_SPREAD_S >> 32)

    def _keep(self, state: State) -> None:
        self._store.write(self._file, state.to_text().encode("ascii"))

    def body(self, deploy: str) -> bytes:
        """What it sends, with these keywords of a deploy."""
        event = cli_event(
            key=collector()[1],
            distinct_id=self._store.distinct_id(),
            project_hash=self._project_hash,
            is_build=self.build,
            deploy_cmd_args=deploy,
            wasp_version=self.wasp_version,
            os_name=this_os(),
            context=context_of(os.environ),
        )
        return to_body(event)

    def is_due(self, now: int) -> bool:
        """Whether there is something to send or to remember; ``send`` looks again with the lock."""
        state = self.state()
        before = state.to_text()
        return state.begin(now, self.build, self.deploy) or state.to_text() != before

    def send(
        self,
        clock: Callable[[], int],
        ask: Callable[..., tuple[int, bytes]] = ask,
        may_send: bool = True,
    ) -> bytes | None:
        """Sends the event; returns what was answered, or None in a pause.

        The attempt is kept before the network is touched: of many invocations at once, one sends,
        and none where it cannot be kept. Raises what ``ask`` and the store raise.
        """
        with self._store.lock():
            # Not before: whoever had the lock would then have sent in what looks like the future.
            now = clock()
            state = self.state()
            before = state.to_text()
            sends = state.begin(now, self.build, self.deploy, may_send)
            if state.to_text() != before:
                self._keep(state)
        if not sends:
            return None
        deploy = state.deploy

        def settle(taken: bool) -> None:
            with self._store.lock():
                state = self.state()
                if state.at[self.build] != now or not 0 <= clock() - now < STALE_S:
                    # It slept, perhaps with the whole machine, and another may have sent meanwhile.
                    raise TimeoutError("this attempt is of another time")
                state.settle(self.build, deploy, taken)
                self._keep(state)

        url, body = collector()[0], self.body(deploy)
        status, answer = ask(url, _JSON, body, lambda: settle(taken=True))
        # What stands before a server may answer 500, 502 or 504 for an event that it has taken.
        if 300 <= status < 500 or status == 503:
            settle(taken=False)
        return answer if 200 <= status < 300 else b""


_JSON: Final = "Content-Type: application/json\r\n"


def _invoked(wasp_version: str, arguments: Sequence[str]) -> None:
    project, folder = current_project(), usable_folder()
    if project is None or folder is None:
        return
    store = Store(folder)
    if is_debugging():
        _print_event(Invocation(arguments, wasp_version, project, store), sys.stderr)
        return
    _detach()
    invocation = Invocation(arguments, wasp_version, project, store)
    if not invocation.is_due(_now()):
        return
    _keep_compiled()
    answer: bytes | None = b""
    place = store.sender()
    try:
        answer = invocation.send(_now, may_send=place is not None)
    finally:
        if place:
            place.close()
        if answer is not None:  # who cannot send may still be told of a danger
            import telemetry_messages

            telemetry_messages.look(store, invocation.wasp_version, answer, _now())


def _now() -> int:
    return int(time.time())


def _installed() -> None:
    url, key = collector()
    body = to_body(install_event(key=key, distinct_id=random_digits(), os_name=this_os()))
    if is_debugging():
        print(body.decode(), file=sys.stderr)
        return
    _detach()
    ask(url, _JSON, body)


def is_debugging() -> bool:
    """Whether events are to be printed in place of being sent."""
    return os.environ.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")


# --- processes


def _detach() -> None:
    """Away from Ctrl-C, from a closed terminal, and from who waits; and it ends at the deadline."""
    if os.name != "posix":
        import threading

        timer = threading.Timer(DEADLINE_S, os._exit, [0])
        timer.daemon = True
        timer.start()
        return
    # Imported by its inner name, which brings nothing else: it is wanted before every pause.
    signals = __import__("_signal")
    signals.signal(signals.SIGALRM, signals.SIG_DFL)
    signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
    signals.alarm(DEADLINE_S)
    if os.getpgrp() != os.getpid():  # who leads a group cannot leave it
        os.setsid()
    os.nice(10)
    os.closerange(3, 4096)  # whoever reads from a pipe waits until nobody has its other end
    os.chdir("/")  # so that the folder can be removed or unmounted meanwhile


def _keep_compiled() -> None:
    """Keeps what Python compiles of our files, in this user's own folder and from inside it.

    When all of Wasp was removed meanwhile, an import would make the folder anew.
    """
    assert __spec__ is not None, "an imported module has one"
    folder, kept = os.path.dirname(os.path.abspath(__file__)), __spec__.cached or __file__
    is_kept = os.path.exists(kept) and os.stat(kept).st_mtime >= os.stat(__file__).st_ctime
    if is_kept or os.stat(folder).st_uid != os.geteuid():
        return
    from py_compile import compile as keep

    os.chdir(folder)
    for name in ("telemetry_ping.py", "telemetry_messages.py"):
        keep(name)
    os.chdir("/")


# --- wasp telemetry

_USAGE: Final = """\
usage: wasp telemetry          whether it is enabled, and when it sends
       wasp telemetry show     the exact data that would be sent now
       wasp telemetry off      switch it off, for all projects
       wasp telemetry on       switch it on again
"""


def command(wasp_version: str, arguments: Sequence[str]) -> int:
    """``wasp telemetry [on|off|show]``; returns the exit code."""
    words = " ".join(arguments)
    chosen = {"": status, "show": show, "on": on, "off": off}.get(words)
    if chosen is None:
        print(_USAGE, end="", file=sys.stderr)
        return 0 if words in ("-h", "--help") else 2
    for stream in filter(None, (sys.stdout, sys.stderr)):
        # A path may hold bytes that are no text.
        stream.reconfigure(errors="backslashreplace")
    try:
        chosen(wasp_version)
    except OSError as error:
        # A full disk is told of without a name.
        place = f"{error.filename}: " if error.filename else ""
        print(f"error: {place}{error.strerror or error}", file=sys.stderr)
        return 7
    return 0


def silence_reason() -> str | None:
    """Why nothing is ever sent from here, in words; None when something may be."""
    reason = opt_out_reason(os.environ)
    if reason is None and not is_allowed(collector()[0]):
        reason = "WASP_TELEMETRY_URL is not an https address"
    if reason is None and usable_folder() is None:
        reason = "there is no home folder of yours to write to"
    return reason


def status(_wasp_version: str) -> None:
    """Prints whether telemetry is enabled, and when it sends."""
    reason, project, folder = silence_reason(), current_project(), usable_folder()
    print("Telemetry: " + ("ENABLED" if reason is None else f"DISABLED ({reason})"))
    if reason is not None or folder is None:
        return
    print(f"Kept in:   {folder}")
    if project is None:
        print("In no Wasp project, so nothing is sent from here.")
    else:
        store = Store(folder)
        # Without making a secret just for that.
        is_known = "WASP_TELEMETRY_USER_ID" in os.environ or store.read("secret")
        state = Invocation([], "", project, store).state() if is_known else State()
        for name, build in (("wasp build", True), ("other commands", False)):
            print(f"Next event of this project, {name}: {_next_event(state, build)}")
        if state.deploy:
            print(f"It will also tell of a deploy: {state.deploy}")
    print("\nTo see what is sent: wasp telemetry show")
    print("To opt out:          wasp telemetry off, or set WASP_TELEMETRY_DISABLE")


def _next_event(state: State, build: bool) -> str:
    now = _now()
    state.begin(now, build, "", may_send=False)  # as far as the clock goes
    if now > state.pause_ends(build):
        return "with the next command"
    return time.strftime("after %Y-%m-%d %H:%M:%S", time.localtime(state.pause_ends(build)))


def show(wasp_version: str) -> None:
    """Prints the exact data that a command would send now, or a sample of it."""
    reason, project, folder = silence_reason(), current_project(), usable_folder()
    if reason is not None or folder is None:
        print(f"Telemetry is DISABLED ({reason}): nothing is sent.", file=sys.stderr)
    elif project is None:
        print("In no Wasp project, so nothing is sent from here. A sample:", file=sys.stderr)
        print(Invocation([], wasp_version, "", _Sample("")).body("").decode("ascii"))
    else:
        _print_event(Invocation([], wasp_version, project, Store(folder)), sys.stdout)


def _print_event(invocation: Invocation, output: IO[str]) -> None:
    """The event of an invocation; when it would not be sent now, that too, on stderr."""
    state = invocation.state()
    following = _next_event(state, invocation.build)
    if following.startswith("after"):
        print(f"Paused: it would be sent {following}.", file=sys.stderr)
    print(invocation.body(invocation.deploy or state.deploy).decode("ascii"), file=output)


def on(_wasp_version: str) -> None:
    """Takes ``wasp telemetry off`` back."""
    file = off_file(os.environ)
    if file is not None and os.path.lexists(file):
        os.remove(file)
    reason = silence_reason()
    print("Telemetry: " + ("ENABLED" if reason is None else f"still DISABLED ({reason})"))


def off(_wasp_version: str) -> None:
    """Opts out, from now on and for all projects."""
    file = off_file(os.environ)
    if file is None:
        raise OSError("HOME is not set. Set WASP_TELEMETRY_DISABLE instead.")
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="ascii") as output:
        output.write("While this file is here, Wasp sends no telemetry (wasp telemetry on).\n")
    print("Telemetry: DISABLED. To switch it on again: wasp telemetry on")


# --- running this file


def main(arguments: Sequence[str]) -> int:
    """The door: ``installed``, ``invoked VERSION [ARGUMENT...]``, ``telemetry VERSION [WORD]``.

    Only the last is for who has opted out: it says so, and changes it. Returns the exit code.
    """
    name, rest = "".join(arguments[:1]), arguments[1:]
    if name == "telemetry" and rest:
        return command(rest[0], rest[1:])
    if opt_out_reason(os.environ) is not None:
        return 0
    try:
        if name == "invoked" and rest:
            _invoked(rest[0], rest[1:])
        elif name == "installed" and not rest:
            _installed()
    except Exception:  # whatever goes wrong, a user's command does not show it
        if is_debugging():
            raise
    return 0


def run(arguments: Sequence[str]) -> NoReturn:
    """``main`` as a process of its own."""
    code = main(arguments)
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        code = code or 1  # nobody reads any more
    # The interpreter's own cleaning up takes a few milliseconds more.
    os._exit(code)


if __name__ == "__main__":
    run(sys.argv[1:])
