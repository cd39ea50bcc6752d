"""Helpers for tests of drivers and of Pilothouse itself; never imported at run time."""

from pilothouse.testing.clock import FakeClock

__all__ = ["FakeClock"]
