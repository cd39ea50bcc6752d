"""The record of people under everything at once, at two hubs, against a simple model of who is in."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pilothouse.errors import BadValue, NotThere
from pilothouse.record import LastAdmin, NotLetIn, People, Taken
from pilothouse.record.people_rows import Known
from pilothouse.rights import Rights, Role, parse_grants
from pilothouse.testing import FakeClock

IDLE, LIFE = 3600, 4 * 3600
EXACT = 300
"""Seconds by which another hub may not know of a use yet."""
NAMES = st.sampled_from(["ada", "bob"])
GRANTS = st.sets(st.sampled_from(["viewer", "operator@bench", "engineer@pi/*", "admin"]), max_size=2)
HUBS = st.integers(0, 1)


@dataclass
class Somebody:
    """What the model knows of a person."""

    grants: set[str]
    password: str
    active: bool = True

    @property
    def leads(self) -> bool:
        """Whether they are an administrator who can come in."""
        return self.active and self.password != "" and "admin" in self.grants


@dataclass
class Secret:
    """What the model knows of a session or token."""

    who: str
    ends: int
    used: int
    secret: str = field(repr=False)
    id: str = ""
    over: bool = False


class PeopleMachine(RuleBasedStateMachine):
    """Two hubs with one record. Each looks for changes of the other before it is asked, as hubs do all the time."""

    sessions: Bundle[Secret] = Bundle("sessions")
    tokens: Bundle[Secret] = Bundle("tokens")
    links: Bundle[Secret] = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.people: dict[str, Somebody] = {}
        self.known: list[Secret] = []
        self.open_links: list[Secret] = []
        self.firsts: list[Secret] = []
        self.serial = 0

    @initialize()
    def begin(self) -> None:
        """Open it twice."""
        path = Path(self.folder.name) / "main.db"

        async def open_one() -> People:
            return await People.open(path, self.clock, idle=IDLE, life=LIFE)

        self.hubs = [self.runner.run(open_one()) for _ in range(2)]
        self.add(0, "ada", {"admin"}, password=True)
        self.add(1, "bob", {"viewer"}, password=True)

    def teardown(self) -> None:
        """Close both."""
        for hub in getattr(self, "hubs", []):
            self.runner.run(hub.close())
        self.runner.close()
        self.folder.cleanup()

    def do(self, work: Any, *expected: type[Exception]) -> Any:
        """The answer, or the expected error."""

        async def whole() -> Any:
            return await work

        try:
            return self.runner.run(whole())
        except expected as error:
            return error

    def change(self, name: str, work: Any, after: Somebody | None, *, force: bool) -> bool:
        """A change of somebody, who is `after` it; whether it was made."""
        answer = self.do(work, NotThere, LastAdmin)
        before = self.people.get(name)
        if before is None:
            assert isinstance(answer, NotThere)
            return False
        others = any(one.leads for who, one in self.people.items() if who != name)
        if before.leads and not (after is not None and after.leads) and not others and not force:
            assert isinstance(answer, LastAdmin)
            return False
        assert not isinstance(answer, Exception), answer
        if after is None:
            del self.people[name]
        else:
            self.people[name] = after
        return True

    def out(self, who: str, *, tokens: bool = True, but: Secret | None = None) -> None:
        """What lets somebody in is over."""
        for secret in self.known:
            if secret.who == who and secret is not but and (tokens or secret.id == ""):
                secret.over = True
        self.open_links = [link for link in self.open_links if link.who != who]

    @rule(hub=HUBS, name=NAMES, grants=GRANTS, password=st.booleans())
    def add(self, hub: int, name: str, grants: set[str], password: bool) -> None:
        """Somebody new."""
        self.serial += 1
        made = Somebody(grants, f"hash-{self.serial}" if password else "")
        work = self.hubs[hub].persons.add(name, grants=grants, password_hash=made.password)
        if isinstance(self.do(work, Taken), Taken):
            assert name in self.people
        else:
            assert name not in self.people
            self.people[name] = made

    @rule(hub=HUBS, name=NAMES, grants=GRANTS, force=st.booleans())
    def set_grants(self, hub: int, name: str, grants: set[str], force: bool) -> None:
        """Other rights."""
        was = self.people.get(name)
        after = Somebody(grants, was.password, was.active) if was else None
        self.change(name, self.hubs[hub].persons.set_grants(name, grants, force=force), after, force=force)

    @rule(hub=HUBS, name=NAMES, active=st.booleans(), force=st.booleans())
    def set_active(self, hub: int, name: str, active: bool, force: bool) -> None:
        """Disabled and enabled."""
        was = self.people.get(name)
        after = Somebody(was.grants, was.password, active) if was else None
        work = self.hubs[hub].persons.set_active(name, active, force=force)
        if self.change(name, work, after, force=force) and not active:
            self.out(name)

    @rule(hub=HUBS, name=NAMES, force=st.booleans())
    def remove(self, hub: int, name: str, force: bool) -> None:
        """Forgotten."""
        if self.change(name, self.hubs[hub].persons.remove(name, force=force), None, force=force):
            self.out(name)

    @rule(hub=HUBS, name=NAMES, away=st.booleans())
    def set_password(self, hub: int, name: str, away: bool) -> None:
        """A new one, or none."""
        self.serial += 1
        was = self.people.get(name)
        after = Somebody(was.grants, "" if away else f"hash-{self.serial}", was.active) if was else None
        work = self.hubs[hub].persons.set_password(name, after.password if after else "x")
        if self.change(name, work, after, force=False):
            self.out(name, tokens=False)

    @rule(hub=HUBS, session=sessions)
    def set_own_password(self, hub: int, session: Secret) -> None:
        """The session from which it is done goes on."""
        somebody = self.people.get(session.who)
        known = self.known_by(hub, session)
        if known is None or somebody is None:
            return
        self.serial += 1
        after = Somebody(somebody.grants, f"hash-{self.serial}", somebody.active)
        work = self.hubs[hub].persons.set_password(session.who, after.password, keep_session=known.id)
        assert self.change(session.who, work, after, force=False)
        self.out(session.who, tokens=False, but=session)

    @rule(target=sessions, hub=HUBS, name=NAMES, right=st.booleans())
    def start(self, hub: int, name: str, right: bool) -> Secret:
        """A log-in; with a password that was changed while it was tested, it fails."""
        somebody = self.people.get(name)
        proof = somebody.password if right and somebody else "hash-0"
        answer = self.do(self.hubs[hub].sessions.start(name, "password", proof=proof), NotLetIn)
        now = self.clock.now()
        if isinstance(answer, NotLetIn):
            assert somebody is None or not somebody.active or not right
            return Secret(name, 0, 0, "made up", over=True)
        assert somebody is not None and somebody.active and right
        made = Secret(name, now + LIFE * 1000, now, answer)
        self.known.append(made)
        for each in range(2):
            self.look(each, made)
        return made

    @rule(target=tokens, hub=HUBS, name=NAMES, life=st.sampled_from([60, IDLE, 2 * LIFE]))
    def make_token(self, hub: int, name: str, life: float) -> Secret:
        """For an hour or so."""
        somebody = self.people.get(name)
        answer = self.do(self.hubs[hub].tokens.make(name, "t", "operate", "bench", life=life), NotLetIn, NotThere)
        if isinstance(answer, Exception):
            assert somebody is None or not somebody.active
            return Secret(name, 0, 0, "ph_made up", id="none", over=True)
        secret, row = answer
        made = Secret(name, row.expires, row.made, secret, id=row.id)
        self.known.append(made)
        return made

    @rule(hub=HUBS, session=sessions)
    def log_out(self, hub: int, session: Secret) -> None:
        """Its own session."""
        self.do(self.hubs[hub].sessions.end(session.secret))
        session.over = True

    @rule(hub=HUBS, token=tokens)
    def end_token(self, hub: int, token: Secret) -> None:
        """By its id."""
        self.do(self.hubs[hub].tokens.end(token.id, token.who))
        token.over = True

    @rule(hub=HUBS, name=NAMES)
    def end_all(self, hub: int, name: str) -> None:
        """All sessions of somebody."""
        self.do(self.hubs[hub].sessions.end_all(name))
        for secret in self.known:
            secret.over |= secret.who == name and secret.id == ""

    @rule(target=links, hub=HUBS, name=NAMES, kind=st.sampled_from(["login", "invite"]))
    def make_link(self, hub: int, name: str, kind: Any) -> Secret:
        """For somebody who is there."""
        somebody = self.people.get(name)
        answer = self.do(self.hubs[hub].links.make(kind, name, IDLE), NotThere, NotLetIn)
        if isinstance(answer, Exception):
            assert somebody is None or not somebody.active
            return Secret(name, 0, 0, "made up", over=True)
        made = Secret(name, self.clock.now() + IDLE * 1000, 0, answer)
        self.open_links.append(made)
        return made

    @rule(target=links, hub=HUBS)
    def make_first(self, hub: int) -> Secret:
        """While there is no administrator."""
        answer = self.do(self.hubs[hub].links.make("first", "", IDLE), BadValue)
        if isinstance(answer, BadValue):
            assert any(one.leads for one in self.people.values())
            return Secret("", 0, 0, "made up", over=True)
        made = Secret("", self.clock.now() + IDLE * 1000, 0, answer)
        self.firsts.append(made)
        return made

    @rule(hub=HUBS, link=links)
    def use(self, hub: int, link: Secret) -> None:
        """Once, as long as nothing came between."""
        row = self.do(self.hubs[hub].links.use(link.secret))
        good = (link in self.open_links or link in self.firsts) and self.clock.now() < link.ends
        assert (row is not None) == good
        self.open_links = [one for one in self.open_links if one is not link]
        if good and link in self.firsts:
            self.firsts = []

    @rule(seconds=st.sampled_from([1, 60, EXACT, IDLE / 2, IDLE - EXACT, IDLE, LIFE]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.tick(seconds)

    @rule(hub=HUBS, session=sessions)
    def look(self, hub: int, session: Secret) -> None:
        """A request."""
        self.known_by(hub, session)

    def known_by(self, hub: int, session: Secret) -> Known | None:
        """Who it is, and what they may."""
        known: Known | None = self.do(self.hubs[hub].by_session(session.secret))
        now = self.clock.now()
        if session.over or now >= session.ends or now >= session.used + IDLE * 1000:
            assert known is None
        elif now < session.used + (IDLE - EXACT) * 1000:
            assert known is not None
        if known is not None:
            session.used = now
            assert (known.who, known.rights) == (session.who, Rights(self.grants(session.who)))
            assert known.expires == min(session.ends, now + IDLE * 1000)
        return known

    def look_at_token(self, hub: int, token: Secret) -> None:
        """As a session, and for less."""
        known = self.do(self.hubs[hub].by_token(token.secret))
        if token.over or self.clock.now() >= token.ends:
            assert known is None
            return
        limits = {"through": "token", "most": Role.OPERATOR, "only": "bench"}
        assert known.rights == Rights(self.grants(token.who), **limits)
        assert (known.who, known.id, known.expires) == (token.who, token.id, token.ends)

    def grants(self, name: str) -> Any:
        """What they have, as the record gives it."""
        return parse_grants(self.people[name].grants)

    @invariant()
    def nobody_is_in_who_is_out(self) -> None:
        """At once, at both hubs, and every token says what its owner may now."""
        for hub, people in enumerate(getattr(self, "hubs", [])):
            self.do(people.refresh())
            for secret in self.known:
                if secret.id:
                    self.look_at_token(hub, secret)
                elif secret.over:
                    assert self.do(people.by_session(secret.secret)) is None

    @invariant()
    def everybody_is_there(self) -> None:
        """As the model has them; and a first link only while it makes sense."""
        leads = any(one.leads for one in self.people.values())
        if leads:
            self.firsts = []
        for hub in getattr(self, "hubs", []):
            found = {one.name: one for one in self.do(hub.persons.all())}
            assert {name: (set(one.grants), one.active, one.has_password) for name, one in found.items()} == {
                name: (one.grants, one.active, one.password != "") for name, one in self.people.items()
            }
            assert self.do(hub.persons.has_admin()) == leads


TestPeople = PeopleMachine.TestCase
TestPeople.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
