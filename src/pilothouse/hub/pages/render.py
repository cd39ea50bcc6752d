"""Templates: the one Jinja environment, its filters, and pages out of it. Everything is escaped."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jinja2
from litestar import Request
from litestar.response import Response
from msgspec import Struct, to_builtins

from pilothouse import __version__
from pilothouse.hub import times
from pilothouse.hub.allowed import Allowed, who_lifts
from pilothouse.hub.pages.rows import FRESH_WORDS
from pilothouse.hub.pages.stop_rows import StopRow, stop_rows
from pilothouse.hub.pages.values import duration
from pilothouse.hub.site import Site, site_of, visitor_of

if TYPE_CHECKING:
    from pilothouse.hub.access import Visitor

_HUB = Path(__file__).resolve().parent.parent
STATIC = _HUB / "static"
"""Folder that is served under /static/."""
TEMPLATES = _HUB / "templates"
HTML = "text/html; charset=utf-8"
_NAMED = re.compile(r"[a-z][\w-]*[./_][a-z0-9]")
"""A text that begins with a name: relays.relay_1, node/thing, tank_level."""


_PAGES = [
    ("overview", "/", "Overview"),
    ("stands", "/stands", "Stands"),
    ("ledger", "/ledger", "Ledger"),
    ("people", "/people", "People"),
    ("reference", "/api", "API"),
]
"""What the navigation may show; the key of a page, after g, is its first letter (static/js/keys.js)."""


class Shell(Struct, frozen=True, kw_only=True):
    """What stands around every page."""

    title: str
    """Title of the page."""
    site_title: str
    """Title of the site."""
    here: str
    """Which part of the navigation is marked: overview, stands, ledger, reference, people, or ""."""
    who: str
    """Who is logged in."""
    now: int
    """The hub's clock, Unix milliseconds."""
    link_up: bool
    """Whether the hub has its link to the bus."""
    version: str
    stops: tuple[StopRow, ...] = ()
    """The stops that hold."""
    stands: bool = False
    """Whether there are stands that they may see."""
    sees: Literal["", "some", "all"] = ""
    """How much of the site they may see."""
    may: tuple[str, ...] = ()
    """What they may do on the site as a whole, in the words of hub/allowed.py."""
    hold: tuple[str, ...] = ()
    """Names of the stands that they may hold."""
    sets_up: bool = False
    """Whether lines to paste and folders of this machine are for them."""
    lifts: str = ""
    """Who lifts a stop, in one sentence, for whoever may not."""
    guest: str = ""
    """Title of the stand at which they look on with a guest link; "" = they have an account."""
    until: int = 0
    """When that is over, Unix milliseconds."""
    warning: str = ""
    """What is not safe about the way to this hub, and what to do about it; stays on every page."""

    @property
    def pages(self) -> list[tuple[str, str, str]]:
        """The navigation: (which part, address, word) of each page that shows them something."""
        wanted = {"stands": self.stands, "people": "people" in self.may}
        return [each for each in _PAGES if self.sees and wanted.get(each[0], True)]


def page(
    request: Request[Any, Any, Any], template: str, shown: Any, *, title: str, here: str = "", status: int = 200
) -> Response[bytes]:
    """`shown` through `template`, inside the shell."""
    shell = shell_of(site_of(request), visitor_of(request), title=title, here=here)
    html = render(template, shown, shell)
    return Response(html.encode(), status_code=status, media_type=HTML, headers={"Cache-Control": "no-store"})


def shell_of(site: Site, visitor: Visitor, *, title: str, here: str = "") -> Shell:
    """What stands around a page for a visitor; `site` is what they may see."""
    allowed, stands = Allowed(visitor, site), site.stands.views()
    may = allowed.words
    at = allowed.rights.only if allowed.guest else ""
    return Shell(
        title=title,
        site_title=site.title,
        here=here,
        who=visitor.who,
        now=site.clock.now(),
        link_up=site.link_up,
        version=__version__,
        stops=stop_rows(site.directory, site.holding.latches) if allowed.sees else (),
        stands=bool(stands),
        sees=allowed.sees,
        may=may,
        hold=tuple(view.stand for view in stands if allowed.hold(view.stand)),
        sets_up=allowed.sets_up,
        lifts="" if "lift" in may else who_lifts(),
        guest=next((view.title for view in stands if view.stand == at), at),
        until=visitor.expires,
        warning=site.posture.banner,
    )


def render(template: str, shown: Any, shell: Shell) -> str:
    """The HTML of a page. Pure but for the templates' files."""
    return environment().get_template(template).render(page=shown, shell=shell, now=shell.now)


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The environment: strict about missing names, so that a slip in a template fails its test and not a person."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "ago": times.ago,
        "lasting": times.lasting,
        "exact": times.exact,
        "precise": times.precise,
        "minute": times.minute,
        "iso": times.iso,
        "duration": duration,
        "plain_json": plain_json,
        "took": took,
        "sentence": sentence,
        "pairs": pairs,
    }
    made.globals |= {"static": static_url, "fresh_words": FRESH_WORDS}
    # The pieces of all pages are macros, and every template may use them without an import.
    made.globals["parts"] = made.get_template("parts.html").module
    return made


def static_url(path: str) -> str:
    """Address of a static file, with the hash of its content, so that browsers may keep it for ever."""
    file = STATIC / path
    try:
        stamp = file.stat().st_mtime_ns
    except FileNotFoundError:
        return f"/static/{path}"
    return f"/static/{path}?v={_hash(file, stamp)}"


@lru_cache(maxsize=256)
def _hash(file: Path, _stamp: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def plain_json(value: Any) -> str:
    """JSON for a data attribute; the template escapes it."""
    return json.dumps(to_builtins(value), ensure_ascii=False, separators=(",", ":"))


def took(milliseconds: float) -> str:
    """ "0.8 ms", "12 ms", "1.2 s", "" for 0."""
    if milliseconds <= 0:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
    return duration(milliseconds / 1000)


def pairs(names: list[str]) -> list[tuple[str, str]]:
    """Names as choices: what is sent and what is read are the same."""
    return [(name, name) for name in names]


def sentence(text: str) -> str:
    """With a large first letter and a full stop: what drivers say begins small. A name at its front stays as it is."""
    text = text.strip()
    if not text:
        return ""
    first = text[:1] if _NAMED.match(text) else text[:1].upper()
    return first + text[1:] + ("" if text.endswith((".", "?", "!", ":")) else ".")
