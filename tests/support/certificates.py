"""A certificate authority of the tests' own, and the ways in which a certificate can be bad."""

from __future__ import annotations

import datetime
import enum
import functools
import ssl
from pathlib import Path

import trustme

#: What a proxy of the tests leads to a server on this machine (`Proxy.routes`).
ELSEWHERE = "registry.example"
_HERE = ("127.0.0.1", "::1", "localhost", ELSEWHERE)


class Certificate(enum.Enum):
    """Which certificate a server shows."""

    GOOD = "good"
    EXPIRED = "expired"
    UNKNOWN_AUTHORITY = "unknown-authority"
    WRONG_NAME = "wrong-name"


class Authority:
    """Issues server certificates; its own certificate is what the front ends are told to trust."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.bundle = folder / "test-ca.pem"
        self._authority.cert_pem.write_to_path(str(self.bundle))
        self.wgetrc = folder / "wgetrc"
        self.wgetrc.write_text(f"ca_certificate = {self.bundle}\n")

    @functools.cache  # noqa: B019 - there is one for all tests
    def server_context(self, certificate: Certificate) -> ssl.SSLContext:
        """A TLS context for a server on this machine that shows the wanted kind of certificate."""
        is_unknown = certificate is Certificate.UNKNOWN_AUTHORITY
        authority = trustme.CA() if is_unknown else self._authority
        names = ("elsewhere.example",) if certificate is Certificate.WRONG_NAME else _HERE
        yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
        end = yesterday if certificate is Certificate.EXPIRED else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, not_after=end).configure_cert(context)
        return context
