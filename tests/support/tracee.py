"""Runs a program that waits for its tracer at each system call that may change a file.

    python -I -S tracee.py PROGRAM ARGUMENT...

`tests.support.system_calls` starts it, and is the tracer. It imports little, as it starts for every
run. The filter (seccomp(2)) also holds for all that the program starts, and costs other calls
nothing.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys

# The calls of x86_64 that change files: their numbers, and how their arguments name the files: by
# a descriptor, a path, or the descriptor of a folder ("at") and a path below it.
CHANGING = {
    "write": (1, "fd"),
    "pwrite64": (18, "fd"),
    "writev": (20, "fd"),
    "sendfile": (40, "fd"),
    "truncate": (76, "path"),
    "ftruncate": (77, "fd"),
    "rename": (82, "path path"),
    "mkdir": (83, "path"),
    "rmdir": (84, "path"),
    "creat": (85, "path"),
    "link": (86, "path path"),
    "unlink": (87, "path"),
    "symlink": (88, "- path"),
    "chmod": (90, "path"),
    "fchmod": (91, "fd"),
    "chown": (92, "path"),
    "fchown": (93, "fd"),
    "lchown": (94, "path"),
    "utime": (132, "path"),
    "mknod": (133, "path"),
    "setxattr": (188, "path"),
    "lsetxattr": (189, "path"),
    "fsetxattr": (190, "fd"),
    "utimes": (235, "path"),
    "mkdirat": (258, "at path"),
    "mknodat": (259, "at path"),
    "fchownat": (260, "at path"),
    "futimesat": (261, "at path"),
    "unlinkat": (263, "at path"),
    "renameat": (264, "at path at path"),
    "linkat": (265, "at path at path"),
    "symlinkat": (266, "- at path"),
    "fchmodat": (268, "at path"),
    "utimensat": (280, "at path"),
    "fallocate": (285, "fd"),
    "pwritev": (296, "fd"),
    "renameat2": (316, "at path at path"),
    "copy_file_range": (326, "- - fd"),
    "openat2": (437, "at path"),
}
# Those that change files with some flags only, and which argument has these.
OPENING = {"open": (2, "path", 1), "openat": (257, "at path", 2)}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_ARCHITECTURE = 0xC000003E
_LOAD_WORD, _JUMP_IF_EQUAL, _JUMP_IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_PTRACE_TRACEME = 0


def _filter() -> bytes:
    """The filter in the kernel's language: https://www.kernel.org/doc/html/latest/userspace-api/seccomp_filter.html"""
    number_at, architecture_at, arguments_at = 0, 4, 16
    lines = [
        (_LOAD_WORD, 0, 0, architecture_at),
        (_JUMP_IF_EQUAL, 1, 0, _ARCHITECTURE),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD_WORD, 0, 0, number_at),
    ]
    for number, _ in CHANGING.values():
        lines += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRACE)]
    for number, _, flags in OPENING.values():
        lines += [
            (_JUMP_IF_EQUAL, 0, 4, number),
            (_LOAD_WORD, 0, 0, arguments_at + 8 * flags),
            (_JUMP_IF_ANY_BIT, 0, 1, WRITING),
            (_RETURN, 0, 0, _TRACE),
            (_RETURN, 0, 0, _ALLOW),
        ]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def main() -> None:
    kernel = ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(_filter())
    described = struct.pack("HP", len(program) // 8, ctypes.addressof(program))
    for call, *arguments in (
        (kernel.ptrace, _PTRACE_TRACEME, 0, 0, 0),
        (kernel.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (kernel.prctl, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0),
    ):
        if call(*arguments) != 0:
            sys.exit(f"cannot be traced: {os.strerror(ctypes.get_errno())}")
    os.kill(os.getpid(), signal.SIGSTOP)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
