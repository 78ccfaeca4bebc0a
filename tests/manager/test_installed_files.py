"""The files that are installed beside Wasp, as the sh program writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from assemble import INSTALLED

from tests.support.frontends import REPOSITORY
from tests.support.functions import call_functions
from tests.support.machines import MachineRoom
from tests.support.toolboxes import real_tool

_WRITE = """\
wasp_root=/opt/wasp
{before}
mkdir '{folder}' '{folder}/completions'
(write_installed '{folder}') >/dev/null 2>&1
echo $?
"""


@pytest.mark.parametrize("awk", ["awk", "busybox"])
def test_a_file_that_is_not_written_whole_is_an_error(
    machines: MachineRoom, tmp_path: Path, awk: str
) -> None:
    """As on a full disk, of which the awk of busybox says nothing."""
    # Shells count the limit in units of their own.
    machine = machines.build("dash")
    machine.toolbox.script("awk", f'exec {real_tool(awk)} {"awk" * (awk == "busybox")} "$@"')
    folders = [tmp_path / "whole", tmp_path / "cut"]
    # In blocks of 512 bytes.
    limits = ["", "trap '' XFSZ\nulimit -f 8"]
    calls = [_WRITE.format(before=limit, folder=folder) for limit, folder in zip(limits, folders)]
    assert call_functions(machine, calls) == ["0", "7"]
    for name in ("telemetry_ping.py", "project_version.sh"):
        assert (folders[0] / name).read_bytes() == (REPOSITORY / INSTALLED[name]).read_bytes()
