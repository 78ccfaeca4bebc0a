"""The command line: what is refused, and what goes to which stream."""

from __future__ import annotations

import pytest

from tests.getters.test_equality import counterpart
from tests.support.frontends import FrontEnd
from tests.support.machines import Machine, MachineRoom
from tests.support.releases import Upstream
from tests.support.trees import picture

OPTIONS_WITH_A_VALUE = (
    "-v",
    "--version",
    "--prefix",
    "--destdir",
    "--source",
    "--from-file",
    "--sha256",
)
REFUSED = {
    "unknown-long": ["--no-such-option"],
    "unknown-short": ["-Z"],
    "two-commands": ["install", "list"],
    "unknown-command": ["instal"],
    "use-without-version": ["use"],
    "use-two-versions": ["use", "0.25.0", "0.24.0"],
    "list-with-operand": ["list", "0.25.0"],
    "unknown-source": ["--source", "ftp"],
    "short-sha256": ["--sha256", "abc"],
    "sha256-no-hex": ["--sha256", "g" * 64],
}
# Words that are no command, and what is said of them.
WORDS = {
    "unistall": "uninstall and migrate",
    "upgrade": "run this without a command",
    "0.24.0": "-v 0.24.0",
}
HELP_WORDS = tuple(
    """
    install list use uninstall migrate-to-npm --version --prefix --destdir --source --from-file
    --sha256 --require-checksum --no-modify-path --no-telemetry --force --dry-run --json --quiet
    --verbose --yes --help WASP_VERSION WASP_INSTALL_PREFIX DESTDIR
    """.split()  # noqa: SIM905 - as a list it would be thirty lines
)


@pytest.mark.parametrize(
    "words", [["-v0.25.0", "-qy"], ["-yq", "--version=0.25.0"], ["--", "install", "-v", "0.25.0"]]
)
def test_options_may_be_written_together(machine: Machine, words: list[str]) -> None:
    machine.layout.plant("0.25.0")
    assert machine.run(*words, "--json").ok().json["version"] == "0.25.0"


@pytest.mark.parametrize("arguments", [["--vers"], ["-Z"], ["--sha256"], ["-v"], ["--prefix="]])
def test_both_front_ends_say_the_same_of_a_mistake(
    machines: MachineRoom, shell: FrontEnd, arguments: list[str]
) -> None:
    said = [
        machines.build(chosen, chosen.name).run(*arguments).failed(2).stderr
        for chosen in (shell, counterpart(shell))
    ]
    assert said[0] == said[1].replace("--version", "-v" if "-v" in arguments else "--version")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_is_no_command_is_answered(machine: Machine, word: str) -> None:
    run = machine.run(word, "--json").failed(2, "usage").says(f"'{word}'", WORDS[word])
    assert f"-v {word}" not in run.stderr or word == "0.24.0"


def test_the_newest_version_is_none_to_use(machine: Machine) -> None:
    run = machine.run("use", "latest", "--json").failed(2, "bad-version")
    run.says("see what is installed").is_silent_about("or latest")


def test_help_fits_the_terminal(machine: Machine) -> None:
    assert max(map(len, machine.run("--help").ok().stdout.splitlines())) < 80


@pytest.mark.parametrize("option", OPTIONS_WITH_A_VALUE)
def test_an_option_without_its_value_is_refused(
    machine: Machine, upstream: Upstream, option: str
) -> None:
    machine.run("--json", option).failed(2, "usage").says(option)
    assert picture(machine.home) == {}
    assert upstream.server.connections == 0


@pytest.mark.parametrize("option", ["--version", "--prefix"])
def test_an_option_is_no_value_of_an_option(machine: Machine, option: str) -> None:
    machine.run(option, "--json").failed(2, "usage").says(option)
    assert picture(machine.home) == {}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_command_line_is_refused(machine: Machine, upstream: Upstream, case: str) -> None:
    machine.run(*REFUSED[case], "--json").failed(2, "usage")
    assert picture(machine.home) == {}
    assert upstream.server.connections == 0


def test_a_refusal_says_cause_and_what_to_do(machine: Machine) -> None:
    lines = machine.run("--no-such-option").failed(2).stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert "--no-such-option" in lines[0]
    assert lines[1].startswith("       ")
    assert "--help" in lines[1]


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_everything(machine: Machine, option: str) -> None:
    run = machine.run(option).ok()
    missing = [word for word in HELP_WORDS if word not in run.stdout]
    assert not missing
    assert run.stderr == ""
    assert max(map(len, run.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    "form", [["-v", "0.25.0"], ["--version", "0.25.0"], ["--version=0.25.0"]], ids=" ".join
)
def test_forms_of_an_option(machine: Machine, upstream: Upstream, form: list[str]) -> None:
    upstream.publish("0.25.0", latest=False)
    assert machine.run(*form, "--dry-run", "--json").ok().json["version"] == "0.25.0"


def test_options_may_come_before_the_command(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    assert machine.run("--json", "list").ok().json["versions"] == ["0.25.0"]


def test_people_are_told_on_stderr_only(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.run("install").ok()
    assert run.stdout == ""
    run.says("0.25.0", ".local/share/wasp-lang")


def test_the_words_of_the_binary_are_not_repeated(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.run("install").ok().is_silent_about("If you wish to install/switch")


def test_quiet_says_nothing_when_all_is_well(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.run("install", "--quiet").ok()
    assert (run.stdout, run.stderr) == ("", "")


def test_quiet_does_not_hide_an_error(machine: Machine) -> None:
    machine.run("install", "-q", "-v", "0.25.0", "--source", "github").failed(5).says("0.25.0")


def test_quiet_does_not_hide_results(machine: Machine) -> None:
    machine.layout.plant("0.25.0")
    assert machine.run("list", "--quiet").ok().stdout == "  0.25.0\n"


def test_verbose_says_where_it_asks(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    machine.run("install", "--verbose").ok().says(f"{upstream.npm_url}/@wasp.sh")


@pytest.mark.parametrize("value", ["1.5", "0", "-1", "soon"])
def test_a_timeout_that_is_no_number_of_seconds(machine: Machine, value: str) -> None:
    run = machine.set(WASP_HTTP_TIMEOUT=value).install("0.25.0")
    run.failed(2, "usage").says("WASP_HTTP_TIMEOUT")


def test_a_missing_home_without_a_prefix_is_told(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    run = machine.set(HOME=None).install()
    assert run.code == 2
    run.says("HOME", "--prefix")


def test_a_missing_home_does_not_matter_with_a_prefix(machine: Machine, upstream: Upstream) -> None:
    upstream.publish("0.25.0")
    prefix = machine.root / "prefix"
    machine.set(HOME=None).install(None, "--prefix", str(prefix)).ok()
    assert (prefix / "bin" / "wasp").is_file()
