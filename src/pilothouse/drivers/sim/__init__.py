"""Simulated devices: the demo and the test rig. Deterministic under their seed and the clock, and able to fail."""
