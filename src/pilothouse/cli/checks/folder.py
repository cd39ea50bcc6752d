"""The data folder: there, ours, writable, private, with room; and no left-over notes of dead processes."""

from __future__ import annotations

import os
import shutil

from pilothouse.cli.checks.finding import Finding, Patient, alive, look, skipped, well, wrong

_TIGHT, _LOW = 100_000_000, 1_000_000_000


def folder(patient: Patient) -> Finding:
    """Whether the data folder can be used."""
    path = patient.places.data
    if not path.is_dir():
        return skipped("data folder", f"There is no folder {path} yet; pilothouse up makes it")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return wrong("data folder", f"{path} cannot be written by this user", f"sudo chown -R $USER {path}")
    if path.stat().st_mode & 0o077:
        return look("data folder", f"{path} can be read by other users of this machine", f"chmod 700 {path}")
    return well("data folder", str(path))


def room(patient: Patient) -> Finding:
    """Whether there is room on its disk."""
    path = patient.places.data
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    said = f"{free / 1e9:.1f} GB free" if free >= _LOW else f"{free / 1e6:.0f} MB free"
    if free < _TIGHT:
        return wrong("room", f"The disk is full: {said}; history will have gaps", f"du -xh {path} | sort -h | tail")
    if free < _LOW:
        return look("room", f"Little room: {said}", f"du -xh {path} | sort -h | tail")
    return well("room", said)


def token(patient: Patient) -> Finding:
    """Whether the command line has its token."""
    path = patient.places.token
    if not path.exists():
        if not patient.running:
            return skipped("token", "The hub makes it when it starts for the first time")
        return wrong("token", f"There is no token in {path}", "Start the hub again: pilothouse up")
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return wrong("token", f"Other users of this machine can read {path}", f"chmod 600 {path}")
    return well("token", str(path))


def leftovers(patient: Patient) -> Finding:
    """Notes that processes which are gone have left behind."""
    notes = ((patient.places.up_status, patient.up), (patient.places.hub_status, patient.hub))
    dead = [str(path) for path, status in notes if status and not alive(status)]
    if dead and patient.running:
        # Harmless: whoever starts next writes them anew. Yet they show that something did not end in order.
        return look("left-over notes", f"Written by processes that are gone: {', '.join(dead)}", f"rm {' '.join(dead)}")
    return well("left-over notes", "none that matter")
