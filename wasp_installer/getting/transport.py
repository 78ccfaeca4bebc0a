"""Fetching: with retries, and an eye on progress, length and completeness."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

import requests

from wasp_installer.command_line.console import Console
from wasp_installer.errors import SourceProblem

from .addresses import check_url, host_of
from .captive_portals import captive_portal, is_web_page
from .connections import Session
from .problems import explained, stalled, status_problem

ATTEMPTS: Final = 4
LONGEST_RETRY_AFTER_S: Final = 60
#: Fewer bytes a second than this, over a whole time-out, are no progress.
SLOWEST_BYTES_PER_S: Final = 100
#: So many time-outs may pass until an answer begins, with all redirects on the way to it.
HEAD_PATIENCE: Final = 4
#: No answer is longer (GitHub says some 50 kB of each of a hundred releases), and no archive.
JSON_LIMIT: Final = 16 * 1024 * 1024
ARCHIVE_LIMIT: Final = 1024**3
CHUNK_SIZE: Final = 256 * 1024

_Read = TypeVar("_Read")


@dataclass
class Transport:
    """Fetches for one run. A failed attempt is repeated where a second one may go better.

    ``timeout_s`` is how many seconds without progress end an attempt. Every method raises
    ``SourceProblem``.
    """

    console: Console
    timeout_s: int
    _session: Session = field(default_factory=Session)

    def get_json(self, url: str, *, attempts: int = ATTEMPTS) -> Any:
        """The JSON document at ``url``; "not-found" where there is none."""
        body = self._ask(
            "GET", url, lambda got: b"".join(self._chunks(got, JSON_LIMIT)), attempts=attempts
        )
        try:
            # UTF-8, perhaps with a mark at its start, which JSON may have (RFC 8259, 8.1).
            return json.loads(body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError):
            if is_web_page(body):
                raise captive_portal(url) from None
            # Some servers keep their files compressed, and hand them out as they are.
            what = "not JSON, but gzip" if body.startswith(b"\x1f\x8b") else "not JSON"
            raise SourceProblem(
                "bad-answer", f"{host_of(url)} answered with something that is {what}"
            ) from None

    def exists(self, url: str) -> bool:
        """Whether there is something at ``url``."""
        try:
            return self._ask("HEAD", url, lambda _: True)
        except SourceProblem as problem:
            if problem.slug == "not-found":
                return False
            raise

    def location(self, url: str) -> str | None:
        """Where ``url`` redirects to, without going there; None when it does not."""
        return self._ask("GET", url, lambda got: got.headers.get("Location"), follow=False)

    def download(
        self, url: str, start: Callable[[int | None], None], take: Callable[[bytes], None]
    ) -> None:
        """Hands the bytes at ``url`` to ``take``.

        ``start`` is called with the length (None when unknown) before the first byte, again for
        each attempt, since an attempt starts at the beginning.
        """

        def deliver(response: requests.Response) -> None:
            start(response.raw.length_remaining)
            for chunk in self._chunks(response, ARCHIVE_LIMIT):
                take(chunk)

        self._ask("GET", url, deliver)

    def _ask(
        self,
        method: Literal["GET", "HEAD"],
        url: str,
        read: Callable[[requests.Response], _Read],
        *,
        follow: bool = True,
        attempts: int = ATTEMPTS,
    ) -> _Read:
        """What ``read`` makes of the answer."""
        check_url(url)
        for attempt in range(1, attempts + 1):
            self.console.say_step(url)
            try:
                with (
                    explained(host_of(url), self.timeout_s),
                    self._answer(method, url, follow) as response,
                ):
                    if not 200 <= response.status_code < 400:
                        raise status_problem(response)
                    return read(response)
            except SourceProblem as problem:
                if not problem.may_pass or attempt == attempts:
                    raise
                asked, usual = problem.retry_after, 2 ** (attempt - 1)
                pause = min(usual if asked is None else asked, LONGEST_RETRY_AFTER_S)
                self.console.say(f"{problem.text}; retrying in {pause} s")
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, url: str, follow: bool) -> requests.Response:
        """The answer without its body.

        The time-out of requests starts anew with each byte, so the whole head is waited for here. A
        thread that is given up ends with its connection, or with this process.
        """
        answers: list[requests.Response | BaseException] = []

        def ask() -> None:
            try:
                response = self._session.request(
                    method, url, timeout=self.timeout_s, stream=True, allow_redirects=follow
                )
                answers.append(response)
            except BaseException as error:  # noqa: BLE001 - raised where it is waited for
                answers.append(error)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(HEAD_PATIENCE * self.timeout_s)
        if not answers:
            raise stalled(host_of(url), self.timeout_s)
        if isinstance(answers[0], BaseException):
            raise answers[0]
        return answers[0]

    def _chunks(self, response: requests.Response, limit: int) -> Iterator[bytes]:
        """The body, piece by piece as it arrives, watched for progress, length and completeness."""
        host = host_of(response.url)
        declared, received = response.raw.length_remaining or 0, 0
        window_start, window_received = time.monotonic(), 0
        while max(declared, received) <= limit and (chunk := response.raw.read1(CHUNK_SIZE)):
            received += len(chunk)
            window_received += len(chunk)
            yield chunk
            elapsed = time.monotonic() - window_start
            if elapsed >= self.timeout_s:
                if window_received < SLOWEST_BYTES_PER_S * elapsed:
                    raise stalled(host, self.timeout_s)
                window_start, window_received = time.monotonic(), 0
        if max(declared, received) > limit:
            raise SourceProblem("bad-answer", f"{host} sent far too much")
