"""A registry of Windows in memory, with the part of ``winreg``'s interface that is used."""

from __future__ import annotations

import contextlib
from typing import Any


class RegistryDouble:
    """Holds the values of HKEY_CURRENT_USER\\Environment; ``changes`` is how often they changed."""

    HKEY_CURRENT_USER = 0x80000001
    KEY_READ = 0x20019
    KEY_WRITE = 0x20006
    REG_SZ = 1
    REG_EXPAND_SZ = 2
    REG_DWORD = 4

    def __init__(self, **values: tuple[Any, int]) -> None:
        self.values = dict(values)
        self.is_locked = False
        self.changes = 0

    def CreateKeyEx(  # noqa: N802
        self, key: Any, sub_key: str, reserved: int = 0, access: int = 0, /
    ) -> contextlib.nullcontext[None]:
        assert (key, sub_key, reserved) == (self.HKEY_CURRENT_USER, "Environment", 0)
        if self.is_locked and access & self.KEY_WRITE == self.KEY_WRITE:
            raise PermissionError(13, "Access is denied")
        return contextlib.nullcontext()

    def QueryValueEx(self, _key: Any, name: str, /) -> tuple[Any, int]:  # noqa: N802
        if self._known(name) not in self.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return self.values[self._known(name)]

    def SetValueEx(self, _key: Any, name: str, _: int, kind: int, value: str, /) -> None:  # noqa: N802
        self.values[self._known(name)] = (value, kind)
        self.changes += 1

    def DeleteValue(self, _key: Any, name: str, /) -> None:  # noqa: N802
        del self.values[self._known(name)]
        self.changes += 1

    def _known(self, name: str) -> str:
        """Names of values have no case."""
        return next((known for known in self.values if known.lower() == name.lower()), name)
