"""Asking and being answered: one inbox for all requests of a connection."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable
from itertools import count

from pilothouse.bus.link import Delivery, Link
from pilothouse.errors import BusDown, NodeAway, TimedOut


class _Waiting:
    """One question that is out."""

    __slots__ = ("deliveries", "done", "future", "needs_link")

    def __init__(self, done: Callable[[Delivery], bool], *, needs_link: bool) -> None:
        self.done = done
        self.needs_link = needs_link
        self.deliveries: list[Delivery] = []
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Replies:
    """Gives every answer to whoever asked."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._prefix = f"_INBOX.{re.sub(r'[^A-Za-z0-9_-]', '-', name)}.{secrets.token_hex(8)}."
        self._numbers = count()
        self._waiting: dict[str, _Waiting] = {}
        link.tap(self._prefix + "*", self._take)

    async def one(
        self,
        subject: str,
        data: bytes,
        timeout: float,
        *,
        headers: dict[str, str] | None = None,
        needs_link: bool = False,
    ) -> Delivery:
        """The first answer within `timeout` seconds.

        Raises BusDown when it could not be sent, NodeAway at once when nobody listens there, TimedOut when no answer
        came. With `needs_link`, also BusDown as soon as the link is lost; without, the answer may still come over
        the next link.
        """
        waiting = _Waiting(lambda _: True, needs_link=needs_link)
        await self._ask(waiting, subject, data, timeout, headers)
        answer = waiting.deliveries[0]
        if answer.status == "503":
            raise NodeAway(f"Nobody listens on {subject}")
        return answer

    async def many(self, subject: str, data: bytes, timeout: float) -> list[Delivery]:
        """Answers up to and with the one that carries a status; raises as `one` does with `needs_link`."""
        waiting = _Waiting(lambda delivery: delivery.status != "", needs_link=True)
        await self._ask(waiting, subject, data, timeout, None)
        if waiting.deliveries[-1].status == "503":
            raise NodeAway(f"Nobody listens on {subject}")
        return waiting.deliveries

    async def several(self, subject: str, data: bytes, timeout: float, *, enough: int) -> list[Delivery]:
        """Answers of all who listen: returns with the `enough`th, or with those that came within `timeout` seconds.

        Raises BusDown when it could not be sent or the link was lost meanwhile; [] when nobody listens.
        """
        answers: list[Delivery] = []

        def done(delivery: Delivery) -> bool:
            if delivery.status == "":
                answers.append(delivery)
            return delivery.status == "503" or len(answers) >= enough

        try:
            await self._ask(_Waiting(done, needs_link=True), subject, data, timeout, None)
        except TimedOut:
            pass  # not all who were expected have answered; what came is the answer
        return answers

    async def _ask(
        self, waiting: _Waiting, subject: str, data: bytes, timeout: float, headers: dict[str, str] | None
    ) -> None:
        if self._link.crowded:
            await self._link.room()
        token = f"{next(self._numbers):x}"
        self._waiting[token] = waiting
        timer = asyncio.get_running_loop().call_later(timeout, self._late, waiting, subject, timeout)
        try:
            self._link.post(subject, data, self._prefix + token, headers)
            await waiting.future
        finally:
            timer.cancel()
            del self._waiting[token]

    def _take(self, delivery: Delivery) -> None:
        waiting = self._waiting.get(delivery.subject[len(self._prefix) :])
        if waiting is None or waiting.future.done():
            return
        waiting.deliveries.append(delivery)
        if waiting.done(delivery):
            waiting.future.set_result(None)

    @staticmethod
    def _late(waiting: _Waiting, subject: str, timeout: float) -> None:
        if not waiting.future.done():
            waiting.future.set_exception(TimedOut(f"No answer from {subject} within {timeout:g} s"))

    def lost(self) -> None:
        """The link is gone: end the questions that another link cannot answer."""
        for waiting in self._waiting.values():
            if waiting.needs_link and not waiting.future.done():
                waiting.future.set_exception(BusDown("The link to the bus was lost before the answer came"))

    def end(self) -> None:
        """The connection is closed: end every question."""
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(BusDown("The link to the bus was closed before the answer came"))
