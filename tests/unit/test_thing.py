"""Declaring a driver: what comes out of the declarations, and what is refused when the class is made."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
import pytest

from pilothouse.errors import BadDriver, BadValue
from pilothouse.model import Event, Readable, Thing, Writable, action, event, readable, setting, title_of, writable
from pilothouse.testing import FakeClock


class Kettle(Thing):
    """As a driver's author would write it."""

    port: str = setting(doc="serial port")
    baud: int = setting(9600, doc="speed", minimum=300, maximum=115200)
    mode: Literal["fast", "slow"] = "slow"

    temperature: Readable[float] = readable(unit="Cel", doc="water", precision=1, every=4.0)
    setpoint: Writable[float] = writable(unit="Cel", minimum=5, maximum=90, safe=20, doc="wish")
    boiled: Event[float] = event(doc="it boils")
    _private: int = 3

    @action(doc="descale", confirm=True, timeout=60)
    def descale(self, minutes: Annotated[float, msgspec.Meta(ge=1)], hot: bool = False) -> str:
        """Descale it."""
        return f"{minutes} {hot}"

    def read_temperature(self) -> float:
        """Degrees."""
        return 20.0

    def read_setpoint(self) -> float:
        """Degrees."""
        return 21.0

    def write_setpoint(self, value: float) -> None:
        """Degrees."""
        self.wish = value


def test_declarations_become_descriptions() -> None:
    """Everything that pages and REST need, with sensible defaults."""
    setpoint = Kettle.declared_properties["setpoint"]
    assert (setpoint.title, setpoint.unit, setpoint.writable, setpoint.safe) == ("Setpoint", "Cel", True, 20)
    assert setpoint.schema == {"type": "number", "minimum": 5, "maximum": 90}
    assert (setpoint.heartbeat, Kettle.declared_properties["temperature"].heartbeat) == (10.0, 20.0)
    assert not Kettle.declared_properties["temperature"].has_safe
    descale = Kettle.declared_actions["descale"]
    assert descale.input is not None
    assert descale.input["required"] == ["minutes"]
    assert "title" not in descale.input
    assert (descale.output, descale.confirm, descale.timeout) == ({"type": "string"}, "yes", 60)
    assert Kettle.declared_events["boiled"].data == {"type": "number"}
    assert Kettle.property_types == {"temperature": float, "setpoint": float}
    assert Kettle.setting_schema["required"] == ["port"]


def test_heirs_have_what_their_parents_have() -> None:
    """And their own."""

    class Bigger(Kettle):
        litres: float = setting(2.0, doc="volume")
        level: Readable[float] = readable(doc="of water")

        def read_level(self) -> float:
            return 1.0

    assert set(Bigger.declared_properties) == {"temperature", "setpoint", "level"}
    assert set(Bigger.setting_type.__struct_fields__) == {"port", "baud", "mode", "litres"}
    assert "level" not in Kettle.declared_properties


def test_settings_are_taken_and_checked() -> None:
    """Defaults, types, limits, and names with the nearest right one."""
    kettle = Kettle({"port": "/dev/ttyUSB0"})
    assert (kettle.port, kettle.baud, kettle.mode) == ("/dev/ttyUSB0", 9600, "slow")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "missing required field `port`"),
        ({"port": 3}, "expected text, got a whole number at `port`"),
        ({"port": "x", "baud": 1}, "at `baud`"),
        ({"port": "x", "baud": math.nan}, "setting 'baud' of Kettle cannot take nan"),
        ({"port": "x", "baud": math.inf}, "no numbers"),
        ({"port": "x", "mode": "quick"}, "at `mode`"),
        ({"port": "x", "bauds": 1}, "Did you mean 'baud'?"),
        ({"port": "x", "with space": 1}, "has no setting 'with space'"),
        ({"port": "x", "dot.ted": 1}, "has no setting 'dot.ted'"),
        ({"port": "x", 'quo"te': 1}, "port, baud, mode"),
        ({"port": "x", "y" * 10_240: 1}, "10242 characters"),
        ({"port": "x", "_private": 1}, "has no setting"),
        ({"port": "x", "temperature": 1}, "has no setting"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings: dict[str, Any], words: str) -> None:
    """In a sentence that a person can act on, however odd the key."""
    with pytest.raises(BadValue) as caught:
        Kettle(settings)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


def test_reading_writing_and_events() -> None:
    """By the methods of the driver; events as plain data, from any thread."""
    kettle = Kettle({"port": "x"})
    said: list[tuple[str, Any]] = []
    hinted: list[Any] = []
    kettle.emit("boiled", 99.0)
    kettle.changed("temperature")
    kettle.bind("kettle", FakeClock(), lambda name, data: said.append((name, data)), hinted.append)
    assert kettle.read(["temperature", "setpoint"]) == {"temperature": 20.0, "setpoint": 21.0}
    kettle.write("setpoint", 30.0)
    assert kettle.wish == 30.0
    kettle.emit("boiled", 99.5)
    kettle.changed("temperature")
    assert (said, hinted) == ([("boiled", 99.5)], [("temperature",)])
    assert kettle.resource() == "thing:kettle"
    assert kettle.properties() is Kettle.declared_properties
    kettle.open()
    kettle.close()
    with pytest.raises(BadDriver, match="'boiled'"):
        kettle.emit("boild", 1.0)
    with pytest.raises(BadValue):
        kettle.emit("boiled", math.nan)


def _no_reader() -> None:
    class Mute(Thing):
        level: Readable[float] = readable(doc="d")

        def read_levle(self) -> float:
            return 0.0


def _no_writer() -> None:
    class Stiff(Thing):
        level: Writable[float] = writable(doc="d")

        def read_level(self) -> float:
            return 0.0


def _no_declaration() -> None:
    class Bare(Thing):
        level: Readable[float]


def _no_event_declaration() -> None:
    class Bare(Thing):
        level: Event[float]


def _no_annotation() -> None:
    class Bare(Thing):
        level = readable(doc="d")


def _wrong_annotation() -> None:
    class Wrong(Thing):
        level: Readable[float] = writable(doc="d")


def _annotated_as_setting() -> None:
    class Wrong(Thing):
        level: float = readable(doc="d")


def _bad_name() -> None:
    class Wrong(Thing):
        Level: Readable[float] = readable(doc="d")


def _bad_action_name() -> None:
    class Wrong(Thing):
        @action(doc="d")
        def Go(self) -> None:  # noqa: N802
            pass


def _taken_property() -> None:
    class Wrong(Thing):
        close: Readable[bool] = readable(doc="d")


def _taken_action() -> None:
    class Wrong(Thing):
        @action(doc="d")
        def open(self) -> None:
            pass


def _taken_setting() -> None:
    class Wrong(Thing):
        name: str = setting("x", doc="d")


def _limits_on_text() -> None:
    class Wrong(Thing):
        level: Readable[str] = readable(doc="d", minimum=1)


def _crossed_limits() -> None:
    class Wrong(Thing):
        level: Readable[float] = readable(doc="d", minimum=2, maximum=1)


def _no_period() -> None:
    class Wrong(Thing):
        level: Readable[float] = readable(doc="d", every=0)


def _negative_dead_band() -> None:
    class Wrong(Thing):
        level: Readable[float] = readable(doc="d", dead_band=-1)


def _unsafe_type() -> None:
    class Wrong(Thing):
        level: Writable[float] = writable(doc="d", safe=False)


def _unsafe_limit() -> None:
    class Wrong(Thing):
        level: Writable[float] = writable(doc="d", minimum=5, maximum=9, safe=0)


def _strange_type() -> None:
    class Wrong(Thing):
        level: Readable[complex] = readable(doc="d")


def _unknown_type() -> None:
    class Wrong(Thing):
        level: Readable[Nowhere] = readable(doc="d")  # type: ignore[name-defined] # noqa: F821


def _strange_event() -> None:
    class Wrong(Thing):
        level: Event[complex] = event(doc="d")


def _strange_setting() -> None:
    class Wrong(Thing):
        level: complex = setting(doc="d")


def _wrong_default() -> None:
    class Wrong(Thing):
        level: int = setting("many", doc="d")


def _default_outside() -> None:
    class Wrong(Thing):
        level: int = setting(0, doc="d", minimum=1)


def _untyped_parameter() -> None:
    class Wrong(Thing):
        @action(doc="d")
        def go(self, far) -> None:  # type: ignore[no-untyped-def]
            pass


def _open_parameters() -> None:
    class Wrong(Thing):
        @action(doc="d")
        def go(self, *far: int) -> None:
            pass


def _strange_parameter() -> None:
    class Wrong(Thing):
        @action(doc="d")
        def go(self, far: complex) -> None:
            pass


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_no_reader, "no read_level(). Did you mean 'read_levle'?"),
        (_no_writer, "no write_level()"),
        (_no_declaration, "no declaration. Give it = readable(doc=…)"),
        (_no_event_declaration, "no declaration. Give it = event(doc=…)"),
        (_no_annotation, "Write: level: Readable[…] or Writable[…] = …"),
        (_wrong_annotation, "Did you mean 'Writable[…]'?"),
        (_annotated_as_setting, "its annotation does not say so"),
        (_bad_name, "small letter"),
        (_bad_action_name, "small letter"),
        (_taken_property, "such as close_value"),
        (_taken_action, "such as open_it"),
        (_taken_setting, "every driver needs for itself"),
        (_limits_on_text, "minimum and maximum are for numbers"),
        (_crossed_limits, "minimum of 2 and a maximum of 1"),
        (_no_period, "polled every 0 s"),
        (_negative_dead_band, "below 0"),
        (_unsafe_type, "cannot be made safe. its safe value cannot take False"),
        (_unsafe_limit, "it takes from 5 to 9"),
        (_strange_type, "Wrong.level has a type that cannot travel"),
        (_unknown_type, "'Nowhere' is not defined"),
        (_strange_event, "Wrong.level has a type that cannot travel"),
        (_strange_setting, "Wrong.level has a type that cannot travel"),
        (_wrong_default, "the default of Wrong.level is wrong"),
        (_default_outside, "the default of Wrong.level is wrong"),
        (_untyped_parameter, "'far' has no type"),
        (_open_parameters, "a name of its own"),
        (_strange_parameter, "Wrong.go has a type that cannot travel"),
    ],
)
def test_an_authors_mistakes_are_found_when_the_class_is_made(make: Any, words: str) -> None:
    """Each with the name of the class and the member."""
    with pytest.raises(BadDriver) as caught:
        make()
    assert words in str(caught.value)


def test_a_driver_that_reads_by_itself_needs_no_readers() -> None:
    """Where a device gives all values in one answer."""

    class Whole(Thing):
        level: Writable[float] = writable(doc="d")

        def read(self, names: Any) -> dict[str, float]:
            return dict.fromkeys(names, 1.0)

        def write(self, name: str, value: Any) -> None:
            pass

    assert Whole().read(["level"]) == {"level": 1.0}


def test_titles_are_names_as_people_write_them() -> None:
    """The first letter large, the rest as it is."""
    assert title_of("bath_temperature") == "Bath temperature"
    assert title_of("cpu") == "Cpu"
