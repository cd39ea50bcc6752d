"""`pilothouse user rights`, `disable`, `enable`, `remove`: what somebody may, and whether they come in."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import Any

from pilothouse.cli import show
from pilothouse.cli.access import HERE_ONLY, Flag, Local
from pilothouse.cli.confirming import ask
from pilothouse.cli.record_here import Here, with_record
from pilothouse.cli.user import ConfigFile
from pilothouse.cli.user_words import require, rights_of, say, warn_of_places
from pilothouse.errors import BadValue
from pilothouse.record import LastAdmin, Person
from pilothouse.rights import parse_grants

_NONE = "none"


def rights(name: str, /, *right: str, force: Flag = False, config: ConfigFile = None, local: Local = HERE_ONLY) -> None:
    """Give somebody these rights instead of those they have; without any, show theirs.

    A right is ROLE or ROLE@WHERE. Roles: viewer, operator, engineer, admin.
    WHERE is a stand, node/thing, or node/* for all things of a node.

    For example:
        pilothouse user rights bob
        pilothouse user rights bob viewer operator@bench engineer@pi/*
        pilothouse user rights bob none

    Parameters
    ----------
    name:
        whose
    right:
        a right; none = no right at all
    force:
        also when that leaves no administrator
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    if not right:
        person = with_record(local.places, lambda here: require(here, name))
        print(show.as_json({"name": name, "rights": person.grants}) if local.json else rights_of(person.grants))
        return
    given = () if right == (_NONE,) else right
    parse_grants(given)

    async def work(here: Here) -> tuple[Person, Person]:
        before = await require(here, name)
        after = await _forced(name, here.people.persons.set_grants(name, given, force=force))
        await here.note("user.rights", name, f"{rights_of(before.grants)} → {rights_of(after.grants)}")
        await _warn_of_admins(here)
        return before, after

    before, after = with_record(local.places, work)
    warn_of_places(local.places, config, after.grants)
    if local.json:
        print(show.as_json({"name": name, "before": before.grants, "rights": after.grants}))
    else:
        print(f"{name}: {rights_of(before.grants)} → {rights_of(after.grants)}")


def disable(name: str, /, *, force: Flag = False, local: Local = HERE_ONLY) -> None:
    """Let somebody in no more. Their sessions, tokens and links end at once.

    For example:
        pilothouse user disable bob

    Parameters
    ----------
    name:
        whom
    force:
        also the last administrator
    """
    person = _set_active(name, False, "user.disable", local, force=force)
    print(show.as_json(person) if local.json else f"{name} is disabled; their sessions, tokens and links have ended.")


def enable(name: str, /, *, local: Local = HERE_ONLY) -> None:
    """Let somebody in again who was disabled. Their password and rights are as before.

    For example:
        pilothouse user enable bob

    Parameters
    ----------
    name:
        whom
    """
    person = _set_active(name, True, "user.enable", local)
    if local.json:
        print(show.as_json(person))
        return
    print(f"{name} may come in again; rights: {rights_of(person.grants)}.")
    if not person.can_come_in:
        print(f"They have no password yet: pilothouse user passwd {name} --link")


def remove(name: str, /, *, yes: Flag = False, force: Flag = False, local: Local = HERE_ONLY) -> None:
    """Forget somebody. What they did stays in the ledger.

    To let them in no more for a while: pilothouse user disable

    For example:
        pilothouse user remove bob
        pilothouse user remove bob --yes

    Parameters
    ----------
    name:
        whom
    yes:
        do not ask
    force:
        also the last administrator
    """
    found = with_record(local.places, lambda here: require(here, name))
    if not yes:
        if not sys.stdin.isatty():
            raise BadValue(f"Removing {name} must be meant", remedy="Say it with --yes")
        ask(f"{name} ({rights_of(found.grants)}) is forgotten, with their password and tokens. Remove {name}?")

    async def work(here: Here) -> Person:
        person = await _forced(name, here.people.persons.remove(name, force=force))
        await here.note("user.remove", name, f"rights were: {rights_of(person.grants)}")
        await _warn_of_admins(here)
        return person

    person = with_record(local.places, work)
    print(show.as_json(person) if local.json else f"{name} was removed.")


def _set_active(name: str, active: bool, act: str, local: Local, *, force: bool = False) -> Person:
    async def work(here: Here) -> Person:
        person = await _forced(name, here.people.persons.set_active(name, active, force=force))
        await here.note(act, name, "")
        await _warn_of_admins(here)
        return person

    return with_record(local.places, work)


async def _forced(name: str, change: Coroutine[Any, Any, Person]) -> Person:
    """The change, and what to type when it would leave no administrator."""
    try:
        return await change
    except LastAdmin as error:
        error.remedy = f"{error.remedy}, or say --force"
        raise


async def _warn_of_admins(here: Here) -> None:
    """Say so when nobody can let people in any more."""
    if not await here.people.persons.has_admin():
        say("there is no administrator now. Make a link for a new one with: pilothouse link")
