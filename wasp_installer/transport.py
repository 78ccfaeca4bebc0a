"""HTTPS: what is fetched, from where it may come, and what a failure means."""

from __future__ import annotations

import queue
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from .console import Console
from .errors import SourceProblem

ATTEMPTS: Final = 4
LONGEST_RETRY_AFTER_S: Final = 60
REDIRECT_LIMIT: Final = 10
#: Fewer bytes a second than this, over a whole time-out, are no progress.
SLOWEST_BYTES_PER_S: Final = 100
#: So many time-outs may pass until an answer begins, with all redirects on the way to it.
HEAD_PATIENCE: Final = 4
#: No answer is longer (GitHub says some 50 kB of each of a hundred releases), and no archive.
JSON_LIMIT: Final = 16 * 1024 * 1024
ARCHIVE_LIMIT: Final = 1024**3
CHUNK_SIZE: Final = 256 * 1024

_Fetched = TypeVar("_Fetched")

_URL = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")
_LOOPBACK = re.compile(r"localhost|::1|127\.[0-9]+\.[0-9]+\.[0-9]+")


def check_url(url: str) -> None:
    """Lets https pass, and plain http on this very machine.

    Raises:
        SourceProblem: "insecure-url", or "bad-answer" for what is no URL.
    """
    if not _URL.fullmatch(url):
        raise SourceProblem(
            "bad-answer", "the address of the download holds characters that no URL has"
        )
    secure = url.startswith("https://") and host_of(url) != ""
    if not (secure or (url.startswith("http://") and _is_loopback(url))):
        raise SourceProblem("insecure-url", f"{url} is not an https address")


def _is_loopback(url: str) -> bool:
    return _LOOPBACK.fullmatch(host_of(url)) is not None


def host_of(url: str) -> str:
    """The host name in ``url``, or "" without one."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class _SystemTrustAdapter(HTTPAdapter):
    """Trusts the authorities that the operating system trusts, as a company's own may be there."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls_context(), **options)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=_tls_context(), **options)

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        if verify is True:
            # Without this, requests would add the authorities that certifi carries.
            conn.cert_reqs = "CERT_REQUIRED"
        else:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]


def _tls_context() -> ssl.SSLContext:
    if sys.version_info < (3, 10):
        return ssl.create_default_context()
    import truststore

    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class _Session(requests.Session):
    """Follows redirects, but never from https to anything else."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = REDIRECT_LIMIT
        self.headers["User-Agent"] = "wasp-installer (python)"
        # An archive must arrive as it was published, so that its checksum fits.
        self.headers["Accept-Encoding"] = "identity"
        self.mount("https://", _SystemTrustAdapter())
        # Without this, what ~/.netrc has for a host would be sent to it.
        self.auth = _no_authentication

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None or "://" not in target:
            return target
        check_url(target)
        if resp.url.startswith("https://") and not target.startswith("https://"):
            raise SourceProblem(
                "insecure-url",
                f"{host_of(resp.url)} sent us on to an address that is not https",
            )
        return target


class Transport:
    """Fetches for one run. A failed attempt is repeated where a second one may go better.

    Every method raises ``SourceProblem``.
    """

    def __init__(self, console: Console, timeout_s: int) -> None:
        self._console = console
        self._timeout_s = timeout_s
        self._session = _Session()

    def get_json(self, url: str, *, attempts: int = ATTEMPTS) -> Any:
        """The JSON document at ``url``; "not-found" where there is none."""

        def fetch() -> bytes:
            with self._open("GET", url) as response:
                return b"".join(self._chunks(response, JSON_LIMIT))

        body = self._repeat(url, fetch, attempts)
        try:
            # A session's own decoder guesses the encoding; JSON is UTF-8 (RFC 8259, 8.1).
            import json

            return json.loads(body)
        except (ValueError, RecursionError):
            if is_web_page(body):
                raise captive_portal(url) from None
            raise SourceProblem(
                "bad-answer", f"{host_of(url)} answered with something that is not JSON"
            ) from None

    def exists(self, url: str) -> bool:
        """Whether there is something at ``url``."""

        def fetch() -> bool:
            with self._open("HEAD", url):
                return True

        try:
            return self._repeat(url, fetch, ATTEMPTS)
        except SourceProblem as problem:
            if problem.slug == "not-found":
                return False
            raise

    def location(self, url: str) -> str | None:
        """Where ``url`` redirects to, without going there; None when it does not."""

        def fetch() -> str | None:
            with self._open("GET", url, follow=False) as response:
                return response.headers.get("Location") if response.is_redirect else None

        return self._repeat(url, fetch, ATTEMPTS)

    def download(
        self, url: str, start: Callable[[int | None], None], take: Callable[[bytes], None]
    ) -> None:
        """Hands the bytes at ``url`` to ``take``.

        ``start`` is called with the length (None when unknown) before the first byte, again for
        each attempt, since an attempt starts at the beginning.
        """

        def fetch() -> None:
            with self._open("GET", url) as response:
                start(_content_length(response))
                for chunk in self._chunks(response, ARCHIVE_LIMIT):
                    take(chunk)

        self._repeat(url, fetch, ATTEMPTS)

    def _repeat(self, url: str, fetch: Callable[[], _Fetched], attempts: int) -> _Fetched:
        check_url(url)
        for attempt in range(1, attempts + 1):
            try:
                with _explained(host_of(url), self._timeout_s):
                    return fetch()
            except SourceProblem as problem:
                if not problem.may_pass or attempt == attempts:
                    raise
                pause = problem.retry_after
                if pause is None:
                    pause = 2 ** (attempt - 1)
                pause = min(pause, LONGEST_RETRY_AFTER_S)
                self._console.say(f"{problem.text}; trying again in {pause} s")
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def _open(self, method: str, url: str, *, follow: bool = True) -> Iterator[requests.Response]:
        self._console.say_step(f"{method.lower()} {url}")
        with self._answer(method, url, follow) as response:
            if response.status_code >= 400:
                raise _status_problem(response)
            yield response

    def _answer(self, method: str, url: str, follow: bool) -> requests.Response:
        """The answer without its body.

        The time-out of requests starts anew with each byte, so the whole head is waited for here. A
        thread that is given up ends with its connection, or with this process.
        """
        answers: queue.Queue[requests.Response | BaseException] = queue.Queue()

        def ask() -> None:
            try:
                response = self._session.request(
                    method, url, timeout=self._timeout_s, stream=True, allow_redirects=follow
                )
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                answers.put(error)
            else:
                answers.put(response)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=HEAD_PATIENCE * self._timeout_s)
        except queue.Empty:
            raise _stalled(host_of(url), self._timeout_s) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _chunks(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """The body, piece by piece as it arrives, watched for progress, length and completeness."""
        expected, received = _content_length(response), 0
        if expected is not None and expected > limit:
            raise _too_large(host_of(response.url))
        window_start, window_received = time.monotonic(), 0
        while True:
            chunk = response.raw.read1(CHUNK_SIZE)
            if not chunk:
                break
            received += len(chunk)
            if received > limit:
                raise _too_large(host_of(response.url))
            window_received += len(chunk)
            yield chunk
            elapsed = time.monotonic() - window_start
            if elapsed >= self._timeout_s:
                if window_received < SLOWEST_BYTES_PER_S * elapsed:
                    raise _stalled(host_of(response.url), self._timeout_s)
                window_start, window_received = time.monotonic(), 0
        if expected is not None and received < expected:
            raise _cut(host_of(response.url))


def _content_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"[0-9]{1,30}", text) else None


def _status_problem(response: requests.Response) -> SourceProblem:
    host, status = host_of(response.url), response.status_code
    if status in (404, 410):
        return SourceProblem("not-found", f"{host} does not have it")
    if status == 407:
        return SourceProblem("proxy", "the proxy wants a user name and a password")
    problem = SourceProblem(
        "http-status",
        f"{host} answered with HTTP status {status}",
        may_pass=status == 429 or status >= 500,
    )
    retry_after = response.headers.get("Retry-After", "")
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        problem.retry_after = int(retry_after)
    return problem


def _stalled(host: str, timeout_s: int) -> SourceProblem:
    return SourceProblem("timeout", f"{host} sent nothing for {timeout_s} s")


def _too_large(host: str) -> SourceProblem:
    return SourceProblem("bad-answer", f"{host} offers a file that is far too large")


def _cut(host: str) -> SourceProblem:
    return SourceProblem(
        "connection", f"{host} closed the connection before the end", may_pass=True
    )


@contextmanager
def _explained(host: str, timeout_s: int) -> Iterator[None]:
    """Turns what requests, urllib3 and ssl raise into a ``SourceProblem``."""
    try:
        yield
    except (
        requests.exceptions.ProxyError,
        requests.exceptions.InvalidProxyURL,
        requests.exceptions.InvalidSchema,
    ) as error:
        if _came_through(error):
            raise _connection_problem(host, timeout_s, error) from error
        raise SourceProblem(
            "proxy", f"the proxy did not let us through to {host} ({_innermost(error)})"
        ) from error
    except requests.exceptions.TooManyRedirects as error:
        raise SourceProblem("bad-answer", f"{host} redirects without end") from error
    except (requests.exceptions.RequestException, HTTPError, OSError) as error:
        raise _connection_problem(host, timeout_s, error) from error


def _came_through(error: BaseException) -> bool:
    """Whether this may have been met behind the proxy; urllib3 lays all of it to the proxy."""
    later = (ConnectionResetError, ssl.SSLError)
    return any(isinstance(cause, later) for cause in _causes(error))


def _connection_problem(host: str, timeout_s: int, error: BaseException) -> SourceProblem:
    causes = list(_causes(error))

    def met(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if met(NameResolutionError, socket.gaierror):
        return SourceProblem("dns", f"the name {host} cannot be resolved")
    if met(ConnectionRefusedError):
        return SourceProblem("connection", f"{host} refuses the connection", may_pass=True)
    if met(ssl.SSLError, ssl.SSLCertVerificationError) and not met(ssl.SSLEOFError):
        return SourceProblem(
            "tls", f"the TLS certificate of {host} is not accepted ({_tls_reason(causes)})"
        )
    if met(requests.exceptions.Timeout, TimeoutError, socket.timeout):
        return _stalled(host, timeout_s)
    if met(NewConnectionError):
        return SourceProblem(
            "connection", f"the connection to {host} failed ({_innermost(error)})", may_pass=True
        )
    return _cut(host)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and all that it wraps: as its cause, its context, its reason or an argument."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        candidate = waiting.pop(0)
        if not isinstance(candidate, BaseException) or id(candidate) in seen:
            continue
        seen.add(id(candidate))
        yield candidate
        waiting += [candidate.__cause__, candidate.__context__]
        waiting += [getattr(candidate, "reason", None), *candidate.args]


def _innermost(error: BaseException) -> str:
    last = list(_causes(error))[-1]
    return re.sub(r"[\x00-\x1f\x7f]", "", str(getattr(last, "strerror", None) or last)).rstrip(".")


def _tls_reason(causes: list[BaseException]) -> str:
    for cause in causes:
        message = getattr(cause, "verify_message", None)
        if message:
            return str(message).rstrip(".")
    return _innermost(causes[-1])


def is_web_page(start: bytes) -> bool:
    """Whether bytes that begin with ``start`` are HTML, where something else is due."""
    lowered = start[:512].lower()
    return any(tag in lowered for tag in (b"<!doctype html", b"<html", b"<head", b"<script"))


def captive_portal(url: str) -> SourceProblem:
    """The problem of a network that answers in place of the server."""
    return SourceProblem(
        "captive-portal",
        f"{host_of(url)} answered with a web page, as the login page of a network does",
    )
