"""The guard: whether an output may be switched, and when it must go back. Pure decisions; the agent acts on them."""
