"""The guard at work: what may not pass is refused with its reason, and what must go safe does so by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from pilothouse.agent.admission import Book
from pilothouse.agent.commands import Commands
from pilothouse.agent.lane import Watch
from pilothouse.agent.owned import Owned
from pilothouse.agent.safety import Safety
from pilothouse.bus.messages import AskConfirmation, Command, Confirmation, End, Latch, Outcome, StandLease, Why
from pilothouse.bus.subjects import Subjects
from pilothouse.config.site import Config, NodeConfig, PropertyConfig, SiteConfig, ThingConfig
from pilothouse.testing import FakeClock
from support.fake_bus import FakeBus
from support.odd import Heard, Odd, own, passing, soon

SUBJECTS = Subjects("home")
DRIVER = "support.odd:Odd"
EXCLUSIVE = {"valves": ("one.on", "two.on")}


class Plant:
    """Two things, commands to them, and the guard between; with a clock that a test moves."""

    def __init__(self, one: ThingConfig, two: ThingConfig, exclusive: dict[str, tuple[str, ...]]) -> None:
        self.clock = FakeClock()
        self.bus = FakeBus()
        self.watch = Watch(self.clock)
        self.lines: list[Outcome] = []
        self.full = False
        self.things: dict[str, Owned] = {}
        self.odd: dict[str, Odd] = {}
        self.barred: list[str] = []
        self.latch: Latch | None = None
        self.tasks: list[asyncio.Task[Any]] = []
        things = {"one": one, "two": two}
        config = Config(site=SiteConfig(), node=NodeConfig(name="pi"), things=things, exclusive=exclusive)
        self.safety = Safety(
            config, "pi", self.things, self.clock, spawn=self.spawn, changed=lambda thing: self.barred.append(thing)
        )
        self.commands = Commands(self.things, self, SUBJECTS, self.clock, lambda _: None, self.safety.gate)
        self.commands.book = Book("pi", 7)
        self.safety.acts = self.commands
        self.safety.gate.stopped = lambda: self.latch
        for name, settings in things.items():
            self.odd[name] = Odd()
            self.things[name] = own(
                self.odd[name], self.watch, Heard(), self.clock, Random(1), name=name, config=settings
            )
        self.safety.begin()
        works = [self.watch.run(), *(owned.keep() for owned in self.things.values()), *self.safety.works().values()]
        for work in works:
            self.spawn(work)
        self.count = 0

    def add(self, id: str, outcome: Outcome) -> None:
        """A line of the ledger."""
        self.lines.append(outcome)

    def spawn(self, work: Any) -> None:
        """A task that ends with the test."""
        self.tasks.append(asyncio.create_task(work))

    def up(self) -> None:
        """There is a link."""
        for work in self.safety.up(self.bus).values():
            self.spawn(work)

    def own(self) -> list[Outcome]:
        """Lines of the agent's own commands."""
        return [line for line in self.lines if line.made]

    def command(self, thing: str, name: str, value: Any, **more: Any) -> Command:
        """A command that is made now."""
        self.count += 1
        fields: dict[str, Any] = {
            "id": f"command-{self.count}",
            "node": "pi",
            "epoch": 7,
            "thing": thing,
            "kind": "property",
            "name": name,
            "input": value,
            "deadline": self.clock.mono() + 60_000,
            "who": "ada",
            "origin": "test",
        }
        return Command(**(fields | more))

    def send(self, command: Command) -> asyncio.Task[Outcome | None]:
        """As the bus would."""
        subject = SUBJECTS.command(command.node, command.thing, command.name)
        return asyncio.create_task(self.commands.handle(subject, command))

    async def ended(self, task: asyncio.Task[Outcome | None]) -> Outcome:
        """Its outcome."""
        await passing(self.clock, task.done, "an end", step=0.01)
        outcome = task.result()
        assert outcome is not None
        return outcome

    async def set(self, thing: str, name: str, value: Any, **more: Any) -> Outcome:
        """Write, and wait for the end."""
        return await self.ended(self.send(self.command(thing, name, value, **more)))

    async def read(self, thing: str, name: str, value: Any) -> None:
        """The device shows another value, and is read."""
        self.odd[thing].values[name] = value
        self.things[thing].poll_after([name])
        await soon(lambda: self.things[thing].value(name).value == value, f"{thing}.{name} to be read")

    async def end(self) -> None:
        """Leave nothing behind."""
        for odd in self.odd.values():
            odd.free.set()
        await self.commands.finish(0.01)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for lane in self.watch.lanes():
            lane.close()
            await lane.ended()


def thing(interlocks: dict[str, Any] | None = None, **on: Any) -> ThingConfig:
    """A thing whose switch has these settings."""
    properties = {"on": PropertyConfig(**on)} if on else {}
    return ThingConfig(driver=DRIVER, interlocks=interlocks or {}, properties=properties)


@pytest.fixture
async def make() -> AsyncIterator[Any]:
    """Plants whose things are open."""
    made: list[Plant] = []

    async def plant(
        one: ThingConfig | None = None, two: ThingConfig | None = None, exclusive: dict[str, Any] | None = None
    ) -> Plant:
        plant = Plant(one or thing(), two or thing(), exclusive or {})
        made.append(plant)
        await soon(lambda: all(owned.working for owned in plant.things.values()), "both things")
        return plant

    yield make_lines_clear(plant)
    for plant_ in made:
        await plant_.end()


def make_lines_clear(plant: Any) -> Any:
    """Begin each test with an empty ledger."""

    async def cleared(*args: Any, **more: Any) -> Plant:
        made: Plant = await plant(*args, **more)
        del made.lines[:]
        for odd in made.odd.values():
            del odd.calls[:]
        return made

    return cleared


async def test_only_one_of_a_group_passes_however_many_ask_at_once(make: Any) -> None:
    """Decided before any device was asked; the others are told which one it is."""
    plant = await make(exclusive=EXCLUSIVE)
    tasks = [plant.send(plant.command(name, "on", True)) for name in ("one", "two") * 10]
    outcomes = [await plant.ended(task) for task in tasks]
    assert {o.thing for o in outcomes if o.end is End.CONFIRMED} == {"one"}
    refused = [o for o in outcomes if o.thing == "two"]
    assert {(o.end, o.why) for o in refused} == {(End.REFUSED, Why.INTERLOCK)}
    assert "one.on is" in refused[0].detail and "group valves" in refused[0].detail
    assert plant.odd["two"].count("write") == 0
    assert (await plant.set("one", "on", False)).end is End.CONFIRMED
    assert (await plant.set("two", "on", True)).end is End.CONFIRMED


async def test_two_that_are_on_together_by_hand_both_go_safe(make: Any) -> None:
    """Each with its own line in the ledger that names the rule."""
    plant = await make(exclusive=EXCLUSIVE)
    await plant.read("one", "on", True)
    plant.odd["two"].values["on"] = True
    plant.things["two"].poll_after(["on"])  # seen on for a moment only, so nobody waits for that
    await soon(lambda: len(plant.own()) == 2, "two lines")
    assert {(line.thing, line.made.origin, line.end) for line in plant.own() if line.made} == {
        ("one", "exclusive", End.CONFIRMED),
        ("two", "exclusive", End.CONFIRMED),
    }
    assert plant.odd["one"].values["on"] is False and plant.odd["two"].values["on"] is False


async def test_an_interlock_that_breaks_while_it_is_on_makes_it_safe(make: Any) -> None:
    """With a line in the ledger, wish and accepted at the safe value, and the next command refused with the reading."""
    plant = await make(thing({"on": "requires two.number > 20"}))
    refused = await plant.set("one", "on", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.INTERLOCK)
    assert "interlock of one.on" in refused.detail and "two.number is 1" in refused.detail
    await plant.read("two", "number", 30.0)
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    await plant.read("two", "number", 12.5)
    await soon(lambda: plant.own(), "a line")
    (line,) = plant.own()
    assert line.made and (line.end, line.made.origin, line.made.input) == (End.CONFIRMED, "interlock", False)
    assert "two.number is 12.5" in line.made.reason
    state = plant.things["one"].value("on")
    assert (state.value, state.wish, state.wish_id, state.accepted) == (False, False, line.id, False)
    assert state.accepted_time and not state.differs_since
    await soon(lambda: "on" in plant.safety.bars("one"), "a bar")
    assert plant.safety.bars("one")["on"].rule == "interlock" and "one" in plant.barred


async def test_what_waits_to_turn_it_on_is_taken_back(make: Any) -> None:
    """The device is never asked for it, and the command is told why."""
    plant = await make(thing({"on": "two.number > 20"}))
    await plant.read("two", "number", 30.0)
    plant.odd["one"].free.clear()
    first = plant.send(plant.command("one", "work", {"times": 1}, kind="action"))
    await soon(lambda: plant.odd["one"].count("work") == 1, "the lane to be busy")
    waits = plant.send(plant.command("one", "on", True))
    await soon(lambda: plant.commands.running_writes() == 2, "both")
    await plant.read("two", "number", 1.0)
    outcome = await asyncio.wait_for(waits, 5)
    assert outcome and (outcome.end, outcome.why) == (End.REFUSED, Why.INTERLOCK)
    assert "goes safe" in outcome.detail and "two.number" in outcome.detail
    plant.odd["one"].free.set()
    await plant.ended(first)
    await soon(lambda: plant.own(), "a line")
    assert ("write", "on", True) not in plant.odd["one"].calls


async def test_max_on_and_min_off(make: Any) -> None:
    """It goes off by itself after its time, and may not go on again before it has rested."""
    plant = await make(thing(max_on=5, min_off=10))
    early = await plant.set("one", "on", True)
    assert early.why is Why.GUARD and "until" in early.detail
    await plant.clock.advance(10.1)
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    began = plant.clock.mono()
    await passing(plant.clock, lambda: plant.own(), "max_on")
    (line,) = plant.own()
    assert line.made and line.made.origin == "max-on" and line.end is End.CONFIRMED
    assert 4900 <= plant.clock.mono() - began <= 5400
    again = await plant.set("one", "on", True)
    assert again.why is Why.GUARD and "one.on" in again.detail
    await passing(plant.clock, lambda: "on" in plant.safety.bars("one"), "a bar")
    assert plant.safety.bars("one")["on"].until > plant.clock.now()
    assert (await plant.set("one", "on", False)).end is End.CONFIRMED, "the safe value is never refused"


async def test_a_step_that_is_too_large_names_the_nearest(make: Any) -> None:
    """And the safe value is exempt."""
    plant = await make(ThingConfig(driver=DRIVER, properties={"level": PropertyConfig(slew=2.0)}))
    outcome = await plant.set("one", "level", 9.0)
    assert outcome.why is Why.GUARD and "2" in outcome.remedy
    assert (await plant.set("one", "level", 2.0)).end is End.CONFIRMED
    assert (await plant.set("one", "level", 3.0)).why is Why.GUARD
    await plant.clock.advance(1.1)
    assert (await plant.set("one", "level", 3.0)).end is End.CONFIRMED
    assert (await plant.set("one", "level", 0.0)).end is End.CONFIRMED


async def test_a_lane_that_hangs_is_unknown_and_then_done(make: Any) -> None:
    """Said at once; the safe value goes out as soon as the driver comes back, and the ledger gets the later truth."""
    plant = await make(thing({"on": "two.number > 20"}))
    await plant.read("two", "number", 30.0)
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    await soon(lambda: not plant.things["one"]._polling, "the reading after the write: it must not be what hangs")
    plant.odd["one"].free.clear()
    stuck = plant.send(plant.command("one", "work", {"times": 1}, kind="action"))
    assert (await plant.ended(stuck)).end is End.UNKNOWN
    await plant.read("two", "number", 1.0)
    await passing(plant.clock, lambda: plant.own(), "a line")
    first = plant.own()[0]
    assert first.end is End.UNKNOWN and "has not answered since" in first.detail
    plant.odd["one"].free.set()
    await passing(plant.clock, lambda: len(plant.own()) > 1, "the later truth")
    later = plant.own()[1]
    assert (later.id, later.end) == (first.id, End.CONFIRMED)
    assert plant.odd["one"].values["on"] is False


async def test_a_safe_value_that_cannot_be_written_is_tried_until_it_is(make: Any) -> None:
    """One line for the failure, one for the success; the bar says it meanwhile."""
    plant = await make(thing({"on": "two.number > 20"}))
    await plant.read("two", "number", 30.0)
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    plant.odd["one"].broken["write"] = OSError("stuck")
    await plant.read("two", "number", 1.0)
    await passing(plant.clock, lambda: plant.own(), "a line")
    assert plant.own()[0].end is End.FAILED and "OSError: stuck" in plant.own()[0].detail
    assert "should be at its safe value" in plant.safety.bars("one")["on"].text
    await plant.clock.advance(30)
    assert len(plant.own()) == 1, "a failure is told once"
    writes = plant.odd["one"].count("write")
    assert 4 <= writes <= 9
    del plant.odd["one"].broken["write"]
    await passing(plant.clock, lambda: plant.odd["one"].values["on"] is False, "the safe value", most=11)
    await passing(plant.clock, lambda: len(plant.own()) == 2, "the line")
    assert plant.own()[1].end is End.CONFIRMED
    await passing(plant.clock, lambda: not plant.commands.unsafe("one"), "it to be over")


async def test_a_device_that_does_not_answer_bars_all_of_its_outputs(make: Any) -> None:
    """And its actions."""
    plant = await make()
    plant.odd["one"].broken["read"] = plant.odd["one"].broken["open"] = OSError("cable")
    plant.things["one"].poll_after(["on"])
    await soon(lambda: not plant.things["one"].working, "it to fail")
    bars = plant.safety.bars("one")
    assert {"on", "level", "work"} <= bars.keys()
    assert bars["on"].rule == "device" and "OSError: cable" in bars["on"].text and bars["on"].until
    assert plant.safety.bars("two") == {}


async def test_an_action_with_an_interlock_is_called_only_while_it_holds(make: Any) -> None:
    """The refusal names the reading."""
    plant = await make(thing({"work": "two.text == 'ready'"}))
    refused = await plant.ended(plant.send(plant.command("one", "work", None, kind="action")))
    assert refused.why is Why.INTERLOCK and "two.text is" in refused.detail
    await plant.read("two", "text", "ready")
    assert (await plant.ended(plant.send(plant.command("one", "work", None, kind="action")))).end is End.CONFIRMED


async def test_a_reading_that_grows_old_is_not_known(make: Any) -> None:
    """The driver leaves it out; after two and a half heartbeats the output goes safe."""
    plant = await make(thing({"on": "two.number > 20"}))
    await plant.read("two", "number", 30.0)
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    began = plant.clock.mono()
    del plant.odd["two"].values["number"]
    await passing(plant.clock, lambda: plant.own(), "a line", step=0.5)
    line = plant.own()[0]
    assert line.made and "two.number is not known: it has not been read since" in line.made.reason
    assert 24_000 <= plant.clock.mono() - began <= 26_500


LATCH = Latch(id="stop-1", kind="hard", time=1, who="bob", origin="page", reason="smoke")


async def test_a_pressed_stop_refuses_everything_but_safe_values(make: Any) -> None:
    """Also outputs that have none, and actions."""
    plant = await make()
    plant.latch = LATCH
    for command in (
        plant.command("one", "on", True),
        plant.command("one", "slow", 1.0),
        plant.command("one", "work", None, kind="action"),
    ):
        outcome = await plant.ended(plant.send(command))
        assert (outcome.end, outcome.why) == (End.REFUSED, Why.STOPPED)
        assert "bob" in outcome.detail and "smoke" in outcome.detail
    assert (await plant.set("one", "on", False)).end is End.CONFIRMED
    plant.latch = None
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED


def lease(plant: Plant, holder: str = "bob", *, left: float = 60.0, **more: Any) -> StandLease:
    """Stand "rig" with thing one."""
    now = plant.clock.now()
    fields: dict[str, Any] = {
        "stand": "rig",
        "things": ("pi/one",),
        "holder": holder,
        "time": now,
        "until": now + round(left * 1000),
        "left": left,
        "length": left,
    }
    return StandLease(**(fields | more))


async def test_a_lease_refuses_others_and_its_end_makes_safe(make: Any) -> None:
    """The refusal names the holder and until when; at the end the outputs go safe by our own clock."""
    plant = await make()
    plant.safety.leasing.heard(lease(plant), kept=False)
    refused = await plant.set("one", "on", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.LEASE)
    assert "bob" in refused.detail and "until" in refused.detail
    assert (await plant.set("two", "on", True)).end is End.CONFIRMED, "not in the stand"
    assert (await plant.set("one", "on", True, who="bob")).end is End.CONFIRMED
    assert (await plant.set("one", "on", True, who="ada")).why is Why.LEASE
    await passing(plant.clock, lambda: plant.own(), "the end of the lease", step=0.5)
    (line,) = plant.own()
    assert line.made and (line.made.origin, line.thing, line.end) == ("lease", "one", End.CONFIRMED)
    assert "bob" in line.made.reason
    assert plant.odd["two"].values["on"] is True
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED, "free again"


async def ask(plant: Plant, who: str = "ada", value: Any = True, **more: Any) -> Confirmation:
    """Ask for a confirmation to switch on."""
    fields = {"node": "pi", "epoch": 7, "thing": "one", "kind": "property", "name": "on", "input": value, "who": who}
    message = AskConfirmation(**(fields | more))
    confirming = plant.safety.confirming(lambda: 7)
    return await confirming.handle(SUBJECTS.confirm("pi", message.thing, message.name), message)


async def test_a_confirmation_is_for_one_command_once(make: Any) -> None:
    """Without one it is refused with its hazard; a token is spent by the command that it lets pass."""
    plant = await make(thing(confirm="yes", hazard="It bites"))
    refused = await plant.set("one", "on", True)
    assert (refused.end, refused.why) == (End.REFUSED, Why.CONFIRM) and "It bites" in refused.detail
    given = await ask(plant)
    assert given.token and given.lives == 60.0 and given.hazard == "It bites" and not given.two_person
    stranger = await plant.set("one", "on", True, who="eve", confirmation=given.token)
    assert stranger.why is Why.CONFIRM
    assert (await plant.set("one", "on", True, confirmation=given.token)).end is End.CONFIRMED
    assert (await plant.set("one", "on", False)).end is End.CONFIRMED, "the safe value needs none"
    assert (await plant.set("one", "on", True, confirmation=given.token)).why is Why.CONFIRM
    late = await ask(plant)
    await plant.clock.advance(61)
    assert (await plant.set("one", "on", True, confirmation=late.token)).why is Why.CONFIRM


async def test_two_persons(make: Any) -> None:
    """Who asks for the token cannot give the command."""
    plant = await make(thing(confirm="two-person"))
    given = await ask(plant, "bob")
    assert given.two_person
    assert (await plant.set("one", "on", True, who="bob", confirmation=given.token)).why is Why.CONFIRM
    assert (await plant.set("one", "on", True, who="ada", confirmation=given.token)).end is End.CONFIRMED


async def test_no_confirmation_for_what_would_be_refused_anyway(make: Any) -> None:
    """In the same words; nor for what needs none, nor for another run."""
    plant = await make(thing({"on": "two.number > 20"}, confirm="yes"), exclusive=EXCLUSIVE)
    assert (await ask(plant)).why is Why.INTERLOCK
    assert (await ask(plant, value=3)).why is Why.INPUT
    assert (await ask(plant, value=False)).why is Why.INPUT
    assert (await ask(plant, epoch=6)).why is Why.EPOCH
    assert (await ask(plant, thing="ten")).why is Why.MISSING
    assert (await ask(plant, thing="two")).why is Why.INPUT
    plant.latch = LATCH
    assert (await ask(plant)).why is Why.STOPPED


async def test_without_a_link_outputs_go_safe_after_their_time(make: Any) -> None:
    """The link is proven only while such an output is on."""
    plant = await make(thing(link_lost_after=2))
    plant.up()
    await plant.clock.advance(10)
    assert plant.bus.proofs == 0
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    await plant.clock.advance(10)
    assert plant.bus.proofs >= 10 and not plant.own()
    plant.bus.up = False
    cut = plant.clock.mono()
    await passing(plant.clock, lambda: plant.own(), "it to go safe")
    assert 1400 <= plant.clock.mono() - cut <= 2500
    (line,) = plant.own()
    assert line.made and (line.made.origin, line.end) == ("link", End.CONFIRMED)
    proofs = plant.bus.proofs
    await plant.clock.advance(10)
    assert plant.bus.proofs <= proofs + 1


async def test_an_output_that_is_on_without_there_ever_having_been_a_link_goes_safe(make: Any) -> None:
    """Its time counts from when it was seen on."""
    plant = await make(thing(link_lost_after=2))
    await plant.read("one", "on", True)
    await passing(plant.clock, lambda: plant.own(), "it to go safe", most=3)
    assert plant.odd["one"].values["on"] is False


async def test_own_commands_are_told_only_for_what_is_or_may_be_on(make: Any) -> None:
    """All are written all the same when a stop asks for all."""
    plant = await make()
    assert await plant.commands.own("one", ["on"], "lease", "it is over") == ""
    assert plant.odd["one"].count("write") == 0 and not plant.own()
    assert await plant.commands.own("one", None, "stop", "stop was pressed") == ""
    assert plant.odd["one"].count("write") == 2 and not plant.own()
    await plant.read("one", "level", 4.0)
    assert await plant.commands.own("one", None, "stop", "stop was pressed") == ""
    assert [(line.name, line.made.reason) for line in plant.own() if line.made] == [("level", "stop was pressed")]


async def test_somebody_who_turns_it_on_again_ends_the_trying(make: Any) -> None:
    """The newer wish stands."""
    plant = await make()
    await plant.read("one", "on", True)
    plant.odd["one"].broken["write"] = OSError("stuck")
    assert "OSError: stuck" in await plant.commands.own("one", ["on"], "lease", "it is over")
    del plant.odd["one"].broken["write"]
    assert (await plant.set("one", "on", True)).end is End.CONFIRMED
    await plant.clock.advance(20)
    assert plant.odd["one"].values["on"] is True and not plant.commands.unsafe("one")
