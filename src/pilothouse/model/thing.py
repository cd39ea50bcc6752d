"""The base class of every driver.

A driver is a data sheet followed by what it does:

    class Thermostat(Thing):
        \"\"\"Water bath. Wiring: USB. Manual: <link>.\"\"\"

        port: str = setting(doc="serial port, such as /dev/ttyUSB0")

        temperature: Readable[float] = readable(unit="Cel", doc="bath, at the probe", precision=2)
        setpoint: Writable[float] = writable(unit="Cel", minimum=5, maximum=90, safe=20, doc="wish")
        overheated: Event[float] = event(doc="the bath passed 95 °C")

        def open(self) -> None: ...
        def read_temperature(self) -> float: ...
        def read_setpoint(self) -> float: ...
        def write_setpoint(self, value: float) -> None: ...

        @action(doc="self test", confirm=True)
        def self_test(self) -> TestReport: ...

Every property `x` needs `read_x`, or the class overrides `read`; every writable one needs `write_x`. All these methods
may block: the agent calls them on the lane of `resource()`, one at a time, in order. They raise whatever they like;
the agent shows the error on this thing only. A driver knows nothing of the bus, the node, or time stamps. Where the
outputs can be made safe by another way than through the device's own protocol, `halt` is that second path: it makes a
stop work while the driver hangs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

import msgspec

from pilothouse.clock import Clock, SystemClock
from pilothouse.errors import BadDriver, BadValue, nearest
from pilothouse.model import audit, declare
from pilothouse.model.affordances import ActionDescription, EventDescription, PropertyDescription, Schema
from pilothouse.model.types import limited, plain_words, schema_of, short, to_plain, why_not_carried
from pilothouse.model.values import Value

Emit = Callable[[str, Value], None]
Changed = Callable[[Collection[str]], None]


class Thing:
    """Base of all drivers; see the module's text. Subclasses are checked when they are defined."""

    simulated: ClassVar[bool] = False
    """True for drivers that are no hardware; the page says so."""
    setting_type: ClassVar[type[msgspec.Struct]]
    setting_schema: ClassVar[Schema]
    declared_properties: ClassVar[dict[str, PropertyDescription]]
    declared_actions: ClassVar[dict[str, ActionDescription]]
    declared_events: ClassVar[dict[str, EventDescription]]
    property_types: ClassVar[dict[str, Any]]
    """Python type of each declared property's value."""
    action_inputs: ClassVar[dict[str, type[msgspec.Struct]]]
    """Struct of each action's arguments."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        hints = audit.described(cls.__name__, lambda: get_type_hints(cls, include_extras=True))
        audit.check_annotations(cls, hints, Thing)
        cls.property_types = {}
        cls.declared_properties = {}
        cls.declared_events = {}
        settings: list[tuple[str, Any, Any]] = []
        for name, hint in hints.items():
            origin = get_origin(hint)
            if origin in (declare.Readable, declare.Writable):
                cls._declare_property(name, get_args(hint)[0], writable=origin is declare.Writable)
            elif origin is declare.Event:
                cls._declare_event(name, get_args(hint)[0])
            elif origin is not ClassVar and not name.startswith("_"):
                settings.append(_setting_field(cls, name, hint))
        cls.setting_type, cls.setting_schema = _settings_of(cls, settings)
        cls.declared_actions, cls.action_inputs = _actions_of(cls)
        others = (*cls.declared_actions, *cls.declared_events)
        audit.check_methods(cls, Thing, cls.declared_properties.values(), others)

    def __init__(self, settings: Mapping[str, Value] | None = None) -> None:
        """Take settings as the configuration gives them; raises BadValue that names the setting."""
        given = dict(settings or {})
        known = self.setting_type.__struct_fields__
        for key, value in given.items():
            why = why_not_carried(value)
            if key not in known:
                raise BadValue(
                    f"{type(self).__name__} has no setting {short(key)}",
                    nearest=nearest(key, known),
                    remedy=f"It has these settings: {', '.join(known)}" if known else "It has no settings",
                )
            if why:
                raise BadValue(f"setting {key!r} of {type(self).__name__} cannot take {short(value)}", why=why)
        try:
            taken = msgspec.convert(given, self.setting_type)
        except msgspec.ValidationError as error:
            raise BadValue(f"a setting of {type(self).__name__} is wrong", why=plain_words(str(error))) from None
        for field in self.setting_type.__struct_fields__:
            setattr(self, field, getattr(taken, field))
        self.name = type(self).__name__.lower()
        self.clock: Clock = SystemClock()
        self._emit: Emit = _ignore
        self._changed: Changed = _ignore_changed

    def bind(self, name: str, clock: Clock, emit: Emit, changed: Changed) -> None:
        """Called once by the agent before `open`: the thing's name, time, and where events and hints go.

        `emit` and `changed` may be called from any thread.
        """
        self.name = name
        self.clock = clock
        self._emit = emit
        self._changed = changed

    def open(self) -> None:
        """Get hold of the device. Called on the lane, again after every failure; must leave nothing half open."""

    def close(self) -> None:
        """Let go of the device. Called on the lane at stop and before a new `open`; must not raise when not open."""

    def halt(self) -> None:
        """Put every output to its safe value by a way that does not need the lane; override it where there is one.

        Such as a contactor before the board, or a line that disables all drivers. Called when stop is pressed, from
        another thread while any other method may be running or hanging; must not wait for them. A call that was
        running may come to its end after it and should not undo it. Safe values are written on the lane as well, once
        it is free: the first write after a halt may make the way ready again. Raise when it cannot be done.
        """
        raise NotImplementedError(f"{type(self).__name__} has no second path")

    def resource(self) -> str:
        """What must not be used by two at once, such as "serial:/dev/ttyUSB0"; its lane has this name."""
        return f"thing:{self.name}"

    def properties(self) -> dict[str, PropertyDescription]:
        """The properties of this very device; override to add those that depend on what is found.

        Called after `open`; the answer must not change until the next `open`.
        """
        return self.declared_properties

    def read(self, names: Collection[str]) -> Mapping[str, Any]:
        """Read these properties; override where the device gives many in one answer.

        A name that is left out of the answer keeps its last reading; raise to say that the device did not answer.
        """
        return {name: getattr(self, f"read_{name}")() for name in names}

    def write(self, name: str, value: Any) -> None:
        """Write one property; `value` has the declared type and is within limits."""
        getattr(self, f"write_{name}")(value)

    def emit(self, event: str, data: Any = None) -> None:
        """Say that a declared event happened; from any thread."""
        if event not in self.declared_events:
            close = nearest(event, self.declared_events)
            raise BadDriver(f"{type(self).__name__} has no event {event!r}", nearest=close)
        self._emit(event, to_plain(data))

    def changed(self, *names: str) -> None:
        """Hint that these properties have changed by themselves, so that they are read now; from any thread."""
        self._changed(names)

    @classmethod
    def _declare_property(cls, name: str, kind: Any, *, writable: bool) -> None:
        declared = getattr(cls, name, None)
        if not isinstance(declared, declare.PropertyDeclaration):
            raise BadDriver(f"{cls.__name__}.{name} has no declaration", remedy="Give it = readable(doc=…)")
        if declared.writable is not writable:
            wanted = "Writable[…]" if declared.writable else "Readable[…]"
            raise BadDriver(f"{cls.__name__}.{name} is declared otherwise than annotated", nearest=wanted)
        label = f"{cls.__name__}.{name}"
        schema = audit.described(label, lambda: schema_of(kind))
        try:
            schema = limited(schema, declared.minimum, declared.maximum)
        except TypeError as error:
            raise BadDriver(f"{label}: {error}") from None
        cls.property_types[name] = kind
        has_safe = declared.safe is not msgspec.UNSET
        cls.declared_properties[name] = PropertyDescription(
            name=name,
            schema=schema,
            title=declared.title or title_of(name),
            doc=declared.doc,
            unit=declared.unit,
            writable=writable,
            minimum=declared.minimum,
            maximum=declared.maximum,
            precision=declared.precision,
            every=declared.every,
            dead_band=declared.dead_band,
            heartbeat=declared.heartbeat or max(10.0, 5 * declared.every),
            safe=None if declared.safe is msgspec.UNSET else declared.safe,
            has_safe=has_safe,
            settle=declared.settle,
            confirm=declared.confirm,
            hazard=declared.hazard,
        )
        audit.check_property(label, cls.declared_properties[name], kind)

    @classmethod
    def _declare_event(cls, name: str, kind: Any) -> None:
        declared = getattr(cls, name, None)
        if not isinstance(declared, declare.EventDeclaration):
            raise BadDriver(f"{cls.__name__}.{name} has no declaration", remedy="Give it = event(doc=…)")
        cls.declared_events[name] = EventDescription(
            name=name,
            title=declared.title or title_of(name),
            doc=declared.doc,
            data=_schema_or_none(f"{cls.__name__}.{name}", kind),
        )


def title_of(name: str) -> str:
    """A name as a person would write it: "bath_temperature" is "Bath temperature"."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def _setting_field(cls: type[Thing], name: str, hint: Any) -> tuple[str, Any, Any]:
    declared = getattr(cls, name, msgspec.UNSET)
    if isinstance(declared, declare.PropertyDeclaration | declare.EventDeclaration):
        remedy = f"Write: {name}: Readable[…] = readable(…), or Writable, or Event"
        raise BadDriver(
            f"{cls.__name__}.{name} is a property or event, and its annotation does not say so", remedy=remedy
        )
    if not isinstance(declared, declare.SettingDeclaration):
        declared = declare.SettingDeclaration(default=declared)
    audit.described(f"{cls.__name__}.{name}", lambda: schema_of(hint))
    meta = msgspec.Meta(description=declared.doc or None, ge=declared.minimum, le=declared.maximum)
    default = msgspec.NODEFAULT if declared.default is msgspec.UNSET else declared.default
    return name, Annotated[hint, meta], default


def _settings_of(cls: type[Thing], fields: list[Any]) -> tuple[type[msgspec.Struct], Schema]:
    label = f"a setting of {cls.__name__}"
    kind = audit.described(
        label,
        lambda: msgspec.defstruct(
            f"{cls.__name__}Settings", fields, forbid_unknown_fields=True, kw_only=True, frozen=True
        ),
    )
    schema = audit.described(label, lambda: schema_of(kind))
    defaults = {name: default for name, _, default in fields if default is not msgspec.NODEFAULT}
    for name, hint, _ in fields:
        try:
            if name in defaults:
                msgspec.convert(msgspec.to_builtins(defaults[name]), hint)
        except msgspec.ValidationError as error:
            raise BadDriver(f"the default of {cls.__name__}.{name} is wrong", why=plain_words(str(error))) from None
    return kind, schema


def _actions_of(cls: type[Thing]) -> tuple[dict[str, ActionDescription], dict[str, type[msgspec.Struct]]]:
    described: dict[str, ActionDescription] = {}
    inputs: dict[str, type[msgspec.Struct]] = {}
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        declared: declare.ActionDeclaration | None = getattr(method, "__pilothouse_action__", None)
        if declared is None:
            continue
        label = f"{cls.__name__}.{name}"
        hints = audit.described(label, lambda method=method: get_type_hints(method, include_extras=True))  # type: ignore[misc]
        inputs[name] = _input_of(label, method, hints)
        described[name] = ActionDescription(
            name=name,
            title=declared.title or title_of(name),
            doc=declared.doc,
            input=_schema_or_none(label, inputs[name]) if inputs[name].__struct_fields__ else None,
            output=_schema_or_none(label, hints.get("return")),
            timeout=declared.timeout,
            confirm=declared.confirm,
            hazard=declared.hazard,
        )
    return described, inputs


def _input_of(label: str, method: Callable[..., Any], hints: Mapping[str, Any]) -> type[msgspec.Struct]:
    """The struct of a method's parameters."""
    fields: list[Any] = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise BadDriver(f"{label}: parameter {parameter.name!r} must have a name of its own in the input")
        if parameter.name not in hints:
            raise BadDriver(f"{label}: parameter {parameter.name!r} has no type")
        field = (parameter.name, hints[parameter.name])
        fields.append(field if parameter.default is parameter.empty else (*field, parameter.default))
    name = f"{method.__name__}_input"
    return audit.described(label, lambda: msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True))


def _schema_or_none(label: str, kind: Any) -> Schema | None:
    """Schema of what travels, without the name of a struct that nobody wrote; None for nothing."""
    if kind in (None, type(None)):
        return None
    schema = audit.described(label, lambda: schema_of(kind))
    return {key: value for key, value in schema.items() if key != "title"}


def _ignore(_event: str, _data: Value) -> None:
    """Where events go before the agent binds a thing."""


def _ignore_changed(_names: Collection[str]) -> None:
    """Where hints go before the agent binds a thing."""
