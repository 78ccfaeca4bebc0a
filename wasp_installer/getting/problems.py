"""What a failure to fetch something means, in words."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead

import requests
from urllib3.exceptions import HTTPError, NameResolutionError

from wasp_installer.errors import SourceProblem
from wasp_installer.texts import plain

from .addresses import host_of


@contextmanager
def explained(host: str, timeout_s: int) -> Iterator[None]:
    """Turns what requests, urllib3 and ssl raise into a ``SourceProblem``."""
    try:
        yield
    except (requests.exceptions.RequestException, HTTPError, OSError, ValueError) as error:
        raise _problem(host, timeout_s, error) from error


def status_problem(response: requests.Response) -> SourceProblem:
    """The problem that an answer's status stands for."""
    host, status = host_of(response.url), response.status_code
    # The first of them is what some mirrors say of a document that they do not have.
    if status in (400, 404, 405, 410):
        return SourceProblem("not-found", f"{host} does not have it")
    if status == 407:
        return SourceProblem("proxy", "the proxy asks for a user name and a password")
    retry_after = response.headers.get("Retry-After", "")
    return SourceProblem(
        "http-status",
        f"{host} answered with HTTP status {status}",
        may_pass=status == 429 or status >= 500,
        retry_after=int(retry_after) if re.fullmatch(r"[0-9]{1,9}", retry_after) else None,
    )


def stalled(host: str, timeout_s: int) -> SourceProblem:
    """The problem of a server that is silent."""
    return SourceProblem("timeout", f"{host} sent nothing for {timeout_s} s")


def _problem(host: str, timeout_s: int, error: BaseException) -> SourceProblem:
    causes = list(_causes(error))
    words = plain(str(getattr(causes[-1], "strerror", None) or causes[-1])).rstrip(". ")

    def met(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    of_proxy = (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL)
    # urllib3 lays to the proxy what may have been met behind it, too.
    if isinstance(error, of_proxy) and not met(ConnectionResetError, ssl.SSLError):
        return SourceProblem("proxy", f"the proxy refused to connect to {host} ({words})")
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return SourceProblem("bad-answer", f"{host} redirects without end")
    if met(NameResolutionError, socket.gaierror):
        return SourceProblem("dns", f"the name {host} could not be resolved")
    if met(ConnectionRefusedError):
        return SourceProblem("connection", f"{host} refused the connection", may_pass=True)
    if met(ssl.SSLError) and not met(ssl.SSLEOFError):
        refusals = filter(None, (getattr(cause, "verify_message", None) for cause in causes))
        reason = str(next(refusals, words)).rstrip(".")
        return SourceProblem("tls", f"the TLS certificate of {host} was not accepted ({reason})")
    if met(requests.exceptions.Timeout, TimeoutError, socket.timeout):
        return stalled(host, timeout_s)
    if met(ConnectionError, IncompleteRead, ssl.SSLEOFError):
        text = f"{host} closed the connection before the end"
        return SourceProblem("connection", text, may_pass=True)
    if isinstance(error, ValueError) or met(HTTPException):
        return SourceProblem("bad-answer", f"{host} sent an invalid answer ({words})")
    return SourceProblem("connection", f"the connection to {host} failed ({words})", may_pass=True)


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
