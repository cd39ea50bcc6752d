"""The process that owns one node's hardware; nothing else ever touches it."""
