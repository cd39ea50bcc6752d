"""The page of stop: what holds, and pressing and lifting it without JavaScript.

Two quick presses always stop, and one is enough. The button in the bar opens its dialog at once, with the first answer
focused; the second press, or Enter, stops. Holding the button for a second stops without the dialog: who is in a hurry
need not read. A double click was turned down as the one press: people double-click everything, and a laboratory where
stops happen by mistake learns to lift them without looking. Esc and a click beside it close the dialog, no more.
"""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, get, post
from litestar.response import Response
from msgspec import Struct

from pilothouse.errors import PilothouseError
from pilothouse.hub.allowed import Allowed, allowed_of
from pilothouse.hub.needs import needs
from pilothouse.hub.pages.forms import form_of
from pilothouse.hub.pages.render import page
from pilothouse.hub.pages.stop_rows import StopRow, stop_rows
from pilothouse.hub.problems import problem_of
from pilothouse.hub.site import Site, site_of, stops_of, visitor_of
from pilothouse.hub.stop_seen import nodes_seen, pressed_for
from pilothouse.hub.stops import Lifted, NodeStopped, Pressed
from pilothouse.rights import Deed

BY_HAND = "Use the emergency stop at the bench."
"""What helps where software cannot."""


class Said(Struct, frozen=True, kw_only=True):
    """One sentence about what a press or a lifting did."""

    level: Literal["well", "warn", "bad"]
    """How it looks; each has a sign of its own."""
    text: str


class StopPage(Struct, frozen=True, kw_only=True):
    """What the page of stop shows."""

    now: int
    stops: tuple[StopRow, ...]
    """The stops that hold."""
    said: tuple[Said, ...]
    """What the press or the lifting before this page did; () when there was none."""
    press: bool
    """Whether whoever looks may press it."""
    lift: bool
    """Whether whoever looks may lift it."""
    guest: bool
    """Whether they only look on, with a guest link."""
    reason: str
    """What was typed as the reason and did not get through: bad input loses nothing."""


def build(site: Site, allowed: Allowed, said: tuple[Said, ...] = (), reason: str = "") -> StopPage:
    """The page now, as somebody sees it."""
    return StopPage(
        now=site.clock.now(),
        stops=stop_rows(site.directory, site.holding.latches) if allowed.sees else (),
        said=said,
        press=allowed.of_site(Deed.STOP),
        lift=allowed.of_site(Deed.LIFT),
        guest=allowed.guest,
        reason=reason,
    )


def told_of_press(pressed: Pressed) -> tuple[Said, ...]:
    """What happened on each node, plainly."""
    said = [_node(each) for each in pressed.nodes]
    said += [Said(level="bad", text=f"Node {name} did not answer. {BY_HAND}") for name in pressed.silent]
    if pressed.note:
        said.append(Said(level="warn", text=pressed.note))
    if not (pressed.nodes or pressed.silent):
        said.append(Said(level="warn", text=f"No node is there that could obey. {BY_HAND}"))
    return tuple(said)


def _node(stopped: NodeStopped) -> Said:
    if stopped.mistakes:
        return Said(level="bad", text=f"Node {stopped.node}: {'; '.join(stopped.mistakes)}. {BY_HAND}")
    outputs = "1 output" if stopped.outputs == 1 else f"{stopped.outputs} outputs"
    return Said(level="well", text=f"Node {stopped.node} is safe: {outputs}, after {stopped.took_ms:.0f} ms.")


def told_of_lifting(lifted: Lifted) -> tuple[Said, ...]:
    """What was lifted and what holds on."""
    said = [Said(level="well", text="The stop is lifted. Outputs stay as they are until somebody switches them.")]
    if not lifted.lifted:
        said = [Said(level="warn", text="Nothing was lifted.")]
    if lifted.still:
        said.append(Said(level="warn", text="A stop that was pressed meanwhile holds on."))
    said += [Said(level="bad", text=f"Node {name} did not answer and may hold on.") for name in lifted.silent]
    if lifted.note:
        said.append(Said(level="warn", text=lifted.note))
    return tuple(said)


@get("/stop", include_in_schema=False, opt=needs(Deed.SEE, "seen"))
async def stop_page(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The page. Opening it commands nothing."""
    return _shown(request)


@post("/stop", include_in_schema=False, status_code=200, opt=needs(Deed.STOP))
async def press_stop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Stop, from the form; any kind but "end" is the hard one, so that a mangled form stops all the same."""
    form, visitor = await form_of(request), visitor_of(request)
    kind: Literal["hard", "end"] = "end" if form.text("kind") == "end" else "hard"
    reason = form.text("reason")
    try:
        pressed = await stops_of(request).press(kind, who=visitor.who, origin=visitor.origin, reason=reason)
    except PilothouseError as error:
        return _refused(request, error, reason, tail=BY_HAND)
    here = nodes_seen(site_of(request), visitor.rights)
    return _shown(request, told_of_press(pressed_for(pressed, here)))


@post("/stop/lift", include_in_schema=False, status_code=200, opt=needs(Deed.LIFT))
async def lift_stop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lift the stops that the form names, and no other: one pressed meanwhile holds."""
    form, visitor = await form_of(request), visitor_of(request)
    reason = form.text("reason")
    try:
        lifted = await stops_of(request).lift(
            form.texts("stops"), who=visitor.who, origin=visitor.origin, reason=reason
        )
    except PilothouseError as error:
        return _refused(request, error, reason)
    return _shown(request, told_of_lifting(lifted))


def _refused(request: Request[Any, Any, Any], error: PilothouseError, reason: str, tail: str = "") -> Response[bytes]:
    problem = problem_of(error)
    words = [problem.detail, problem.cause, problem.remedy]
    text = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in words if part)
    return _shown(request, (Said(level="bad", text=f"{text} {tail}".strip()),), reason, status=problem.status)


def _shown(
    request: Request[Any, Any, Any], said: tuple[Said, ...] = (), reason: str = "", status: int = 200
) -> Response[bytes]:
    shown = build(site_of(request), allowed_of(request), said, reason)
    return page(request, "stop.html", shown, title="Stop", here="stop", status=status)
