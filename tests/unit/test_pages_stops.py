"""What pages say of stop: who obeys, what a press did on each node, and what a lifting left."""

from __future__ import annotations

from types import SimpleNamespace

from pilothouse.hub.pages import overview, stops
from pilothouse.hub.pages.stop_rows import stop_rows
from pilothouse.hub.stop_seen import holds_for, nodes_seen, pressed_for
from pilothouse.hub.stops import Holds, Lifted, NodeStopped, Pressed, StopNow
from support import made_up
from support.made_up import latch


def test_who_obeys_and_who_does_not() -> None:
    """A node says by its presence that it obeys; one that is away may not have heard of it; one that left is safe."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), stops=(latch(),))
    made_up.hear(directory, "gone", (), state="leaving")
    (row,) = stop_rows(directory, [latch(reason="smoke")])
    assert (row.word, row.who, row.reason) == ("Stopped", "bob", "smoke")
    assert (row.obey, row.missing) == (("pi",), ("away (away)",))
    (other,) = stop_rows(directory, [latch(id="another", kind="end")])
    assert (other.word, other.obey, other.missing) == ("Stopped at the end", (), ("away (away)", "pi"))
    assert stop_rows(directory, []) == ()


def test_a_press_is_told_node_by_node() -> None:
    """How long it took; what may not be safe, and who said nothing, with what helps then."""
    nodes = [
        NodeStopped(node="a", outputs=1, took_ms=11.6),
        NodeStopped(node="b", outputs=4, mistakes=["bath may not be safe: it hangs"], took_ms=3),
    ]
    said = stops.told_of_press(Pressed(id="x", kind="hard", nodes=nodes, silent=["c"], note="It is not written down."))
    assert [each.level for each in said] == ["well", "bad", "bad", "warn"]
    assert said[0].text == "Node a is safe: 1 output, after 12 ms."
    assert said[1].text == f"Node b: bath may not be safe: it hangs. {stops.BY_HAND}"
    assert said[2].text == f"Node c did not answer. {stops.BY_HAND}"
    (nobody,) = stops.told_of_press(Pressed(id="x", kind="hard", nodes=[], silent=[]))
    assert nobody.level == "warn"


def test_a_lifting_is_told() -> None:
    """What holds on is said, so that nobody takes a site for free that is not."""
    assert [each.level for each in stops.told_of_lifting(Lifted(lifted=["x"], still=[], nodes=[], silent=[]))] == [
        "well"
    ]
    said = stops.told_of_lifting(Lifted(lifted=[], still=["y"], nodes=[], silent=["b"], note="Later."))
    assert [each.level for each in said] == ["warn", "warn", "bad", "warn"]
    assert "pressed meanwhile" in said[1].text


async def test_a_stop_is_the_first_concern() -> None:
    """A site that is stopped is not well, and a node that does not obey is a matter for the emergency stop."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), stops=(latch(),))
    site = made_up.site(directory=directory, holding=SimpleNamespace(latches=(latch(),)))
    shown = await overview.build(site, made_up.allowed())
    assert (shown.attention[0].word, shown.attention[0].href) == ("stopped", "/stop")
    assert shown.attention[0].text == "Not yet obeyed by away (away). Use the emergency stop at the bench."
    made_up.hear(directory, "away", ("host",), stops=(latch(),))
    shown = await overview.build(site, made_up.allowed())
    assert shown.attention[0].text == "Outputs are held at their safe values until somebody lifts it."


def test_nodes_that_may_not_be_seen_count_without_their_names() -> None:
    """Whoever presses stop learns whether all of the site is safe, and of whatever else is there only how many."""
    nodes = [
        NodeStopped(node="pi", outputs=1, took_ms=3.0),
        NodeStopped(node="secret-1", outputs=2, took_ms=40.0),
        NodeStopped(node="secret-2", outputs=3, mistakes=["pump of the other stand hangs"], took_ms=5.0),
    ]
    pressed = Pressed(id="x", kind="hard", nodes=nodes, silent=["secret-3"])
    assert pressed_for(pressed, None) is pressed
    told = pressed_for(pressed, {"pi"})
    texts = [each.text for each in stops.told_of_press(told)]
    assert texts == [
        "Node pi is safe: 1 output, after 3 ms.",
        f"Node (2 others): 1 may not be safe. {stops.BY_HAND}",
        f"Node (1 other) did not answer. {stops.BY_HAND}",
    ]
    assert "secret" not in repr(told)
    assert pressed_for(Pressed(id="x", kind="hard", nodes=nodes[:1], silent=[]), {"pi"}).nodes == nodes[:1]


def test_which_stops_hold_is_told_without_hidden_nodes() -> None:
    """A guest sees that it holds; whoever may see nothing does not learn of it."""
    held = Holds(id="a", kind="hard", time=1, who="bob", origin="page", reason="smoke", nodes=["pi", "secret-1"])
    now = StopNow(time=5, stops=[held], missing=["secret-2"])
    assert holds_for(now, None, sees=True) is now
    told = holds_for(now, {"pi"}, sees=True)
    assert (told.stops[0].nodes, told.missing) == (["pi", "(1 other)"], ["(1 other)"])
    assert holds_for(now, set(), sees=False).stops == []
    directory = made_up.directory()
    site = made_up.site(directory=directory)
    assert nodes_seen(site, made_up.visitor("ada").rights) is None
    assert nodes_seen(site, made_up.visitor("ada", "viewer@bench").rights) == {"pi", "away"}


async def test_the_concern_says_who_lifts_it() -> None:
    """To whoever may not."""
    directory = made_up.directory()
    made_up.hear(directory, "pi", ("relays", "host"), stops=(latch(),))
    made_up.hear(directory, "away", ("host",), stops=(latch(),))
    site = made_up.site(directory=directory, holding=SimpleNamespace(latches=(latch(),)))
    shown = await overview.build(site, made_up.allowed("ada", "operator"))
    assert shown.attention[0].text == (
        "Outputs are held at their safe values. An engineer of the whole site can lift it."
    )
