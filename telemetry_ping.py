#!/usr/bin/env python3
"""Wasp's telemetry: what is sent, when, and how to opt out.

Two events exist: ``install_event``, when an install starts, and ``cli_event``, when ``wasp`` is
used in a project, at most twice in 12 hours: once for ``wasp build``, once for all other commands.
These two functions list all that is sent: no path, no name, and no argument of a command but five
fixed words (``DEPLOY_KEYWORDS``). ``opt_out_reason`` says when nothing is sent, written or started.

The launcher runs this in the background, on Python 3.8 or newer. Most runs end at once, in a pause,
so modules are imported where they are needed.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # importing it would take 15 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from socket import socket
    from typing import IO, Any, NoReturn

DEFAULT_URL = "https://app.posthog.com/capture/"
#: Public: it can send events, not read them.
DEFAULT_KEY = "CdDd2A0jKTI2vFAsrI9JWm3MqpOcgHz1bMyogAcwsE4"

#: Between two events of a kind from a project.
PAUSE_S = 12 * 60 * 60
#: The same after a failure; see ``State.spread``.
FAILED_PAUSE_S = 60 * 60
#: Then the process ends.
DEADLINE_S = 10
#: Processes of a user that send at once.
SENDERS_LIMIT = 8
#: One that slept for so long sends no more.
STALE_S = 60
ANSWER_LIMIT_BYTES = 1024 * 1024

#: The only arguments of ``wasp deploy`` that are ever sent.
DEPLOY_KEYWORDS = ("fly", "setup", "create-db", "deploy", "cmd")
CI_VARIABLES = (
    *("CI", "BUILD_ID", "BUILD_NUMBER", "CI_APP_ID", "CI_BUILD_ID", "CI_BUILD_NUMBER", "CI_NAME"),
    *("CONTINUOUS_INTEGRATION", "RUN_ID", "GITHUB_ACTIONS", "TRAVIS"),
)


def opt_out_reason(environment: Mapping[str, str]) -> str | None:
    """Why nothing may be sent, or None. Launcher and installer have this rule in sh."""
    if "WASP_TELEMETRY_DISABLE" in environment:  # with any value, even an empty one
        return "WASP_TELEMETRY_DISABLE is set"
    if environment.get("DO_NOT_TRACK", "").lower() not in ("", "0", "false", "no", "off"):
        return "DO_NOT_TRACK is set"
    try:
        os.lstat(off_file(environment))
    except PermissionError:
        return "your config folder cannot be read"
    except OSError:
        return None  # there is no such file
    return "you turned it off: wasp telemetry off"


def off_file(environment: Mapping[str, str]) -> str:
    """Its presence means off."""
    return f"{_user_folder(environment, 'XDG_CONFIG_HOME', '.config')}/wasp/telemetry-off"


def _user_folder(environment: Mapping[str, str], variable: str, default: str) -> str:
    """https://specifications.freedesktop.org/basedir-spec: relative paths are ignored."""
    home = environment.get("HOME", "")
    for folder in (environment.get(variable, ""), home and os.path.join(home, default)):
        if os.path.isabs(folder):
            return folder.rstrip("/")
    raise FileNotFoundError("HOME is not set. Set WASP_TELEMETRY_DISABLE instead.")


# --- the two events


def install_event() -> dict[str, Any]:
    """What is sent when an install starts: a random number, and the operating system."""
    return {
        "api_key": collector()[1],
        "type": "capture",
        "event": "install-script:run",
        # 24 digits, the first not 0.
        "distinct_id": str(10**23 + int.from_bytes(os.urandom(32), "big") % (9 * 10**23)),
        "properties": {"os": this_os()},
    }


def cli_event(
    distinct_id: str, project_hash: str, is_build: bool, deploy_cmd_args: str, wasp_version: str
) -> dict[str, Any]:
    """What is sent when ``wasp`` is used in a project."""
    return {
        "api_key": collector()[1],
        "event": "cli",
        "distinct_id": distinct_id,
        "properties": {
            "project_hash": project_hash,
            "is_build": is_build,
            "deploy_cmd_args": deploy_cmd_args,
            "wasp_version": wasp_version,
            "os": this_os(),
            "context": context_of(os.environ),
        },
    }


def this_os() -> str:
    """linux, osx, windows or Unknown."""
    return {"linux": "linux", "darwin": "osx", "win32": "windows"}.get(sys.platform, "Unknown")


def is_build(arguments: Sequence[str]) -> bool:
    """Whether the command is ``wasp build``, which ``wasp build start`` is not."""
    return [*arguments[:1]] == ["build"] and [*arguments[1:2]] != ["start"]


def deploy_keywords(arguments: Sequence[str]) -> str:
    """The arguments of ``wasp deploy`` that may be sent; "" for other commands."""
    is_deploy = [*arguments[:1]] == ["deploy"]
    return ";".join([it for it in arguments[1:] if is_deploy and it in DEPLOY_KEYWORDS][:20])


def is_on_ci(environment: Mapping[str, str]) -> bool:
    """Whether this is continuous integration, by its variables."""
    return any(environment.get(name, "").lower() not in ("", "0", "false") for name in CI_VARIABLES)


def context_of(environment: Mapping[str, str]) -> str:
    """At most 200 plain characters: WASP_TELEMETRY_CONTEXT, then "CI" on CI."""
    text = "".join(filter(str.isprintable, environment.get("WASP_TELEMETRY_CONTEXT", ""))).strip()
    suffix = " CI" if is_on_ci(environment) else ""
    return (text[: 200 - len(suffix)].strip() + suffix).strip()


# --- when to send


class State:
    """What is remembered of a project, or nothing where it cannot be read.

    ``ends``: the last second of the pause of other commands (False) and of ``wasp build`` (True).
    ``deploy``: keywords that no event has carried yet. ``spread``: this project's part of another
    hour after a failure, so that no flood follows an outage.
    """

    def __init__(self, text: str = "", spread: int = 0) -> None:
        self.ends, self.deploy, self.spread = [0, 0], "", spread
        try:
            other, build, deploy = text.rstrip("\n").split(" ")
            self.ends = [int(other), int(build)]
        except ValueError:
            return
        self.deploy = deploy_keywords(["deploy", *deploy.split(";")])

    def to_text(self) -> str:
        """One line; the module for JSON takes 7 ms."""
        return f"{self.ends[False]} {self.ends[True]} {self.deploy}\n"

    def begin(self, now: int, build: bool, deploy: str, may_send: bool = True) -> bool:
        """Whether an invocation at ``now`` sends an event, with the keywords in ``deploy``."""
        self.deploy = deploy or self.deploy
        # The clock may have been set back, even by years.
        self.ends[build] = min(self.ends[build], now + PAUSE_S)
        if not may_send or now <= self.ends[build]:
            return False
        self.ends[build] = now + FAILED_PAUSE_S + self.spread  # until the event is on its way
        return True

    def settle(self, begun: int, build: bool, deploy: str, taken: bool) -> None:
        """The event with these keywords is on its way, or was not taken."""
        self.ends[build] = begun + (PAUSE_S if taken else FAILED_PAUSE_S + self.spread)
        if not taken:
            self.deploy = self.deploy or deploy
        elif self.deploy == deploy:  # no other was remembered meanwhile
            self.deploy = ""


# --- what is kept on this machine


class Store:
    """The folder with this machine's id, its secret, and the state of projects; raises OSError.

    WASP_TELEMETRY_USER_ID replaces id and secret: one person, many machines.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._user_id = os.fsencode(os.environ.get("WASP_TELEMETRY_USER_ID", ""))

    def make(self) -> None:
        """Nothing above the cache: a home that was removed stays away."""
        wasp = os.path.dirname(self.folder)
        for folder in (os.path.dirname(wasp), wasp, self.folder):
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
        os.chmod(self.folder, 0o700)  # Wasp itself may have made it, readable to all

    def distinct_id(self) -> str:
        """The random UUID of this machine, as Wasp itself uses it; or the hash of a user id."""
        if self._user_id:
            return _sha256(self._user_id).hex()
        import re

        form = re.compile(rb"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\n?")
        new = os.urandom(16).hex()
        new = f"{new[:8]}-{new[8:12]}-4{new[13:16]}-a{new[17:20]}-{new[20:]}"
        return self._once("signature", form.fullmatch, new.encode()).decode().strip()

    def project_hash(self, project: str) -> str:
        """16 hex digits for an absolute path, which nobody can guess without the secret."""
        # Not the hash of the user id alone, which is sent.
        secret = _sha256(b"wasp project secret of " + self._user_id)
        if not self._user_id:
            secret = self._once("secret", lambda known: len(known) == 32, os.urandom(32))
        return _hmac_sha256(secret, os.fsencode(project)).hex()[:16]

    def _once(self, name: str, is_good: Callable[[bytes], Any], new: bytes) -> bytes:
        """The content of a file, which becomes ``new`` where it is not good."""
        content = self.read(name)
        if not is_good(content):
            with self.lock():
                content = self.read(name)  # another process may have been first
                if not is_good(content):
                    self.write(name, new)
                    content = new
        return content

    def lock(self, name: str = "lock", wait: bool = True) -> IO[bytes]:
        """For who changes anything, until it is closed."""
        import fcntl

        file = open(os.path.join(self.folder, name), "ab", opener=_open)  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def sender(self) -> IO[bytes] | None:
        """While it is open, this process may send; None where enough others do."""
        for number in range(SENDERS_LIMIT):
            try:
                return self.lock(f"sender-{number}", wait=False)
            except BlockingIOError:
                continue
        return None

    def read(self, name: str, limit: int = 1024) -> bytes:
        """At most ``limit`` bytes of a file; none where it cannot be read."""
        try:
            with open(os.path.join(self.folder, name), "rb", 0, opener=_open) as file:
                return file.read(limit) or b""
        except OSError:
            return b""

    def remove(self, name: str) -> None:
        """Removes a file that may be there; only with the lock."""
        try:
            os.unlink(os.path.join(self.folder, name))
        except FileNotFoundError:
            return

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; only with the lock."""
        path = os.path.join(self.folder, name)
        self.remove(f"{name}.new")  # it may be a link to elsewhere
        with open(f"{path}.new", "xb", opener=_open) as file:
            file.write(content)
        os.replace(f"{path}.new", path)


def _open(path: str, flags: int) -> int:
    """For this user alone, through no link, and without waiting for a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def usable_folder() -> str:
    """The folder for the Store; OSError where it is another user's, as with sudo."""
    folder = there = _user_folder(os.environ, "XDG_CACHE_HOME", ".cache") + "/wasp/telemetry"
    for _ in range(3):
        there = there if os.path.isdir(there) else os.path.dirname(there)
    places = [there, *filter(os.path.isdir, [os.environ.get("HOME", "")])]
    is_open = os.access(there, os.W_OK | os.X_OK)
    if not is_open or {os.stat(place).st_uid for place in places} != {os.geteuid()}:
        raise PermissionError("you have no home folder to write to")
    return folder


def current_project() -> str | None:
    """The nearest folder upwards with .wasproot."""
    try:
        folder = os.getcwd()
    except OSError:
        return None  # it was removed
    while not os.path.exists(os.path.join(folder, ".wasproot")):
        if folder == "/":
            return None
        folder = os.path.dirname(folder)
    return folder


def _sha256(data: bytes) -> bytes:
    """If possible, without OpenSSL, which takes 5 ms to load."""
    try:
        module = __import__("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:
        module = __import__("hashlib")
    return bytes(module.sha256(data).digest())


def _hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, for keys of at most 64 bytes; the module hmac takes 8 ms."""
    block = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return _sha256(outer + _sha256(inner + message))


# --- sending


def collector() -> tuple[str, str]:
    """Address and key."""
    url = os.environ.get("WASP_TELEMETRY_URL") or DEFAULT_URL
    return url, os.environ.get("WASP_TELEMETRY_KEY") or DEFAULT_KEY


def parts_of(url: str) -> tuple[str, int, str]:
    """Host, port and path; ValueError unless it is https or on this machine."""
    import re

    here, anywhere = r"localhost|\[::1\]|127(?:\.[0-9]{1,3}){3}", r"\[[0-9A-Fa-f:]+\]|[\w.-]+"
    hosts = rf"(?:http://({here})|https://({anywhere}))"
    found = re.fullmatch(rf"{hosts}(?::([0-9]{{1,5}}))?(/[!-~]*)?", url, re.ASCII)
    port = int(found[3] or (80 if found[1] else 443)) if found else 65536
    if not found or port > 65535:
        raise ValueError(f"{url} is not an https address")
    return (found[1] or found[2]).strip("[]"), port, found[4] or "/"


def ask(
    url: str,
    body: str = "",
    when_connected: Callable[[], None] = lambda: None,
    fields: str = "Content-Type: application/json\r\n",
) -> tuple[int, bytes]:
    """Sends one HTTP request, a POST if it has a body; returns the status and the answer.

    No redirect is followed. Raises OSError, ValueError. By hand, as http.client takes 10 ms.
    """
    from socket import create_connection

    host, port, path = parts_of(url)
    method, length = ("POST", f"Content-Length: {len(body)}\r\n") if body else ("GET", "")
    head = f"{method} {path} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n{fields}{length}"
    head += "Accept-Encoding: identity\r\nUser-Agent: wasp\r\nConnection: close\r\n\r\n"
    connection = create_connection((host, port), timeout=3)
    with _secured(connection, host) if url.startswith("https:") else connection as connection:
        when_connected()
        connection.sendall((head + body).encode("ascii"))
        data = piece = connection.recv(65536)
        while piece and len(data) < ANSWER_LIMIT_BYTES:
            piece = connection.recv(65536)
            data += piece
    return _answer(data)


def _answer(data: bytes) -> tuple[int, bytes]:
    """Status and content."""
    head, _, data = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1."):
        raise ValueError("no answer in HTTP")
    if b"\ntransfer-encoding: chunked" not in head.lower():
        return int(head[9:12]), data
    content, size = b"", 1
    while size > 0:
        line, _, data = data.partition(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        content, data = content + data[: max(size, 0)], data[size + 2 :]
    return int(head[9:12]), content


def _secured(connection: socket, host: str) -> socket:
    """TLS with the authorities of the system, SSL_CERT_FILE or SSL_CERT_DIR."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    folder = ssl.get_default_verify_paths().capath
    is_hashed = folder and any(name.endswith(".0") for name in os.listdir(folder))
    if is_hashed and "SSL_CERT_FILE" not in os.environ:
        # Reads only what it needs; all take 20 ms.
        context.load_verify_locations(capath=folder)
    else:
        context.load_default_certs()
        if sys.platform == "darwin" and not context.cert_store_stats()["x509_ca"]:
            context.load_verify_locations("/etc/ssl/cert.pem")  # Python's own build knows none
    return context.wrap_socket(connection, server_hostname=host)


# --- one invocation


class Invocation:
    """One call of ``wasp``, in the project at this absolute path."""

    def __init__(
        self, arguments: Sequence[str], wasp_version: str, project: str, store: Store
    ) -> None:
        self.build, self.deploy = is_build(arguments), deploy_keywords(arguments)
        is_version = wasp_version.replace(".", "").replace("-", "").isalnum()
        self.wasp_version, self._store = wasp_version if is_version else "", store
        self._project_hash = store.project_hash(project)
        self._file = f"project-{self._project_hash}"

    def state(self) -> State:
        """As it is kept now."""
        text = self._store.read(self._file).decode("ascii", "replace")
        return State(text, int(self._project_hash[:8], 16) * FAILED_PAUSE_S >> 32)

    def body(self, deploy: str) -> str:
        """What it sends, with these keywords."""
        user, project = self._store.distinct_id(), self._project_hash
        return _json(cli_event(user, project, self.build, deploy, self.wasp_version))

    def is_due(self, now: int) -> bool:
        """Whether there is something to send or to remember."""
        state = self.state()
        before = state.to_text()
        return state.begin(now, self.build, self.deploy) or state.to_text() != before

    def send(
        self,
        clock: Callable[[], float] = time.time,
        ask: Callable[..., Any] = ask,
        may_send: bool = True,
    ) -> bytes | None:
        """Sends the event; returns the answer, or None in a pause.

        The attempt is noted first, so of many at once, one sends.
        """
        with self._store.lock():
            # Not earlier: whoever had the lock would have sent in the future.
            now = int(clock())
            state = self.state()
            sends = state.begin(now, self.build, self.deploy, may_send)
            self._store.write(self._file, state.to_text().encode())
        if not sends:
            return None
        deploy = state.deploy

        def settle(taken: bool) -> None:
            with self._store.lock():
                if not 0 <= clock() - now < STALE_S:
                    # It slept, perhaps with the machine; another may have sent meanwhile.
                    raise TimeoutError("this attempt came too late")
                state = self.state()
                state.settle(now, self.build, deploy, taken)
                self._store.write(self._file, state.to_text().encode())

        status, answer = ask(collector()[0], self.body(deploy), lambda: settle(taken=True))
        # 500, 502 or 504 may come from a proxy when the event was taken.
        if 300 <= status < 500 or status == 503:
            settle(taken=False)
        return answer if 200 <= status < 300 else b""


def _json(event: Mapping[str, Any]) -> str:
    import json

    return json.dumps(event)


def _invoked(wasp_version: str, arguments: Sequence[str]) -> None:
    project, store = current_project(), Store(usable_folder())
    if project is None:
        return
    if not is_debugging():
        _detach()
    store.make()
    invocation = Invocation(arguments, wasp_version, project, store)
    if is_debugging():
        print(invocation.body(invocation.deploy or invocation.state().deploy), file=sys.stderr)
    elif invocation.is_due(int(time.time())):
        _keep_compiled()
        answer: bytes | None = b""
        place = store.sender()
        try:
            answer = invocation.send(may_send=place is not None)
        finally:
            if answer is not None:  # also for who could not send
                import telemetry_messages

                telemetry_messages.look(store, invocation.wasp_version, answer, int(time.time()))


def _installed() -> None:
    body = _json(install_event())
    if is_debugging():
        print(body, file=sys.stderr)
    else:
        _detach()
        ask(collector()[0], body)


def is_debugging() -> bool:
    """Whether events are printed, not sent."""
    return os.environ.get("WASP_TELEMETRY_DEBUG", "") not in ("", "0")


def _detach() -> None:
    """Away from Ctrl-C, a closed terminal, and who waits; ends at the deadline."""
    if sys.platform == "win32":  # it was started detached
        from threading import Timer

        Timer(DEADLINE_S, os._exit, [0]).start()
        return
    signals = __import__("_signal")  # without what signal itself imports
    signals.signal(signals.SIGALRM, signals.SIG_DFL)
    signals.pthread_sigmask(signals.SIG_UNBLOCK, [signals.SIGALRM])
    signals.alarm(DEADLINE_S)
    if os.getpgrp() != os.getpid():  # who leads a group cannot leave it
        os.setsid()
    os.nice(max(0, 10 - os.nice(0)))  # the launcher may have done it
    os.closerange(3, 4096)  # who reads a pipe waits for all of its other ends
    os.chdir("/")  # the folder may be removed or unmounted meanwhile


def _keep_compiled() -> None:
    """Keeps what Python compiles of our files, in a folder of this user's own.

    From inside it: an import would make a folder that was removed anew.
    """
    kept, folder = getattr(__spec__, "cached", None), os.path.dirname(os.path.abspath(__file__))
    if not kept or os.stat(folder).st_uid != os.geteuid():
        return
    if not os.path.exists(kept) or os.path.getmtime(kept) < os.path.getctime(__file__):
        from py_compile import compile as keep

        os.chdir(folder)
        keep("telemetry_ping.py")
        keep("telemetry_messages.py")
        os.chdir("/")


# --- wasp telemetry

_USAGE = """\
usage: wasp telemetry          print whether it is on, and when it sends
       wasp telemetry show     print the exact data that it would send now
       wasp telemetry off      turn it off, for all projects
       wasp telemetry on       turn it on again
"""


def command(wasp_version: str, word: str) -> int:
    """``wasp telemetry [on|off|show]``; returns the exit code."""
    from contextlib import suppress

    try:
        if word == "off":
            os.makedirs(os.path.dirname(off_file(os.environ)), exist_ok=True)
            with open(off_file(os.environ), "w", encoding="ascii") as file:
                file.write("While this file is here, Wasp sends no telemetry.\n")
            print("Telemetry: DISABLED. To turn it on again: wasp telemetry on")
        elif word in ("", "on", "show"):
            if word == "on":
                with suppress(FileNotFoundError):
                    os.remove(off_file(os.environ))
            _report(wasp_version, word == "show")
        else:
            print(_USAGE, end="", file=sys.stderr)
            return 0 if word in ("-h", "--help") else 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 7
    return 0


def _report(wasp_version: str, shows: bool) -> None:
    """Prints whether and when telemetry sends; then the exact data, or a sample."""
    output = sys.stderr if shows else sys.stdout
    reason, project, now = opt_out_reason(os.environ), current_project(), int(time.time())
    try:
        store, state = Store(usable_folder()), State()
        parts_of(collector()[0])
    except (OSError, ValueError) as error:
        reason = reason or str(error)
    print(f"Telemetry: DISABLED ({reason})" if reason else "Telemetry: ENABLED", file=output)
    if reason:
        return
    if project is None:
        sampled = " This is a sample:" if shows else ""
        print(f"This is not a Wasp project, so nothing is sent.{sampled}", file=output)
        sample = "bf3fa7a8-1c11-4f82-9542-ec1a2d28786b", "6d7e561d62b955d1", False, ""
        body = _json(cli_event(*sample, wasp_version))
    elif shows or os.path.isdir(store.folder):
        store.make()
        invocation = Invocation([], wasp_version, project, store)
        state = invocation.state()
        body = invocation.body(state.deploy)
    for build, name in enumerate(("other commands", "wasp build") if project else ()):
        state.begin(now, bool(build), "", may_send=False)  # as far as the clock goes
        until = time.strftime("no event until %Y-%m-%d %H:%M:%S", time.localtime(state.ends[build]))
        when = until if now <= state.ends[build] else "an event next time"
        print(f"In this project, {name}: {when}", file=output)
    if shows:
        print(body)


# --- running this file


def main(arguments: Sequence[str]) -> int:
    """``installed``, ``invoked VERSION [ARGUMENT...]`` or ``telemetry VERSION [WORD]``.

    Only the last does anything after an opt-out. Returns the exit code.
    """
    name, version, rest = "".join(arguments[:1]), "".join(arguments[1:2]), arguments[2:]
    if name == "telemetry":
        return command(version, " ".join(rest))
    if opt_out_reason(os.environ) is not None:
        return 0
    try:
        if name == "invoked":
            _invoked(version, rest)
        elif name == "installed":
            _installed()
    except Exception as error:  # noqa: BLE001 - a user's command goes on
        if is_debugging():
            print(repr(error), file=sys.stderr)
    return 0


def run(arguments: Sequence[str]) -> NoReturn:
    """``main`` as a process of its own."""
    code = main(arguments)
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:
        code = code or 1  # nobody reads any more
    os._exit(code)  # cleaning up takes milliseconds


if __name__ == "__main__":
    run(sys.argv[1:])
