"""The user's PATH in the registry of Windows, against a double of ``winreg``."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.registry_double import RegistryDouble
from wasp_installer.windows import user_path
from wasp_installer.windows.user_path import change, is_on

BIN = r"C:\Users\me\.local\bin"
HOME = {"USERPROFILE": r"C:\Users\me", "SystemRoot": r"C:\Windows"}
APPS = r"%USERPROFILE%\AppData\Local\Microsoft\WindowsApps"


class World:
    """A user's PATH."""

    def __init__(self, value: str | None, kind: int = RegistryDouble.REG_EXPAND_SZ) -> None:
        self.registry = RegistryDouble() if value is None else RegistryDouble(Path=(value, kind))

    def add(self) -> bool:
        return change(self.registry, BIN, [BIN], HOME)

    def remove(self) -> bool:
        return change(self.registry, BIN, [], HOME)

    @property
    def value(self) -> tuple[str, int] | None:
        return self.registry.values.get("Path")


def test_the_folder_comes_first_and_the_rest_stays_as_it_is_written() -> None:
    world = World(f'{APPS};C:\\odd;;"C:\\with;it\\";')
    assert world.add()
    assert world.value == (f'{BIN};{APPS};C:\\odd;;"C:\\with;it\\";', 2)


def test_running_programs_are_told_of_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    monkeypatch.setattr(user_path, "announce_change", lambda: told.append(True))
    world = World("C:\\a")
    assert [world.add(), world.add(), world.remove(), world.remove()] == [True, False] * 2
    assert len(told) == 2


@pytest.mark.parametrize("kind", [RegistryDouble.REG_SZ, RegistryDouble.REG_EXPAND_SZ])
def test_the_type_of_the_value_is_kept(kind: int) -> None:
    world = World("C:\\x", kind)
    world.add()
    world.remove()
    assert world.value == ("C:\\x", kind)


def test_a_user_without_a_path_gets_one_and_loses_it_again() -> None:
    world = World(None)
    assert world.add()
    assert world.value == (BIN, RegistryDouble.REG_EXPAND_SZ)
    assert world.remove()
    assert world.value is None


@pytest.mark.parametrize(
    "entry",
    [
        BIN,
        BIN.upper(),
        BIN + "\\",
        BIN.replace("\\", "/"),
        f'"{BIN}"',
        r"%USERPROFILE%\.local\bin",
        r"%userprofile%\.local\BIN\\",
        r"C:\Users\me\x\..\.local\bin",
    ],
)
def test_an_entry_for_the_same_folder_is_found_however_it_is_written(entry: str) -> None:
    world = World(f"C:\\a;{entry};C:\\b")
    assert not world.add()
    assert world.registry.changes == 0
    assert world.remove()
    assert world.value == ("C:\\a;C:\\b", 2)


@pytest.mark.parametrize(
    "entry", [r"C:\Users\me\x.local\bin", BIN + "2", r"%OTHER%\.local\bin", r"C:\Users\me\.local"]
)
def test_another_folder_is_not_taken_for_it(entry: str) -> None:
    world = World(entry)
    assert not world.remove()
    assert world.value == (entry, 2)


def test_a_path_beyond_the_limit_of_setx_is_not_cut() -> None:
    long = ";".join(f"C:\\folder-{number}" for number in range(500))
    world = World(long)
    assert world.add()
    assert world.value == (f"{BIN};{long}", 2)


def test_a_path_that_programs_would_no_longer_see_is_not_made() -> None:
    world = World("x" * (32_766 - len(f"{BIN};")))
    assert world.add()
    world = World("x" * (32_767 - len(f"{BIN};")))
    with pytest.raises(OSError, match="too long"):
        world.add()
    assert world.registry.changes == 0


def test_a_value_that_is_no_text_is_left_alone() -> None:
    world = World(None)
    world.registry.values["PATH"] = (7, RegistryDouble.REG_DWORD)
    with pytest.raises(OSError, match="not a text"):
        world.add()
    assert world.registry.values == {"PATH": (7, RegistryDouble.REG_DWORD)}


def test_a_value_of_another_case_is_the_same_value() -> None:
    world = World(None)
    world.registry.values["PATH"] = ("C:\\a", 1)
    world.add()
    assert world.registry.values == {"PATH": (f"{BIN};C:\\a", 1)}


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(blacklist_characters=";\0", codec="utf-8"))))
def test_adding_and_removing_gives_back_what_was_there(entries: list[str]) -> None:
    before = ";".join(entries)
    if not before or is_on(before, BIN, HOME):
        return
    world = World(before)
    assert world.add()
    assert not world.add()
    assert world.remove()
    assert world.value == (before, 2)
