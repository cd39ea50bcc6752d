"""The W3C Thing Description: valid by the standard's rules, and true to what our REST has on the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Optional, Union

import jsonschema
import msgspec
import pytest

from pilothouse.drivers import find, known
from pilothouse.model import (
    Event,
    Readable,
    Thing,
    ThingDescription,
    Writable,
    action,
    event,
    readable,
    writable,
)
from pilothouse.model.td import data_schema, to_td
from pilothouse.model.types import schema_of

RULES = jsonschema.Draft202012Validator(json.loads(Path(__file__).with_name("td_1_1.schema.json").read_text()))


class Report(msgspec.Struct):
    """A result with a nested type."""

    passed: bool
    steps: list[tuple[str, float]]
    note: str | None = None


class Everything(Thing):
    """One of each kind."""

    state: Readable[Literal["on", "off"]] = readable(doc="which")
    level: Writable[float] = writable(doc="how much", unit="Cel", minimum=5, maximum=90, precision=1, safe=20.0)
    table: Readable[dict[str, list[int]]] = readable(doc="numbers")
    maybe: Readable[Optional[Union[int, float]]] = readable(doc="perhaps")  # noqa: UP007, UP045
    anything: Readable[Any] = readable(doc="whatever")
    burst: Event[Report] = event(doc="it burst")
    ended: Event[None] = event(doc="it ended")

    @action(doc="self test", confirm="two-person", hazard="it moves")
    def self_test(self, depth: int, slow: bool = False) -> Report:
        """Test."""
        return Report(True, [("a", depth + slow)])

    @action(doc="beep")
    def beep(self) -> None:
        """Beep."""

    def read_state(self) -> str:
        """On."""
        return "on"

    read_level = read_table = read_maybe = read_anything = read_state

    def write_level(self, value: float) -> None:
        """Write."""


def describe(kind: type[Thing], name: str = "stove") -> ThingDescription:
    """The description that an agent would publish."""
    return ThingDescription(
        node="bench",
        name=name,
        doc="a thing",
        driver="some.driver",
        properties=kind.declared_properties,
        actions=kind.declared_actions,
        events=kind.declared_events,
    )


def test_the_rules_are_rules() -> None:
    """The fixture is a JSON Schema, and it refuses what the standard refuses."""
    jsonschema.Draft202012Validator.check_schema(RULES.schema)
    good = to_td(describe(Everything), "http://127.0.0.1:8470")
    for broken in (
        {key: value for key, value in good.items() if key != "title"},
        good | {"@context": ["http://www.w3.org/ns/td"]},
        good | {"securityDefinitions": {"none": {"scheme": "nosec"}}},
        good | {"properties": {"x": {"type": "float", "forms": good["properties"]["state"]["forms"]}}},
        good | {"properties": {"x": {"type": "number"}}},
        good | {"actions": {"x": {"forms": good["properties"]["state"]["forms"]}}},
        good | {"unknown": 1},
    ):
        assert not RULES.is_valid(broken)


@pytest.mark.parametrize("driver", [*known(), "everything"])
def test_descriptions_of_all_drivers_are_valid(driver: str) -> None:
    """Every driver that we bring, and one with every kind of type."""
    found = to_td(describe(Everything if driver == "everything" else find(driver)), "https://lab.example/ph/")
    errors = [f"{error.json_path}: {error.message}" for error in RULES.iter_errors(found)]
    assert errors == []
    json.dumps(found, allow_nan=False)


def test_forms_lead_to_our_rest() -> None:
    """Hrefs are relative to `base`, which ends in a slash, so that a hub under a path works too."""
    found = to_td(describe(Everything), "https://lab.example/ph")
    assert found["base"] == "https://lab.example/ph/"
    level = found["properties"]["level"]["forms"]
    assert [(form["href"], form["op"]) for form in level] == [
        ("api/things/bench/stove/properties/level", ["readproperty", "writeproperty"])
    ]
    assert found["properties"]["state"]["forms"][0]["op"] == ["readproperty"]
    assert found["actions"]["beep"]["forms"][0]["href"] == "api/things/bench/stove/actions/beep"
    burst = found["events"]["burst"]["forms"][0]
    assert burst["subprotocol"] == "sse"
    assert burst["href"] == "api/live?things=bench%2Fstove"
    assert "data" not in found["events"]["ended"]


def test_properties_say_what_they_are() -> None:
    """Unit, limits, direction; and what the standard has no word for, under our prefix."""
    level = to_td(describe(Everything), "http://h")["properties"]["level"]
    value = level["properties"]["value"]
    assert (value["type"], value["unit"], value["minimum"], value["maximum"]) == ("number", "Cel", 5, 90)
    assert (level["readOnly"], level["unit"], level["ph:safe"], level["ph:precision"]) == (False, "Cel", 20.0, 1)
    state = to_td(describe(Everything), "http://h")["properties"]["state"]
    assert state["readOnly"] is True
    assert "reason" not in state["properties"]
    assert state["properties"]["value"]["enum"] == ["on", "off"]


def test_what_is_on_the_wire_fits() -> None:
    """An answer of REST to a read, and the body of a write, by the property's own data schema."""
    level = to_td(describe(Everything), "http://h")["properties"]["level"]
    wire = {key: level[key] for key in ("type", "properties", "required")}
    check = jsonschema.Draft202012Validator(wire)
    read = {"value": 21.5, "time": 1, "quality": "good", "wish": None, "wish_time": 0, "unit": "Cel", "age_ms": 3}
    assert check.is_valid(read)
    assert check.is_valid({"value": 30, "reason": "warmer"})
    assert not check.is_valid({"value": 91})
    assert not check.is_valid(21.5)


def test_actions_say_input_and_outcome() -> None:
    """Arguments are required when the method needs them; care is stated."""
    actions = to_td(describe(Everything), "http://h")["actions"]
    test, beep = actions["self_test"], actions["beep"]
    assert test["input"]["required"] == ["input"]
    assert test["input"]["properties"]["input"]["required"] == ["depth"]
    assert test["output"]["properties"]["value"]["required"] == ["passed", "steps"]
    assert (test["ph:confirm"], test["ph:hazard"]) == ("two-person", "it moves")
    assert "required" not in beep["input"]
    assert "value" not in beep["output"]["properties"]


def test_ids_are_stable_and_differ() -> None:
    """The same thing through two hubs is one thing; the same name on another site is another."""
    one = to_td(describe(Everything), "http://a")["id"]
    assert one == to_td(describe(Everything), "http://b")["id"]
    assert one != to_td(describe(Everything, "other"), "http://a")["id"]
    assert one != to_td(describe(Everything), "http://a", site="lab")["id"]
    assert one.startswith("urn:uuid:")


def test_data_schemas_use_the_standards_words() -> None:
    """Unions, tuples and literals in the words that the standard has."""
    assert data_schema(schema_of(int | None)) == {"oneOf": [{"type": "integer"}, {"type": "null"}]}
    assert data_schema(schema_of(int | float | None)) == {"oneOf": [{"type": "number"}, {"type": "null"}]}
    assert data_schema(schema_of(Literal[1, 2])) == {"type": "integer", "enum": [1, 2]}
    assert data_schema(schema_of(Literal[1, "a"])) == {"enum": [1, "a"]}
    assert data_schema({"type": ["string", "null"]}) == {"oneOf": [{"type": "string"}, {"type": "null"}]}
    pair = data_schema(schema_of(tuple[int, str]))
    assert pair == {"type": "array", "minItems": 2, "maxItems": 2, "items": [{"type": "integer"}, {"type": "string"}]}
    assert data_schema(schema_of(dict[str, int])) == {"type": "object"}


def test_what_the_guard_sees_to_stands_beside_it() -> None:
    """Under our own prefix, and the whole is valid."""
    level = msgspec.structs.replace(
        Everything.declared_properties["level"],
        slew=5.0,
        max_on=60.0,
        safe_when=("start",),
        interlocks=("pump.on",),
        exclusive=("lamp.on",),
    )
    test = msgspec.structs.replace(Everything.declared_actions["self_test"], interlocks=("level < 30",))
    described = msgspec.structs.replace(describe(Everything), properties={"level": level}, actions={"self_test": test})
    found = to_td(msgspec.structs.replace(described, second_path=True), "http://127.0.0.1:8470")
    assert [error.message for error in RULES.iter_errors(found)] == []
    told = {key: value for key, value in found["properties"]["level"].items() if key.startswith("ph:")}
    assert told == {
        "ph:every": 1.0,
        "ph:precision": 1,
        "ph:safe": 20.0,
        "ph:slew": 5.0,
        "ph:safeWhen": ["start", "stop"],
        "ph:maxOn": 60.0,
        "ph:interlocks": ["pump.on"],
        "ph:exclusive": ["lamp.on"],
    }
    assert found["actions"]["self_test"]["ph:interlocks"] == ["level < 30"]
    assert found["ph:secondPath"] is True
