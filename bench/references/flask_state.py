"""A Flask application under gunicorn that keeps all in its own memory: no device, no record, no other process."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, jsonify, request

THINGS = 26
app = Flask(__name__)
_state: dict[str, dict[str, Any]] = {f"thing_{n}": {"value": 0.0, "time": 0, "quality": "good"} for n in range(THINGS)}
_levels: dict[str, Any] = {}


@app.get("/state")
def state() -> Any:
    """The state of everything."""
    now = int(time.time() * 1000)
    return jsonify(time=now, things=[{"thing": name, "properties": {"at": one}} for name, one in _state.items()])


@app.put("/things/<thing>/level")
def level(thing: str) -> Any:
    """Take a value."""
    body = request.get_json()
    _levels[thing] = body["value"]
    return jsonify(id=thing, end="confirmed", value=body["value"])
