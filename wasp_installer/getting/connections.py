"""Connections: whom to trust, which proxy to go through, where a redirect may lead."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
import sys
from collections.abc import Mapping
from http.client import HTTPResponse, parse_headers
from typing import Any, Final
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import requote_uri
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from wasp_installer.errors import SourceProblem

from .addresses import check_url, host_of

_REDIRECT_LIMIT: Final = 10
# Older ones lack what is used of them; a distribution may still have them.
_OLDEST: Final = {requests: [2, 32], urllib3: [2, 3]}
_PROXY: Final = re.compile(
    r"(https?://)?([^/?#@\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#@:\s]+)(:[0-9]+)?/?"
)

for _library, _version in _OLDEST.items():
    if [int(part) for part in re.findall("[0-9]+", _library.__version__)[:2]] < _version:
        raise ImportError(f"{_library.__name__} {_library.__version__} is too old")


class Session(requests.Session):
    """Follows redirects, but never from https to anything else."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = _REDIRECT_LIMIT
        self.headers["User-Agent"] = "wasp-installer (python)"
        # An archive must arrive as it was published, so that its checksum fits.
        self.headers["Accept-Encoding"] = "identity"
        adapter = _Adapter()
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        # What ~/.netrc has for a host is not for this; of the environment, only what follows is.
        self.trust_env = False
        bundles = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
        self.verify = next(filter(None, bundles), True)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """As ``requests`` has it, unless it is not allowed."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        # What no address can have is sent as it would be written, as curl does.
        target = requote_uri(target.strip(" \t"))
        address = urljoin(resp.url, target)
        if resp.url.startswith("https://") and not address.startswith("https://"):
            raise SourceProblem(
                "insecure-url",
                f"{host_of(resp.url)} redirected to an address that is not https",
            )
        check_url(address)
        # The body of a redirect, of which requests would read and decompress however much there is.
        resp.raw.close()
        return target


class _Response(HTTPResponse):
    """Passes over what may come before the answer, such as early hints (RFC 9110, 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            read: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not 102 <= read[1] < 200:
                return read
            parse_headers(self.fp)


class _PlainPool(HTTPConnectionPool):
    class ConnectionCls(HTTPConnection):
        response_class = _Response


class _Pool(HTTPSConnectionPool):
    class ConnectionCls(HTTPSConnection):
        response_class = _Response


_POOLS: Final = {"http": _PlainPool, "https": _Pool}


class _Adapter(HTTPAdapter):
    """Trusts whom the operating system trusts, and takes proxies as curl does."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_tls_context(), **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=_tls_context(), **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        if verify is True:
            # Without this, requests would add the authorities that certifi carries.
            conn.cert_reqs = "CERT_REQUIRED"
        elif not os.path.exists(verify):
            raise SourceProblem("tls", f"there is no {verify}, which should have CA certificates")
        else:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        proxy = proxy_for(request.url or "", os.environ)
        options["proxies"] = {"http": proxy, "https": proxy} if proxy else {}
        return super().send(request, *args, **options)


def _tls_context() -> ssl.SSLContext:
    if sys.version_info < (3, 10):
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy through which to ask for ``url``; https://curl.se/libcurl/c/libcurl-env.html.

    Raises:
        SourceProblem: "proxy", when it cannot be used.
    """
    # A server may be given HTTP_PROXY by whoever asks it (https://httpoxy.org).
    own = ("http_proxy",) if url.startswith("http:") else ("https_proxy", "HTTPS_PROXY")
    name = next(filter(environment.get, (*own, "all_proxy", "ALL_PROXY")), "")
    excepted = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not name or _is_excepted(host_of(url), excepted):
        return None
    proxy = environment[name]
    if proxy.lower().startswith("socks"):
        raise SourceProblem(
            "proxy", f"install.py cannot go through a SOCKS proxy ({name}); install.sh can"
        )
    if not _PROXY.fullmatch(proxy):
        raise SourceProblem(
            "proxy",
            f"{name} is not a valid proxy address; in a password, write %40 for @, %23 for #, "
            "%2F for / and %3F for ?",
        )
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_excepted(host: str, excepted: str) -> bool:
    """Whether NO_PROXY names ``host``: itself, a domain that it is in, or a network."""
    if excepted.strip() == "*":
        return True
    for entry in re.split(r"[,\s]+", excepted.lower()):
        name = entry.strip(".[]")
        # A number in an address is no domain.
        if name and (host == name or (host[-1:].isalpha() and host.endswith(f".{name}"))):
            return True
        try:
            if "/" in entry and ipaddress.ip_address(host) in ipaddress.ip_network(entry, False):
                return True
        except ValueError:
            continue
    return False
