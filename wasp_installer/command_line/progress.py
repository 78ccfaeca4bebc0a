"""The bar of a download."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from wasp_installer.errors import InterruptedRunError

if TYPE_CHECKING:
    from tqdm import tqdm
    from typing_extensions import Never

_NARROWEST_COLUMNS: Final = 60


class Progress:
    """A bar of how much has arrived, for as long as the ``with`` block lasts."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._bar is not None and isinstance(error, InterruptedRunError):
            # It stays as it is, and what is said goes below it.
            self._bar.disable = True
            print(file=sys.stderr)
        self._close()

    def start(self, total: int | None) -> None:
        """A download of ``total`` bytes begins, perhaps not for the first time."""
        self._close()
        if not self._shown or not _is_wide_enough():
            return
        from tqdm import tqdm  # 20 ms, so only where somebody sees it

        self._bar = tqdm(
            total=total,
            unit="B",
            unit_scale=True,
            ascii=" #",
            ncols=79,
            delay=0.1,
            leave=False,
            file=sys.stderr,
            bar_format="Downloading [{bar:24}] {percentage:3.0f}% of {total_fmt}B"
            if total
            else "Downloading {n_fmt}B",
        )

    def advance(self, count: int) -> None:
        """``count`` more bytes have arrived."""
        if self._bar is not None and _is_wide_enough():
            self._bar.update(count)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _is_wide_enough() -> bool:
    """Whether a bar does not wrap in the terminal as it is now, as it would then scroll."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return True
    return columns == 0 or columns > _NARROWEST_COLUMNS
