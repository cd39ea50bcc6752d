"""The vitals of a machine, on made-up trees of /proc and /sys: a Pi, a bare virtual machine, and odd ones."""

from __future__ import annotations

import logging
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.drivers.host import Host
from pilothouse.drivers.host.cpu import Cpu, Frequency, Load, percents
from pilothouse.drivers.host.disks import DiskRates, Disks
from pilothouse.drivers.host.gauge import Count, Gauge, property_name, rate, read_number
from pilothouse.drivers.host.machine import Machine, Uptime
from pilothouse.drivers.host.memory import Memory, Swap
from pilothouse.drivers.host.network import Network
from pilothouse.drivers.host.sampler import Sampler
from pilothouse.drivers.host.temperatures import Temperatures, best_cpu
from pilothouse.drivers.host.throttling import Throttling, decode, parse
from pilothouse.model import Value, is_name
from pilothouse.model.types import to_plain, to_python
from pilothouse.testing import FakeClock

Tree = Callable[[dict[str, str]], Path]

STAT = "cpu  40 0 0 160 0 0 0 0 0 0\ncpu0 20 0 0 80 0 0 0 0 0 0\ncpu1 20 0 0 80 0 0 0 0 0 0\nbtime 1700000000\n"
BARE = {
    "proc/stat": STAT,
    "proc/meminfo": "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 400 kB\nBuffers: 0 kB\nCached: 300 kB\n"
    "Active: 10 kB\nInactive: 10 kB\nShmem: 0 kB\nSlab: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    "proc/vmstat": "pswpin 0\npswpout 0\n",
    "proc/loadavg": "0.50 0.25 0.10 1/123 4567\n",
    "proc/uptime": "3888000.51 1.0\n",
    "proc/sys/kernel/hostname": "shelf-3\n",
    "proc/sys/kernel/osrelease": "6.12.1\n",
    "proc/filesystems": "nodev\tproc\n\text4\n\tsquashfs\n",
    "proc/self/mounts": "/dev/root / ext4 rw 0 0\nproc /proc proc rw 0 0\n",
    "proc/diskstats": "",
    "proc/net/dev": "head\nhead\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n",
    "proc/1/stat": "",
    "proc/22/stat": "",
    "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
}
PI = BARE | {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/net/dev": "head\nhead\n  eth0: 1000 0 0 0 0 0 0 0 500 0 0 0 0 0 0 0\n"
    " wlan0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    "veth1: 7 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n tun0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    "br-a1.2: 7 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n",
    "proc/diskstats": " 179 0 mmcblk0 1 0 100 0 1 0 200 0 0 0 0 0 0 0 0 0 0\n"
    " 179 1 mmcblk0p1 1 0 90 0 1 0 190 0 0 0 0 0 0 0 0 0 0\n   7 0 loop0 1 0 5 0 1 0 5 0 0 0 0 0 0 0 0 0 0\n",
    "sys/block/mmcblk0/device/type": "SD",
    "sys/class/net/wlan0/device/x": "",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/class/hwmon/hwmon0/temp1_input": "48312\n",
    "sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n",
    "sys/class/hwmon/hwmon2/name": "ds3231\n",
    "sys/class/hwmon/hwmon2/temp1_input": "21250\n",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1800000\n",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Writes files, and makes psutil look there."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "proc"))

    def write(files: dict[str, str]) -> Path:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return tmp_path

    return write


@pytest.fixture
def hosts(tree: Tree) -> Iterator[Callable[[dict[str, str]], Host]]:
    """Opened hosts on a tree, closed at the end."""
    opened: list[Host] = []

    def make(files: dict[str, str]) -> Host:
        host = Host({"root": str(tree(files))})
        host.bind("host", FakeClock(), lambda name, data: None, lambda names: None)
        host.open()
        opened.append(host)
        return host

    yield make
    for host in opened:
        host.close()


def test_a_pi_shows_all_it_has(hosts: Callable[[dict[str, str]], Host]) -> None:
    """Its sensors, its firmware's opinion of the power supply, its interfaces."""
    host = hosts(PI)
    names = set(host.properties())
    assert {"temperature", "temperature_cpu_thermal", "temperature_ds3231", "cpu_frequency", "under_voltage"} <= names
    assert {name for name in names if name.startswith("net_")} == {
        "net_eth0_in", "net_eth0_out", "net_wlan0_in", "net_wlan0_out", "net_br_a1_2_in", "net_br_a1_2_out",
    }  # fmt: skip
    assert names >= {"disk_root", "disk_root_free", "disk_read", "disk_written"}
    values = host.read(host.properties())
    assert (values["temperature"], values["temperature_ds3231"], values["cpu_frequency"]) == (48.3, 21.2, 1800)
    assert (values["under_voltage"], values["frequency_capped"], values["throttled"]) == (True, False, True)
    assert (values["under_voltage_since_boot"], values["temperature_limited_since_boot"]) == (True, False)
    assert values["about"]["model"] == "Raspberry Pi 4 Model B Rev 1.4"


def test_a_bare_machine_shows_the_rest(hosts: Callable[[dict[str, str]], Host]) -> None:
    """No thermal zone, no swap, no frequency, no network: no property, and no error."""
    host = hosts(BARE)
    names = set(host.properties())
    assert names == {
        "cpu", "cpu_cores", "load_1", "load_5", "load_15", "memory", "memory_used", "memory_available", "memory_total",
        "processes", "uptime", "boot_time", "about", "disk_root", "disk_root_free",
    }  # fmt: skip
    values = host.read(names)
    assert (values["memory"], values["memory_used"]) == (60.0, 600 * 1024)
    assert (values["load_1"], values["load_15"], values["processes"]) == (0.5, 0.1, 2)
    assert values["uptime"] == 45 * 86400
    assert values["about"] | {"machine": "", "cores": 0, "python": ""} == {
        "hostname": "shelf-3", "os": "Debian GNU/Linux 13 (trixie)", "kernel": "6.12.1", "model": "",
        "machine": "", "cores": 0, "python": "",
    }  # fmt: skip


def test_an_empty_machine_is_no_error(
    hosts: Callable[[dict[str, str]], Host], caplog: pytest.LogCaptureFixture
) -> None:
    """Not even /proc: what can be known without is shown, each family that fails is logged once."""
    with caplog.at_level(logging.WARNING):
        host = hosts({"etc/hostname": "x"})
    names = host.properties()
    assert "about" in names
    assert "cpu" not in names
    assert "memory" not in names
    assert set(host.read(names)) <= set(names)
    assert len([record for record in caplog.records if "Memory" in record.message]) == 1


def test_every_value_fits_its_description(hosts: Callable[[dict[str, str]], Host]) -> None:
    """Types, limits and names, as the agent and the page will take them."""
    host = hosts(PI)
    for name, value in host.read(host.properties()).items():
        found = host.properties()[name]
        assert is_name(name)
        assert to_plain(value) == value
        if name in Host.property_types:
            to_python(value, Host.property_types[name], label=name)
        assert found.doc
        assert found.title
        assert found.heartbeat >= 2 * found.every


def test_this_very_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real kernel, real thread: the first picture at once, rates soon, and no thread is left."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/proc")
    before = threading.active_count()
    host = Host()
    host.open()
    try:
        assert {"memory", "uptime", "about"} <= set(host.read(host.properties()))
        deadline = time.monotonic() + 10
        while "cpu" not in host.read(["cpu"]) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert 0 <= host.read(["cpu"])["cpu"] <= 100
        host.open()  # again, as after a failure
    finally:
        host.close()
    assert threading.active_count() == before
    assert host.read(["cpu"]) == {}


# CPU


def test_cpu_is_what_was_done_between_two_looks(tree: Tree) -> None:
    """Per core and in all; interrupts and stolen time count, waiting for disks does not."""
    gauge = Cpu(tree(BARE))
    assert gauge.find() == ("cpu", "cpu_cores")
    assert gauge.sample(0) == {}
    tree({"proc/stat": STAT.replace("cpu0 20 0 0 80 0 0 0 0", "cpu0 20 0 0 120 40 10 10 20")})
    assert gauge.sample(1000) == {"cpu": 16.7, "cpu_cores": [33, 0]}
    tree({"proc/stat": STAT + "cpu2 1 0 0 1 0 0 0 0 0 0\n"})
    assert gauge.sample(2000) == {}, "a core was plugged in"


times = st.tuples(st.floats(0, 1e6), st.floats(0, 1e6))


@given(st.lists(st.tuples(times, times), max_size=4))
def test_percents_are_percents(cores: list[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Whatever the kernel's counters do, also backwards."""
    found = percents([before for before, _ in cores], [after for _, after in cores])
    assert all(0 <= percent <= 100 for percent in found)


def test_load_and_frequency(tree: Tree) -> None:
    """From the machine's own files; the frequency of a virtual machine from its list of processors."""
    root = tree(BARE | {"proc/cpuinfo": "processor : 0\ncpu MHz\t\t: 2300.1\nprocessor : 1\ncpu MHz : 2100.1\n"})
    assert Load(root).sample(0) == {"load_1": 0.5, "load_5": 0.25, "load_15": 0.1}
    frequency = Frequency(root)
    assert frequency.find() == ("cpu_frequency",)
    assert frequency.sample(0) == {"cpu_frequency": 2200}


def test_memory_without_sense_is_no_memory(tree: Tree) -> None:
    """A tree with swap, and one whose memory is nothing."""
    root = tree(BARE)
    assert Swap(root).find() == ()
    tree({"proc/meminfo": BARE["proc/meminfo"].replace("SwapTotal: 0 kB\nSwapFree: 0", "SwapTotal: 8 kB\nSwapFree: 6")})
    assert Swap(root).sample(0) == {"swap": 25.0, "swap_total": 8192, "swap_used": 2048}
    sampler = Sampler("vitals", [Memory(root)], FakeClock())
    tree({"proc/meminfo": "MemTotal: 0 kB\nMemFree: 0 kB\n"})
    sampler.find()
    assert sampler.names == frozenset()


# temperatures


def chip(number: int, name: str, **files: str) -> dict[str, str]:
    """A hwmon chip."""
    at = f"sys/class/hwmon/hwmon{number}"
    return {f"{at}/name": name} | {f"{at}/{file}": text for file, text in files.items()}


def zone(number: int, kind: str, temperature: str) -> dict[str, str]:
    """A thermal zone."""
    at = f"sys/class/thermal/thermal_zone{number}"
    return {f"{at}/type": kind, f"{at}/temp": temperature}


@pytest.mark.parametrize(
    ("files", "cpu", "names"),
    [
        ({}, None, set()),
        (zone(0, "cpu-thermal", "50500"), 50.5, {"cpu_thermal"}),
        (zone(0, "cpu_thermal", "51"), 51.0, {"cpu_thermal"}),
        (zone(0, "cpu-thermal", "") | zone(1, "gpu", "N/A") | zone(2, "x", "nan") | zone(3, "y", "1e999"), None, set()),
        (zone(0, "broken", "-274000") | zone(1, "hot", "999000"), None, set()),
        (zone(0, "acpitz", "30000") | zone(1, "x86_pkg_temp", "60000"), 60.0, {"acpitz", "x86_pkg_temp"}),
        (
            chip(0, "coretemp", temp1_input="70000", temp1_label="Package id 0")
            | chip(0, "coretemp", temp2_input="60000", temp2_label="Core 0"),
            70.0,
            {"coretemp_package_id_0", "coretemp_core_0"},
        ),
        (
            chip(0, "k10temp", temp1_input="40000", temp1_label="Tctl", temp3_input="45000", temp3_label="Tccd1"),
            40.0,
            {"k10temp_tctl", "k10temp_tccd1"},
        ),
        (chip(0, "nvme", temp1_input="30000") | chip(1, "nvme", temp1_input="31000"), None, {"nvme", "nvme_2"}),
        (chip(0, "w1_slave_temp", temp1_input="-12500"), None, {"w1_slave_temp"}),
        (chip(3, 'Odd "Name". \u00e4', temp1_input="20000"), None, {"odd_name"}),
        (chip(3, "x" * 10_240, temp1_input="20000"), None, {"x" * 51}),
        (chip(3, "", temp1_input="20000"), None, {"hwmon3"}),
    ],
)  # fmt: skip
def test_temperatures(tree: Tree, files: dict[str, str], cpu: float | None, names: set[str]) -> None:
    """Every sensor that tells something sensible, under a good name; the CPU's when there is one."""
    gauge = Temperatures(tree(files))
    found = set(gauge.find())
    assert all(is_name(name) for name in found)
    assert {name.removeprefix("temperature_") for name in found - {"temperature"}} == names
    assert gauge.sample(0).get("temperature") == cpu
    assert ("temperature" in found) == (cpu is not None)


def test_a_pi_with_a_clock_chip_has_both(tree: Tree) -> None:
    """The thermal zone counts although there is a hwmon chip, and the zone's own chip is no second sensor."""
    gauge = Temperatures(tree(chip(0, "rtc", temp1_input="21000") | zone(0, "cpu-thermal", "48000")))
    assert set(gauge.find()) == {"temperature", "temperature_rtc", "temperature_cpu_thermal"}
    gauge = Temperatures(tree(chip(1, "cpu_thermal", temp1_input="48000")))
    assert set(gauge.find()) == {"temperature", "temperature_rtc", "temperature_cpu_thermal"}


def test_a_sensor_that_vanishes_goes_alone(tree: Tree) -> None:
    """And comes back as the same property."""
    root = tree(PI)
    gauge = Temperatures(root)
    gauge.find()
    (root / "sys/class/hwmon/hwmon2/temp1_input").unlink()
    assert gauge.sample(0) == {"temperature_cpu_thermal": 48.3, "temperature": 48.3}
    tree({"sys/class/hwmon/hwmon0/temp1_input": "garbage", "sys/class/hwmon/hwmon2/temp1_input": "22000"})
    assert gauge.sample(0) == {"temperature_ds3231": 22.0}


def test_no_sensor_of_a_room_is_taken_for_the_cpu() -> None:
    """Rather no `temperature` than a wrong one."""
    assert best_cpu(["temperature_w1_slave_temp", "temperature_nvme", "temperature_ds3231"]) == ""


# throttling


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("0", 0),
        ("50005", 0x50005),
        ("0x50000\n", 0x50000),
        ("throttled=0xe0008\n", 0xE0008),
        ("", None),
        (None, None),
        ("error=1 error_msg=\"Command not registered\"", None),
        ("throttled=0x", None),
        ("123456789abc", None),
    ],
)  # fmt: skip
def test_the_firmwares_word(text: str | None, bits: int | None) -> None:
    """From the kernel's file and from the firmware's program; anything else is no word."""
    assert parse(text) == bits


@given(st.integers(0, 0xFFFFFFFF))
def test_the_bits_of_the_word(bits: int) -> None:
    """Four now, the same four since boot."""
    found = decode(bits)
    assert found["under_voltage"] is bool(bits & 1)
    assert found["frequency_capped"] is bool(bits & 2)
    assert found["throttled"] is bool(bits & 4)
    assert found["temperature_limited"] is bool(bits & 8)
    assert found["under_voltage_since_boot"] is bool(bits & 0x10000)
    assert found["temperature_limited_since_boot"] is bool(bits & 0x80000)
    assert set(found) <= set(Host.declared_properties)


def test_the_voltage_chip_is_the_last_resort(tree: Tree) -> None:
    """Kernels without the firmware's file still tell whether the supply is too weak."""
    root = tree({name: text for name, text in PI.items() if "get_throttled" not in name})
    gauge = Throttling(root, program="no-such-program")
    assert gauge.find() == ("under_voltage",)
    assert gauge.sample(0) == {"under_voltage": True}


@pytest.mark.parametrize(
    ("script", "known"),
    [("echo throttled=0x4", True), ("echo VCHI initialization failed", False), ("exit 1", False)],
)
def test_the_firmwares_program_is_asked_on_a_pi(tree: Tree, script: str, known: bool) -> None:
    """When there is no file; what it says is believed only when it makes sense."""
    root = tree({"proc/device-tree/model": "Raspberry Pi 5\0", "bin/vcgencmd": f"#!/bin/sh\n{script}\n"})
    program = root / "bin/vcgencmd"
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    gauge = Throttling(root, program=str(program))
    assert bool(gauge.find()) is known
    assert gauge.sample(0).get("throttled", False) is known
    tree({"proc/device-tree/model": "Other board\0"})
    assert not Throttling(root, program=str(program)).find()


# disks and network


def test_rates_are_differences(tree: Tree) -> None:
    """Of whole disks, once; of interfaces; none across a counter that was set back."""
    root = tree(PI)
    disks, network = DiskRates(root), Network(root)
    assert disks.find() == ("disk_read", "disk_written")
    network.find()
    assert (disks.sample(0), network.sample(0)) == ({}, {})
    tree({
        "proc/diskstats": PI["proc/diskstats"].replace("0 100 0", "0 104 0").replace("0 200 0", "0 208 0"),
        "proc/net/dev": PI["proc/net/dev"].replace("eth0: 1000", "eth0: 5000").replace("wlan0", "wlan9"),
    })  # fmt: skip
    assert disks.sample(2000) == {"disk_read": 1024, "disk_written": 2048}
    assert network.sample(2000) == {"net_eth0_in": 2000, "net_eth0_out": 0, "net_br_a1_2_in": 0, "net_br_a1_2_out": 0}
    tree({"proc/net/dev": PI["proc/net/dev"]})
    assert "net_eth0_in" not in network.sample(3000)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1e12), st.floats(0, 1e12))
def test_rates_never_go_below_zero(start: int, end: int, before: float, after: float) -> None:
    """Or are not known."""
    found = rate(Count(start, before), Count(end, after))
    assert found is None or found >= 0


def test_disks_that_are_none_are_not_shown(tree: Tree, tmp_path: Path) -> None:
    """One entry a device, no images, no files that are mounted into a container; a disk that goes leaves alone."""
    mounts = ["/dev/sda1 / ext4 rw 0 0", "/dev/sda1 /same ext4 rw 0 0", "/dev/sdb1 /data ext4 rw 0 0"]
    mounts += ["/dev/sdb1 /data/again ext4 rw 0 0", "/dev/loop1 /snap squashfs ro 0 0", "tmpfs /tmp tmpfs rw 0 0"]
    mounts += ["/dev/sda2 /etc/hosts ext4 rw 0 0", r"/dev/sdc1 /My\040Disk.1 ext4 rw 0 0"]
    for folder in ("same", "data/again", "snap", "tmp", "My Disk.1"):
        (tmp_path / folder).mkdir(parents=True)
    gauge = Disks(tree(BARE | {"proc/self/mounts": "\n".join(mounts) + "\n", "etc/hosts": ""}))
    shown = {"disk_root", "disk_data", "disk_my_disk_1"}
    assert set(gauge.find()) == shown | {f"{name}_free" for name in shown}
    assert set(gauge.sample(0)) == set(gauge.described)
    (tmp_path / "My Disk.1").rmdir()
    assert set(gauge.sample(0)) == {name for name in gauge.described if "my_disk" not in name}


def test_boot_time_follows_a_clock_that_jumps(tree: Tree) -> None:
    """But not one that is steered; the uptime does not care."""
    clock = FakeClock(now=1_700_000_000_000)
    gauge = Uptime(tree({"proc/uptime": "1000.25 0"}), clock)
    assert gauge.sample(0) == {"uptime": 1000, "boot_time": "2023-11-14T21:56:39Z"}
    clock.jump(2)
    assert gauge.sample(0)["boot_time"] == "2023-11-14T21:56:39Z"
    clock.jump(86400)
    assert gauge.sample(0)["boot_time"] == "2023-11-15T21:56:41Z"


def test_a_machine_without_words(tmp_path: Path) -> None:
    """No release file, no device tree: what Python knows."""
    about = Machine(tmp_path).sample(0)["about"]
    assert isinstance(about, dict)
    assert about["hostname"]
    assert about["model"] == ""


# sampler and names


class Steps(Gauge):
    """Counts its samples; fails when told to."""

    every = 2.0

    def __init__(self) -> None:
        super().__init__(Path("/"))
        self.count = 0
        self.broken = False
        self.release = threading.Event()
        self.release.set()

    def find(self) -> Collection[str]:
        """One property."""
        if self.broken:
            raise RuntimeError("no")
        return ["steps"]

    def sample(self, mono: int) -> Mapping[str, Value]:
        """The count."""
        self.release.wait(10)
        if self.broken:
            raise OSError("gone")
        self.count += 1
        return {"steps": self.count}


def test_a_sampler_keeps_each_gauges_pace() -> None:
    """And forgets what has not come for three samples or ten seconds, whichever is longer."""
    clock, gauge = FakeClock(), Steps()
    sampler = Sampler("test", [gauge], clock)
    sampler.find()
    for _ in range(4):
        sampler.take()
        clock.tick(1.0)
    assert gauge.count == 2
    assert sampler.read(["steps", "other"]) == {"steps": 2}
    clock.tick(8)
    assert sampler.read(["steps"]) == {"steps": 2}
    clock.tick(1.001)
    assert sampler.read(["steps"]) == {}


def test_a_gauge_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """And the others go on."""
    clock, bad, good = FakeClock(), Steps(), Steps()
    sampler = Sampler("test", [bad, good], clock)
    sampler.find()
    bad.broken = True
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            sampler.take()
            clock.tick(2.0)
    assert good.count == 3
    assert [record.message for record in caplog.records] == ["vitals: Steps: OSError: gone"]
    broken = Sampler("test", [bad], clock)
    broken.find()
    assert broken.names == frozenset()


def test_a_sample_that_hangs_is_named(tree: Tree) -> None:
    """Only what hangs is affected, and only when nothing else was asked for."""
    clock, gauge = FakeClock(), Steps()
    sampler = Sampler("disks", [gauge], clock)
    sampler.find()
    gauge.release.clear()
    thread = threading.Thread(target=sampler.take)
    thread.start()
    try:
        deadline = time.monotonic() + 10
        while not sampler.stuck() and time.monotonic() < deadline:
            clock.tick(11)
            time.sleep(0.001)
        host = Host({"root": str(tree(BARE))})
        host._samplers = [sampler]
        with pytest.raises(TimeoutError, match="sampling disks has hung for"):
            host.read(["steps"])
        assert host.read(["cpu"]) == {}
    finally:
        gauge.release.set()
        thread.join()
    assert sampler.stuck() == 0


@given(st.text(max_size=100), st.integers(1, 5))
def test_names_of_what_is_found_are_good_and_differ(text: str, times: int) -> None:
    """Whatever the kernel calls it."""
    taken: list[str] = []
    for _ in range(times):
        taken.append(property_name("disk_", text, "_free", taken))
    assert all(is_name(name) for name in taken)
    assert len(set(taken)) == times


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-inf", "1e999", "0x10"])
def test_what_is_no_number_is_none(tmp_path: Path, text: str) -> None:
    """Files of the kernel hold all kinds of things."""
    (tmp_path / "file").write_text(text)
    assert read_number(tmp_path / "file") is None
    assert read_number(tmp_path / "missing") is None
    assert read_number(tmp_path) is None
