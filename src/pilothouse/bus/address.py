"""How to reach the bus: read from the configuration, or from what the embedded bus wrote about itself."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from pilothouse.clock import Clock
from pilothouse.config.places import Places
from pilothouse.config.secret_file import read_secret
from pilothouse.config.site import BusConfig
from pilothouse.errors import BusDown
from pilothouse.process import write_atomically


class BusAddress(Struct, frozen=True, kw_only=True):
    """Where the bus is and what lets us in."""

    url: str
    """One or more, "nats://host:4222,nats://host2:4222"."""
    user: str = ""
    password: str = ""
    server_name: str = ""
    """The name that the server must give before it hears the password; "" = any."""
    file: str = ""
    """The file it came from; looked at again while there is no link, in case the bus has moved."""

    def __repr__(self) -> str:
        return f"BusAddress({self.url!r}, user={self.user!r})"  # a password has no place in a log

    @property
    def urls(self) -> list[str]:
        """Each of the servers."""
        return [url.strip() for url in self.url.split(",") if url.strip()]


def write_address(path: Path, address: BusAddress) -> None:
    """Keep an address in a file that only its owner can read."""
    fields = {"url": address.url, "user": address.user, "password": address.password}
    content = msgspec.json.encode(fields | {"server_name": address.server_name})
    write_atomically(path, content, mode=0o600)


def read_address(path: Path) -> BusAddress | None:
    """The address in a file; None while there is none that can be read."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=BusAddress)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return msgspec.structs.replace(found, file=str(path))


async def load_address(places: Places, config: BusConfig, clock: Clock, wait: float = 30.0) -> BusAddress:
    """The address of the bus of this site.

    Waits up to `wait` seconds for an embedded bus to write its address, then raises BusDown. Raises ConfigError when
    the password file of an external bus cannot be read.
    """
    if config.url:
        file = config.password_file
        password = read_secret(file, "The password of the bus (bus.password_file)") if file else ""
        return BusAddress(url=config.url, user=config.user, password=password)
    give_up = clock.mono() + wait * 1000
    while True:
        address = read_address(places.bus_address)
        if address is not None:
            return address
        if clock.mono() >= give_up:
            raise BusDown(
                "The bus of this site is not there",
                why=f"nothing has written {places.bus_address}",
                remedy="Start it with: pilothouse bus (or everything with: pilothouse up)",
            )
        await clock.sleep(0.02)
