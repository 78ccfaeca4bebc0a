"""The user's PATH in the registry of Windows, against a double of ``winreg``."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.registry_double import RegistryDouble
from wasp_installer import Console
from wasp_installer.windows import user_path
from wasp_installer.windows.user_path import PathSetup, change, is_on

BIN = r"C:\Users\me\.local\bin"
HOME = {"USERPROFILE": r"C:\Users\me", "SystemRoot": r"C:\Windows"}
ODD = '%USERPROFILE%\\AppData\\Local\\Microsoft\\WindowsApps;C:\\odd;;"C:\\with;it\\";'
SZ, EXPAND = RegistryDouble.REG_SZ, RegistryDouble.REG_EXPAND_SZ


def add(registry: RegistryDouble) -> bool:
    return change(registry, BIN, [BIN], HOME)


def remove(registry: RegistryDouble) -> bool:
    return change(registry, BIN, [], HOME)


@settings(max_examples=60)
@example(before=ODD, kind=EXPAND)
@example(before="C:\\x", kind=SZ)
# Longer than what setx takes.
@example(before=";".join(f"C:\\folder-{number}" for number in range(500)), kind=EXPAND)
@given(
    before=st.text(st.sampled_from(';\\%" ') | st.characters(codec="utf-8"), min_size=1),
    kind=st.sampled_from([SZ, EXPAND]),
)
def test_the_folder_comes_first_and_leaves_what_was_there_as_it_was(before: str, kind: int) -> None:
    if is_on(before, BIN, HOME):
        return
    registry = RegistryDouble(Path=(before, kind))
    assert [add(registry), add(registry)] == [True, False]
    assert registry.values["Path"] == (f"{BIN};{before}", kind)
    assert [remove(registry), remove(registry)] == [True, False]
    assert registry.values["Path"] == (before, kind)


def test_running_programs_are_told_of_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a user without a PATH gets one, and loses it again."""
    told: list[bool] = []
    monkeypatch.setattr(user_path, "announce_change", lambda: told.append(True))
    registry = RegistryDouble()
    assert [add(registry), add(registry)] == [True, False]
    assert registry.values == {"Path": (BIN, EXPAND)}
    assert [remove(registry), remove(registry)] == [True, False]
    assert registry.values == {}
    assert len(told) == 2


@pytest.mark.parametrize(
    ("entry", "is_same"),
    [
        (BIN, True),
        (BIN.upper(), True),
        (BIN + "\\", True),
        (BIN.replace("\\", "/"), True),
        (f'"{BIN}"', True),
        (r"%USERPROFILE%\.local\bin", True),
        (r"%userprofile%\.local\BIN\\", True),
        (r"C:\Users\me\x\..\.local\bin", True),
        (r"C:\Users\me\x.local\bin", False),
        (BIN + "2", False),
        (r"%OTHER%\.local\bin", False),
        (r"C:\Users\me\.local", False),
    ],
)
def test_an_entry_for_the_folder_is_found_however_it_is_written(entry: str, is_same: bool) -> None:
    before = (f"C:\\a;{entry};C:\\b", EXPAND)
    registry = RegistryDouble(Path=before)
    assert is_on(before[0], BIN, HOME) is is_same
    assert remove(registry) is is_same
    assert registry.values["Path"] == (("C:\\a;C:\\b", EXPAND) if is_same else before)


def test_a_path_that_programs_would_no_longer_see_is_not_made() -> None:
    assert add(RegistryDouble(Path=("x" * (32_766 - len(f"{BIN};")), SZ)))
    registry = RegistryDouble(Path=("x" * (32_767 - len(f"{BIN};")), SZ))
    with pytest.raises(OSError, match="too long"):
        add(registry)
    assert registry.changes == 0


def test_a_value_is_known_in_any_case_and_left_alone_if_it_is_no_text() -> None:
    registry = RegistryDouble(PATH=("C:\\a", SZ))
    add(registry)
    assert registry.values == {"PATH": (f"{BIN};C:\\a", SZ)}
    registry = RegistryDouble(PATH=(7, RegistryDouble.REG_DWORD))
    with pytest.raises(OSError, match="not a text"):
        add(registry)
    assert registry.values == {"PATH": (7, RegistryDouble.REG_DWORD)}


def test_what_is_on_path_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    registry = RegistryDouble()
    PathSetup(Console(), Path(BIN), {**HOME, "PATH": f"C:\\x;{BIN}"}, registry).add()
    assert (registry.changes, capsys.readouterr().err) == (0, "")
