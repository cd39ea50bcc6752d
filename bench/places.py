"""Where the repository and its parts lie, as the benches see them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""
TABLE = ROOT / "docs" / "reference" / "performance.md"
"""What `python -m bench` writes."""
SAFETY = ROOT / "docs" / "explanations" / "what-software-cannot-promise.md"
"""Has the figures of `bench.failsafe` between two marks."""
RESULTS = TABLE.with_suffix(".json")
"""The results behind it, by script; a run of some scripts replaces theirs and keeps the others."""
