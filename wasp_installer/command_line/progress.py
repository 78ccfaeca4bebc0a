"""One line that shows how far a download is, as wide as the terminal is at the moment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wasp_installer.errors import InterruptedRunError

if TYPE_CHECKING:
    from tqdm import tqdm
    from typing_extensions import Never


class Progress:
    """Shows how much has arrived, for as long as the ``with`` block lasts."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._line: tqdm[Never] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._shown and isinstance(error, InterruptedRunError):
            # It stays as it is, as does the ^C of the terminal, and what is said goes below it.
            if self._line is not None:
                self._line.disable = True
            print(file=sys.stderr)
        self._close()

    def start(self, total: int | None) -> None:
        """A download of ``total`` bytes begins, perhaps not for the first time."""
        self._close()
        if not self._shown:
            return
        from tqdm import tqdm  # 20 ms, so only where somebody sees it

        share = "{percentage:.0f}% of {total_fmt}" if total else "{n_fmt}"
        self._line = tqdm(
            total=total,
            unit="B",
            unit_scale=True,
            dynamic_ncols=True,
            delay=0.1,
            leave=False,
            file=sys.stderr,
            bar_format=f"Downloading {share}B, {{rate_fmt}}",
        )

    def advance(self, count: int) -> None:
        """``count`` more bytes have arrived."""
        if self._line is not None:
            self._line.update(count)

    def _close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
