"""The pages of docs/reference that are made from the code; what a field means stands below it in the source only."""

from collections.abc import Callable
from pathlib import Path

from tools.reference import bus, cli, config, drivers, guard, rest, rights

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "config.md": config.page,
    "cli.md": cli.page,
    "subjects.md": bus.page,
    "drivers.md": drivers.page,
    "rest.md": rest.page,
    "guard.md": guard.page,
    "rights.md": rights.page,
}

__all__ = ["FOLDER", "PAGES"]
