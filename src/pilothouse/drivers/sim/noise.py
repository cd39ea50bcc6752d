"""Noise that depends only on seed, channel and time step: the same however often and in whatever order it is read."""

from __future__ import annotations

import math
import zlib

_MASK = (1 << 64) - 1


def uniform(seed: int, channel: str, step: int) -> float:
    """A number in (0, 1)."""
    mixed = _mix(_mix(seed & _MASK) ^ zlib.crc32(channel.encode()) ^ (step & _MASK) << 20)
    return ((mixed >> 11) + 0.5) / (1 << 53)


def gauss(seed: int, channel: str, step: int) -> float:
    """A number from the normal distribution of mean 0 and deviation 1 (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(uniform(seed, channel, step)))
    return radius * math.cos(2.0 * math.pi * uniform(seed, channel + "'", step))


def _mix(state: int) -> int:
    """The output function of the SplitMix64 generator: every bit of the input touches every bit of the answer."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ state >> 27) * 0x94D049BB133111EB) & _MASK
    return state ^ state >> 31
