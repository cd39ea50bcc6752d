"""Changes about people, as pages and REST both make them: each is done in the record, then written into the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from litestar import Request
from msgspec import Struct

from pilothouse.errors import NotThere, nearest
from pilothouse.hub.problems import WebError
from pilothouse.hub.site import Site, address_of, real_site_of, visitor_of
from pilothouse.hub.times import exact
from pilothouse.record.links import LINK_LIFE
from pilothouse.record.people_rows import GuestRow, Person, SessionRow, TokenRow

Kind = Literal["invite", "login"]
_LINKS = {"invite": "sets a password", "login": "lets in once"}
"""Links that an administrator can make for somebody, and what each does."""


class By(NamedTuple):
    """Who makes a change."""

    who: str
    origin: str
    """Through what: "page" or "api"."""
    address: str
    """From where."""


class Link(Struct, frozen=True, kw_only=True):
    """A link that is shown this once."""

    url: str
    """The whole of it; whoever has it can use it."""
    expires: int
    """When it ends, Unix milliseconds."""

    def __repr__(self) -> str:
        return f"Link(expires={self.expires})"


class PeopleActs:
    """What one administrator does now. Every method raises RecordError beside what its text says."""

    def __init__(self, site: Site, by: By, base: str) -> None:
        """`base` is the address under which whoever gets a link reaches this hub, without a slash at the end."""
        self._site = site
        self._people = site.people
        self._by = by
        self._base = base

    async def add(self, name: str, *, title: str = "", grants: Iterable[str] = ()) -> Person:
        """Somebody new, who needs a link to come in; raises Taken, BadName, BadValue."""
        person = await self._people.persons.add(name, title=title, grants=grants)
        await self._note("user.add", name, f"Rights: {_listed(person.grants)}.")
        return person

    async def set_rights(self, name: str, grants: Iterable[str]) -> Person:
        """These rights instead of theirs; raises NotThere, BadName, LastAdmin."""
        before = await person_of(self._site, name)
        after = await self._people.persons.set_grants(name, grants)
        if after.grants != before.grants:
            await self._note("user.rights", name, f"Rights: {_listed(before.grants)} → {_listed(after.grants)}.")
        return after

    async def describe(self, name: str, *, title: str | None = None, note: str | None = None) -> Person:
        """Another title or note, None = as it is; raises NotThere, BadValue."""
        before = person = await person_of(self._site, name)
        if title is not None:
            person = await self._people.persons.set_title(name, title)
        if note is not None:
            person = await self._people.persons.set_note(name, note)
        changed = [f"Title: {_quoted(before)} → {_quoted(person)}"] if person.title != before.title else []
        changed += ["Another note"] if person.note != before.note else []
        if changed:
            await self._note("user.changed", name, f"{'. '.join(changed)}.")
        return person

    async def set_active(self, name: str, active: bool) -> Person:
        """Enable, or disable, which ends all sessions, tokens and links of theirs; raises NotThere, LastAdmin."""
        before = await person_of(self._site, name)
        if before.active == active:
            return before
        had = await self._had(name)
        person = await self._people.persons.set_active(name, active)
        await self._note("user.enable" if active else "user.disable", name, "" if active else f"It ended {had}.")
        return person

    async def remove(self, name: str) -> Person:
        """Forget somebody, with sessions, tokens and links; raises NotThere, LastAdmin."""
        had = await self._had(name)
        person = await self._people.persons.remove(name)
        await self._note("user.remove", name, f"Rights were: {_listed(person.grants)}. It ended {had}.")
        return person

    async def link(self, name: str, kind: Kind = "invite", *, life: float = LINK_LIFE) -> Link:
        """A link that works once, for `life` seconds; raises NotThere, BadValue, WebError (409) for who is disabled."""
        person = await person_of(self._site, name)
        if not person.active:
            what = f"The account of {name} is disabled"
            raise WebError(409, "disabled", what, why="no link lets in there", remedy="Enable it first")
        expires = self._site.clock.now() + int(life * 1000)
        secret = await self._people.links.make(kind, name, life)
        await self._note("link.made", name, f"It {_LINKS[kind]}, until {exact(expires)}.")
        return Link(url=f"{self._base}/login?token={secret}", expires=expires)

    async def sessions(self, name: str) -> list[SessionRow]:
        """Where somebody is logged in, the last used first; raises NotThere."""
        await person_of(self._site, name)
        return await self._people.sessions.of(name)

    async def end_session(self, name: str, id: str) -> None:
        """End one session of somebody's; raises NotThere."""
        rows = {row.id: row for row in await self.sessions(name)}
        if id not in rows or not await self._people.sessions.end_id(name, id):
            raise NotThere(f"{name} has no such session", why="it may have ended by itself")
        await self._note("session.ended", name, f"It was from {rows[id].address or 'somewhere'}.")

    async def end_sessions(self, name: str) -> int:
        """End all sessions of somebody's; gives how many there were. Raises NotThere."""
        await person_of(self._site, name)
        ended = await self._people.sessions.end_all(name)
        if ended:
            await self._note("session.ended", name, f"All of them: {_many(ended, 'session')}.")
        return ended

    async def tokens(self, name: str) -> list[TokenRow]:
        """Somebody's tokens, newest first; raises NotThere."""
        await person_of(self._site, name)
        return await self._people.tokens.of(name)

    async def end_token(self, name: str, id: str) -> None:
        """End one token of somebody's; raises NotThere."""
        rows = {row.id: row for row in await self.tokens(name)}
        if id not in rows or not await self._people.tokens.end(id, name):
            raise NotThere(f"{name} has no such token", why="it may have ended by itself")
        await self._note("token.ended", name, f"Token “{rows[id].name}”.")

    async def make_guest(self, name: str, where: str, life: float) -> tuple[Link, GuestRow]:
        """A link for looking on at stand `where` for `life` seconds; raises NotThere, Taken, BadName, BadValue."""
        self._site.stands.view(where)
        secret, row = await self._people.guests.make(name, where, by=self._by.who, life=life)
        await self._note("guest.made", name, f"For stand {where}, until {exact(row.expires)}.")
        return Link(url=f"{self._base}/guest?key={secret}", expires=row.expires), row

    async def end_guest(self, id: str) -> GuestRow:
        """End a guest link, and whoever came with it is out; raises NotThere."""
        row = next((each for each in await self._people.guests.all() if each.id == id), None)
        if row is None or not await self._people.guests.end(id):
            raise NotThere("There is no such guest link", why="it may have ended by itself")
        await self._note("guest.ended", row.name, f"For stand {row.where}; it ended {_many(row.sessions, 'session')}.")
        return row

    async def _had(self, name: str) -> str:
        """How many sessions and tokens somebody has, in words."""
        sessions, tokens = await self._people.sessions.of(name), await self._people.tokens.of(name)
        return f"{_many(len(sessions), 'session')} and {_many(len(tokens), 'token')}"

    async def _note(self, name: str, thing: str, detail: str) -> None:
        who, origin, address = self._by
        await self._site.audit.note(name, thing=thing, who=who, origin=origin, address=address, detail=detail)


async def person_of(site: Site, name: str) -> Person:
    """Somebody by name; raises NotThere with the nearest."""
    found = await site.people.persons.get(name)
    if found is not None:
        return found
    names = [each.name for each in await site.people.persons.all()]
    what = f"There is nobody called {name[:64]!r} here"
    raise NotThere(what, remedy="Who is there: GET /api/people", nearest=nearest(name, names))


def acts_of(request: Request[Any, Any, Any]) -> PeopleActs:
    """Changes in the name of whoever asks."""
    site, visitor = real_site_of(request), visitor_of(request)
    return PeopleActs(site, By(visitor.who, visitor.origin, address_of(request)), _base(request, site))


def _base(request: Request[Any, Any, Any], site: Site) -> str:
    """The address that the configuration says, else the one that the administrator uses now, which the doorway knows
    for one of ours: others in this network most probably reach the hub under it too.
    """
    public = site.config.hub.public_url.rstrip("/")
    host = request.headers.get("host", "")
    return public or (f"{'https' if request.scope['state']['secure'] else 'http'}://{host}" if host else site.url)


def _listed(grants: Iterable[str]) -> str:
    return ", ".join(grants) or "none"


def _quoted(person: Person) -> str:
    return f"“{person.title}”" if person.title else "none"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
