"""Rules for what the pages are made of: small files, nothing from elsewhere, nothing inline, only our colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pilothouse.hub.pages.render import STATIC, TEMPLATES

OURS = sorted([*STATIC.glob("css/*.css"), *STATIC.glob("js/*.js"), *TEMPLATES.glob("*.html")])


def test_there_is_something_to_check() -> None:
    """The folders are where this test looks."""
    assert len(OURS) > 30


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_file_is_small_and_self_contained(path: Path) -> None:
    """At most 300 lines, no other host, no inline style or handler, no HTML out of strings."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    hosts = set(re.findall(r"https?://[^\s\"'<>{}]+", text)) - {"http://www.w3.org/2000/svg"}
    assert hosts == set()
    if path.suffix == ".html":
        assert not re.search(r"\sstyle=|\son(click|submit|load|change|input)=", text)
        assert "|safe" not in text.replace(" ", "")
    if path.suffix == ".js":
        assert not re.search(
            r"\.(inner|outer)HTML\s*=[^=]|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        )


@pytest.mark.parametrize("path", sorted(STATIC.glob("css/*.css")), ids=lambda path: path.name)
def test_only_the_tokens_name_colours(path: Path) -> None:
    """So that both themes are whole: a colour is used by its token."""
    if path.name == "tokens.css":
        return
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*\{)", text) == []


def test_one_module_has_one_element_at_most() -> None:
    """A reader guesses the file from the element's name; ages and wishes, the same few lines, share one."""
    for path in STATIC.glob("js/*.js"):
        names = re.findall(r'customElements\.define\("([\w-]+)"', path.read_text(encoding="utf-8"))
        assert names in ([], [path.stem], ["live-age", "live-wish"])


def test_both_dark_palettes_are_one() -> None:
    """The dark that is chosen and the dark of the system name the same tokens with the same values."""
    text = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', text, re.DOTALL)
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', text, re.DOTALL)
    assert chosen
    assert system
    assert chosen.group(1).split() == system.group(1).split()
