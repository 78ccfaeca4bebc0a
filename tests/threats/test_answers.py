"""A server that means harm by what it has install.py read: more than there is memory for."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.frontends import CHECKOUT
from tests.support.machines import Machine, MachineRoom
from tests.support.replies import Endless, json_content
from tests.support.server import Server

_FETCH = """\
import requests, sys, urllib3
from wasp_installer import Console
from wasp_installer.getting.transport import Transport
print(requests.__version__, urllib3.__version__)
for url in sys.argv[1:]:
    assert Transport(Console(), 5).get_json(url) == {}, url
"""
_BOMB = gzip.compress(bytes(1 << 24), 1) * 64
#: What stands in the head of a redirect besides, how its body begins, and what follows again and
#: again.
_BODIES = (
    (b"Transfer-Encoding: chunked", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    (b"Transfer-Encoding: chunked", b"0" * 65536),
    (b"Transfer-Encoding: chunked\r\nContent-Encoding: deflate", b"1\r\nx\r\n"),
    (b"Content-Length: %d\r\nContent-Encoding: gzip" % len(_BOMB), _BOMB),
)


def reads_no_body_of_a_redirect(machine: Machine, server: Server, libraries: Sequence[Path]) -> str:
    """Which versions of requests and urllib3 were used: those of ``libraries`` come first."""
    server.answer("/there", json_content({}))
    for number, (headers, again) in enumerate(_BODIES):
        head = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n" + headers + b"\r\n\r\n"
        server.answer(f"/{number}", Endless(head, again, 1 << 40))
    path = ":".join(map(str, [*libraries, CHECKOUT]))
    # As much address space as a run needs, and not a gibibyte more.
    machine.wrapper = ["/bin/sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh"]
    urls = [f"{server.url}/{number}" for number in range(len(_BODIES))]
    run = machine.run_program([sys.executable, "-c", _FETCH, *urls], env={"PYTHONPATH": path})
    return run.ok().stdout


def test_the_body_of_a_redirect_is_not_read(machines: MachineRoom, server: Server) -> None:
    """requests would read all of it into memory; curl lets it pass, and waits."""
    assert reads_no_body_of_a_redirect(machines.build("python"), server, [])
