"""Lets somebody who is known elsewhere arrive in the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilothouse.errors import BadName, BadValue
from pilothouse.hub.outside.mapping import NoName, Outsider, grants_of
from pilothouse.hub.outside.refusals import disabled, not_let_in
from pilothouse.hub.problems import WebError
from pilothouse.record.people import People
from pilothouse.record.people_errors import Taken
from pilothouse.record.people_rows import Person, Source


class Arriving:
    """The door for people from outside; `groups` is `[groups]` of the configuration."""

    def __init__(self, people: People, groups: Mapping[str, Sequence[str]]) -> None:
        self._people = people
        self._groups = groups

    def rights_of(self, groups: Sequence[str]) -> tuple[str, ...] | None:
        """The rights of these groups as text; None without any `[groups]`: then rights are given here, by hand."""
        return tuple(str(grant) for grant in grants_of(groups, self._groups)) if self._groups else None

    async def arrive(self, outsider: Outsider, source: Source) -> Person:
        """The person, made or brought up to date. Raises WebError (403) for whom this hub does not take.

        Who has no right at all is taken: their own page tells them so.
        """
        try:
            grants = self.rights_of(outsider.groups)
            person = await self._people.persons.arrive(
                outsider.name, source, outsider.subject, grants, title=outsider.title
            )
        except Taken:
            raise _taken(outsider.name) from None
        except (BadName, BadValue, NoName) as error:
            raise not_let_in(error) from None
        if not person.active:
            raise disabled(person.name)
        return person


def _taken(name: str) -> WebError:
    return WebError(
        403,
        "outside",
        f"{name} is the name of somebody else on this hub",
        why="an account of its own, or another user of the provider, was here first",
        remedy="Have the provider send another name, or have an administrator remove that account, on the page People",
    )
