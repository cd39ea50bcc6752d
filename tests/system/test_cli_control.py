"""Control from the command line against a real stack: refusals, confirmations, stop, stands, what is taken back."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pilothouse.cli.app import run
from pilothouse.client import Client, NotConfirmed
from support.stack import Stack, wait_for

CONFIG = """
[node]
name = "pi"
host = false
[things.valves]
driver = "sim.valves"
trace_file = "{trace}"
interlocks.pump = "requires valve_a == true"
[things.valves.properties.pump]
confirm = "yes"
[things.relays]
driver = "sim.relays"
[things.relays.properties.relay_1]
confirm = "two-person"
hazard = "The door opens"
[exclusive]
water = ["valves.valve_a", "valves.valve_b"]
[stands.wet]
things = ["valves"]
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running Pilothouse for all tests of this file."""
    with Stack(tmp_path_factory.mktemp("control"), config=CONFIG) as running:
        for thing in ("valves", "relays"):
            path = f"/api/things/pi/{thing}"
            wait_for(lambda path=path: running.call("GET", path)[0] == 200, f"the {thing} to be described")
        yield running


def say(stack: Stack, *words: str, code: int | None = 0) -> str:
    """Run `pilothouse …` as a script does, with nobody at the keyboard; gives what it printed. `code` None = any.

    In this process, which spares a second for each: that the program starts is tested in test_cli.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        found = run([*words, "--data", str(stack.data)])
    assert code is None or found == code, (words, found, said.getvalue())
    return said.getvalue()


@pytest.fixture(autouse=True)
def at_rest(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The hub of this test is meant; after each test nothing is on and no stop holds."""
    for name in ("PILOTHOUSE_URL", "PILOTHOUSE_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    yield
    for output in ("valves.pump", "valves.valve_a", "valves.valve_b", "relays.relay_2"):
        say(stack, "set", f"pi/{output}", "off")
    if json.loads(say(stack, "stop", "--status", "--json"))["stops"]:
        say(stack, "stop", "--lift", "--reason", "the test is over")


def shows(stack: Stack, series: str, value: str) -> None:
    """Wait until a property shows a value."""
    wait_for(lambda: say(stack, "get", series, "--raw") == f"{value}\n", f"{series} to show {value}")


def test_a_refusal_says_the_same_before_and_after(stack: Stack) -> None:
    """The explanation names the interlock and the reading; so does the refusal, and the ledger."""
    said = "nterlock of valves.pump, requires valve_a == true: valves.valve_a is false"
    assert said in say(stack, "get", "pi/valves.pump", "--explain", code=1)
    assert said in say(stack, "set", "pi/valves.pump", "on", "--yes", code=1)
    say(stack, "set", "pi/valves.valve_a", "on")
    free = "may be switched now\n"
    wait_for(lambda: free in say(stack, "get", "pi/valves.pump", "--explain", code=None), "the bar to be gone")
    assert "at most one" in say(stack, "set", "pi/valves.valve_b", "on", code=1)
    assert "at most one" in say(stack, "ledger", "--end", "refused", "--about", "group water")


def test_a_script_must_say_yes(stack: Stack) -> None:
    """Without it nothing is done, and the line says what to add; off needs none."""
    say(stack, "set", "pi/valves.valve_a", "on")
    assert "--yes" in say(stack, "set", "pi/valves.pump", "on", code=1)
    assert "confirmed" in say(stack, "set", "pi/valves.pump", "on", "--yes")
    assert "confirmed" in say(stack, "set", "pi/valves.pump", "off")


def test_what_breaks_while_it_is_on(stack: Stack) -> None:
    """The pump stops by itself, and the ledger says who did it and why."""
    say(stack, "set", "pi/valves.valve_a", "on")
    say(stack, "set", "pi/valves.pump", "on", "--yes")
    say(stack, "set", "pi/valves.valve_a", "off")
    shows(stack, "pi/valves.pump", "false")

    def lines() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(say(stack, "ledger", "--origin", "interlock", "--json"))
        return found

    line = wait_for(lines, "the agent's own command in the ledger")[0]
    assert (line["who"], line["name"], line["input"], line["end"]) == ("guard", "pump", False, "confirmed")
    assert "story" in say(stack, "ledger", line["id"])


def test_two_people_are_two(stack: Stack) -> None:
    """The code that one got is no good for the same one."""
    assert "pilothouse confirm" in say(stack, "set", "pi/relays.relay_1", "on", "--yes", code=1)
    told = json.loads(say(stack, "confirm", "pi/relays.relay_1", "on", "--json"))
    assert (told["two_person"], told["hazard"]) == (True, "The door opens")
    say(stack, "set", "pi/relays.relay_1", "on", "--confirmation", told["token"], code=1)
    assert say(stack, "get", "pi/relays.relay_1", "--raw") == "false\n"


def test_stop_and_lift(stack: Stack) -> None:
    """All safe, latched, said; lifted with a reason, and nothing is on."""
    say(stack, "set", "pi/relays.relay_2", "on")
    assert "pi  safe after " in say(stack, "stop", "--reason", "smoke")
    shows(stack, "pi/relays.relay_2", "false")
    assert "smoke" in say(stack, "set", "pi/relays.relay_2", "on", code=1)
    assert "smoke; obeyed by pi" in say(stack, "stop", "--status")
    assert "smoke" in say(stack, "doctor")
    say(stack, "stop", "--lift", code=2)
    assert "lifted " in say(stack, "stop", "--lift", "--reason", "mended")
    assert say(stack, "get", "pi/relays.relay_2", "--raw") == "false\n"
    assert "smoke" in say(stack, "ledger", "--kind", "site")


def test_stop_with_a_hub_that_stands_still(stack: Stack) -> None:
    """A frozen hub takes connections and answers nothing: after a second the bus carries the stop."""
    say(stack, "set", "pi/relays.relay_2", "on")
    pid = stack.pid("hub")
    os.kill(pid, signal.SIGSTOP)
    try:
        said = say(stack, "stop", "--reason", "frozen")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "Stopping straight over the bus" in said
    assert "pi  safe after " in said
    wait_for(lambda: "frozen" in say(stack, "stop", "--status"), "the hub to know of it")
    assert say(stack, "get", "pi/relays.relay_2", "--raw") == "false\n"


def test_a_stand(stack: Stack) -> None:
    """Taken, used, given back."""
    assert "held by" in say(stack, "stand", "take", "wet", "--note", "until lunch")
    say(stack, "set", "pi/valves.valve_a", "on")
    assert "pi/valves" in say(stack, "stand")
    say(stack, "stand", "release", "wet")
    assert "nobody" in say(stack, "stand", "wet")
    assert "Did you mean 'wet'" in say(stack, "stand", "wat", code=1)


def test_what_waits_is_taken_back(stack: Stack) -> None:
    """A device hangs; the command that waits for it is seen, taken back, and ends as refused.

    Two seconds later the agent would refuse it by itself, since the device does not answer.
    """
    with Client(stack.url, (stack.data / "token").read_text().strip()) as hub, ThreadPoolExecutor(1) as thread:
        hub.do("pi/relays.fail", {"kind": "hang", "seconds": 4.0})
        waiting = thread.submit(hub.set, "pi/relays.relay_2", True, ttl=30, id="waits-0001")
        wait_for(lambda: "waits-0001" in say(stack, "lanes", "pi"), "it to wait on its lane")
        assert "taken back" in say(stack, "cancel", "waits-0001", "--reason", "wrong one")
        with pytest.raises(NotConfirmed, match="wrong one"):
            waiting.result(timeout=20)
        assert "refused" in say(stack, "ledger", "waits-0001")
        say(stack, "cancel", "waits-0001", code=1)

        def answers() -> bool:
            try:
                return hub.set("pi/relays.relay_2", False).end == "confirmed"
            except NotConfirmed:
                return False

        wait_for(answers, "the board to answer again")
