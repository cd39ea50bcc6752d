"""`pilothouse user`: people, changed directly in the record of this machine. No account is needed, so none can be lost.

Here is who there is and how they come in; what they may and whether is in `user_rights`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilothouse.cli import show
from pilothouse.cli.access import HERE_ONLY, Flag, Local
from pilothouse.cli.new_password import hash_here, new_password
from pilothouse.cli.record_here import Here, link_page, seconds_of, with_record
from pilothouse.cli.user_words import require, rights_of, warn_of_places, way_in
from pilothouse.record import Person
from pilothouse.rights import check_person, parse_grants

ConfigFile = Annotated[Path | None, Parameter(show_default=False)]


def list_(*, local: Local = HERE_ONLY) -> None:
    """List people: their rights, how they log in, and when they last did.

    For example:
        pilothouse user list
        pilothouse user list --json
    """
    people = with_record(local.places, lambda here: here.people.persons.all())
    if local.json:
        print(show.as_json(people))
    elif not people:
        print("There is nobody yet. Make the first administrator with: pilothouse link")
    else:
        now = time.time_ns() // 1_000_000
        rows = [(one.name, one.title, rights_of(one.grants), way_in(one), show.age(one.seen, now)) for one in people]
        print(show.table(rows, ("NAME", "TITLE", "RIGHTS", "LOGS IN", "SEEN")))


def add(
    name: str,
    /,
    *,
    right: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    title: Annotated[str, Parameter(show_default=False)] = "",
    password_file: str | None = None,
    life: str = "24h",
    config: ConfigFile = None,
    local: Local = HERE_ONLY,
) -> None:
    """Add somebody, and print a link with which they set their password.

    A right is ROLE or ROLE@WHERE. Roles: viewer, operator, engineer, admin.
    WHERE is a stand, node/thing, or node/* for all things of a node.

    For example:
        pilothouse user add ada --right admin
        pilothouse user add bob --right viewer --right operator@bench --title "Bob B."
        pilothouse user add eve --right viewer --password-file eve.txt

    Parameters
    ----------
    name:
        what the ledger calls them: small letters, digits, '.', '_', '-', '@'
    right:
        a right of theirs; may be given several times
    title:
        what pages call them
    password_file:
        file whose first line is their password; then there is no link
    life:
        how long the link can be used: 10m, 24h, 7d
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    check_person(name)
    parse_grants(right)
    seconds, page = seconds_of(life), link_page(local.places, config)
    password = None if password_file is None else new_password(name, password_file)

    async def work(here: Here) -> tuple[Person, str]:
        hashed = "" if password is None else await hash_here(password)
        person = await here.people.persons.add(name, title=title, grants=right, password_hash=hashed)
        await here.note("user.add", name, f"rights: {rights_of(person.grants)}")
        return person, "" if hashed else await _invite(here, name, page, seconds)

    person, url = with_record(local.places, work)
    warn_of_places(local.places, config, person.grants)
    if local.json:
        print(show.as_json({"person": person, "url": url}))
        return
    print(f"{name} was added; rights: {rights_of(person.grants)}.")
    if not person.grants:
        print(f"They see their own account only until they are given some: pilothouse user rights {name} viewer")
    if url:
        print(f"With this link they set their password, once, within {show.length(seconds)}:\n{url}")


def passwd(
    name: str,
    /,
    *,
    password_file: str | None = None,
    link: Flag = False,
    end_tokens: Flag = False,
    life: str = "24h",
    config: ConfigFile = None,
    local: Local = HERE_ONLY,
) -> None:
    """Set somebody's password, which ends all their sessions.

    On a terminal it is asked for twice and not shown; from a pipe the first
    line of standard input is it. Arguments can be read by everybody on the
    machine, so it cannot be one.

    For example:
        pilothouse user passwd ada
        pilothouse user passwd ada --link
        pilothouse user passwd ada --end-tokens < password.txt

    Parameters
    ----------
    name:
        whose
    password_file:
        file whose first line is the password
    link:
        print a link with which they set it themselves; until they do, the old one is good
    end_tokens:
        end their API tokens too, as when somebody else knew the password
    life:
        how long the link can be used: 10m, 24h, 7d
    config:
        configuration file; default: pilothouse.toml in the data folder
    """
    if link:
        _passwd_link(name, life, config, local)
        return
    # Before the question, so that nobody types a password for nothing.
    with_record(local.places, lambda here: require(here, name))
    password = new_password(name, password_file)

    async def work(here: Here) -> tuple[int, int]:
        sessions = await here.people.persons.set_password(name, await hash_here(password))
        mine = await here.people.tokens.of(name) if end_tokens else []
        tokens = sum([await here.people.tokens.end(token.id) for token in mine])
        await here.note("password.reset", name, f"sessions ended: {sessions}; tokens ended: {tokens}")
        return sessions, tokens

    sessions, tokens = with_record(local.places, work)
    if local.json:
        print(show.as_json({"name": name, "sessions_ended": sessions, "tokens_ended": tokens}))
    else:
        print(f"{name} has a new password; sessions ended: {sessions}, tokens ended: {tokens}.")


def _passwd_link(name: str, life: str, config: Path | None, local: Local) -> None:
    seconds, page = seconds_of(life), link_page(local.places, config)
    url = with_record(local.places, lambda here: _invite(here, name, page, seconds))
    print(show.as_json({"name": name, "url": url, "seconds": seconds}) if local.json else url)


async def _invite(here: Here, name: str, page: str, seconds: float) -> str:
    """A link with which somebody sets their password."""
    secret = await here.people.links.make("invite", name, seconds)
    await here.note("link.made", name, f"a link to set a password with, good for {show.length(seconds)}")
    return page + secret
