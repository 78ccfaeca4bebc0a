"""An HTTP proxy that knows CONNECT, counts what passes, and can ask for a password."""

from __future__ import annotations

import base64
import http.client
import select
import socket

from tests.support.tcp_listener import TcpListener


class Proxy:
    """A forward proxy on loopback; `tunnels` lists the host:port of every CONNECT.

    Those to other machines are refused, but for `routes`, which lead to ports of this one.
    """

    def __init__(self, credentials: str | None = None) -> None:
        self.credentials = credentials
        self.routes: dict[str, int] = {}
        self.tunnels: list[str] = []
        self._listener = TcpListener(self._serve)
        self.port = self._listener.port
        self.close = self._listener.close
        login = f"{credentials}@" if credentials else ""
        self.url = f"http://{login}127.0.0.1:{self.port}"
        self.url_without_login = f"http://127.0.0.1:{self.port}"

    def _serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as asked:
            request = asked.readline().decode("latin-1").split()
            headers = http.client.parse_headers(asked)
        if len(request) < 2 or request[0] != "CONNECT":
            client.sendall(_answer("405 Method Not Allowed"))
            return
        if self.credentials is not None:
            expected = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if headers["Proxy-Authorization"] != expected:
                wanted = 'Proxy-Authenticate: Basic realm="test"\r\n'
                client.sendall(_answer("407 Proxy Authentication Required", wanted))
                return
        host, _, port = request[1].rpartition(":")
        self.tunnels.append(request[1])
        if request[1] in self.routes:
            host, port = "127.0.0.1", str(self.routes[request[1]])
        elif host.strip("[]") not in ("127.0.0.1", "::1", "localhost"):
            # Nothing of a test may leave this machine.
            client.sendall(_answer("403 Forbidden"))
            return
        try:
            upstream = socket.create_connection((host.strip("[]"), int(port)), timeout=30)
        except OSError:
            client.sendall(_answer("502 Bad Gateway"))
            return
        with upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(client, upstream)


def _answer(status: str, header: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


def _relay(client: socket.socket, upstream: socket.socket) -> None:
    ends = {client: upstream, upstream: client}
    while True:
        readable, _, _ = select.select(list(ends), [], [], 30)
        if not readable:
            return
        for source in readable:
            data = source.recv(65536)
            if not data:
                return
            ends[source].sendall(data)
