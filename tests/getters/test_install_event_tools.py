"""The event of an install with the tools that machines have: tr, wget, busybox."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.getters.test_install_event import BODY, begin, outcome
from tests.support.archives import gzipped, tar_without_end, tiny_package
from tests.support.collector import Collector
from tests.support.machines import Machine
from tests.support.processes import survivors
from tests.support.proxy import Proxy
from tests.support.replies import (
    Stall,
    status,
)

_REFUSING_TR = """\
copy=$TMPDIR/tr-$$
cat >"$copy"
case $(od -An -v -tx1 "$copy") in
    *' '[89a-f]* | *' 00'*) echo 'tr: Illegal byte sequence' >&2; rm "$copy"; exit 1 ;;
esac
REAL "$@" <"$copy"
rm "$copy"
"""


def test_no_tool_takes_bytes_for_text(shell_machine: Machine, collector: Collector) -> None:
    """Some systems have a tr that refuses bytes that are no text, whatever the locale."""
    real = shell_machine.toolbox.folder.joinpath("tr").resolve()
    shell_machine.toolbox.script("tr", _REFUSING_TR.replace("REAL", str(real)))
    begin(shell_machine.collects(collector)).is_silent_about("byte sequence")
    [event] = collector.wait_for(1)
    assert re.fullmatch("[1-9][0-9]{23}", event["distinct_id"])
    shell_machine.wait_for_background()
    archive = shell_machine.root / "wasp.tgz"
    archive.write_bytes(gzipped(tar_without_end(tiny_package("0.24.0").members)))
    run = shell_machine.install(None, "--from-file", str(archive), "--no-telemetry")
    run.failed(6, "corrupt-archive").is_silent_about("byte sequence")


def test_wget_sends_the_same(shell_machine: Machine, collector: Collector) -> None:
    """By a proxy, too."""
    shell_machine.toolbox.remove("curl").link("wget")
    proxy = Proxy()
    try:
        run = begin(shell_machine.collects(collector).set(HTTPS_PROXY=proxy.url))
        shell_machine.wait_for_background()
    finally:
        proxy.close()
    assert outcome(run) == "sent"
    [delivery] = collector.deliveries
    assert BODY.fullmatch(delivery.body.decode("ascii"))
    assert delivery.headers["user-agent"] == "wasp"
    assert len(proxy.tunnels) == collector.server.connections
    assert not (shell_machine.home / ".wget-hsts").exists()


def test_wget_keeps_the_passwords_in_netrc_to_itself(
    shell_machine: Machine, collector: Collector
) -> None:
    shell_machine.toolbox.remove("curl").link("wget")
    netrc = shell_machine.home / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    netrc.chmod(0o600)
    collector.reply = status(401, WWW_Authenticate='Basic realm="x"')
    shell_machine.collects(collector).install("0.25.0")
    shell_machine.wait_for_background()
    assert len(collector.deliveries) == 1
    assert "authorization" not in collector.deliveries[0].headers


def test_it_holds_no_file_of_its_caller(shell_machine: Machine, collector: Collector) -> None:
    """Who waits for the end of a pipe waits for all who could write into it."""
    collector.reply = Stall()
    reading, writing = os.pipe()
    shell_machine.collects(collector)
    as_seven = (
        "import os, sys; pipe = int(sys.argv[1]); os.dup2(pipe, 7); os.close(pipe); "
        "os.execv(sys.argv[2], sys.argv[2:])"
    )
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", as_seven, str(writing)),
            *shell_machine.front_end.argv("install", "-v", "0.25.0"),
        ],
        env=shell_machine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing],
    )
    os.close(writing)
    process.wait()
    collector.wait_for(1)
    assert os.read(reading, 1) == b""
    os.close(reading)
    alive = survivors(shell_machine.mark, patience=0)
    assert alive, "the pipe was at its end only because the sender was"


def test_busyboxs_wget_sends_nothing(shell_machine: Machine, collector: Collector) -> None:
    """It would follow a redirect of the event, and may not check certificates."""
    archive = shell_machine.root / "wasp.tgz"
    archive.write_bytes(tiny_package("0.25.0").npm_archive())
    shell_machine.toolbox.remove("curl").busybox("wget")
    shell_machine.collects(collector)
    run = shell_machine.run("--from-file", str(archive), "--json").ok()
    assert outcome(run) is None
    shell_machine.wait_for_background()
    assert collector.server.connections == 0
