"""`pilothouse link`: a link that works once, for the first administrator or for one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pilothouse.cli.app import run
from pilothouse.cli.record_here import Here, with_record
from pilothouse.config.places import Places
from pilothouse.record import Line, LinkRow, Wanted
from support.own_record import make_record


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data folder with a record in it, and nobody in that."""
    return make_record(tmp_path)


def add(places: Places, name: str, *grants: str, password: str = "$argon2id$x", active: bool = True) -> None:
    """Somebody in the record."""

    async def work(here: Here) -> None:
        await here.people.persons.add(name, grants=grants, password_hash=password)
        await here.people.persons.set_active(name, active, force=True)

    with_record(places, work)


def use(places: Places, url: str) -> LinkRow | None:
    """What the link in a URL is good for, used up."""
    return with_record(places, lambda here: here.people.links.use(url.strip().partition("token=")[2]))


def link(places: Places, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error of `pilothouse link …`."""
    code = run(["link", "--data", str(places.data), *words])
    return code, *capsys.readouterr()


def test_the_first_link(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """Stands alone on its line, and works once."""
    add(places, "ada", "admin", password="")
    add(places, "bob", "engineer")
    add(places, "eve", "admin", active=False)
    code, out, _ = link(places, capsys)
    assert code == 0 and out.startswith("http://127.0.0.1:8470/login?token=") and len(out.splitlines()) == 1
    row = use(places, out)
    assert row is not None and (row.kind, row.who) == ("first", "")
    assert use(places, out) is None


def test_the_only_administrator_is_meant(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """When nobody is named."""
    add(places, "ada", "admin")
    add(places, "bob", "engineer")
    told: dict[str, Any] = json.loads(link(places, capsys, "--json", "--life", "10m")[1])
    row = use(places, told.pop("url"))
    assert row is not None and (row.kind, row.who, row.expires - row.made) == ("login", "ada", 600_000)
    assert told == {"kind": "login", "who": "ada", "seconds": 600.0}


def test_of_several_one_is_named(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """The error lists them; also somebody who is no administrator can be named."""
    for name, grant in (("ada", "admin"), ("bob", "admin"), ("eve", "viewer")):
        add(places, name, grant)
    code, out, err = link(places, capsys)
    assert (code, out) == (2, "") and "ada, bob" in err and "--who ada" in err
    row = use(places, link(places, capsys, "--who", "eve")[1])
    assert row is not None and (row.kind, row.who) == ("login", "eve")


def test_somebody_who_cannot_come_in(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody of that name, with the nearest; somebody disabled, with the remedy."""
    add(places, "ada", "admin")
    add(places, "bob", "viewer", active=False)
    code, _, err = link(places, capsys, "--who", "adda")
    assert code == 1 and "Did you mean 'ada'?" in err
    code, _, err = link(places, capsys, "--who", "bob")
    assert code == 1 and "pilothouse user enable bob" in err
    assert link(places, capsys, "--who", "")[0] == 1


def test_it_is_in_the_ledger(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """Who made it for whom, and nothing of the link."""
    add(places, "ada", "admin")
    secret = link(places, capsys)[1].strip().partition("token=")[2]

    async def lines(here: Here) -> list[Line]:
        return (await here.ledger.page(Wanted(kind="people"))).lines

    (line,) = with_record(places, lines)
    assert (line.name, line.thing, line.who, line.origin) == ("link.made", "ada", "owner", "cli")
    assert line.input == {"from": "this machine"} and secret not in repr(line)


def test_the_address_is_the_hubs(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    """The running hub knows its port; the configuration knows how browsers reach it, and has the last word."""
    places.hub_status.parent.mkdir()
    places.hub_status.write_text('{"url": "http://127.0.0.1:9000/", "pid": 1}')
    assert json.loads(link(places, capsys, "--json")[1])["url"].startswith("http://127.0.0.1:9000/login?token=")
    places.config.write_text('[hub]\npublic_url = "https://bench.example/"\n')
    assert link(places, capsys)[1].startswith("https://bench.example/login?token=")


@pytest.mark.parametrize(
    ("hub", "page"),
    [
        ('host = "0.0.0.0"', "https://127.0.0.1:8470/"),
        ('host = "localhost"\nport = 80', "http://localhost:80/"),
        ('host = "::"\ninsecure = true', "http://[::1]:8470/"),
        ('host = "bench.example"', "https://bench.example:8470/"),
    ],
)
def test_the_address_of_a_hub_that_does_not_run(
    places: Places, capsys: pytest.CaptureFixture[str], hub: str, page: str
) -> None:
    """As it will listen."""
    places.config.write_text(f"[hub]\n{hub}\n")
    code, out, err = link(places, capsys)
    assert code == 0, err
    assert out.startswith(f"{page}login?token=")


@pytest.mark.parametrize("life", ["soon", "-5m", "nan", "", "0", "400d"])
def test_a_life_that_is_none(places: Places, capsys: pytest.CaptureFixture[str], life: str) -> None:
    """Exit code 2 and an example."""
    code, _, err = link(places, capsys, f"--life={life}")
    assert code == 2 and "24h" in err


def test_no_record_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong folder must not become a record by asking for a link."""
    assert run(["link", "--data", str(tmp_path / "typo")]) == 2
    assert "pilothouse up" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()
