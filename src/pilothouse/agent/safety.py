"""Everything that keeps this node's outputs safe by itself, put together: guard, leases, link, and the gate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Protocol

from pilothouse.agent import rules
from pilothouse.agent.confirming import Confirming
from pilothouse.agent.gate import GuardedGate
from pilothouse.agent.guarding import Changed, Guarding
from pilothouse.agent.leasing import Leasing
from pilothouse.agent.link_proof import Proving
from pilothouse.agent.owned import Owned
from pilothouse.agent.peers import Peers
from pilothouse.agent.uplink import Link
from pilothouse.bus import Subjects
from pilothouse.clock import Clock
from pilothouse.config.site import Config
from pilothouse.guard import Ref
from pilothouse.model import Bar


class Acts(Protocol):
    """What is needed of the commands."""

    async def own(self, thing: str, names: Collection[str] | None, origin: str, reason: str) -> str:
        """Have outputs go safe by a command of the agent's own."""
        ...

    def at_it(self, thing: str, name: str) -> bool:
        """Whether the agent makes this output safe of its own already."""
        ...

    def unsafe(self, thing: str) -> dict[str, str]:
        """Outputs of a thing that could not be made safe yet, with why."""
        ...


class Safety:
    """See the module's text; one a node. `spawn` runs a task of the agent, `changed` hears of new bars of a thing."""

    def __init__(
        self,
        config: Config,
        node: str,
        things: Mapping[str, Owned],
        clock: Clock,
        *,
        spawn: Callable[[Coroutine[Any, Any, Any]], object],
        changed: Changed,
    ) -> None:
        self.acts: Acts | None = None
        """To be set before anything runs."""
        self._config = config
        self._node = node
        self._things = things
        self._spawn = spawn
        self._subjects = Subjects(config.site.name)
        self.peers = Peers(node, self._subjects, clock, lambda: self.guarding.touch())
        found = rules.groups(config, node)
        self.guarding = Guarding(node, things, found, self.peers.lookup, clock, self._act, changed)
        self.leasing = Leasing(node, self._subjects, clock, self._lease_over)
        self.gate = GuardedGate(self.guarding, self.leasing, clock)
        self._proving = Proving(clock, self._link_lost)
        self.guarding.watch_link = self._proving.watch

    def begin(self) -> None:
        """All things are made."""
        self.peers.want(_references(self._config, self._node))
        for owned in self._things.values():
            self.guarding.add(owned)

    def confirming(self, epoch: Callable[[], int]) -> Confirming:
        """What gives out confirmations."""
        return Confirming(self._things, self.gate, self._subjects, epoch)

    def works(self) -> dict[str, Coroutine[Any, Any, None]]:
        """What is to run for ever, also without a bus."""
        return {
            "guard": self.guarding.run(),
            "leases": self.leasing.run(),
            "link proof": self._proving.ask(),
            "link time": self._proving.look(),
        }

    def up(self, bus: Link) -> dict[str, Coroutine[Any, Any, None]]:
        """There is a link for the first time: what is to run with it."""
        self._proving.up(bus)
        return {"other nodes": self.peers.hear(bus), "stands": self.leasing.hear(bus)}

    def bars(self, thing: str) -> dict[str, Bar]:
        """Why outputs of a thing may not leave their safe values, and actions not be called, right now."""
        found = self.guarding.bars(thing)
        for name, mistake in self.acts.unsafe(thing).items() if self.acts else ():
            text = f"{thing}.{name} should be at its safe value and may not be: {mistake}"
            found[name] = Bar(rule="device", text=text, remedy="It is tried again by itself; look at the device")
        return found

    # what goes safe

    def _act(self, thing: str, names: Collection[str], origin: str, reason: str) -> None:
        assert self.acts is not None
        wanted = [name for name in names if not self.acts.at_it(thing, name)]
        if wanted:
            self._spawn(self.acts.own(thing, wanted, origin, reason))

    def _lease_over(self, thing: str, reason: str) -> None:
        owned = self._things.get(thing)
        if owned is not None and owned.opened.is_set():
            self._act(thing, owned.safe_at("lease"), "lease", reason)

    def _link_lost(self, over: Mapping[str, float]) -> None:
        going: dict[tuple[str, float], list[str]] = {}
        for key, limit in over.items():
            thing, _, name = key.partition(".")
            if self._things[thing].opened.is_set():
                going.setdefault((thing, limit), []).append(name)
        for (thing, limit), names in going.items():
            self._act(thing, names, "link", f"the link to the bus has been lost for {limit:g} s")


def _references(config: Config, node: str) -> set[Ref]:
    """All readings that the interlocks of this node name."""
    return {
        ref
        for thing, one in config.things.items()
        for name in one.interlocks
        for condition in rules.conditions(one, name)
        for ref in condition.resolved(node, thing).refs
    }
