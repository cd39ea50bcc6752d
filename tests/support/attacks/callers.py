"""Who calls: people of every role at every kind of place, programs, guests, and everybody who is not let in.

The site has two worlds. Each place says a word of its own in its name, title, values, events and errors, so that any
byte that somebody is sent shows what it is of:

    heron   node pi-heron              ibis    stand bench-ibis, that is the two below
    quokka  pi-heron/relays-quokka     dingo   pi-heron/teller-dingo
    numbat  pi-heron/sensor-numbat     wombat  node lab-wombat with all its things, stand wet-wombat
    zebra   people, tokens and links that only administrators read about
"""

from __future__ import annotations

from typing import Any

from pilothouse.record.people import People
from pilothouse.record.people_rows import Scope

PEOPLE: dict[str, tuple[str, ...]] = {
    "ada": ("admin",),
    "emil": ("engineer",),
    "oskar": ("operator",),
    "vera": ("viewer",),
    "eva": ("engineer@bench-ibis",),
    "olga": ("operator@bench-ibis",),
    "vito": ("viewer@bench-ibis",),
    "rolf": ("operator@pi-heron/relays-quokka",),
    "rita": ("viewer@pi-heron/relays-quokka",),
    "nina": ("engineer@pi-heron/*",),
    "nora": ("viewer@lab-wombat/*",),
    "wilma": ("engineer@wet-wombat",),
    "mia": ("operator@bench-ibis", "viewer@wet-wombat"),
    "nemo": (),
}
"""Who logs in with a session, and what they were given."""
TOKENS: dict[str, tuple[str, Scope, str]] = {
    "token-read": ("ada", "read", ""),
    "token-operate": ("ada", "operate", ""),
    "token-administer": ("ada", "administer", ""),
    "token-bench": ("ada", "operate", "bench-ibis"),
    "token-of-vera": ("vera", "administer", ""),
}
"""Programs: whose token, its scope, and the one place that it is for."""
OUTSIDE = (
    "stranger",
    "disabled",
    "removed",
    "ended",
    "wrong",
    "token-wrong",
    "token-ended",
    "token-old",
    "token-disabled",
    "token-removed",
    "guest-ended",
)
"""Who is not let in, each for another reason."""
EVERYBODY = (*PEOPLE, *TOKENS, "machine", "guest", *OUTSIDE)

SITE = {"ada", "emil", "oskar", "vera", "token-read", "token-operate", "token-administer", "token-of-vera", "machine"}
BENCH = {"eva", "olga", "vito", "mia", "token-bench", "guest"}
WET = {"wilma", "mia"}
OF_ONE = {"rolf", "rita"}
SEES: dict[str, set[str]] = {
    "quokka": SITE | BENCH | OF_ONE | {"nina"},
    "heron": SITE | BENCH | OF_ONE | {"nina"},
    "dingo": SITE | BENCH | {"nina"},
    "ibis": SITE | BENCH,
    "numbat": SITE | {"nina"},
    "wombat": SITE | WET | {"nora"},
    "zebra": {"ada", "token-administer", "machine"},
}
"""For each word everybody who may read it; nobody else may, anywhere."""


def never(caller: str) -> tuple[str, ...]:
    """The words that somebody must not find in anything that they are sent."""
    return tuple(word for word, who in SEES.items() if caller not in who)


async def make_people(people: People, password: str) -> None:
    """Everybody of the tables, all with one password (as its hash), and what only administrators read about."""
    for name, grants in PEOPLE.items():
        await people.persons.add(name, grants=grants, password_hash=password)
    await people.persons.add("zed-zebra", title="Zed Zebra", grants=("viewer@bench-ibis",))
    await people.persons.set_note("zed-zebra", "a zebra note")
    await people.tokens.make("zed-zebra", "zebra token", "read")
    await people.sessions.start("zed-zebra", "password", address="zebra-address", agent="zebra-browser")
    await people.guests.make("zebra-guest", "bench-ibis", by="ada", life=3600)
    for name in ("disabled", "removed"):
        await people.persons.add(name, grants=("admin",))


async def let_in(people: People, name: str) -> dict[str, str]:
    """New credentials of one of EVERYBODY, as a header; {} for a stranger."""
    if name in PEOPLE:
        return session(await people.sessions.start(name, "password", address="127.0.0.1"))
    if name in TOKENS:
        owner, scope, only = TOKENS[name]
        return token((await people.tokens.make(owner, name, scope, only, life=3600))[0])
    return await _MAKERS[name](people)


async def let_in_again(people: People, name: str, headers: dict[str, str]) -> dict[str, str]:
    """The same credentials, or new ones when a call has ended them."""
    if name in (*PEOPLE, "guest") and await people.by_session(headers["Cookie"].partition("=")[2]) is None:
        return await let_in(people, name)
    if name in TOKENS and await people.by_token(headers["Authorization"].partition(" ")[2]) is None:
        return await let_in(people, name)
    return headers


def session(secret: str) -> dict[str, str]:
    """The header of a browser."""
    return {"Cookie": f"ph_session={secret}"}


def token(secret: str) -> dict[str, str]:
    """The header of a program."""
    return {"Authorization": f"Bearer {secret}"}


async def _stranger(people: People) -> dict[str, str]:
    return {}


async def _machine(people: People) -> dict[str, str]:
    return token(await people.tokens.make_machine("attacks"))


async def _guest(people: People) -> dict[str, str]:
    rows = [row for row in await people.guests.all() if row.name == "gast"]
    row = rows[0] if rows else (await people.guests.make("gast", "bench-ibis", by="ada", life=3600))[1]
    return session(await people.sessions.start(f"guest:{row.name}", "guest", guest_id=row.id))


async def _guest_ended(people: People) -> dict[str, str]:
    _, row = await people.guests.make("weg", "bench-ibis", by="ada", life=3600)
    made = session(await people.sessions.start(f"guest:{row.name}", "guest", guest_id=row.id))
    await people.guests.end(row.id)
    return made


async def _disabled(people: People) -> dict[str, str]:
    return await _gone(people, "disabled", "password")


async def _removed(people: People) -> dict[str, str]:
    return await _gone(people, "removed", "password")


async def _token_disabled(people: People) -> dict[str, str]:
    return await _gone(people, "disabled", "token")


async def _token_removed(people: People) -> dict[str, str]:
    return await _gone(people, "removed", "token")


async def _gone(people: People, name: str, how: str) -> dict[str, str]:
    """What somebody had who was disabled or removed since."""
    if await people.persons.get(name) is None:
        await people.persons.add(name, grants=("admin",))
    await people.persons.set_active(name, True)
    if how == "token":
        made = token((await people.tokens.make(name, "gone", "administer"))[0])
    else:
        made = session(await people.sessions.start(name, "password"))
    if name == "removed":
        await people.persons.remove(name, force=True)
    else:
        await people.persons.set_active(name, False, force=True)
    return made


async def _ended(people: People) -> dict[str, str]:
    secret = await people.sessions.start("ada", "password")
    await people.sessions.end(secret)
    return session(secret)


async def _token_ended(people: People) -> dict[str, str]:
    secret, row = await people.tokens.make("ada", "ended", "administer")
    await people.tokens.end(row.id)
    return token(secret)


async def _token_old(people: People) -> dict[str, str]:
    """Ran out."""
    secret, row = await people.tokens.make("ada", "old", "administer", life=3600)

    def age(connection: Any) -> None:
        connection.execute("UPDATE token SET expires = 1 WHERE id = ?", (row.id,))

    await people._database.write(age)
    return token(secret)


async def _wrong(people: People) -> dict[str, str]:
    return session("A" * 43)


async def _token_wrong(people: People) -> dict[str, str]:
    return token("ph_" + "A" * 43)


_MAKERS = {
    "stranger": _stranger,
    "machine": _machine,
    "guest": _guest,
    "guest-ended": _guest_ended,
    "disabled": _disabled,
    "removed": _removed,
    "ended": _ended,
    "wrong": _wrong,
    "token-wrong": _token_wrong,
    "token-ended": _token_ended,
    "token-old": _token_old,
    "token-disabled": _token_disabled,
    "token-removed": _token_removed,
}
