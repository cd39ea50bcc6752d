"""Descriptions and presence: from what the bus keeps last into the record, so that a hub knows absent nodes too."""

from __future__ import annotations

from pilothouse.bus import Bus, Subjects, Synced, streams
from pilothouse.bus.messages import Described, Message, Presence
from pilothouse.clock import Clock
from pilothouse.record import HistoryWriter


async def directory(bus: Bus, site: str, history: HistoryWriter, clock: Clock) -> None:
    """Take descriptions and presence, for ever."""
    subjects = Subjects(site)
    rows: list[tuple[str, type[Message]]] = [(subjects.presence(), Presence), (subjects.description(), Described)]
    async for found in bus.watch(streams(site)["now"], rows):
        if isinstance(found, Synced):
            continue
        subject, message = found
        _, names = subjects.parse(subject)
        if isinstance(message, Presence) and message.node == names["node"]:
            history.intake.presence(message, clock.now())
        elif isinstance(message, Described) and _belongs(message, names):
            history.intake.described(message, clock.now())


def _belongs(message: Described, names: dict[str, str]) -> bool:
    """Whether node and thing are the same in the subject, the message and the description."""
    about = message.description
    wanted = (names["node"], names["thing"])
    return (message.node, message.thing) == wanted == (about.node, about.name)
