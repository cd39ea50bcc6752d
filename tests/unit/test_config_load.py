"""The configuration is read whole or refused whole, with every mistake named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.clock import parse_duration
from pilothouse.config.load import DEMO, load, read
from pilothouse.errors import ConfigError


def write(folder: Path, **files: str) -> Path:
    """Write files; a name with __ goes to conf.d."""
    for name, text in files.items():
        path = folder / "conf.d" / f"{name[5:]}.toml" if name.startswith("conf_") else folder / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def mistakes(folder: Path) -> list[str]:
    """All mistakes as people read them."""
    return [str(mistake) for mistake in read(folder)[2]]


def test_demo_without_any_file(tmp_path: Path) -> None:
    """A fresh data folder runs the demo, and says so."""
    config, origin = load(tmp_path)
    assert origin == DEMO
    assert set(config.things) == {"relays", "supply", "bath", "valves", "sensor"}
    assert config.node.host


def test_files_are_merged(tmp_path: Path) -> None:
    """Things may be spread over conf.d, a thing's own settings stay with it."""
    write(
        tmp_path,
        pilothouse='[hub]\nport = 9000\n[things.a]\ndriver = "sim.relays"\nseed = 3\n',
        conf_b=(
            '[things.b]\ndriver = "sim.bath"\n[things.b.properties.setpoint]\nmaximum = 60\n[keeper]\nflush = "2s"\n'
        ),
    )
    config, origin = load(tmp_path)
    assert config.hub.port == 9000
    assert config.things["a"].settings == {"seed": 3}
    assert config.things["b"].properties["setpoint"].maximum == 60
    assert "pilothouse.toml" in origin and "b.toml" in origin


def test_rules_and_stands_are_read(tmp_path: Path) -> None:
    """As they are written; groups may be spread over files, a stand may not."""
    write(
        tmp_path,
        pilothouse=(
            '[things.a]\ndriver = "x"\ninterlocks.on = "requires b"\ninterlocks.go = ["b", "c"]\n'
            "[things.a.properties.on]\nmax_on = '5m'\nslew = 2\nsafe_when = ['end', 'link']\n"
            '[exclusive]\nwater = ["a.b", "a.c"]\n[stands.wet]\nthings = ["a"]\nrequired = true\n'
        ),
        conf_b='[exclusive]\nair = ["a.d", "a.e"]\n[stands.wet]\nthings = ["b"]\n',
    )
    assert mistakes(tmp_path) == ["conf.d/b.toml: stands.wet: is in pilothouse.toml already"]
    (tmp_path / "conf.d" / "b.toml").write_text('[exclusive]\nair = ["a.d", "a.e"]\n')
    config, _ = load(tmp_path)
    thing = config.things["a"]
    assert thing.interlocks == {"on": "requires b", "go": ("b", "c")}
    assert (thing.properties["on"].max_on, thing.properties["on"].slew) == ("5m", 2.0)
    assert thing.properties["on"].safe_when == ("end", "link")
    assert config.exclusive == {"water": ("a.b", "a.c"), "air": ("a.d", "a.e")}
    assert config.stands["wet"].required and config.stands["wet"].lease == "30m"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[sit]\na = 1", "pilothouse.toml: sit: is not known (did you mean 'site'?)"),
        ("[hub]\nprot = 1", "pilothouse.toml: hub.prot: is not known (did you mean 'port'?)"),
        ("[hub]\nport = 99999", "pilothouse.toml: hub.port: takes a whole number <= 65535; it is 99999"),
        ("[hub]\nport = '80'", "pilothouse.toml: hub.port: takes a whole number, not text; it is '80'"),
        ("hub = 3", "pilothouse.toml: hub: is a table, written [hub]"),
        ("[node]\nname = 'My Pi'", "(did you mean 'my_pi'?)"),
        ("[site]\nname = 'a.b'", "'a.b' cannot be the name of a site"),
        ("[keeper]\nflush = 'soon'", "keeper.flush: 'soon' is no duration"),
        ("[things.'my fan']\ndriver = 'x'", "'my fan' cannot be the name of a thing"),
        ("[things.fan]\ndrivr = 'x'", "things.fan.drivr: has no driver"),
        ("[things.fan]\ndriver = 3", "things.fan.driver: takes text, not a whole number; it is 3"),
        (
            "[things.f]\ndriver = 'x'\n[things.f.properties.on]\nsaef = false",
            "things.f.properties.on.saef: is not known (did you mean 'safe'?)",
        ),
        (
            "[things.f]\ndriver = 'x'\n[things.f.properties.'a b']\nsafe = 1",
            "'a b' cannot be the name of a property",
        ),
        ("[exclusive]\nwater = 'a'", "exclusive.water: is a list of outputs, such as"),
        ("[exclusive]\nwater = [1, 2]", "exclusive.water: is a list of outputs, such as"),
        ("[exclusive]\n'My water' = ['a.b', 'a.c']", "'My water' cannot be the name of a group"),
        ("[stands.wet]\ntitle = 'Wet'", "stands.wet: has no things; give it some"),
        ("[stands.wet]\nthings = []", "stands.wet: has no things; give it some"),
        ("[stands.wet]\nthings = ['a']\nleese = 3", "stands.wet.leese: is not known (did you mean 'lease'?)"),
        ("[stands.wet]\nthings = ['a']\nlease = 'long'", "stands.wet.lease: 'long' is no duration"),
        ("[stands]\nwet = 3", "stands.wet: is a table, written [stands.wet]"),
        ("[node]\nlink_lost_after = 'x'", "node.link_lost_after: 'x' is no duration"),
        ("[things.f]\ndriver = 'x'\ninterlocks = 'on'", "things.f.interlocks: takes "),
        ("[things.f]\ndriver = 'x'\ninterlocks.on = 3", "things.f.interlocks: takes "),
        ("[things.f.properties.on]\nmax_on = -1\n[things.f]\ndriver = 'x'", "properties.on.max_on: -1 is no duration"),
        ("[things.f.properties.on]\nslew = 'x'\n[things.f]\ndriver = 'x'", "properties.on.slew: takes "),
        (
            "[things.f.properties.on]\nsafe_when = ['begin']\n[things.f]\ndriver = 'x'",
            "things.f.properties.on.safe_when: ",
        ),
        ("[hub]\nport = 1\nport = 2", "is not TOML"),
        ("[hub", "is not TOML"),
    ],
)
def test_a_mistake_names_file_key_and_nearest(tmp_path: Path, text: str, expected: str) -> None:
    """Each kind of mistake is one line that can be acted upon."""
    found = mistakes(write(tmp_path, pilothouse=text))
    assert len(found) == 1
    assert expected in found[0]


def test_every_mistake_is_found(tmp_path: Path) -> None:
    """Not only the first."""
    write(tmp_path, pilothouse="[hub]\nprot = 1\nport = -1\n[sit]\n", conf_x='[things.a]\ndriver = "x"\nenabled = 3\n')
    assert len(mistakes(tmp_path)) == 4
    with pytest.raises(ConfigError, match="4 mistakes"):
        load(tmp_path)


def test_a_thing_stands_in_one_file(tmp_path: Path) -> None:
    """The same name in two files is a mistake that names both."""
    write(tmp_path, pilothouse='[things.a]\ndriver = "x"\n', conf_b='[things.a]\ndriver = "y"\n')
    assert mistakes(tmp_path) == ["conf.d/b.toml: things.a: is in pilothouse.toml already"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """A binary file is refused in words."""
    (tmp_path / "pilothouse.toml").write_bytes(b"\xff\xfe\x00")
    assert mistakes(tmp_path) == ["pilothouse.toml: is not UTF-8 text (byte 0)"]


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """--config with a wrong path is not the demo."""
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load(tmp_path, tmp_path / "other.toml")


@given(st.text(max_size=200))
def test_no_text_makes_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in the file, there is a config or there are mistakes."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "pilothouse.toml").write_text(text, encoding="utf-8", errors="surrogatepass")
    config, _, found = read(folder)
    assert (config is None) == bool(found)


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("5s", 5), ("20m", 1200), ("12h", 43200), ("30d", 2592000), (3, 3), ("7", 7)]
)
def test_durations(text: str | int, seconds: float) -> None:
    """Numbers and numbers with a unit."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 week", "nan", "inf", -3, float("nan"), "1e400s"])
def test_no_durations(text: str | float) -> None:
    """Negative, endless and wordy ones are refused."""
    with pytest.raises(ValueError, match=r".*"):
        parse_duration(text)
