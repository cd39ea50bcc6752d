"""The hub: answers, lets the command line in, and what it knows of nodes and things."""

from __future__ import annotations

from pilothouse.cli import show
from pilothouse.cli.access import own_hub
from pilothouse.cli.checks.finding import Finding, Patient, look, skipped, well, wrong
from pilothouse.client import Client, Node, NotAllowed, NotTrusted, Stand, StopsNow, ThingNow, Unreachable
from pilothouse.errors import PilothouseError, nearest

_CLOCKS_APART = 5_000


def hub(patient: Patient) -> list[Finding]:
    """Whether it answers, and then what it says of the rest of the site."""
    if not patient.running and not patient.access.url:
        return [skipped("hub", "Pilothouse is not running")]
    again = f"pilothouse hub --data {patient.places.data} --verbose"
    if not patient.access.url and not own_hub(patient.places):
        return [wrong("hub", "It has not said where it listens", again)]
    try:
        with patient.access.connect() as client:
            return [_health(client, again), *_site(client)]
    except NotTrusted as error:
        return [wrong("hub", f"{error.what}: {error.why}", error.remedy)]
    except Unreachable as error:
        return [wrong("hub", f"{error.what}: {error.why}", again)]
    except NotAllowed as error:
        return [wrong("hub", error.what, error.remedy or "Name the right token with --token-file FILE")]
    except PilothouseError as error:
        return [wrong("hub", " ".join(part for part in (error.what, error.why) if part), error.remedy or again)]


def _health(client: Client, again: str) -> Finding:
    health = client.health()
    if health.status == "ok":
        return well("hub", f"answers at {client.url}")
    lacks = [] if health.bus else ["it has no link to the bus"]
    lacks += [] if health.record else ["it cannot write the ledger"]
    return wrong("hub", f"It answers at {client.url}, and {' and '.join(lacks) or 'is not well'}", again)


def _site(client: Client) -> list[Finding]:
    nodes = client.nodes()
    if not nodes:
        return [wrong("nodes", "The hub knows no node yet", "pilothouse agent")]
    things = client.things()
    ill = [_thing(thing) for thing in things if not thing.health.ok]
    here = {node.node for node in nodes if node.life == "here"}
    known = [thing.address for thing in things]
    stands = [one for stand in client.stands() if (one := _stand(stand, known, here))]
    return [_node(node) for node in nodes] + ill + _stops(client.stops()) + stands


def _stops(now: StopsNow) -> list[Finding]:
    """Stops that hold, and who does not obey them; nothing when none does."""
    lift = "When all is well again: pilothouse stop --lift --reason WHY"
    found = []
    for stop in now.stops:
        why = f": {stop.reason}" if stop.reason else ""
        what = f"{stop.who} pressed it at {show.moment(stop.time)}{why}; it holds until somebody lifts it"
        found.append(look("stop", what, lift))
    if now.stops:
        again = "pilothouse stop"
        found += [wrong("stop", f"Node {node} does not obey it yet", f"On {node}: {again}") for node in now.missing]
    return found


def _stand(stand: Stand, known: list[str], here: set[str]) -> Finding | None:
    """A stand that names what does not exist; None when all of it does."""
    gone = [address for address in stand.things if address not in known]
    if not gone:
        return None
    meant = nearest(gone[0], known)
    mend = f"Correct [stands.{stand.stand}] in the configuration" + (f"; did you mean {meant!r}?" if meant else "")
    make = wrong if any(address.partition("/")[0] in here for address in gone) else look
    return make(f"stand {stand.stand}", f"It names what is not there: {', '.join(gone)}", mend)


def _node(node: Node) -> Finding:
    name = f"node {node.node}"
    if node.life != "here":
        word = "is away" if node.life == "away" else "has left"
        return wrong(name, f"It {word} since {show.moment(node.since)}", f"On {node.node}: pilothouse doctor")
    if abs(node.clock_offset) > _CLOCKS_APART:
        side = "ahead of" if node.clock_offset > 0 else "behind"
        apart = show.length(abs(node.clock_offset) / 1000)
        return look(name, f"Its clock is {apart} {side} the hub's", f"On {node.node}: sudo timedatectl set-ntp true")
    notes = f"; {'; '.join(node.notes)}" if node.notes else ""
    count = len(node.things)
    return (look if node.notes else well)(name, f"here, {count} thing{'' if count == 1 else 's'}{notes}")


def _thing(thing: ThingNow) -> Finding:
    since = f" since {show.moment(thing.health.since)}" if thing.health.since else ""
    return look(f"thing {thing.address}", f"{thing.health.error}{since}", f"pilothouse get {thing.address}")
