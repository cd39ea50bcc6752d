"""What must never happen, as questions to what a run has seen. Pure; each gives sentences, none when all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from support.faults.seen import Attempt, Move, Seen

COUNTER = "counter.level"
"""The output whose every command has a value of its own."""
VALVES = ("valves.valve_a", "valves.valve_b")
SLACK = 150
"""Milliseconds by which clocks of two processes may be read apart."""
SAFE = {"valves.valve_a": False, "valves.valve_b": False, "valves.pump": False, "relays.relay_1": False}
NEVER_DONE = ("refused", "expired")


def confirmed_and_not_done(seen: Seen) -> list[str]:
    """A command was told as confirmed, and the device never took that value meanwhile."""
    by_output: dict[str, list[Move]] = {}
    for move in seen.moves:
        by_output.setdefault(move.output, []).append(move)

    def done(attempt: Attempt) -> bool:
        return any(
            move.value == attempt.value and attempt.sent - SLACK <= move.mono <= attempt.answered + SLACK
            for move in by_output.get(attempt.output, [])
        )

    return [
        f"{attempt.id} was confirmed, and {attempt.output} never became {attempt.value}"
        for attempt in seen.attempts
        if attempt.end == "confirmed" and not done(attempt)
    ]


def done_twice(seen: Seen) -> list[str]:
    """One command moved the device twice."""
    times = Counter(move.value for move in seen.moves if move.output == COUNTER)
    return [f"{COUNTER} took {value} {count} times" for value, count in times.items() if count > 1]


def done_though_refused(seen: Seen) -> list[str]:
    """A command was told as never done, and the device took its value."""
    taken = {move.value for move in seen.moves if move.output == COUNTER}
    return [
        f"{attempt.id} was {attempt.end} ({attempt.detail}), and {COUNTER} took {attempt.value}"
        for attempt in seen.attempts
        if attempt.output == COUNTER and attempt.end in NEVER_DONE and attempt.value in taken
    ]


def done_unasked(seen: Seen) -> list[str]:
    """The device took a value that nobody had asked for."""
    asked = {attempt.value for attempt in seen.attempts if attempt.output == COUNTER}
    return [
        f"{COUNTER} took {move.value}, which nobody asked for"
        for move in seen.moves
        if move.output == COUNTER and move.value not in asked
    ]


def together(seen: Seen) -> list[str]:
    """Two exclusive outputs were on at once."""
    on: set[str] = set()
    found = []
    for move in sorted(seen.moves, key=lambda move: move.mono):
        if move.output not in VALVES:
            continue
        (on.add if move.value else on.discard)(move.output)
        if len(on) > 1:
            found.append(f"both valves were open at {move.mono}")
    return found


def left_on_after_a_kill(seen: Seen) -> list[str]:
    """An output was on when its agent was killed, and the next that happened to it was not its safe value."""
    found = []
    for trouble in seen.troubles:
        if (trouble.process, trouble.kind) != ("agent", "kill"):
            continue
        for output, safe in SAFE.items():
            moves = [move for move in seen.moves if move.output == output]
            before = [move for move in moves if move.mono <= trouble.mono]
            after = [move for move in moves if move.mono > trouble.mono + SLACK]
            if before and before[-1].value != safe and (not after or after[0].value != safe):
                found.append(f"{output} was on when the agent was killed at {trouble.mono}, and stayed on")
    return found


def on_while_stopped(seen: Seen) -> list[str]:
    """An output went on between the answer that a stop was obeyed and its lifting."""
    return [
        f"{move.output} became {move.value} at {move.mono}, while stop was latched"
        for stop in seen.stops
        for move in seen.moves
        if move.output in SAFE and move.value != SAFE[move.output] and stop.safe + SLACK < move.mono < stop.lifted
    ]


def missing_in_the_ledger(seen: Seen) -> list[str]:
    """A command that a hub has answered for has no line, or no end, or another end than its client was told."""
    found = []
    for attempt in seen.attempts:
        line = seen.ledger.get(attempt.id)
        if line is None:
            if attempt.end == "confirmed":
                found.append(f"{attempt.id} was confirmed and has no line")
            continue
        if line["end"] == "":
            found.append(f"{attempt.id} has no end")
        told = {line["end"], *(later["end"] for later in line.get("later", []))}
        # Who repeats a key whose first call fell with its hub is told "unknown" while the line is still open.
        if attempt.end not in ("", "unknown", *told):
            found.append(f"{attempt.id} was told as {attempt.end} and stands as {line['end']}")
    return found


def confirmed_in_the_ledger_and_not_done(seen: Seen) -> list[str]:
    """The ledger says of a numbered command that it was confirmed or failed at the device; the trace must agree."""
    taken = {move.value for move in seen.moves if move.output == COUNTER}
    found = []
    for attempt in seen.attempts:
        line = seen.ledger.get(attempt.id)
        if attempt.output != COUNTER or line is None:
            continue
        ends = {line["end"], *(later["end"] for later in line.get("later", []))}
        if "confirmed" in ends and attempt.value not in taken:
            found.append(f"{attempt.id} stands as confirmed, and {COUNTER} never took {attempt.value}")
        if ends <= set(NEVER_DONE) and attempt.value in taken:
            found.append(f"{attempt.id} stands as {line['end']}, and {COUNTER} took {attempt.value}")
    return found


def old_as_fresh(seen: Seen) -> list[str]:
    """A node was shown as here, and its value as fresh, though nobody can have read it for too long."""
    return [
        f"at {look.mono} the node was {look.life} with a value {look.age_ms} ms old"
        for look in seen.looks
        if look.life == "here" and look.age_ms is not None and look.age_ms > look.fresh_for + 6000
    ]


def lost_readings(seen: Seen) -> list[str]:
    """A reading that the bus had acknowledged is not in history."""
    there = set(seen.history)
    return [
        f"the reading {value} of {time} is not in history" for time, value in seen.kept if (time, value) not in there
    ]


NEVER: dict[str, Callable[[Seen], list[str]]] = {
    question.__name__: question
    for question in (
        confirmed_and_not_done,
        done_twice,
        done_though_refused,
        done_unasked,
        together,
        left_on_after_a_kill,
        on_while_stopped,
        missing_in_the_ledger,
        confirmed_in_the_ledger_and_not_done,
        old_as_fresh,
        lost_readings,
    )
}
"""All questions by name."""


def judge(seen: Seen) -> list[str]:
    """Everything that happened and must not."""
    return [f"{name}: {sentence}" for name, question in NEVER.items() for sentence in question(seen)]
