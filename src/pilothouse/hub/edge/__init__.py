"""The edge of the hub, below the application: who may connect, what a request may look like, how long all may take.

`gate` takes connections and `wire` speaks HTTP on each; `crowd`, `heads` and `patience` decide, and are pure.
"""

from pilothouse.hub.edge.bounds import Bounds, within_files
from pilothouse.hub.edge.crowd import Crowd
from pilothouse.hub.edge.server import Server

__all__ = ["Bounds", "Crowd", "Server", "within_files"]
