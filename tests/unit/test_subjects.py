"""The one table of subjects: filling and parsing are each other's inverse, and streams take what they should."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bus import Kept, Subjects, streams
from pilothouse.bus.subjects import TABLE
from pilothouse.errors import BadName

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,62}", fullmatch=True)
ROWS = sorted(TABLE)


def placeholders(row: str) -> list[str]:
    """Names in a row's pattern, without the site."""
    found = [name for _, name, _, _ in string.Formatter().parse(TABLE[row].pattern) if name]
    return [name for name in found if name != "site"]


def fill(subjects: Subjects, row: str, names: dict[str, str]) -> str:
    """By the method of the row's own name, as all callers do."""
    subject: str = getattr(subjects, row)(**names)
    return subject


@pytest.mark.parametrize("row", ROWS)
@given(site=NAMES, data=st.data())
def test_parse_is_the_inverse_of_fill(row, site, data):
    """For every row and every good name."""
    subjects = Subjects(site)
    names = {name: data.draw(NAMES) for name in placeholders(row)}
    assert subjects.parse(fill(subjects, row, names)) == (row, names)


@pytest.mark.parametrize("row", ROWS)
@given(names=st.data(), bad=st.text(max_size=70).filter(lambda t: not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}|\*", t)))
def test_bad_names_never_make_a_subject(row, names, bad):
    """Spaces, dots, wildcards, line ends, nothing, too much: BadName, in each place of each row."""
    fields = placeholders(row)
    for field in fields:
        filled = {name: bad if name == field else "a" for name in fields}
        with pytest.raises(BadName):
            fill(Subjects("home"), row, filled)


@given(st.text(max_size=100))
def test_parse_raises_bad_name_only(text):
    """Whatever comes as a subject."""
    for subject in (text, f"ph.home.{text}", f"ph.home.node.{text}", f"ph.home.cmd.a.{text}"):
        try:
            row, names = Subjects("home").parse(subject)
        except BadName:
            continue
        assert fill(Subjects("home"), row, names) == subject


@given(site=NAMES, other=NAMES)
def test_sites_do_not_meet(site, other):
    """A subject of one site is none of another."""
    if site == other:
        return
    with pytest.raises(BadName):
        Subjects(site).parse(Subjects(other).presence("pi"))


@pytest.mark.parametrize("site", ["", "a.b", "A", "*", ">", "a b", "x" * 64])
def test_bad_sites(site):
    """A site's name is a name like every other."""
    with pytest.raises(BadName):
        Subjects(site)


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_kept_by_the_stream_it_says(row):
    """What is never kept is in no stream; everything else is in exactly one, which keeps it so."""
    subject = TABLE[row].pattern.format(site="home", node="pi", thing="fan", name="on")
    taking = [
        stream for stream in streams("home").values() if any(_matches(pattern, subject) for pattern in stream.subjects)
    ]
    kept = TABLE[row].kept
    assert [stream.kept for stream in taking] == ([] if kept is Kept.NEVER else [kept])


def _matches(pattern: str, subject: str) -> bool:
    return re.fullmatch(pattern.replace(".", r"\.").replace("*", r"[^.]+"), subject) is not None


def test_streams_fit_the_embedded_bus():
    """All of them together stay below the default limits of memory and disk."""
    from pilothouse.config.site import BusConfig

    made = streams("home").values()
    assert sum(stream.max_bytes for stream in made if stream.kept is Kept.LAST) <= BusConfig().max_memory
    assert sum(stream.max_bytes for stream in made if stream.kept is not Kept.LAST) <= BusConfig().max_file
