"""The reference pages say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from tools.reference import FOLDER, PAGES, guard
from tools.reference.source import field_docs

from pilothouse.agent.build import check
from pilothouse.bus.messages import Why
from pilothouse.config import site
from pilothouse.config.load import read


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_gives(name: str) -> None:
    """Write them anew with: python -m tools.reference"""
    assert (FOLDER / name).read_text("utf-8") == PAGES[name](), "write it anew with: python -m tools.reference"


def test_every_key_of_the_configuration_is_there() -> None:
    """No table and no key is left out."""
    text = (FOLDER / "config.md").read_text("utf-8")
    tables = dict(re.findall(r"^## `(\[.+?\])`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for field in msgspec.structs.fields(site.Config):
        assert any(head.startswith(f"[{field.name}") for head in tables), field.name
    kinds = (site.SiteConfig, site.NodeConfig, site.BusConfig, site.HubConfig, site.KeeperConfig, site.PropertyConfig)
    for kind in (*kinds, site.StandConfig):
        for name in kind.__struct_fields__:
            assert f"| `{name}` |" in text


def test_the_example_of_the_guard_has_no_mistake(tmp_path: Path) -> None:
    """All settings of the guard in one file, as the page shows it: it loads, and the drivers know all of it."""
    file = tmp_path / "guard.toml"
    file.write_text(guard.example())
    config, _, mistakes = read(tmp_path, file)
    assert [str(mistake) for mistake in mistakes] == []
    assert config is not None
    assert [str(mistake) for mistake in check(config)] == []


def test_every_setting_of_the_guard_is_there() -> None:
    """What a property, a thing, a node or a stand can be told about safety is on its page, with an example."""
    text = PAGES["guard.md"]()
    shown = ("title", "doc", "precision", "every", "dead_band", "heartbeat")
    own = [name for name in site.PropertyConfig.__struct_fields__ if name not in shown]
    for name in (*own, *site.StandConfig.__struct_fields__, "interlocks", "exclusive"):
        assert re.search(rf"^\| `{name}` \|.*\| `{name} = .+` \|$", text, re.MULTILINE), name


def test_every_refusal_and_every_switching_by_itself_is_there() -> None:
    """The guard's own rules, and the origins that the agent writes into the ledger."""
    text = PAGES["guard.md"]()
    for why in (Why.INTERLOCK, Why.GUARD, Why.STOPPED, Why.LEASE, Why.CONFIRM, Why.CANCELLED):
        assert f"| `{why}` |" in text
    for origin in guard.ORIGINS:
        assert f"| `{origin}` |" in text


def test_the_docstring_below_a_field_is_its_meaning() -> None:
    """Also when it has several lines, and for fields of a base class."""
    docs = field_docs(site.HubConfig)
    assert docs["port"] == "Port to listen on; 0 = any free one."


def test_every_verb_has_an_example() -> None:
    """The help of a verb shows how it is typed, with options that it has."""
    text = PAGES["cli.md"]()
    sections = re.findall(r"^### `pilothouse (.+?)`\n+```text\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert len(sections) >= 15
    for verb, shown in sections:
        examples = re.findall(r"^    pilothouse (.+)$", shown, re.MULTILINE)
        assert examples, verb
        options = "".join(re.findall(r"^  -.+?:", shown, re.MULTILINE))
        known = set(re.findall(r"--[a-z-]+|-[a-z]\b", options))
        for example in examples:
            assert example.startswith(verb)
            used = {word for word in example.split("|")[0].split() if re.fullmatch(r"--[a-z-]+|-[a-z]", word)}
            assert used <= known, (verb, used - known)


def test_every_option_says_what_it_does() -> None:
    """No option without a text."""
    for line in PAGES["cli.md"]().splitlines():
        if re.match(r"  --?[a-z]", line):
            assert re.match(r"  .+?: .+", line), line


def test_every_route_of_the_issue_is_there() -> None:
    """What programs were promised."""
    text = PAGES["rest.md"]()
    for route in (
        "GET /healthz", "GET /stats", "GET /api/nodes", "GET /api/things", "GET /api/things/{node}/{thing}",
        "GET /api/things/{node}/{thing}/description", "GET /api/things/{node}/{thing}/properties/{name}",
        "PUT /api/things/{node}/{thing}/properties/{name}", "POST /api/things/{node}/{thing}/actions/{name}",
        "GET /api/live", "GET /api/history", "GET /api/ledger", "GET /api/ledger/{id}",
        "GET /api/stop", "POST /api/stop", "POST /api/stop/lift", "POST /api/confirmations",
        "GET /api/stands", "GET /api/stands/{name}", "POST /api/stands/{name}/lease",
        "GET /api/nodes/{node}/lanes", "DELETE /api/commands/{id}",
    ):  # fmt: skip
        assert f"### `{route}`" in text
