"""The fault suite: what must never happen, whatever is killed or frozen under load."""
