"""What somebody sees of a site: worked out once for each kind of rights, and kept while no thing or stand changes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pilothouse.hub.parts import DirectoryPart, StandsPart
from pilothouse.model import Address
from pilothouse.rights import Deed, Place, Rights, may, role_anywhere

if TYPE_CHECKING:
    from pilothouse.hub.directory import Directory
    from pilothouse.hub.site import Site
    from pilothouse.hub.stands import Stands
    from pilothouse.record.history import History
    from pilothouse.record.ledger import Ledger

_KEPT = 64
"""Kinds of rights that are remembered; each costs a reference for each thing that they see."""
_ANSWERS = 4096
"""Things that are remembered to be seen or not, for each of them."""
_PEOPLE = ("people",)
"""Kinds of lines of the ledger that only Deed.AUDIT shows."""

Told = Literal["all", "stops", "link"]


class Sight(NamedTuple):
    """Which things and stands somebody sees. Whoever has the same sight may be sent the same bytes."""

    things: frozenset[Address] | None
    """None = all."""
    stands: frozenset[str] | None
    """None = all."""
    hub: Told
    """What is told of the hub itself: "all"; "stops": to guests, whom its processes do not concern; "link": whoever may
    see nothing learns only that it is there."""

    def wanted(self, things: frozenset[Address] | None) -> frozenset[Address] | None:
        """What is left of the things that somebody asks for; None = all, also as the question."""
        if self.things is None:
            return things
        return self.things if things is None else self.things & things

    def sees_stand(self, name: str) -> bool:
        """Whether a stand is seen."""
        return self.stands is None or name in self.stands

    def hub_status(self, status: dict[str, Any]) -> dict[str, Any]:
        """What is told of `Site.hub_status`."""
        if self.hub == "all":
            return status
        return {**status, "processes": {}, "stops": status["stops"] if self.hub == "stops" else ()}


EVERYTHING = Sight(None, None, "all")


class Seen(NamedTuple):
    """A site's parts with what is seen of them."""

    sight: Sight
    directory: Directory
    stands: Stands
    history: History
    ledger: Ledger


class Seeing:
    """Works out what is seen of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._shape = (-1, -1)
        self._kept: dict[Rights, Seen] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """While this stands, so does everything that `by` has given."""
        return self._site.directory.shape, self._site.stands.shape

    def by(self, rights: Rights) -> Seen:
        """What somebody with these rights sees. Good until `shape` changes; for looking, not for doing."""
        if self._shape != self.shape:
            self._shape = self.shape
            self._kept.clear()
        kept = self._kept.pop(rights, None)
        if kept is None:
            kept = self._work_out(rights)
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[rights] = kept  # the last used stand last
        return kept

    def _work_out(self, rights: Rights) -> Seen:
        site, told = self._site, _told(rights)
        if rights.sees_all:
            ledger = site.ledger if may(rights, Deed.AUDIT) else site.ledger.part(None, without=_PEOPLE)
            return Seen(Sight(None, None, told), site.directory, site.stands, site.history, ledger)

        @lru_cache(_ANSWERS)
        def sees(node: str, thing: str) -> bool:
            """Whether a thing may be seen; also of one that is no more."""
            return may(rights, Deed.SEE, site.place(Address(node, thing)))

        def sees_line(node: str, thing: str) -> bool:
            """A command by its thing, a lease by its stand; a stop concerns everybody who may see anything."""
            if node:
                return sees(node, thing)
            return may(rights, Deed.SEE, Place.of_stand(thing)) if thing else told != "link"

        things = frozenset(address for address in site.directory if sees(*address))
        names = (view.stand for view in site.stands.views())
        stands = frozenset(name for name in names if may(rights, Deed.SEE, Place.of_stand(name)))
        return Seen(
            Sight(things, stands, told),
            DirectoryPart(site.directory, things),
            StandsPart(site.stands, stands),
            site.history.part(sees),
            site.ledger.part(sees_line, without=_PEOPLE),
        )


def _told(rights: Rights) -> Told:
    if role_anywhere(rights) is None:
        return "link"
    return "stops" if rights.through == "guest" else "all"
