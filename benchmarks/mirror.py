"""A registry mirror on this machine: the real packages of one release, over HTTPS.

The server is a process of its own, so that its work is nobody's CPU time, and has all it serves in
memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit

import trustme

from benchmarks.measure import BenchmarkError, started

HOST = "127.0.0.1"
FETCH_TIMEOUT_S = 60
Metadata = dict[str, Any]


@dataclass(frozen=True)
class Mirror:
    """Where a running mirror and its archive are, and what its clients must trust."""

    registry: str
    archive: str
    ca_file: Path


class NotThereError(BenchmarkError):
    """The registry does not have it."""


def fetch(url: str) -> bytes:
    """Return what a URL gives."""
    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError) and error.code == HTTPStatus.NOT_FOUND:
            raise NotThereError(url) from error
        raise BenchmarkError(f"cannot fetch {url}: {error}") from error


def fetch_json(registry: str, *path: str) -> Metadata:
    """Return the document at a path of the registry."""
    parts = "/".join(quote(part, safe="@") for part in path)
    document: Metadata = json.loads(fetch(f"{registry}/{parts}"))
    return document


class Copier:
    """Copies packages from a registry into a folder that the server can serve."""

    def __init__(self, registry: str, folder: Path, base: str) -> None:
        self.registry = registry
        self.folder = folder
        self.base = base

    def copy(self, name: str, version: str, *, archive: bool) -> Metadata:
        """Copy one version's metadata, and its archive if asked; return the metadata."""
        package = fetch_json(self.registry, name)
        release = self._released(package["versions"][version], archive=archive)
        package["versions"] = {version: release}
        package["dist-tags"] = {"latest": version}
        self._write(name, package)
        self._write(f"{name}/{version}", release)
        self._write(f"{name}/latest", release)
        return release

    def _released(self, release: Metadata, *, archive: bool) -> Metadata:
        url = release["dist"]["tarball"]
        path = unquote(urlsplit(url).path)
        if archive:
            self._file(path).write_bytes(fetch(url))
        return {**release, "dist": {**release["dist"], "tarball": self.base + path}}

    def _write(self, path: str, document: Metadata) -> None:
        self._file(f"{path}.json").write_text(json.dumps(document), encoding="utf-8")

    def _file(self, path: str) -> Path:
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


@contextlib.contextmanager
def mirror_of(
    registry: str, main: str, version: str, package: str, folder: Path
) -> Iterator[Mirror]:
    """Serve a package and those it depends on; of these, the archive of one."""
    site = folder / "site"
    ca_file, key_file = make_certificates(folder, HOST)
    with socket.create_server((HOST, 0), backlog=64) as listener:
        base = f"https://{HOST}:{listener.getsockname()[1]}"
        copier = Copier(registry, site, base)
        release = copier.copy(main, version, archive=True)
        archives: dict[str, str] = {}
        for name, wanted in release["optionalDependencies"].items():
            # Not every registry has the packages of every platform.
            with contextlib.suppress(NotThereError):
                copied = copier.copy(name, wanted, archive=name == package)
                archives[name] = copied["dist"]["tarball"]
        command = [sys.executable, "-m", "benchmarks.mirror"]
        command += [str(listener.fileno()), str(site), str(key_file)]
        with started(command, dict(os.environ), fds=[listener.fileno()]):
            yield Mirror(base, archives[package], ca_file)


def make_certificates(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Write a certificate authority, and a key with a certificate for a server of these names."""
    authority = trustme.CA()
    ca_file, key_file = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    authority.issue_cert(*hosts).private_key_and_cert_chain_pem.write_to_path(str(key_file))
    return ca_file, key_file


class Handler(BaseHTTPRequestHandler):
    """Answers from the server's memory and keeps the connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        found = self.server.files.get(path)
        body = b"{}" if found is None else found
        self.send_response(404 if found is None else 200)
        binary = path.endswith(".tgz")
        self.send_header(
            "Content-Type", "application/octet-stream" if binary else "application/json"
        )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the process prints figures only."""


class Server(ThreadingHTTPServer):
    """Serves the files of a folder over TLS, on a socket that already listens."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, site: Path, key_file: Path) -> None:
        super().__init__((HOST, 0), Handler, bind_and_activate=False)
        self.socket.close()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(key_file)
        # The handshake is left to the thread that serves the connection.
        self.socket = context.wrap_socket(listener, server_side=True, do_handshake_on_connect=False)
        self.files = {
            str(file.relative_to(site)).removesuffix(".json"): file.read_bytes()
            for file in site.rglob("*")
            if file.is_file()
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that leaves in the middle: curl does so after a redirect."""


if __name__ == "__main__":
    Server(
        socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
    ).serve_forever()
