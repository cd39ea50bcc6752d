"""The record: the SQL database that holds history, ledger and people."""

from pilothouse.record.history import History
from pilothouse.record.history_writer import HistoryWriter
from pilothouse.record.ledger import Ledger
from pilothouse.record.people import People
from pilothouse.record.people_errors import LastAdmin, NotLetIn, Taken
from pilothouse.record.people_rows import GuestRow, Known, LinkRow, Person, SessionRow, TokenRow
from pilothouse.record.retention import Keep
from pilothouse.record.rows import (
    Act,
    Intent,
    LaterTruth,
    Line,
    Lines,
    Occurrence,
    Position,
    Remembered,
    SeriesData,
    StopLine,
    Wanted,
)
from pilothouse.record.stops import StopRecord
from pilothouse.record.troubles import Broken, NoRoom

__all__ = [
    "Act",
    "Broken",
    "GuestRow",
    "History",
    "HistoryWriter",
    "Intent",
    "Keep",
    "Known",
    "LastAdmin",
    "LaterTruth",
    "Ledger",
    "Line",
    "Lines",
    "LinkRow",
    "NoRoom",
    "NotLetIn",
    "Occurrence",
    "People",
    "Person",
    "Position",
    "Remembered",
    "SeriesData",
    "SessionRow",
    "StopLine",
    "StopRecord",
    "Taken",
    "TokenRow",
    "Wanted",
]
