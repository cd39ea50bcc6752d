"""What one viewer still has to get: nothing is lost without a snapshot, and nothing grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.hub.problems import WebError
from pilothouse.hub.viewers import FRAMES, Viewer, parse_filter
from pilothouse.model import Address

STEPS = st.lists(st.one_of(st.integers(1, 100), st.sampled_from(["read", "close"])), max_size=60)


@given(STEPS)
def test_whoever_reads_on_has_seen_every_frame_since_the_last_snapshot(steps: list[int | str]) -> None:
    """A snapshot stands for all before it; after it no frame is missing, doubled or out of order."""
    woken = []
    viewer = Viewer(lambda: woken.append(True))
    sent = 0
    seen = 0
    """The number of the last frame that the viewer knows of, by snapshot or frame."""
    for step in steps:
        if step == "close":
            viewer.close()
        elif step == "read" and not viewer.closed:
            if viewer.behind:
                viewer.caught_up()
                seen = sent
            else:
                numbers = [int(part) for part in viewer.take().split(b"\n") if part]
                assert numbers == list(range(seen + 1, seen + 1 + len(numbers)))
                seen += len(numbers)
            assert viewer.closed or seen == sent
        elif isinstance(step, int):
            for _ in range(step):
                sent += 1
                viewer.push(b"%d\n" % sent)
        assert len(viewer) <= FRAMES
        assert viewer.closed or viewer.behind or len(viewer) == sent - seen


def test_it_is_woken_when_there_is_something_to_take() -> None:
    """At the first frame, at the overflow, at the end; not for every frame."""
    woken: list[int] = []
    viewer = Viewer(lambda: woken.append(1))
    viewer.push(b"before the snapshot")
    assert not woken and viewer.behind
    viewer.caught_up()
    for _ in range(FRAMES):
        viewer.push(b"x")
    assert len(woken) == 1
    viewer.push(b"one too many")
    assert len(woken) == 2 and viewer.behind and len(viewer) == 0
    viewer.close()
    assert len(woken) == 3


def test_one_frame_is_handed_on_as_it_is() -> None:
    """The same bytes object for all viewers: nothing is copied."""
    viewer = Viewer(lambda: None)
    viewer.caught_up()
    frame = b"data: {}\n\n"
    viewer.push(frame)
    assert viewer.take() is frame and viewer.take() == b""


def test_filters_are_addresses() -> None:
    """Separated by commas; nothing means all; the same things in any order are one filter."""
    assert parse_filter("") is None and parse_filter(" , ") is None
    assert parse_filter("a/b,c/d") == parse_filter("c/d, a/b,a/b") == frozenset({Address("a", "b"), Address("c", "d")})


@pytest.mark.parametrize("text", ["a", "a/", "/b", "A/B", "a/b/c", "a/b.c", "a/" + "x" * 64, "a/é"])
def test_bad_filters_are_a_400(text: str) -> None:
    """And say how an address is written."""
    with pytest.raises(WebError) as caught:
        parse_filter(text)
    assert caught.value.status == 400 and caught.value.why


def test_an_interruption_comes_before_all_else() -> None:
    """What waited is dropped for a fresh snapshot; two of them come in their order, each once."""
    woken: list[int] = []
    viewer = Viewer(lambda: woken.append(1))
    viewer.caught_up()
    viewer.push(b"waits")
    viewer.interrupt(b"first;")
    viewer.interrupt(b"second;")
    assert viewer.first() == b"first;second;" and viewer.first() == b"" and woken
    assert viewer.behind and viewer.take() == b"" and not viewer.leaving


def test_a_dismissed_viewer_gets_its_last_frame_and_nothing_else() -> None:
    """Not what waited, not what was to come first, and nothing that comes later; closed ones get nothing at all."""
    viewer = Viewer(lambda: None)
    viewer.caught_up()
    viewer.push(b"waits")
    viewer.interrupt(b"rights")
    viewer.dismiss(b"bye")
    viewer.dismiss(b"again")
    viewer.interrupt(b"later")
    viewer.push(b"later")
    assert viewer.leaving and viewer.first() == b"bye" and viewer.first() == b"" and len(viewer) == 0
    gone = Viewer(lambda: None)
    gone.close()
    gone.dismiss(b"bye")
    assert gone.first() == b"" and not gone.leaving
