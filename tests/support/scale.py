"""How hard the torture tests try: WASP_TORTURE is a factor, or `all` for every case there is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Case = TypeVar("Case")


@dataclass(frozen=True)
class Scale:
    """A factor on the number of cases; None tries all."""

    factor: float | None

    def times(self, number: int, most: int | None = None) -> int:
        """How many to try where it is `number` at factor 1, and `most` in all (or 100 times)."""
        limit = 100 * number if most is None else most
        return limit if self.factor is None else min(limit, max(1, round(number * self.factor)))

    def sample(self, cases: Sequence[Case], number: int) -> list[Case]:
        """About `number` of the cases at factor 1, at even distances, the first and last always."""
        wanted = self.times(number, most=len(cases))
        if wanted >= len(cases):
            return list(cases)
        last = len(cases) - 1
        return [cases[round(step * last / max(1, wanted - 1))] for step in range(wanted)]


def scale_from_environment() -> Scale:
    """WASP_TORTURE; ValueError when it is neither a number above 0 nor `all`."""
    text = os.environ.get("WASP_TORTURE", "") or "1"
    if text == "all":
        return Scale(None)
    factor = float(text)
    if not factor > 0:
        raise ValueError("WASP_TORTURE must be a number above 0, or all")
    return Scale(factor)
