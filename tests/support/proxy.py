"""An HTTP proxy that knows CONNECT, counts what passes, and can ask for a password."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import socketserver
import threading
from typing import Any


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        proxy = self.server.proxy
        request = self.rfile.readline().decode("latin-1").split()
        headers = {}
        for line in iter(self.rfile.readline, b""):
            if not line.strip():
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if len(request) < 2 or request[0] != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        if proxy.credentials is not None:
            expected = "Basic " + base64.b64encode(proxy.credentials.encode()).decode()
            if headers.get("proxy-authorization") != expected:
                proxy.refused += 1
                self.wfile.write(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                    b'Proxy-Authenticate: Basic realm="test"\r\n'
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
        host, _, port = request[1].rpartition(":")
        proxy.tunnels.append(request[1])
        if request[1] in proxy.routes:
            host, port = "127.0.0.1", str(proxy.routes[request[1]])
        elif host.strip("[]") not in ("127.0.0.1", "::1", "localhost"):
            # Nothing of a test may leave this machine.
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        try:
            upstream = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
        except OSError:
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._relay(upstream)

    def _relay(self, upstream: socket.socket) -> None:
        ends = {self.connection: upstream, upstream: self.connection}
        while True:
            readable, _, _ = select.select(list(ends), [], [], 30)
            if not readable:
                return
            for source in readable:
                data = source.recv(65536)
                if not data:
                    return
                ends[source].sendall(data)


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Tunnel)

    def finish_request(self, request: Any, client_address: Any) -> None:
        with contextlib.suppress(OSError):
            super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Proxy:
    """A forward proxy on loopback; `tunnels` lists the host:port of every CONNECT.

    Those to other machines are refused, but for `routes`, which lead to ports of this one.
    """

    def __init__(self, credentials: str | None = None) -> None:
        self.credentials = credentials
        self.routes: dict[str, int] = {}
        self.tunnels: list[str] = []
        self.refused = 0
        self._listener = _Listener(self)
        self.port = int(self._listener.server_address[1])
        login = f"{credentials}@" if credentials else ""
        self.url = f"http://{login}127.0.0.1:{self.port}"
        self.url_without_login = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
