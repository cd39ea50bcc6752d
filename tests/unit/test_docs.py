"""What the docs say can be typed, pasted and clicked."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tools.reference import PAGES

from pilothouse.cli.app import VERBS
from pilothouse.config.load import read

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN = [path for path in DOCS if path.name not in PAGES]
"""Those that people have written."""


def named(path: Path) -> str:
    """How a failed test calls a page."""
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    """Code of one language in a page."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What a link into a page may name: its headings, as they are turned into anchors."""
    heads = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    """Every file that a page links to exists, and so does the heading in it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{link} is not there"
        if anchor:
            assert anchor in anchors(path), f"{link} has no such heading"


def shell_lines(path: Path) -> list[list[str]]:
    """Every `pilothouse …` that a page shows to be typed, as words without comments."""
    lines = "\n".join(blocks(path, "sh") + blocks(path, "text")).splitlines()
    found = (re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?pilothouse (.+)", line) for line in lines)
    return [shlex.split(match[1], comments=True) for match in found if match]


@pytest.mark.parametrize("page", WRITTEN, ids=named)
def test_commands_can_be_typed(page: Path) -> None:
    """Verbs and options are those of the command line."""
    helps = dict(re.findall(r"^### `pilothouse ([a-z ]+)`\n+```text\n(.*?)```", PAGES["cli.md"](), re.M | re.S))
    for words in shell_lines(page):
        assert any(words[0] in verbs for verbs in VERBS.values()), words
        said = helps.get(" ".join(words[:2])) or helps[words[0]]
        known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", said))
        used = {word.partition("=")[0] for word in words[1:] if re.match(r"--?[a-z]", word)}
        assert used <= known, (words, used - known)


@pytest.mark.parametrize("page", WRITTEN, ids=named)
def test_configuration_can_be_pasted(page: Path, tmp_path: Path) -> None:
    """Each example has only keys that exist; a thing of which a part is shown gets a driver here."""
    for number, block in enumerate(blocks(page, "toml")):
        parts = set(re.findall(r"^\[things\.([a-z0-9_-]+)[.\]]", block, re.MULTILINE))
        whole = set(re.findall(r"^\[things\.([a-z0-9_-]+)\]\ndriver", block, re.MULTILINE))
        bare = re.sub(
            r"^\[things\.[a-z0-9_-]+\]\n(?!driver)", r'\g<0>driver = "sim.relays"\n', block, flags=re.MULTILINE
        )
        open_heads = set(re.findall(r"^\[things\.([a-z0-9_-]+)\]", block, re.MULTILINE))
        missing = "".join(f'[things.{name}]\ndriver = "sim.relays"\n' for name in sorted(parts - open_heads - whole))
        file = tmp_path / f"{number}.toml"
        file.write_text(f"{bare}\n{missing}")
        _, _, mistakes = read(tmp_path, file)
        assert [str(mistake) for mistake in mistakes] == [], block


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").rglob("*.svg")), ids=named)
def test_a_drawing_reads_on_any_viewer(picture: Path) -> None:
    """Well-formed, with a background of its own, words for those who cannot see it, and nothing from elsewhere."""
    text = picture.read_text("utf-8")
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.findtext(f"{space}title")
    assert root.findtext(f"{space}desc")
    assert root.find(f"{space}rect") is not None
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in text


def test_decisions_are_numbered() -> None:
    """1, 2, 3 …, each with what was rejected."""
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    for number, page in enumerate(pages, start=1):
        text = page.read_text("utf-8")
        assert page.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        for part in ("**Context.**", "**Decision.**", "**Rejected.**", "**Consequences.**"):
            assert part in text, (page.name, part)
