"""tools/assets.py: what it does when things go wrong, without any network."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def assets() -> ModuleType:
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("assets_tool", ROOT / "tools" / "assets.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["assets_tool"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A folder with a lock."""
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}')
    return folder


def fake_npm(tmp_path: Path, *lines: str) -> list[str]:
    """A program that stands in for npm: a shell script."""
    path = tmp_path / "npm"
    path.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
    path.chmod(0o755)
    return [str(path)]


def test_a_set_is_put_in_place_whole(assets: ModuleType, web: Path, tmp_path: Path) -> None:
    """Fetched, stamped, known to be there; and old content goes."""
    wanted = assets.AssetSet(tmp_path / "vendor", {"a/x.js": "a/x.js"})
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "old.js").write_text("old")
    assert not assets.in_place(wanted, web)
    assets.fetch([wanted], fake_npm(tmp_path, "mkdir -p node_modules/a", "echo 1 > node_modules/a/x.js"), web)
    assert assets.in_place(wanted, web)
    assert sorted(path.name for path in (tmp_path / "vendor").iterdir()) == [".stamp", "a"]
    assert list((web / "node_modules").iterdir()) == []


def test_a_new_lock_or_list_is_not_in_place(assets: ModuleType, web: Path, tmp_path: Path) -> None:
    """The stamp is of both."""
    wanted = assets.AssetSet(tmp_path / "vendor", {"a/x.js": "x.js"})
    assets.fetch([wanted], fake_npm(tmp_path, "mkdir -p node_modules/a", "echo 1 > node_modules/a/x.js"), web)
    assert not assets.in_place(assets.AssetSet(wanted.folder, {"a/x.js": "y.js"}), web)
    (web / "package-lock.json").write_text('{"lockfileVersion": 4}')
    assert not assets.in_place(wanted, web)


def test_half_fetched_never_looks_complete(assets: ModuleType, web: Path, tmp_path: Path) -> None:
    """npm fails midway: nothing was touched, nothing is left behind."""
    wanted = assets.AssetSet(tmp_path / "vendor", {"a/x.js": "x.js"})
    npm = fake_npm(tmp_path, "mkdir -p node_modules/a", "echo 'npm error code ENOSPC' >&2", "exit 1")
    with pytest.raises(assets.CannotFetch, match="disk is full"):
        assets.fetch([wanted], npm, web)
    assert not wanted.folder.exists()
    assert list((web / "node_modules").iterdir()) == []


def test_a_file_that_the_package_lacks(assets: ModuleType, web: Path, tmp_path: Path) -> None:
    """A slip of ours is said as one."""
    wanted = assets.AssetSet(tmp_path / "vendor", {"a/none.js": "x.js"})
    with pytest.raises(assets.CannotFetch, match=r"no file a/none\.js"):
        assets.fetch([wanted], fake_npm(tmp_path, "mkdir -p node_modules/a"), web)
    assert not wanted.folder.exists()


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("npm error code EINTEGRITY", "does not match the pinned sha512"),
        ("npm error code ENOTFOUND\nnpm error network request", "cannot be reached"),
        ("npm error code EACCES", "may not write"),
        ("npm error something else\nnpm error more", "npm failed: something else"),
        ("", "it gave no reason"),
    ],
)
def test_complaints_in_one_sentence(assets: ModuleType, output: str, words: str) -> None:
    """With what would mend it."""
    assert words in assets.explain(output)


def test_without_npm_it_says_the_line_to_type(assets: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on PATH nor as a package."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(assets.CannotFetch, match=r"pip install --require-hashes -r requirements/npm\.txt"):
        assets.find_npm(None)
    with pytest.raises(assets.CannotFetch, match="no program"):
        assets.find_npm("nowhere-npm")


def test_the_lock_is_exact_and_names_no_host() -> None:
    """sha512 of every package, no address of any registry, and the versions of package.json."""
    text = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all(each["integrity"].startswith("sha512-") for path, each in packages.items() if path)
