"""What a fake wsl.exe does: hands its call to the test, and gives back what it is answered.

Runs as a program, with any Python, on Linux and as a program of Windows.
"""

import json
import os
import socket
import sys


def main() -> int:
    # --list takes nothing from its stdin, which may be a terminal's.
    given = sys.stdin.buffer.read() if "--exec" in sys.argv and not sys.stdin.isatty() else b""
    call = {
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "given": given.hex(),
    }
    port = int(os.environ["WASP_TESTS_WSL_PORT"])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(json.dumps(call).encode() + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    sys.stdout.buffer.write(bytes.fromhex(answer["stdout"]))
    sys.stdout.flush()
    sys.stderr.buffer.write(bytes.fromhex(answer["stderr"]))
    sys.stderr.flush()
    return int(answer["code"])


if __name__ == "__main__":
    code = main()
    # Not sys.exit, which on Windows would wait for what reads from these streams.
    os._exit(code)
