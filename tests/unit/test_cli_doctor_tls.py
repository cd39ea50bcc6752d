"""What `pilothouse doctor` says of the way to the hub and of its certificate."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cli.access import Access
from pilothouse.cli.checks import Finding, Patient, State, tls
from pilothouse.cli.config_check import Checked
from pilothouse.config.places import Places
from pilothouse.config.site import Config, HubConfig
from pilothouse.hub.certificates import make_authority, make_leaf

NOW = datetime(2027, 3, 1, tzinfo=UTC)
HOSTS = frozenset({"localhost", "pi.local", "lab.example.org"})
FAR = HubConfig(host="0.0.0.0")


def findings(data: Path, hub: HubConfig, *, later: timedelta = timedelta(0), **note: Any) -> dict[str, Finding]:
    """By what was looked at."""
    status = {"pid": os.getpid(), **note} if note else {}
    patient = Patient(
        access=Access(data=data),
        checked=Checked(origin="a file", mistakes=[], config=Config(hub=hub)),
        now=int((NOW + later).timestamp() * 1000),
        up={},
        hub=status,
    )
    found = {one.name: one for one in tls.way_in(patient)}
    assert all(one.remedy for one in found.values() if one.state in (State.WRONG, State.LOOK))
    return found


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A data folder with an authority and a certificate."""
    places = Places(tmp_path)
    places.tls.mkdir()
    authority = make_authority("Home", HOSTS, NOW)
    leaf = make_leaf(authority, HOSTS, NOW)
    places.authority.write_bytes(authority.certificate)
    places.own_certificate.write_bytes(leaf.certificate + leaf.key)
    return tmp_path


@pytest.mark.parametrize(
    ("hub", "note", "state", "words"),
    [
        (HubConfig(), {}, State.WELL, "this machine only"),
        (HubConfig(behind_proxy=("10.0.0.1",), public_url="https://lab"), {}, State.WELL, "a proxy that does TLS"),
        (HubConfig(behind_proxy=("10.0.0.1",), public_url="http://lab"), {}, State.LOOK, "without TLS"),
        (HubConfig(host="0.0.0.0", insecure=True), {}, State.LOOK, "passwords can be read"),
        (HubConfig(host="0.0.0.0"), {"posture": "insecure"}, State.LOOK, "passwords can be read"),
        (HubConfig(host="0.0.0.0"), {"posture": "loopback"}, State.WELL, "this machine only"),
        (HubConfig(host="0.0.0.0", tls="off"), {}, State.WRONG, "without TLS"),
        (HubConfig(behind_proxy=("10.0.0.1",)), {}, State.WRONG, "public_url"),
    ],
)
def test_the_way_in(tmp_path: Path, hub: HubConfig, note: dict[str, str], state: State, words: str) -> None:
    """As it is configured; as the hub that runs says, where that was told otherwise at its start."""
    found = findings(tmp_path, hub, **note)["way in"]
    assert found.state is state and words in found.what


def test_a_good_certificate_says_for_what_and_how_long(own: Path) -> None:
    """And nothing of an authority that is good for years."""
    found = findings(own, FAR)
    assert found["certificate"].state is State.WELL and "localhost" in found["certificate"].what
    assert "396 days" in found["certificate"].what and "authority" not in found


@pytest.mark.parametrize(
    ("days", "state"), [(350, State.WELL), (370, State.LOOK), (396, State.WRONG), (3000, State.WRONG)]
)
def test_a_certificate_that_is_not_renewed_is_seen(own: Path, days: int, state: State) -> None:
    """A running hub would have made a new one."""
    assert findings(own, FAR, later=timedelta(days=days))["certificate"].state is state


def test_an_authority_that_runs_out_is_seen_half_a_year_before(own: Path) -> None:
    """Every device has to be told to trust the next one."""
    assert "authority" not in findings(own, FAR, later=timedelta(days=3400))
    assert findings(own, FAR, later=timedelta(days=3500))["authority"].state is State.LOOK


def test_a_name_that_is_not_in_the_certificate_is_seen(own: Path) -> None:
    """Browsers come by it and are warned."""
    there = HubConfig(host="0.0.0.0", public_url="https://lab.example.org")
    assert findings(own, there)["certificate"].state is State.WELL
    found = findings(own, HubConfig(host="0.0.0.0", public_url="https://other.example.org"))["certificate"]
    assert found.state is State.LOOK and "other.example.org" in found.what and "mv " in found.remedy


def test_given_files_are_looked_at(own: Path) -> None:
    """Where they are; missing and broken ones are said."""
    file = own / "lab.pem"
    hub = HubConfig(certificate=str(file), key=str(file), public_url="https://lab.example.org")
    assert findings(own, hub)["certificate"].state is State.LOOK
    file.write_bytes(b"nonsense")
    assert findings(own, hub)["certificate"].state is State.WRONG
    file.write_bytes(Places(own).own_certificate.read_bytes())
    assert findings(own, hub)["certificate"].state is State.WELL
    soon = findings(own, hub, later=timedelta(days=380))["certificate"]
    assert soon.state is State.LOOK and "no restart" in soon.remedy
