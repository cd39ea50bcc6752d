"""Pilothouse: see and steer your Raspberry Pis, relays and lab benches from one page that you host yourself."""

from importlib.metadata import version as _version

__version__ = _version("pilothouse")
