"""The bus: messages, subjects, the connection, and the embedded server. Nothing else of Pilothouse speaks NATS."""

from pilothouse.bus.address import BusAddress, load_address
from pilothouse.bus.client import Bus
from pilothouse.bus.feed import Feed
from pilothouse.bus.jetstream import Stored, StreamInfo, WrongRevision
from pilothouse.bus.lease import Lease
from pilothouse.bus.serve import Subscription
from pilothouse.bus.subjects import Kept, Stream, Subjects, streams
from pilothouse.bus.watch import Synced, Watched

__all__ = [
    "Bus",
    "BusAddress",
    "Feed",
    "Kept",
    "Lease",
    "Stored",
    "Stream",
    "StreamInfo",
    "Subjects",
    "Subscription",
    "Synced",
    "Watched",
    "WrongRevision",
    "load_address",
    "streams",
]
