"""Benches: one script a claim of the published figures, each beside a reference measured in the same run.

Run one as `python -m bench.command`, all as `python -m bench`, which writes docs/reference/performance.md.
"""
