"""Bringing the identity provider of the tests: which Node runs it, and when it is in place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools.assets import CannotFetch
from tools.oidc_provider import HOME, fetch, find_node, in_place, main, stamp


def _program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def _home(folder: Path) -> Path:
    folder.mkdir()
    for file in ("package.json", "package-lock.json"):
        (folder / file).write_text("{}")
    return folder


def test_a_node_on_path_that_is_new_enough_is_taken(tmp_path, monkeypatch):
    """From version 20 on."""
    node = _program(tmp_path, "node", "echo v20.1.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_node() == str(node)


@pytest.mark.parametrize("script", ["echo v18.20.4", "echo what", "exit 1"])
def test_an_old_node_is_none(tmp_path, monkeypatch, capsys, script):
    """The sentence has the line to type."""
    _program(tmp_path, "node", script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CannotFetch, match=r"requirements/npm\.txt"):
        find_node()
    assert main([]) == 1 and "Node 20" in capsys.readouterr().err
    assert main(["--check"]) == 1 and capsys.readouterr().err == ""


def test_it_is_put_in_place_whole_or_not_at_all(tmp_path):
    """And again when the lock has changed."""
    home = _home(tmp_path / "home")
    make = "mkdir -p node_modules/oidc-provider && echo '{}' >node_modules/oidc-provider/package.json"
    good = _program(tmp_path, "good", make)
    broken = _program(tmp_path, "broken", "mkdir -p node_modules; echo 'npm error code EINTEGRITY' >&2; exit 1")
    assert not in_place(home)
    with pytest.raises(CannotFetch, match="sha512"):
        fetch([str(broken)], home)
    assert not (home / "node_modules").exists()
    fetch([str(good)], home)
    assert in_place(home) and (home / "node_modules/oidc-provider/package.json").is_file()
    before = stamp(home)
    (home / "package-lock.json").write_text('{"other": 1}')
    assert stamp(home) != before and not in_place(home)
    fetch([str(good)], home)
    assert in_place(home)
    assert sorted(path.name for path in home.iterdir()) == ["node_modules", "package-lock.json", "package.json"]


def test_the_lock_names_no_address_and_has_a_hash_for_everything():
    """As that of the web assets: where packages come from is the matter of whoever fetches them."""
    lock = json.loads((HOME / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages and all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
