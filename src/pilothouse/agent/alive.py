"""The agent's sign of life, given to whoever started it: `pilothouse up`, or systemd (protocol of sd_notify).

It comes from the event loop, so an agent that is frozen or stuck gives none, is killed, and the next one makes its
outputs safe.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

from pilothouse.clock import Clock

log = logging.getLogger(__name__)

_SIGNS = 4
"""Signs within the time after which the agent counts as frozen."""


class Alive:
    """Gives the sign of life when the environment asks for it."""

    def __init__(self, clock: Clock, environment: Mapping[str, str]) -> None:
        self._clock = clock
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._every = _period(environment)

    async def run(self) -> None:
        """Give the sign for ever; returns at once when nobody wants it."""
        if not self._address or not self._every:
            return
        # A name that begins with "@" stands for one in the abstract space, where a zero byte comes first.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            said = False
            while True:
                try:
                    out.sendto(b"WATCHDOG=1", address)
                except OSError as error:
                    if not said:
                        log.warning("nobody hears the sign of life at %s: %s", self._address, error.strerror)
                    said = True
                await self._clock.sleep(self._every)


def _period(environment: Mapping[str, str]) -> float:
    """Seconds between two signs; 0 = none are wanted of this process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    try:
        return max(0, int(environment.get("WATCHDOG_USEC", "0"))) / 1e6 / _SIGNS
    except ValueError:
        return 0.0
