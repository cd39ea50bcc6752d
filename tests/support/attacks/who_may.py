"""Who may call what, written by hand from the meaning of the roles, and not made from the table of rights.

A route that is not here fails the build: somebody must decide who may call it.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, NamedTuple

from support.attacks.callers import EVERYBODY, OUTSIDE, PEOPLE, SEES
from support.attacks.world import HIDDEN, SEEN

LET_IN = {*EVERYBODY} - {*OUTSIDE}
"""Who is let in at all."""
SWITCH_RELAYS = {
    "ada",
    "emil",
    "oskar",
    "eva",
    "olga",
    "mia",
    "rolf",
    "nina",
    "token-operate",
    "token-administer",
    "token-bench",
    "machine",
}
SWITCH_VALVES = {"ada", "emil", "oskar", "wilma", "token-operate", "token-administer", "machine"}
HOLD_BENCH = SWITCH_RELAYS - {"rolf", "nina"}
HOLD_WET = SWITCH_VALVES
STOP = LET_IN - {"guest", "nemo"}
LIFT = {"ada", "emil", "token-administer", "machine"}
PEOPLE_OF = {"ada", "token-administer", "machine"}
"""Who lets people in and reads who came."""
OWN = {*PEOPLE}
"""Who has an account and sits before it: neither programs nor guests."""


class Ask(NamedTuple):
    """One call of a route, and who may make it."""

    path: str
    may: Set[str]
    sees: Set[str] = LET_IN
    """For whom what it is about is there at all; for others the answer is that of what does not exist."""
    json: Any = None
    form: dict[str, str] | None = None
    well: tuple[int, ...] = (200,)
    """What whoever may is answered."""
    tame: dict[str, Any] = {}
    """What is asked otherwise of whoever may, where the call itself would take away what others are asked about."""


def both(path: str, seen: Set[str], hidden: Set[str], **more: Any) -> list[Ask]:
    """The same call about a thing of each world; `path` holds `{}` for node/thing."""
    return [
        Ask(path.format(SEEN), seen, SEES["quokka"], **more),
        Ask(path.format(HIDDEN), hidden, SEES["wombat"], **more),
    ]


def stands(path: str, bench: Set[str], wet: Set[str], **more: Any) -> list[Ask]:
    """The same call about each stand."""
    return [
        Ask(path.format("bench-ibis"), bench, SEES["ibis"], **more),
        Ask(path.format("wet-wombat"), wet, SITE_AND_WET, **more),
    ]


SITE_AND_WET = SEES["wombat"] - {"nora"}
"""Who sees the stand of the wombat; a right to all things of its node is none to the stand."""
_LOOK = {"seen": SEES["quokka"], "hidden": SEES["wombat"]}
_NOBODY: dict[str, Any] = {"tame": {"path": "/api/people/zzz"}, "well": (404,)}
"""Of nobody, where whoever may would change somebody."""
THING = "/api/things/{}"
PAGE_THING = "/things/{}"

TABLE: dict[str, list[Ask]] = {
    # open to strangers
    "GET /ca.pem": [Ask("/ca.pem", {*EVERYBODY}, well=(404,))],
    "GET /healthz": [Ask("/healthz", {*EVERYBODY})],
    # what is made of what somebody may see
    "GET /": [Ask("/", LET_IN)],
    "GET /api": [Ask("/api", LET_IN)],
    "GET /api/openapi.json": [Ask("/api/openapi.json", LET_IN)],
    "GET /api/openapi": [Ask("/api/openapi", LET_IN, well=(200, 404))],
    "GET /api/openapi/openapi.json": [Ask("/api/openapi/openapi.json", LET_IN, well=(200, 404))],
    "GET /api/openapi/{path:str}": [Ask("/api/openapi/nothing", LET_IN, well=(200, 404))],
    "GET /static": [Ask("/static/css/tokens.css", LET_IN), Ask("/static/js/app.js", LET_IN)],
    "GET /api/live": [Ask("/api/live", LET_IN), Ask(f"/api/live?things={HIDDEN},{SEEN}", LET_IN)],
    "GET /api/nodes": [Ask("/api/nodes", LET_IN)],
    "GET /api/things": [Ask("/api/things", LET_IN)],
    "GET /api/stands": [Ask("/api/stands", LET_IN)],
    "GET /api/events": [Ask("/api/events", LET_IN)],
    "GET /api/history": [Ask("/api/history?series=pi-heron/relays-quokka.relay_1", LET_IN)],
    "GET /api/ledger": [Ask("/api/ledger?limit=1000", LET_IN)],
    "GET /api/stop": [Ask("/api/stop", LET_IN)],
    "GET /stats": [Ask("/stats?interval=5", LET_IN), Ask("/stats", LET_IN)],
    "GET /ledger": [Ask("/ledger", LET_IN)],
    "GET /stands": [Ask("/stands", LET_IN)],
    "GET /stop": [Ask("/stop", LET_IN)],
    # a thing, a node, a stand
    "GET /api/things/{node:str}/{thing:str}": both(THING, **_LOOK),
    "GET /api/things/{node:str}/{thing:str}/description": both(THING + "/description", **_LOOK),
    "GET /api/things/{node:str}/{thing:str}/properties/{name:str}": [
        Ask(f"/api/things/{SEEN}/properties/relay_1?explain", SEES["quokka"], SEES["quokka"]),
        Ask(f"/api/things/{HIDDEN}/properties/pump?explain", SEES["wombat"], SEES["wombat"]),
    ],
    "GET /api/things/{node:str}/{thing:str}/actions/{name:str}": both(THING + "/actions/heal?explain", **_LOOK),
    "GET /things/{node:str}/{name:str}": both(PAGE_THING, **_LOOK),
    "GET /api/nodes/{node:str}/lanes": [
        Ask("/api/nodes/pi-heron/lanes", SEES["heron"], SEES["heron"]),
        Ask("/api/nodes/lab-wombat/lanes", SEES["wombat"], SEES["wombat"]),
    ],
    "GET /nodes/{name:str}": [
        Ask("/nodes/pi-heron", SEES["heron"], SEES["heron"]),
        Ask("/nodes/lab-wombat", SEES["wombat"], SEES["wombat"]),
    ],
    "GET /api/stands/{name:str}": stands("/api/stands/{}", SEES["ibis"], SITE_AND_WET),
    "GET /stands/{name:str}": stands("/stands/{}", SEES["ibis"], SITE_AND_WET),
    "GET /api/ledger/{id:str}": [
        Ask("/api/ledger/command-dingo", SEES["dingo"], SEES["dingo"]),
        Ask("/api/ledger/command-wombat", SEES["wombat"], SEES["wombat"]),
    ],
    "GET /ledger/{id:str}": [
        Ask("/ledger/command-dingo", SEES["dingo"], SEES["dingo"]),
        Ask("/ledger/command-wombat", SEES["wombat"], SEES["wombat"]),
    ],
    # commands
    "PUT /api/things/{node:str}/{thing:str}/properties/{name:str}": [
        Ask(f"/api/things/{SEEN}/properties/relay_1", SWITCH_RELAYS, SEES["quokka"], json={"value": True}),
        Ask(f"/api/things/{HIDDEN}/properties/valve_a", SWITCH_VALVES, SEES["wombat"], json={"value": True}),
    ],
    "POST /api/things/{node:str}/{thing:str}/actions/{name:str}": both(
        THING + "/actions/heal", SWITCH_RELAYS, SWITCH_VALVES, json={"input": {}}
    ),
    "POST /api/confirmations": [
        Ask(
            "/api/confirmations",
            SWITCH_RELAYS,
            SEES["quokka"],
            json={"node": "pi-heron", "thing": "relays-quokka", "name": "relay_4", "input": True},
        ),
        Ask(
            "/api/confirmations",
            SWITCH_VALVES,
            SEES["wombat"],
            json={"node": "lab-wombat", "thing": "valves-wombat", "name": "pump", "input": True},
            well=(200, 409, 422),
        ),
    ],
    # of somebody else: whoever sent one may take it back too, an engineer any
    "DELETE /api/commands/{id:str}": [
        Ask("/api/commands/command-dingo", SEES["dingo"], SEES["dingo"], well=(409,)),
        Ask("/api/commands/command-wombat", SEES["wombat"], SEES["wombat"], well=(409,)),
    ],
    "POST /api/stands/{name:str}/lease": stands(
        "/api/stands/{}/lease", HOLD_BENCH, HOLD_WET, json={"do": "release"}, well=(200, 423)
    ),
    "POST /stands/{name:str}/lease": stands(
        "/stands/{}/lease", HOLD_BENCH, HOLD_WET, form={"do": "release"}, well=(303, 423)
    ),
    # stop
    "POST /api/stop": [Ask("/api/stop", STOP)],
    "POST /stop": [Ask("/stop", STOP, form={"kind": "hard"})],
    "POST /api/stop/lift": [Ask("/api/stop/lift", LIFT, json={"reason": "well again"})],
    "POST /stop/lift": [Ask("/stop/lift", LIFT, form={"reason": "well again"}, well=(200, 422))],
    # letting people in: a wrong password, a link that there is not
    "GET /login": [Ask("/login?next=/stands", {*EVERYBODY}, well=(200, 303))],
    "POST /login": [Ask("/login", {*EVERYBODY}, form={"name": "nobody", "password": "wrong"}, well=(401, 429))],
    "POST /api/login": [
        Ask(
            "/api/login",
            {*EVERYBODY},
            json={"name": "nobody", "password": "wrong", "token": {"name": "x"}},
            well=(401, 429),
        )
    ],
    "GET /login/oidc": [Ask("/login/oidc?next=/stands", {*EVERYBODY}, well=(303, 502, 503, 504))],
    "GET /login/oidc/callback": [
        Ask("/login/oidc/callback?code=wrong&state=wrong", {*EVERYBODY}, well=(400, 401, 403))
    ],
    "GET /guest": [Ask("/guest?key=wrong", {*EVERYBODY}, well=(410,))],
    "POST /guest": [Ask("/guest", {*EVERYBODY}, form={"key": "wrong"}, well=(410,))],
    "POST /logout": [Ask("/logout", LET_IN, form={}, well=(303,))],
    "POST /api/logout": [Ask("/api/logout", LET_IN, well=(200, 409))],
    # one's own account; a wrong password of one's own is 403, too
    "GET /api/me": [Ask("/api/me", LET_IN)],
    "GET /account": [Ask("/account", OWN)],
    "POST /account/password": [
        Ask(
            "/account/password",
            OWN,
            form={"current": "wrong", "password": "long enough 123", "again": "long enough 123"},
            well=(403, 429),
        )
    ],
    "POST /account/sessions": [Ask("/account/sessions", OWN, form={"id": "others"}, well=(303,))],
    "POST /account/tokens": [
        Ask("/account/tokens", OWN, form={"name": "x", "scope": "read", "days": "30"}, well=(200, 303))
    ],
    "POST /account/tokens/end": [Ask("/account/tokens/end", OWN, form={"id": "0" * 16}, well=(303, 404))],
    "GET /api/sessions": [Ask("/api/sessions", OWN)],
    "DELETE /api/sessions/{id:str}": [Ask("/api/sessions/0000000000000000", OWN, well=(404,))],
    "GET /api/tokens": [Ask("/api/tokens", OWN)],
    "POST /api/tokens": [Ask("/api/tokens", OWN, json={"name": "x", "scope": "administer"})],
    "DELETE /api/tokens/{id:str}": [Ask("/api/tokens/0000000000000000", OWN, well=(404,))],
    # everybody's accounts
    "GET /people": [Ask("/people", PEOPLE_OF)],
    "GET /people/rights": [Ask("/people/rights", PEOPLE_OF)],
    "GET /people/{name:str}": [Ask("/people/zed-zebra", PEOPLE_OF)],
    "POST /people": [
        Ask(
            "/people",
            PEOPLE_OF,
            form={"do": "invite", "name": "newcomer", "role": "admin", "where": "", "life": "3600"},
            tame={"form": {"do": "nothing"}},
            well=(422,),
        ),
        Ask(
            "/people",
            PEOPLE_OF,
            form={"do": "guest", "name": "newcomer", "where": "bench-ibis", "life": "3600"},
            tame={"form": {"do": "nothing"}},
            well=(422,),
        ),
    ],
    "POST /people/{name:str}": [
        Ask("/people/zed-zebra", PEOPLE_OF, form={"do": do}, tame={"form": {"do": "nothing"}}, well=(422,))
        for do in ("disable", "remove", "link", "end-sessions")
    ],
    "GET /api/people": [Ask("/api/people", PEOPLE_OF)],
    "GET /api/rights": [Ask("/api/rights", PEOPLE_OF)],
    "GET /api/people/{name:str}": [Ask("/api/people/zed-zebra", PEOPLE_OF)],
    "POST /api/people/{name:str}": [
        Ask(
            "/api/people/newcomer",
            PEOPLE_OF,
            json={"rights": ["admin"]},
            tame={"path": "/api/people/zed-zebra"},
            well=(409,),
        )
    ],
    "PATCH /api/people/{name:str}": [
        Ask("/api/people/zed-zebra", PEOPLE_OF, json={"rights": ["admin"], "active": False}, **_NOBODY)
    ],
    "DELETE /api/people/{name:str}": [Ask("/api/people/zed-zebra", PEOPLE_OF, **_NOBODY)],
    "POST /api/people/{name:str}/link": [
        Ask(
            "/api/people/zed-zebra/link",
            PEOPLE_OF,
            json={"kind": "login"},
            tame={"path": "/api/people/zzz/link"},
            well=(404,),
        )
    ],
    "GET /api/people/{name:str}/sessions": [Ask("/api/people/zed-zebra/sessions", PEOPLE_OF)],
    "DELETE /api/people/{name:str}/sessions/{id:str}": [
        Ask("/api/people/zed-zebra/sessions/0000000000000000", PEOPLE_OF, well=(404,))
    ],
    "GET /api/people/{name:str}/tokens": [Ask("/api/people/zed-zebra/tokens", PEOPLE_OF)],
    "DELETE /api/people/{name:str}/tokens/{id:str}": [
        Ask("/api/people/zed-zebra/tokens/0000000000000000", PEOPLE_OF, well=(404,))
    ],
    "GET /api/guests": [Ask("/api/guests", PEOPLE_OF)],
    "POST /api/guests": [
        Ask(
            "/api/guests",
            PEOPLE_OF,
            json={"name": "newcomer", "stand": "bench-ibis"},
            tame={"json": {"name": "newcomer", "stand": "nowhere"}},
            well=(404,),
        )
    ],
    "DELETE /api/guests/{id:str}": [Ask("/api/guests/0000000000000000", PEOPLE_OF, well=(404,))],
}
"""For each route by method and path: the calls that are tried, and who may make each."""
