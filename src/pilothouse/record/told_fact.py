"""A fact about the record whose change the ledger tells: both are written, or neither."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pilothouse.record.database import Database
from pilothouse.record.ledger import write_act
from pilothouse.record.meta import get_meta, set_meta
from pilothouse.record.rows import Act


async def replace_fact(database: Database, key: str, value: str, told: Callable[[str], Act | None]) -> bool:
    """Store `value`; gives whether it is another than before. `told` makes the line for the ledger of what was
    before, "" = nothing was, and gives None where nothing is to be told. Raises RecordError.
    """

    def look(connection: sqlite3.Connection) -> bool:
        return get_meta(connection, key) == value

    def work(connection: sqlite3.Connection) -> bool:
        before = get_meta(connection, key)
        if before == value:
            return False
        act = told(before)
        if act is not None:
            write_act(connection, act)
        set_meta(connection, key, value)
        return True

    return not await database.read(look) and await database.write(work)
