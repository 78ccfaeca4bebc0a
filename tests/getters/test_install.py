"""What an install asks of each source, and what ends up on disk; test_equality.py has the rest."""

from __future__ import annotations

import json

from tests.support.getters import Getters
from tests.support.releases import (
    Upstream,
    github_api_path,
    github_asset_path,
    github_download_path,
    npm_cli_path,
    npm_platform_path,
    npm_tarball_path,
)
from tests.support.trees import expected_version_folder, picture

BUILD = "linux-x64-glibc"
SHARED = {
    *("telemetry_ping.py", "telemetry_messages.py", "project_version.sh", "completions"),
    *("env.sh", "env.fish", "wasp-installer.sh"),
}


def test_the_newest_from_npm(both: Getters, upstream: Upstream) -> None:
    """The umask changes nothing, and the home holds nothing but Wasp."""
    upstream.publish("0.24.0", latest=False)
    release = upstream.publish("0.25.0", node=">=24.14.1")
    both.machine.with_umask(0o077)
    told = both.install(None, "--no-modify-path").ok().json
    assert (told["status"], told["version"], told["source"]) == ("installed", "0.25.0", "npm")
    layout = both.machine.layout
    assert layout.version_picture("0.25.0") == expected_version_folder(release.package)
    receipt = {
        "version": "0.25.0",
        "source": "npm",
        "url": f"{upstream.server.url}{npm_tarball_path('0.25.0', BUILD)}",
        "digest": release.npm_digest,
        "node": ">=24.14.1",
        "platform": {"os": "linux", "arch": "x86_64", "libc": "glibc"},
    }
    assert layout.receipt_file("0.25.0").read_text() == json.dumps(receipt) + "\n"
    assert both.machine.wasp("version").stdout == "0.25.0\n"
    # By each getter once, with the slash of a scope escaped.
    asked = [npm_cli_path("latest"), npm_platform_path("0.25.0", BUILD)]
    asked.append(npm_tarball_path("0.25.0", BUILD))
    assert upstream.server.requests == dict.fromkeys(asked, 2)
    raw = [path.lower() for path in upstream.server.raw_paths if "/-/" not in path]
    assert all("/@wasp.sh%2fwasp-cli" in path for path in raw)
    there = picture(both.machine.home)
    folders = {".local", ".local/bin", ".local/share", ".local/share/wasp-lang"}
    assert {name for name in there if name.count("/") <= 2} == {*folders, ".local/bin/wasp"}
    assert {item.name for item in layout.share.iterdir()} == {*SHARED, "0.25.0"}
    assert {there[name].mode for name in (*folders, ".local/bin/wasp")} == {0o755}
    assert there[".local/share/wasp-lang/0.25.0/.receipt.json"].mode == 0o644


def test_a_named_version_from_github(both: Getters, upstream: Upstream) -> None:
    release = upstream.publish("0.12.3", npm=False)
    told = both.install("0.12.3", "--source", "github", "--require-checksum").ok().json
    layout, build = both.machine.layout, "linux-x86_64"
    assert layout.version_picture("0.12.3") == expected_version_folder(release.package)
    receipt = layout.receipt("0.12.3")
    assert list(receipt) == ["version", "source", "url", "digest", "node", "platform"]
    assert (receipt["source"], receipt["node"]) == ("github", None)
    assert receipt["url"] == told["url"]
    assert receipt["url"].endswith(github_download_path("0.12.3", build))
    assert receipt["digest"] == told["digest"] == release.github_digest
    asked = [github_api_path("0.12.3"), github_download_path("0.12.3", build)]
    asked.append(github_asset_path("0.12.3", build))
    assert upstream.server.requests == dict.fromkeys(asked, 2)
