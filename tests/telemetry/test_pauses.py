"""When an event is sent, for any sequence of commands whatever; and what is kept of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import telemetry_ping as ping
from telemetry_ping import Invocation, State, Store

HOUR = 60 * 60
START = 1_800_000_000


def invoke(state: State, now: int, build: bool = False, deploy: str = "") -> str | None:
    """What the event of an invocation carries, if there is one and it arrives."""
    if not state.begin(now, build, deploy):
        return None
    carried = state.deploy
    state.settle(now, build, carried, taken=True)
    return carried


pauses = st.integers(0, 30 * HOUR)
deploys = st.sampled_from(["", "", "fly", "fly;deploy", "setup"])


@given(st.lists(st.tuples(pauses, st.booleans(), deploys), max_size=40))
def test_never_more_than_two_in_any_twelve_hours_and_no_deploy_is_forgotten(
    steps: list[tuple[int, bool, str]],
) -> None:
    state, now, waiting, sent = (
        State(),
        START,
        "",
        [(START - 13 * HOUR, it) for it in (True, False)],
    )
    for pause, build, deploy in steps:
        now += pause
        waiting = deploy or waiting
        carried = invoke(state, now, build, deploy)
        last = max(at for at, kind in sent if kind == build)
        assert carried == (waiting if now - last > 12 * HOUR else None)
        if carried is not None:
            sent.append((now, build))
            waiting = ""
        # What is kept is what the next invocation reads.
        state = State(state.to_text())
    assert state.deploy == waiting
    times = [at for at, _ in sent]
    for first, _, third in zip(times, times[1:], times[2:]):
        assert third - first > 12 * HOUR


@pytest.mark.parametrize("back", [1, HOUR, 400 * 24 * HOUR])
def test_a_clock_set_back_is_waited_for_twelve_hours_and_no_more(back: int) -> None:
    state = State()
    assert invoke(state, START) == ""
    for now in (START - back, START - back + 12 * HOUR):
        assert invoke(state, now) is None
    assert invoke(state, START - back + 12 * HOUR + 1) == ""


def test_who_fails_at_once_does_not_come_back_at_once(tmp_path: Path) -> None:
    """Not in less than the hour, and over another hour evenly."""
    store = Store(str(tmp_path))
    store.make()
    returns = Counter[int]()
    for number in range(1200):
        state = Invocation([], "", f"/{number}", store).state()
        assert state.begin(START, False, "")
        returns[(state.ends[False] - START) // 600] += 1
    assert set(returns) == set(range(6, 12))
    # 200 each; a count beyond these has less than one chance in a million.
    assert all(130 < number < 280 for number in returns.values()), returns


def test_a_deploy_beside_a_sending_is_kept() -> None:
    for taken in (True, False):
        state = State()
        state.begin(START, False, "fly")
        state.begin(START + 1, False, "setup")
        state.settle(START, False, "fly", taken)
        assert state.deploy == "setup"


# --- what is kept

keywords = st.lists(st.sampled_from(ping.DEPLOY_KEYWORDS), max_size=5).map(";".join)


@given(st.tuples(*[st.integers(0, 2**40)] * 2), keywords)
def test_a_state_reads_as_it_was_written(ends: tuple[int, int], deploy: str) -> None:
    state = State()
    state.ends, state.deploy = list(ends), deploy
    text = state.to_text()
    assert text == f"{ends[False]} {ends[True]} {deploy}\n"
    assert State(text).to_text() == text


@given(st.text(max_size=300))
@example("1 2 x;fly\n")
def test_any_text_is_some_state_with_nothing_but_keywords(text: str) -> None:
    assert set(State(text).deploy.split(";")) <= {"", *ping.DEPLOY_KEYWORDS}


def test_a_state_that_cannot_be_read_is_a_fresh_one() -> None:
    broken = ["", "{", "\0" * 200, "[]", "1 2", "1 soon fly", "1e9 2 fly", "1 2 fly 3", "9" * 1024]
    assert {State(text).to_text() for text in broken} == {State().to_text()}


# --- what happens around the network


def nothing() -> None:
    """Happens."""


def never() -> None:
    raise AssertionError("sent")


def asking(
    before: Callable[[], Any] = nothing, sends: Callable[[], Any] = nothing, status: int = 200
) -> Callable[..., tuple[int, bytes]]:
    """What asks a collector; what happens before it is connected, and as soon as it is."""

    def ask(_url: str, _body: str, when_connected: Callable[[], None]) -> tuple[int, bytes]:
        before()
        when_connected()
        sends()
        return status, b"answer"

    return ask


@pytest.fixture
def invocation(tmp_path: Path) -> Invocation:
    store = Store(str(tmp_path / "telemetry"))
    store.make()
    return Invocation(["deploy", "fly"], "0.25.0", "/p", store)


def kept(invocation: Invocation) -> tuple[int, str]:
    return invocation.state().ends[False], invocation.state().deploy


def failed_at(at: int, invocation: Invocation) -> int:
    """The end of the pause after an attempt that failed."""
    return at + HOUR + invocation.state().spread


def test_what_is_sent_is_recorded_before_the_network_is_touched(invocation: Invocation) -> None:
    seen: list[tuple[int, str]] = []

    def reset() -> None:
        seen.append(kept(invocation))
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        invocation.send(lambda: START, asking(lambda: seen.append(kept(invocation)), reset))
    assert seen == [(failed_at(START, invocation), "fly"), (START + 12 * HOUR, "")]


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        *((status, False) for status in (100, 200, 204, 299, 500, 502, 504)),
        *((status, True) for status in (300, 307, 400, 429, 499, 503)),
    ],
)
def test_what_was_certainly_not_taken_goes_again(
    invocation: Invocation, status: int, refused: bool
) -> None:
    answer = invocation.send(lambda: START, asking(status=status))
    assert answer == (b"answer" if status // 100 == 2 else b"")
    refusal = failed_at(START, invocation), "fly"
    end, _ = told = refusal if refused else (START + 12 * HOUR, "")
    assert kept(invocation) == told
    assert invocation.send(lambda: end, asking(never)) is None
    assert invocation.send(lambda: end + 1, asking()) == b"answer"


@pytest.mark.parametrize("slept", [ping.STALE_S, 11 * HOUR, -1])
def test_an_attempt_that_slept_for_long_is_not_sent(invocation: Invocation, slept: int) -> None:
    clock = [START]
    with pytest.raises(TimeoutError):
        invocation.send(lambda: clock[-1], asking(lambda: clock.append(START + slept), never))
    assert kept(invocation) == (failed_at(START, invocation), "fly")


def test_who_comes_to_the_lock_later_does_not_think_it_is_earlier(
    invocation: Invocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is that of the turn, however long one waited for it."""
    clock, locked = [START], Store.lock

    def wait_for_another(store: Store) -> Any:
        monkeypatch.setattr(Store, "lock", locked)
        clock.append(START + 1)
        assert invocation.send(lambda: clock[-1], asking())
        return locked(store)

    monkeypatch.setattr(Store, "lock", wait_for_another)
    assert invocation.send(lambda: clock[-1], asking(never)) is None
    assert kept(invocation) == (START + 1 + 12 * HOUR, "fly")


def test_who_may_not_send_leaves_all_to_the_next(invocation: Invocation) -> None:
    assert invocation.send(lambda: START, asking(never), may_send=False) is None
    assert kept(invocation) == (0, "fly")


def test_nothing_can_be_recorded_so_nothing_is_sent(invocation: Invocation) -> None:
    Path(invocation._store.folder, f"{invocation._file}.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        invocation.send(lambda: START, asking(never))
    assert kept(invocation) == (0, "")
