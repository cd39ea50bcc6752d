"""What the visitor of a page may do, so that it shows no control that would be refused for lack of rights.

There is no rule here: every answer is that of `rights.may`, for the places for which the routes ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pilothouse.hub.site import real_site_of, visitor_of
from pilothouse.model import Address
from pilothouse.rights import SITE, TABLE, Deed, Place, Role, may, role_anywhere

if TYPE_CHECKING:
    from litestar import Request

    from pilothouse.hub.access import Visitor
    from pilothouse.hub.site import Site

_WORDS = {"stop": Deed.STOP, "lift": Deed.LIFT, "people": Deed.PEOPLE, "audit": Deed.AUDIT, "own": Deed.OWN}
"""What is asked of the site as a whole, and the words that pages carry for it."""


class Allowed:
    """One visitor's; good for one request."""

    def __init__(self, visitor: Visitor, site: Site) -> None:
        self.who = visitor.who
        self.rights = visitor.rights
        self._place = site.place
        self._operates_all = may(visitor.rights, Deed.OPERATE, SITE)
        """A right on the whole site holds for every thing of it, so a page need not ask for each of hundreds."""

    def operate(self, address: Address) -> bool:
        """Write its properties, call its actions, confirm either for somebody."""
        return self._operates_all or may(self.rights, Deed.OPERATE, self._place(address))

    def take_back(self, address: Address, sender: str) -> bool:
        """Take back a command to it that waits; one's own takes no more than sending it."""
        return may(self.rights, Deed.OPERATE if sender == self.who else Deed.TAKE_BACK, self._place(address))

    def hold(self, stand: str) -> bool:
        """Take, ask for, give, extend and release a stand."""
        return may(self.rights, Deed.HOLD, Place.of_stand(stand))

    def take_over(self, stand: str) -> bool:
        """Take a stand from whoever holds it."""
        return may(self.rights, Deed.TAKE_OVER, Place.of_stand(stand))

    def of_site(self, deed: Deed) -> bool:
        """Do something that is asked of the site as a whole: stop, lift, read who logged in, change people."""
        return may(self.rights, deed, SITE)

    @property
    def words(self) -> tuple[str, ...]:
        """What they may on the site as a whole, in words that templates and scripts know."""
        return tuple(word for word, deed in _WORDS.items() if self.of_site(deed))

    @property
    def guest(self) -> bool:
        """Whether they only look on, with a guest link."""
        return self.rights.through == "guest"

    @property
    def sees(self) -> Literal["", "some", "all"]:
        """How much of the site they may see."""
        if self.rights.sees_all:
            return "all"
        return "" if role_anywhere(self.rights) is None else "some"

    @property
    def sets_up(self) -> bool:
        """Whether lines to paste and folders of this machine are for them: engineers of the whole site, who lift stops
        too. Others cannot do anything with them.
        """
        return self.of_site(Deed.LIFT)


def allowed_of(request: Request[Any, Any, Any]) -> Allowed:
    """What the visitor of this request may do."""
    return Allowed(visitor_of(request), real_site_of(request))


def takes(deed: Deed) -> str:
    """The role that a deed takes, in words: "the role operator here"."""
    rule = TABLE[deed]
    where = {"place": " here", "site": " of the whole site", "anywhere": ""}[rule.where]
    return f"the role {rule.least or Role.VIEWER}{where}"


def who_lifts() -> str:
    """Who lifts a stop, for those who may not."""
    role = str(TABLE[Deed.LIFT].least or Role.VIEWER)
    article = "An" if role[0] in "aeiou" else "A"
    return f"{article} {role} of the whole site can lift it."
