"""A thing's second path: made safe from a thread of its own, whatever its lane is at."""

from __future__ import annotations

import asyncio
import logging
import threading

from pilothouse.agent.words import in_words
from pilothouse.model import Thing

log = logging.getLogger(__name__)


class SecondPath:
    """The second path of one thing, taken at most once at a time."""

    def __init__(self, thing: Thing) -> None:
        self._thing = thing
        self._loop = asyncio.get_running_loop()
        self._under_way: asyncio.Future[str] | None = None

    def take(self) -> asyncio.Future[str]:
        """Put the outputs to their safe values now; the future gives why that failed, "" = it is done."""
        if self._under_way is None or self._under_way.done():
            self._under_way = self._loop.create_future()
            # A daemon, as the lanes are: a path that does not come back must not keep the process from ending.
            threading.Thread(target=self._run, name=f"halt {self._thing.name}", daemon=True).start()
        return self._under_way

    def _run(self) -> None:
        try:
            self._thing.halt()
            why = ""
        except BaseException as error:  # noqa: BLE001 - edge: a driver is a stranger's and may even raise SystemExit
            why = in_words(error)
        try:
            self._loop.call_soon_threadsafe(self._came_back, why)
        except RuntimeError:
            pass  # the event loop is closed: the agent has ended

    def _came_back(self, why: str) -> None:
        log.info("%s was made safe by its second path%s", self._thing.name, f", which failed: {why}" if why else "")
        if self._under_way is not None and not self._under_way.done():
            self._under_way.set_result(why)
