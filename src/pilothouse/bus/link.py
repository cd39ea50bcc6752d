"""The wire: nats-py's client, with its queues and its outgoing buffer taken out.

nats-py does the handshake, TLS, pings, parsing and reconnecting. What it does with messages is replaced, because this
bus carries commands: nothing may wait in a buffer and go out after a reconnect, and one garbled message must not end
the reading of all others. What this relies on inside nats-py is held by tests/system/test_bus_*.py.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nats import errors
from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription as Registered
from nats.aio.transport import TcpTransport

from pilothouse.bus.address import BusAddress, read_address
from pilothouse.errors import BadMessage, BadName, BusDown

log = logging.getLogger(__name__)

PING_EVERY = 5
"""Seconds between pings; a silent peer is given up after three of them."""
_RETRY_FIRST, _RETRY_MOST = 0.1, 1.0
"""Seconds between attempts to connect, drawn from the upper half at random so that nodes do not come all at once."""
_PUSH_AT = 256 * 1024
"""Bytes that gather within one turn of the event loop before they go to the socket."""
_CROWDED = 4 * 1024 * 1024
"""Bytes that the socket has not taken; a sender waits for room beyond it."""
_ROOM_WITHIN = 2.0
"""Seconds that a sender waits for room before it is told that the bus is down."""
_SPACE = re.compile(r"\s", re.ASCII)


class Delivery(NamedTuple):
    """A message as it came."""

    subject: str
    reply: str
    data: bytes
    headers: dict[str, str]

    @property
    def status(self) -> str:
        """Status of a message that the server itself made: "503" nobody there, "404" not found, "204" end."""
        return self.headers.get("Status", "") if self.headers else ""


Sink = Callable[[Delivery], None]
"""Takes a message at once, without waiting; must not raise."""

_NO_HEADERS: dict[str, str] = {}


class _Wire(TcpTransport):
    """A connection whose end never waits for a peer that has stopped reading."""

    lost = False
    """Set when the link is given up: what the kernel still holds is thrown away, not sent late."""

    def __bool__(self) -> bool:
        return True  # nats-py puts one of its own in the place of one that is "false"

    @property
    def waiting(self) -> int:
        """Bytes that the socket has not taken yet."""
        return int(self._io_writer.transport.get_write_buffer_size()) if self._io_writer else 0

    async def wait_closed(self) -> None:
        """Give the event loop its turns for closing; asyncio's own future is spoilt for all by one cancelled waiter."""
        for _ in range(2):
            await asyncio.sleep(0)

    def close(self) -> None:
        writer = self._io_writer
        if writer is None or writer.transport.is_closing():
            return
        if not self.lost and not self.waiting:
            writer.close()
            return
        extra = writer.get_extra_info("socket")
        try:
            # Through a second object on the descriptor, because uvloop's own does not take options.
            handle = socket.socket(fileno=extra.fileno())
            try:
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            finally:
                handle.detach()
        except (OSError, AttributeError):
            pass  # gone already
        writer.transport.abort()


class Link(Client):
    """One connection to the bus that comes back by itself, and tells by `came` and `went`."""

    def __init__(self, address: BusAddress, came: Callable[[], None], went: Callable[[str], None]) -> None:
        super().__init__()
        self.address = address
        self.ready = False
        """Whether a message would go out now."""
        self.last_failure = ""
        self.problem: Callable[[str], None] = log.warning
        """Told what the server does not allow us, in a sentence."""
        self._came, self._went = came, went
        self._sinks: dict[int, Sink] = {}
        self._out: list[bytes] = []
        self._out_size = 0
        self._push_due = False
        self._late: list[bytes] = []
        self._attempts = 0
        self._ended = False

    # life

    async def open(self, name: str, wait: float) -> None:
        """Connect; raises BusDown when there is no link within `wait` seconds."""
        known = self.address.user != ""
        try:
            async with asyncio.timeout(wait):
                await self.connect(
                    servers=self.address.urls,
                    name=name,
                    user=(lambda: self.address.user) if known else None,
                    password=(lambda: self.address.password) if known else None,
                    error_cb=self._failed,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._reconnected,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RETRY_FIRST,  # type: ignore[arg-type]
                    ping_interval=PING_EVERY,
                    max_outstanding_pings=2,
                    pending_size=0,  # nats-py must refuse to keep anything while there is no link
                )
        except TimeoutError:
            await self.shut()
            raise BusDown(
                f"There is no link to the bus at {self.address.url}",
                why=self.last_failure or f"it did not answer within {wait:g} s",
                remedy="Look whether it runs with: pilothouse doctor",
            ) from None
        except BaseException:
            await self.shut()
            raise
        self._arrived()

    async def shut(self) -> None:
        """Send what is out, close, and leave no task behind."""
        if self.ready:
            try:
                await self.settle(0.5)
            except BusDown:
                pass  # a peer that does not answer is not waited for
        self.ready, self._ended = False, True
        self._pending.clear()
        self._pending_data_size = 0
        self._sinks.clear()
        await _end(self._reconnection_task)  # first, for it would make the others anew
        tasks = (self._reading_task, self._ping_interval_task, self._flusher_task)
        await self.close()
        self._discard()
        for task in tasks:
            await _end(task)

    async def settle(self, timeout: float = 5.0) -> None:
        """Wait until the server has seen everything sent so far; raises BusDown."""
        if not self.ready:
            raise self.down()
        self._push()
        try:
            await self.flush(timeout)  # type: ignore[arg-type]
        except (errors.Error, OSError):
            raise self.down() from None

    def down(self) -> BusDown:
        """The error that says there is no link."""
        return BusDown(
            "There is no link to the bus right now",
            why=self.last_failure,
            remedy="It is tried again by itself; look with: pilothouse doctor",
        )

    def _arrived(self) -> None:
        self._attempts = 0
        self.options["reconnect_time_wait"] = _RETRY_FIRST
        self.last_failure = ""
        self.ready = True
        late, self._late = self._late, []
        for command in late:
            self._send(command)
        self._came()

    def _lose(self, reason: str) -> None:
        was, self.ready = self.ready, False
        self._out, self._out_size, self._late = [], 0, []
        self._pending.clear()
        self._pending_data_size = 0
        if isinstance(self._transport, _Wire):
            self._transport.lost = True
        if was:
            self.last_failure = reason
            self._went(reason)

    # messages out

    @property
    def crowded(self) -> bool:
        """Whether the socket holds more than it should; then `room` is to be awaited before sending."""
        return isinstance(self._transport, _Wire) and self._transport.waiting + self._out_size > _CROWDED

    async def room(self) -> None:
        """Wait until the peer has read enough; raises BusDown, and then nothing was sent."""
        self._push()
        try:
            async with asyncio.timeout(_ROOM_WITHIN):
                if self._transport is not None:
                    await self._transport.drain()  # type: ignore[no-untyped-call]
        except OSError:
            raise BusDown("The bus does not take more right now", why="it has stopped reading") from None

    def post(self, subject: str, data: bytes, reply: str = "", headers: dict[str, str] | None = None) -> None:
        """Send now or raise BusDown: never later. Raises BadMessage when it is too large, BadName for no subject."""
        if not self.ready:
            raise self.down()
        if _SPACE.search(subject) or not subject:
            raise BadName(f"{subject[:120]!r} is no subject")
        if len(data) + (200 if headers else 0) > self._max_payload:
            # The server would end the connection over it, and with it everybody else's messages.
            raise BadMessage(f"a message of {len(data)} bytes is too large for this bus ({self._max_payload})")
        to = f"{subject} {reply}" if reply else subject
        if headers is None:
            self._send(b"PUB %b %d\r\n%b\r\n" % (to.encode(), len(data), data))
            return
        lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        head = f"NATS/1.0\r\n{lines}\r\n".encode()
        self._send(b"HPUB %b %d %d\r\n%b%b\r\n" % (to.encode(), len(head), len(head) + len(data), head, data))

    def tap(self, subject: str, sink: Sink) -> int:
        """Have messages of `subject` (wildcards allowed) given to `sink`; survives reconnects. Gives its number."""
        self._sid += 1
        number: int = self._sid
        # Known to nats-py too, which subscribes all that it knows again after a reconnect.
        self._subs[number] = Registered(self, number, subject)
        self._sinks[number] = sink
        self._send_or_keep(f"SUB {subject}  {number}\r\n".encode())
        return number

    def untap(self, number: int) -> None:
        """No more messages to that sink."""
        if self._sinks.pop(number, None) is None:
            return
        self._subs.pop(number, None)
        self._send_or_keep(f"UNSUB {number}\r\n".encode())

    def _send_or_keep(self, command: bytes) -> None:
        if self.ready:
            self._send(command)
        else:
            self._late.append(command)  # between the replay of subscriptions and "ready"; the server takes doubles

    def _send(self, command: bytes) -> None:
        self._out.append(command)
        self._out_size += len(command)
        if self._out_size > _PUSH_AT:
            self._push()
        elif not self._push_due:
            self._push_due = True
            asyncio.get_running_loop().call_soon(self._push)

    def _push(self) -> None:
        self._push_due = False
        if self._out and self.ready and self._transport is not None:
            out, self._out, self._out_size = self._out, [], 0
            self._transport.writelines(out)

    # nats-py's own steps, made safe

    async def _failed(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if "permissions violation" in text.lower():
            self.problem(text.removeprefix("nats: "))
            return
        if "authorization" not in self.last_failure.lower():
            # What the server said outweighs how it then hung up, which is often all that is seen of it.
            self.last_failure = text
        log.debug("link to %s: %s", self.address.url, text)
        if not self.ready:
            self._attempts = min(self._attempts + 1, 8)
            most = min(_RETRY_MOST, _RETRY_FIRST * 2**self._attempts)
            self.options["reconnect_time_wait"] = most * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
            self._look_up_again()

    def _look_up_again(self) -> None:
        found = read_address(Path(self.address.file)) if self.address.file else None
        if found is not None and found != self.address:
            log.info("the bus has moved to %s", found.url)
            self.address = found
            self._server_pool = [Srv(self._parse_server_uri(url)) for url in found.urls]

    async def _disconnected(self) -> None:
        self._lose("the link was lost")

    async def _reconnected(self) -> None:
        self._arrived()

    async def _process_op_err(self, e: Exception) -> None:
        if self._ended:
            return
        self._lose(str(e) or type(e).__name__)
        await super()._process_op_err(e)

    async def _process_err(self, err_msg: str) -> None:
        if "permissions violation" in err_msg:
            await self._failed(errors.Error(err_msg.strip("'")))
        else:
            # nats-py would close for good; what the server says now need not be so in a second.
            await self._process_op_err(errors.Error(f"the server said {err_msg}"))

    async def _process_pong(self) -> None:
        if self._pongs:
            future = self._pongs.pop(0)
            if not future.done():  # whoever waited has given up; nats-py would stop reading over it
                future.set_result(True)
            self._pings_outstanding = 0

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        wanted, name = self.address.server_name, info.get("server_name", "")
        if initial_connection and wanted and name != wanted:
            raise errors.Error(f"another server ({name!r}) listens at {self.address.url}")
        await super()._process_info(info, initial_connection)

    async def _attempt_reconnect(self) -> None:
        while True:
            try:
                await super()._attempt_reconnect()
            except Exception:  # edge: whatever answers on that port, the link must not stop trying
                log.exception("connecting to %s failed in a new way", self.address.url)
            task = asyncio.current_task()
            given_up = task is None or task.cancelling() or task is not self._reconnection_task
            if self._ended or given_up or self.is_connected or self.is_closed:
                return
            await asyncio.sleep(_RETRY_MOST)

    async def _connect_to_server(self, s: Srv) -> None:
        self._discard()
        if s.uri.scheme not in ("ws", "wss"):
            self._transport = _Wire()  # type: ignore[no-untyped-call]
        await super()._connect_to_server(s)

    async def _process_connect_init(self) -> None:
        try:
            await super()._process_connect_init()
        except (ValueError, TypeError, KeyError):
            raise errors.Error(f"what listens at {self.address.url} is no NATS server") from None
        if not self.is_connected or self._ended:
            self._discard()
            raise errors.UnexpectedEOF

    def _discard(self) -> None:
        """Give up whatever an attempt to connect has left: its tasks and its socket."""
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        if isinstance(self._transport, _Wire):
            self._transport.close()

    async def _read_loop(self) -> None:
        await super()._read_loop()
        if self.is_connected:  # it ended by an error that nats-py only logs; without reading there is no link
            await self._process_op_err(errors.UnexpectedEOF())

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        sink = self._sinks.get(sid)
        if sink is None:
            return
        parsed = _NO_HEADERS
        if headers:
            try:
                parsed = await self._process_headers(headers) or _NO_HEADERS
            except Exception as error:  # noqa: BLE001 - edge: anybody may send any bytes as headers
                log.debug("headers that are none on %r: %s", subject[:100], error)
        try:
            sink(Delivery(subject.decode("utf-8", "replace"), reply.decode("utf-8", "replace"), data, parsed))
        except Exception:  # edge: a fault of ours in one sink must not end the reading of all others
            log.exception("a message on %r was not taken", subject[:100])


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task until it is done: nats-py's swallow a cancellation here and there, as asyncio's wait_for does."""
    while task is not None and task is not asyncio.current_task() and not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
