"""Stops a program, and all that it starts, right before or after a call that changes a file.

Such a call can also be made to fail, as it does on a disk that is full, read-only or broken.

The tracer is this process, by ptrace(2): the program runs freely but for these calls (`tracee`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import tracee
from tests.support.machines import RUN_LIMIT, end_group
from tests.support.skips import need

_PTRACE_CONT, _PTRACE_GETREGS, _PTRACE_SETREGS = 7, 12, 13
_PTRACE_SYSCALL, _PTRACE_SETOPTIONS = 24, 0x4200
_TRACE_SYSGOOD, _TRACE_FORK, _TRACE_VFORK, _TRACE_CLONE, _TRACE_EXEC = 1, 2, 4, 8, 16
_TRACE_SECCOMP, _EXIT_KILL = 0x80, 0x100000
_OPTIONS = (
    _TRACE_SYSGOOD
    | (_TRACE_FORK | _TRACE_VFORK | _TRACE_CLONE | _TRACE_EXEC)
    | (_TRACE_SECCOMP | _EXIT_KILL)
)
_EVENT_SECCOMP = 7
_PR_SET_CHILD_SUBREAPER = 36
_SYSCALL_STOP = signal.SIGTRAP | 0x80
# Also for threads, which are no children of this process but its tracees.
_WAIT_ALL = 0x40000000

# struct user_regs_struct of x86_64.
_REGISTERS = 27
_RAX, _ORIG_RAX, _RIP = 10, 15, 16
_ARGUMENTS = (14, 13, 12, 7, 9, 8)
_SYSCALL_INSTRUCTION_LENGTH = 2
_NO_CALL = 2**64 - 1

_AT_FDCWD = -100
_PATH_LIMIT = 4096

_NAMES = {number: (name, arguments) for name, (number, arguments) in tracee.CHANGING.items()} | {
    number: (name, arguments) for name, (number, arguments, _) in tracee.OPENING.items()
}

_kernel = ctypes.CDLL(None, use_errno=True)


def tracing(argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` so that `Tracer` can follow it."""
    need(
        sys.platform == "linux" and platform.machine() == "x86_64",
        "system calls are traced on Linux on x86_64 only",
    )
    return [sys.executable, "-I", "-S", tracee.__file__, *argv]


@dataclass(frozen=True)
class Moment:
    """Before or after a call that changes a file, counted from 0."""

    number: int
    after: bool


@dataclass
class Tracer:
    """Follows a process that was started with `tracing` in a session of its own, to its end.

    Only calls that change something below `folder` count. At the moment, `strike` is called with
    the id of the thread that makes the call.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    moment: Moment | None = None
    strike: Callable[[int], None] | None = None
    #: The calls so far: "mkdir .local/share/wasp-lang".
    calls: list[str] = field(default_factory=list)
    #: Whether the moment came.
    struck: bool = False
    #: The error number with which a call fails instead of being made: error_at(number, call).
    error_at: Callable[[int, str], int | None] | None = None

    def follow(self) -> None:
        """Returns when nothing of the program runs any more; `process` has its return code."""
        too_long = threading.Timer(RUN_LIMIT, end_group, [self.process])
        too_long.start()
        # What the program leaves is ended here, not by an init that may take its time.
        _kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            self._follow()
        except BaseException:
            end_group(self.process)
            raise
        finally:
            _kernel.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
            too_long.cancel()

    def _follow(self) -> None:
        known: set[int] = set()
        for thread, status in self._events():
            if not os.WIFSTOPPED(status):
                known.discard(thread)
                if thread == self.process.pid:
                    self.process.returncode = os.waitstatus_to_exitcode(status)
                continue
            # It is gone if another process has been made to end it meanwhile.
            with contextlib.suppress(ProcessLookupError):
                if thread not in known:
                    known.add(thread)
                    _trace(_PTRACE_SETOPTIONS, thread, _OPTIONS)
                    _trace(_PTRACE_CONT, thread)
                elif status >> 16 == _EVENT_SECCOMP:
                    self._at_call(thread)
                elif os.WSTOPSIG(status) == _SYSCALL_STOP:
                    self._strike(thread)
                    _trace(_PTRACE_CONT, thread)
                else:
                    is_event = status >> 16 != 0
                    _trace(_PTRACE_CONT, thread, 0 if is_event else os.WSTOPSIG(status))

    def _events(self) -> Iterator[tuple[int, int]]:
        """What is to be known of the threads of the program, until there are none.

        Those of any group, since timeout(1) has one of its own; this process has no other children.
        """
        with contextlib.suppress(ChildProcessError):
            while True:
                yield os.waitpid(-1, _WAIT_ALL)

    def _at_call(self, thread: int) -> None:
        """A thread stands right before a call."""
        registers = _registers(thread)
        call = None if self.struck else self._describe(thread, registers)
        if call is not None:
            number = len(self.calls)
            self.calls.append(call)
            error = None if self.error_at is None else self.error_at(number, call)
            if error is not None:
                registers[_RAX] = 2**64 - error
                registers[_ORIG_RAX] = _NO_CALL
                _trace(_PTRACE_SETREGS, thread, ctypes.addressof(registers))
            elif self.moment is not None and number == self.moment.number:
                if self.moment.after:
                    _trace(_PTRACE_SYSCALL, thread)
                    return
                # A signal is only handled on the way out of a call. So this call does nothing, and
                # is made once more when the signal has been handled.
                registers[_RAX] = registers[_ORIG_RAX]
                registers[_ORIG_RAX] = _NO_CALL
                registers[_RIP] -= _SYSCALL_INSTRUCTION_LENGTH
                _trace(_PTRACE_SETREGS, thread, ctypes.addressof(registers))
                self._strike(thread)
        _trace(_PTRACE_CONT, thread)

    def _strike(self, thread: int) -> None:
        self.struck = True
        if self.strike is not None:
            self.strike(thread)

    def _describe(self, thread: int, registers: ctypes.Array[ctypes.c_ulonglong]) -> str | None:
        """The call in words, without random parts of names; None unless it counts."""
        name, arguments = _NAMES[registers[_ORIG_RAX]]
        paths: list[str] = []
        base = _AT_FDCWD
        for kind, register in zip(arguments.split(), _ARGUMENTS):
            value = registers[register]
            if kind == "path":
                paths.append(_resolved(thread, base, _text(thread, value)))
                base = _AT_FDCWD
            elif kind == "at":
                base = ctypes.c_int(value).value
            elif kind == "fd":
                paths.append(_open_file(thread, value))
        inside = f"{self.folder}/"
        if not any(path.startswith(inside) for path in paths):
            return None
        shown = " ".join(path.removeprefix(inside) for path in paths)
        return f"{name} {re.sub(r'staging-[^/ ]*', 'staging', shown)}"


def _trace(request: int, thread: int, data: int = 0) -> None:
    if _kernel.ptrace(request, thread, None, ctypes.c_void_p(data)) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _registers(thread: int) -> ctypes.Array[ctypes.c_ulonglong]:
    registers = (ctypes.c_ulonglong * _REGISTERS)()
    _trace(_PTRACE_GETREGS, thread, ctypes.addressof(registers))
    return registers


def _text(thread: int, address: int) -> str:
    """The zero-terminated text in the thread's memory; no address is no text."""
    if address == 0:
        return ""
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        return os.fsdecode(memory.read(_PATH_LIMIT).partition(b"\0")[0])


def _resolved(thread: int, base: int, path: str) -> str:
    if path.startswith("/"):
        return os.path.normpath(path)
    folder = f"/proc/{thread}/cwd" if base == _AT_FDCWD else f"/proc/{thread}/fd/{base}"
    with contextlib.suppress(OSError):
        return os.path.normpath(f"{os.readlink(folder)}/{path}")
    return ""


def _open_file(thread: int, descriptor: int) -> str:
    """What a descriptor stands for; nothing where that has no name (any more)."""
    with contextlib.suppress(OSError):
        path = os.readlink(f"/proc/{thread}/fd/{descriptor}")
        return "" if path.endswith(" (deleted)") else path
    return ""
