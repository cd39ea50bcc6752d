"""Attacks on the hub: what somebody tries who does not belong here, or may less than they would like."""
