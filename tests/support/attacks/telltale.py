"""A device that says one word wherever a device can say something: in values, events, errors and answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pilothouse.model import Event, Readable, Thing, Writable, action, event, readable, setting, writable


class Telltale(Thing):
    """Whoever finds its word in an answer has seen something of this device."""

    word: str = setting("", doc="what it says")

    said: Readable[str] = readable(doc="the word", every=0.3)
    mood: Writable[str] = writable(doc="a text", safe="")
    told: Event[str] = event(doc="the word again")

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__(settings)
        self._mood = ""
        self._sulks = False

    def read(self, names: Collection[str]) -> Mapping[str, Any]:
        """The word, with how often it was asked, so that it is new each time."""
        if self._sulks:
            self._sulks = False
            raise ConnectionError(f"{self.word} sulks")
        values = {"said": f"{self.word} is well", "mood": self._mood}
        return {name: values[name] for name in names}

    def write(self, name: str, value: Any) -> None:
        """Take a text."""
        self._mood = value

    @action(doc="say it as an event, and as the answer")
    def tell(self) -> str:
        """The word."""
        self.emit("told", f"{self.word} has told")
        return f"{self.word} answers"

    @action(doc="fail when it is read next")
    def sulk(self) -> None:
        """Errors hold the word."""
        self._sulks = True
