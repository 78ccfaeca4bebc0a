"""What a fake wsl.exe does: hands its call to the test, and gives back what it is answered.

Runs as a program, with any Python, on Linux and as a program of Windows.
"""

import os
import sys
from multiprocessing.connection import Client

if __name__ == "__main__":
    # --list takes nothing from its stdin, which may be a terminal's.
    given = sys.stdin.buffer.read() if "--exec" in sys.argv and not sys.stdin.isatty() else b""
    with Client(("127.0.0.1", int(os.environ["WASP_TESTS_WSL_PORT"]))) as test:
        test.send((sys.argv[1:], dict(os.environ), os.getcwd(), given))
        code, out, err = test.recv()
    for stream, text in ((sys.stdout, out), (sys.stderr, err)):
        stream.buffer.write(text)
        stream.flush()
    # Not sys.exit, which on Windows would wait for what reads from these streams.
    os._exit(code)
