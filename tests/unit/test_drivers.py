"""The registry of drivers: found by name, imported late, and clear about what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.drivers import find, known
from pilothouse.errors import BadDriver, NotThere
from pilothouse.model import Thing

OWN = """
from pilothouse.model import Readable, Thing, readable

class Scale(Thing):
    weight: Readable[float] = readable(unit="kg", doc="on the plate")
    def read_weight(self) -> float:
        return 1.0

class Plain:
    pass

number = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's on Python's path; its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "ph_own_scale.py").write_text(OWN)
    (tmp_path / "ph_own_broken.py").write_text("1 / 0\n")
    (tmp_path / "ph_own_needy.py").write_text("import no_such_library_here\n")
    (tmp_path / "ph_own_syntax.py").write_text("def (:\n")
    (tmp_path / "ph_own_wrong.py").write_text(OWN.replace("def read_weight", "def read_wieght"))
    for name in ("scale", "broken", "needy", "syntax", "wrong"):
        monkeypatch.delitem(sys.modules, f"ph_own_{name}", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", known())
def test_every_driver_that_is_known_is_there(name: str) -> None:
    """With a data sheet in its docstring and words for everything it has."""
    driver = find(name)
    assert issubclass(driver, Thing)
    assert driver.__doc__
    assert f'driver = "{name}"' in driver.__doc__
    assert "Wiring" in driver.__doc__
    assert all(found.doc for found in driver.declared_properties.values())
    assert all(found.doc for found in driver.declared_actions.values())
    assert all(found.doc for found in driver.declared_events.values())
    members = driver.setting_schema.get("properties", {})
    assert all(member.get("description") for member in members.values())
    assert driver.simulated is name.startswith("sim.")


@pytest.mark.usefixtures("folder")
def test_a_driver_of_the_users_own() -> None:
    """Any class that Python can import."""
    assert find("ph_own_scale:Scale").__name__ == "Scale"


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("sim.relay", NotThere, "Did you mean 'sim.relays'?"),
        ("", NotThere, "A driver is one of host, sim.bath"),
        ("gpio relay", NotThere, "there is no driver 'gpio relay'"),
        ("x" * 10_240, NotThere, "10240 characters"),
        ("ph_no_such:Scale", BadDriver, "there is no module 'ph_no_such'. Install it"),
        ("ph_own_scale.deeper:Scale", BadDriver, "there is no module 'ph_own_scale.deeper'. Install it"),
        ("ph_own_needy:Scale", BadDriver, "there is no module 'no_such_library_here', which the driver needs"),
        ("ph_own_broken:Scale", BadDriver, "importing it raises ZeroDivisionError: division by zero"),
        ("ph_own_syntax:Scale", BadDriver, "importing it raises SyntaxError"),
        ("ph_own_wrong:Scale", BadDriver, "no read_weight(). Did you mean 'read_wieght'?"),
        ("ph_own_scale:Scales", BadDriver, "Did you mean 'ph_own_scale:Scale'?"),
        ("ph_own_scale:", BadDriver, "has no class ''"),
        (":Scale", BadDriver, "cannot be imported"),
        (".scale:Scale", BadDriver, "cannot be imported"),
        ("ph_own_scale:Plain", BadDriver, "Write: class Plain(Thing)"),
        ("ph_own_scale:number", BadDriver, "not a subclass"),
        ("pilothouse.model:Thing", BadDriver, "not a subclass"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_no_driver_is_refused(name: str, kind: type[Exception], words: str) -> None:
    """What, why, remedy, and the nearest right one; never a traceback's worth of text."""
    with pytest.raises(kind) as caught:
        find(name)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 600


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """An agent without a driver does not pay for it."""
    code = "import sys, pilothouse.drivers; print([m for m in sys.modules if m == 'psutil' or '.drivers.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
