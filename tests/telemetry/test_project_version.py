"""A project's own version: where several are installed, the launcher runs the one it wants."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.installed import STUB, VERSION, Installed

VERSIONS = (
    *("0.0.3", "0.0.4", "0.23.4", "0.24.0", "0.24.3", VERSION, "0.26.0-rc2", "0.27.0-rc2"),
    *("0.27.1", "1.2.0"),
)
#: What main.wasp says, and which of them then runs; 0.25.0 is the current one.
REQUIREMENTS = {
    'app x {\n  wasp: {\n    version: "^0.24.0"\n  },\n  title: "x"\n}\n': "0.24.3",
    'app x { wasp: { version: "0.24.0" } }': "0.24.0",
    'app x { wasp: { version: "^1.0.0" } }': "1.2.0",
    # Below 0.1, a caret holds the patch.
    'app x { wasp: { version: "^0.0.3" } }': "0.0.3",
    # A candidate is taken by who asks for one.
    'app x { wasp: { version: "^0.26.0-rc2" } }': "0.26.0-rc2",
    'app x { wasp: { version: "^0.26.0" } }': VERSION,
    'app x { wasp: { version: "^0.27.0-rc2" } }': "0.27.1",
    # The current one will do, though another would, too.
    'app x { wasp: { version: "^0.25.0" } }': "0.25.0",
    'app x {\r\n  wasp: {\r\n    version: "^0.24.0"\r\n  }\r\n}\r\n': "0.24.3",
    'app x{wasp:{version:"^0.24.0"}}': "0.24.3",
    'app x { wasp :\n{ version\t:\n\n"^0.24.0" } }': "0.24.3",
    # main.wasp.ts has these forms, too.
    "new App('x', { title: 'x', wasp: { version: '^0.24.0' } })": "0.24.3",
    "new App(`x`, { wasp: { version: `^0.24.0` } })": "0.24.3",
    'new App("x", { "wasp": { "version": "^0.24.0" } })': "0.24.3",
    # Comments, strings and other words.
    'app x {\n // wasp: { version: "0.24.0" }\n wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x {\n /* wasp: { version: "0.24.0" },\n */ wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { wasp: { // ours\n /* not "0.24.0" */ version: "^0.23.0" } }': "0.23.4",
    'app x { title: "wasp: { version: \'0.24.0\' }", wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { title: "a \\" wasp: {", wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { title: "https://example.com", wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { version: "0.24.0", wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { my_wasp: { version: "0.24.0" }, wasp: { version: "^0.23.0" } }': "0.23.4",
    'app x { wasp: { my_version: "0.24.0", version: "^0.23.0" } }': "0.23.4",
    'app x { wasp: {}, other: { version: "0.24.0" } }': VERSION,
    "app x { size: 4 / 2, wasp: { version: '^0.23.0' } }": "0.23.4",
    # What says nothing that is understood leaves the current one.
    "app x { }": VERSION,
    'app x { wasp: { version: ">=0.23.0 <0.24.0" } }': VERSION,
    'app x { wasp: { version: "^0.24" } }': VERSION,
    'app x { wasp: { version: "$(touch made)" } }': VERSION,
    'app x { wasp: { version: "../0.24.0" } }': VERSION,
    "/* never closed": VERSION,
    '"never closed': VERSION,
    # Beyond what is read line by line.
    "// a line\n" * 58 + 'app x { wasp: { version: "^0.24.0" } }': "0.24.3",
    "// a line\n" * 60 + 'app x { wasp: { version: "^0.24.0" } }': "0.24.3",
    "// a line\n" * 300 + 'app x {\n  wasp: {\n    version: "^0.24.0"\n  }\n}\n': "0.24.3",
}


@pytest.fixture
def wasp(wasp: Installed) -> Installed:
    """With several versions, each of which prints its own name."""
    for version in VERSIONS:
        wasp.put(wasp.prefix, version=version)
        wasp.binary.write_text(STUB.replace("0.25.0", version))
        receipt = f'{{"version": "{version}", "source": "npm"}}\n'
        (wasp.binary.parent / ".receipt.json").write_text(receipt)
    wasp.put(wasp.prefix)
    return wasp.set(WASP_TELEMETRY_DISABLE="1")


def wants(wasp: Installed, version: str) -> Path:
    file = wasp.folder / "main.wasp"
    file.write_text(f'app x {{ wasp: {{ version: "{version}" }} }}')
    return file


def test_the_one_that_the_project_wants_runs(wasp: Installed, shell: str) -> None:
    found = {}
    for text in REQUIREMENTS:
        (wasp.folder / "main.wasp").write_bytes(text.encode())
        run = wasp.called("start", "x y", shell=shell).ok()
        assert run.stderr == "", text
        found[text] = run.stdout
    assert found == {text: f"{version} 2\n" for text, version in REQUIREMENTS.items()}
    assert not (wasp.folder / "made").exists()


def test_where_it_counts(wasp: Installed) -> None:
    below = wasp.folder / "src" / "pages"
    below.mkdir(parents=True)
    wants(wasp, "^0.24.0").rename(wasp.folder / "main.wasp.ts")
    assert wasp.called("version", folder=below).stdout == "0.24.3 1\n"
    assert wasp.called("version", folder=wasp.here).stdout == "0.25.0 1\n"
    for word in ("completion:list", "uninstall"):
        assert wasp.called(word).stdout == "0.25.0 1\n"
    # What cannot be read is no obstacle.
    (wasp.folder / "main.wasp").mkdir()
    assert wasp.called("version").ok().stdout == "0.24.3 1\n"
    # A half version does not count.
    (wasp.root / "0.24.3" / ".receipt.json").unlink()
    assert wasp.called("version").stdout == "0.24.0 1\n"


def test_a_missing_version_is_named_with_what_to_type(wasp: Installed, shell: str) -> None:
    for wanted in ("^0.22.0", "0.25.1", "^0.24.4"):
        wants(wasp, wanted)
        assert wasp.reads(shell=shell) == (
            f"wasp: this project wants Wasp {wanted}, and this is 0.25.0. "
            f"To get it: wasp installer update {wanted.lstrip('^')}\n"
        )
    run = wasp.called("version", shell=shell)
    assert (run.stdout, run.stderr) == ("0.25.0 1\n", ""), "only on a terminal"


def test_the_event_names_the_version_that_ran(wasp: Installed) -> None:
    wants(wasp, "^0.24.0")
    wasp.set(WASP_TELEMETRY_DISABLE=None).used("start")
    [event] = wasp.collector.events
    assert event["properties"]["wasp_version"] == "0.24.3"
    run = wasp.called("telemetry", "show").ok()
    assert '"wasp_version": "0.24.3"' in run.stdout
