"""The vitals of the machine itself."""

from pilothouse.drivers.host.thing import About, Host

__all__ = ["About", "Host"]
