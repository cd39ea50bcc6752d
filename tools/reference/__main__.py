"""Writes docs/reference from the code.

python -m tools.reference            writes what differs
python -m tools.reference --check    writes nothing; exit code 1 when something differs
"""

from __future__ import annotations

import argparse
import sys

from tools.reference import FOLDER, PAGES


def main() -> int:
    """Write, or compare; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.reference", description="Writes docs/reference.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when something differs")
    check = parser.parse_args().check
    differ = 0
    for name, make in PAGES.items():
        path, text = FOLDER / name, make()
        if path.exists() and path.read_text("utf-8") == text:
            continue
        differ += 1
        print(f"{'differs' if check else 'written'}: docs/reference/{name}")
        if not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if check and differ else 0


if __name__ == "__main__":
    sys.exit(main())
