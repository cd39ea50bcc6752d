"""The Python client of the REST API: `with Client(url, token) as hub: hub.set("greenhouse/fan.on", True)`."""

from pilothouse.client.answers import (
    Change,
    Ended,
    HubHealth,
    LaterTruth,
    LedgerLine,
    Lost,
    Node,
    PropertyNow,
    SeriesData,
    Snapshot,
    ThingNow,
)
from pilothouse.client.problems import NotAllowed, NotConfirmed, Problem, Unreachable
from pilothouse.client.rest import Client

__all__ = [
    "Change",
    "Client",
    "Ended",
    "HubHealth",
    "LaterTruth",
    "LedgerLine",
    "Lost",
    "Node",
    "NotAllowed",
    "NotConfirmed",
    "Problem",
    "PropertyNow",
    "SeriesData",
    "Snapshot",
    "ThingNow",
    "Unreachable",
]
