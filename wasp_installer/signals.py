"""Signals that end a run of the command line, as long as what it did can be undone."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final, NoReturn

from .errors import InterruptedRunError

_NUMBERS: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def raise_on_signals() -> None:
    """Lets a run that is ended by a signal clean up, as Ctrl-C already does."""
    for number in _NUMBERS:
        signal.signal(number, _interrupt)


def ignore_signals() -> None:
    """From here on they do not end the run; programs that it starts ignore them too.

    Only where ``raise_on_signals`` was called: they are the caller's own matter in any other
    program.
    """
    for number in _NUMBERS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def held_signals() -> Iterator[None]:
    """Lets a signal wait for the end of the ``with`` block, such as while a program is started.

    One that ends the start itself would leave the program running, and nobody to know of it.
    """
    held: list[int] = []
    numbers = [number for number in _NUMBERS if signal.getsignal(number) is _interrupt]
    for number in numbers:
        signal.signal(number, lambda number, _: held.append(number))
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, _interrupt)
        if held:
            _interrupt(held[0], None)


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    # Another one must not end the cleaning up.
    ignore_signals()
    raise InterruptedRunError(number)
