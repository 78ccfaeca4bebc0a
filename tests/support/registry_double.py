"""A registry of Windows in memory, with the part of ``winreg``'s interface that is used."""

from __future__ import annotations

import contextlib
from typing import Any


class RegistryDouble:
    """Holds the values of HKEY_CURRENT_USER\\Environment; ``changes`` is how often they changed.

    A key is the access that it was opened for.
    """

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
    ) -> contextlib.nullcontext[int]:
        assert (key, sub_key, reserved) == (self.HKEY_CURRENT_USER, "Environment", 0)
        if self.is_locked and access & self.KEY_WRITE == self.KEY_WRITE:
            raise PermissionError(13, "Access is denied")
        return contextlib.nullcontext(access)

    def QueryValueEx(self, key: int, name: str, /) -> tuple[Any, int]:  # noqa: N802
        assert key & self.KEY_READ == self.KEY_READ
        if self._known(name) not in self.values:
            raise FileNotFoundError(2, "The system cannot find the file specified")
        return self.values[self._known(name)]

    def SetValueEx(  # noqa: N802
        self, key: int, name: str, reserved: int, kind: int, value: str, /
    ) -> None:
        assert (key & self.KEY_WRITE, reserved) == (self.KEY_WRITE, 0)
        self.values[self._known(name)] = (value, kind)
        self.changes += 1

    def DeleteValue(self, key: int, name: str, /) -> None:  # noqa: N802
        assert key & self.KEY_WRITE == self.KEY_WRITE
        del self.values[self._known(name)]
        self.changes += 1

    def _known(self, name: str) -> str:
        """Names of values have no case."""
        return next((known for known in self.values if known.lower() == name.lower()), name)
