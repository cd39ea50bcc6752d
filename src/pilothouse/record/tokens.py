"""Tokens: programs act with them as their owners, for a while. One is of this machine and lasts."""

from __future__ import annotations

import sqlite3
from typing import Any

from pilothouse.clock import Clock
from pilothouse.errors import BadValue, nearest
from pilothouse.record.accounts import known_text, require_active
from pilothouse.record.database import Database
from pilothouse.record.hashes import hash_of, new_row_id, new_secret
from pilothouse.record.people_rows import Scope, TokenRow
from pilothouse.record.revision import Revision, bump
from pilothouse.rights import MACHINE, Role, check_where

DAY = 86_400.0
TOKEN_LIFE = 90 * DAY
"""Seconds that a token lasts unless said."""
TOKEN_LONGEST = 366 * DAY
"""Seconds that a token may last."""
MOST = 50
"""Tokens of one person."""
PREFIX = "ph_"
"""What tokens begin with, so that programs which look for secrets in the wrong places know one."""
SCOPES: dict[Scope, Role] = {"read": Role.VIEWER, "operate": Role.OPERATOR, "administer": Role.ADMIN}
"""The most that a token of each scope may."""
_NAME = 60
_FIELDS = "id, who, name, scope, place, made, expires, used, address"
_INSERT = f"INSERT INTO token (hash, {_FIELDS}) VALUES (?,?,?,?,?,?,?,?,?,?)"  # noqa: S608


class Tokens:
    """The tokens of main.db."""

    def __init__(self, database: Database, clock: Clock, revision: Revision) -> None:
        self._database = database
        self._clock = clock
        self._revision = revision

    async def make(
        self, who: str, name: str, scope: Scope, only: str = "", *, life: float = TOKEN_LIFE, address: str = ""
    ) -> tuple[str, TokenRow]:
        """The secret of a new one, which is shown this once, and what is known of it; `life` in seconds.

        Raises BadValue, BadName for a bad place, NotThere and NotLetIn when there is no such owner.
        """
        row = self._row(who, name, scope, only, life, address)
        secret = new_secret(PREFIX)

        def work(connection: sqlite3.Connection) -> None:
            require_active(connection, who)
            connection.execute("DELETE FROM token WHERE expires <> 0 AND expires <= ?", (row.made,))
            if connection.execute("SELECT count(*) FROM token WHERE who = ?", (who,)).fetchone()[0] >= MOST:
                raise BadValue(f"{who} has {MOST} tokens already", remedy="End one that nobody needs any more")
            _insert(connection, secret, row)

        await self._revision.change(work)
        return secret, row

    async def make_machine(self, machine: str = "") -> str:
        """The secret of the token of the command line on this machine, instead of its earlier one.

        It may do everything and lasts until it is ended.
        """
        secret, now = new_secret(PREFIX), self._clock.now()
        name = f"command line on {machine}" if machine else "command line"
        row = TokenRow(id=new_row_id(), who=MACHINE, name=name, scope="administer", made=now, expires=0)

        def work(connection: sqlite3.Connection) -> None:
            bump(connection)
            connection.execute("DELETE FROM token WHERE who = ? AND name = ?", (MACHINE, name))
            _insert(connection, secret, row)

        await self._revision.change(work)
        return secret

    async def end(self, id: str, who: str | None = None) -> bool:
        """End the one of this id, when it is of `who` (None = of anybody); False when there is none."""

        test, arguments = ("id = ?", (id,)) if who is None else ("id = ? AND who = ?", (id, who))

        def work(connection: sqlite3.Connection) -> bool:
            ended = connection.execute(f"DELETE FROM token WHERE {test}", arguments).rowcount  # noqa: S608
            if ended:
                bump(connection)
            return bool(ended)

        return await self._revision.change(work)

    async def of(self, who: str) -> list[TokenRow]:
        """Somebody's, newest first."""
        return await self._list("who = ?", (who,))

    async def all(self) -> list[TokenRow]:
        """Everybody's and the machines', newest first."""
        return await self._list("1 = 1", ())

    async def _list(self, test: str, arguments: tuple[str, ...]) -> list[TokenRow]:
        sql = f"SELECT {_FIELDS} FROM token WHERE {test} AND (expires = 0 OR expires > ?) ORDER BY made DESC, id"  # noqa: S608
        asked = (*arguments, self._clock.now())
        return await self._database.read(lambda connection: [_struct(row) for row in connection.execute(sql, asked)])

    def _row(self, who: str, name: str, scope: Scope, only: str, life: float, address: str) -> TokenRow:
        """As it is stored; raises BadValue, BadName."""
        if scope not in SCOPES:
            there = f"there are {', '.join(SCOPES)}"
            raise BadValue(f"A token cannot be for {str(scope)[:40]!r}", why=there, nearest=nearest(str(scope), SCOPES))
        label = known_text(name, _NAME, "The name of a token")
        if not label:
            raise BadValue("A token needs a name", remedy="Say what it is for: backup script")
        if not 0 < life <= TOKEN_LONGEST:
            why = f"it may last {TOKEN_LONGEST / DAY:g} days at most, and some time at least"
            raise BadValue("A token cannot last that long", why=why, nearest=f"{TOKEN_LIFE / DAY:g}d")
        now = self._clock.now()
        return TokenRow(
            id=new_row_id(),
            who=who,
            name=label,
            scope=scope,
            only=check_where(only),
            made=now,
            expires=now + int(life * 1000),
            address=address[:120],
        )


def _insert(connection: sqlite3.Connection, secret: str, row: TokenRow) -> None:
    values = (row.id, row.who, row.name, row.scope, row.only, row.made, row.expires, row.used, row.address)
    connection.execute(_INSERT, (hash_of(secret), *values))


def _struct(row: tuple[Any, ...]) -> TokenRow:
    return TokenRow(
        id=row[0],
        who=row[1],
        name=row[2],
        scope=row[3],
        only=row[4],
        made=row[5],
        expires=row[6],
        used=row[7],
        address=row[8],
    )
