"""What is wrong with a machine is said before anything starts, by name and with advice."""

import socket
from pathlib import Path

import pytest

from config.embedded.errors import MachineUnfit, WrongSetting
from config.embedded.fleet import free_ports, make_fleet
from config.embedded.places import Places
from config.embedded.preflight import (
    check_machine,
    check_ports,
    cpu_findings,
    library_findings,
    missing_libraries,
)
from config.embedded.settings import PORT_DEFAULTS, read_settings
from tests.ops.running import Keeper, stand_in


def test_a_taken_port_is_named_with_its_setting_and_nothing_is_started(
    data: Path, keepers: list[Keeper]
) -> None:
    ports = dict(free_ports().ports)
    with socket.create_server(("127.0.0.1", ports["EMBEDDED_MONGO_PORT"])):
        keeper = stand_in(data, ports=ports)
        keepers.append(keeper)
        assert keeper.end() == 1

    port = ports["EMBEDDED_MONGO_PORT"]
    assert f"port {port} is taken by python" in keeper.messages
    assert "set EMBEDDED_MONGO_PORT to another port" in keeper.messages
    assert "nothing was started" in keeper.messages
    assert not (data / "postgres").exists()
    assert not list((data / "logs").iterdir())


def test_every_taken_port_is_named_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as other:
        taken = {"PORT": one.getsockname()[1], "EMBEDDED_REDIS_PORT": other.getsockname()[1]}
        with pytest.raises(MachineUnfit, match=r"(?s)set PORT .*set EMBEDDED_REDIS_PORT"):
            check_ports(taken)


def test_a_cpu_without_avx_is_named() -> None:
    (finding,) = cpu_findings("processor\t: 0\nflags\t\t: fpu sse4_2 popcnt\n")
    assert "AVX" in finding
    assert "MONGO_URL" in finding
    assert cpu_findings("flags\t\t: fpu avx sse4_2\n") == []


def test_a_missing_library_is_named_with_debians_package() -> None:
    findings = missing_libraries(
        "mongod",
        "\tlibcurl.so.4 => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x0)\n"
        "mongod: /lib/libc.so.6: version `GLIBC_2.38' not found (required by mongod)\n",
    )
    assert findings == [
        "mongod needs libcurl.so.4 (on Debian or Ubuntu: apt-get install libcurl4)",
        "mongod needs GLIBC_2.38, newer than here",
    ]


def test_the_loader_is_asked_about_a_real_program(tmp_path: Path) -> None:
    (mongo, *_) = make_fleet(Places(data=tmp_path), free_ports()).stores
    (mongod,) = mongo.programs
    assert library_findings(mongod) == []
    # The same program, linked against a library that nobody has: same length, so still an ELF.
    lacking = tmp_path / "mongod"
    lacking.write_bytes(mongod.read_bytes().replace(b"libcurl.so.4\0", b"libcurl.so.9\0"))
    lacking.chmod(0o755)

    with pytest.raises(MachineUnfit, match=r"mongod needs libcurl\.so\.9"):
        check_machine([lacking], needs_avx=True)


def test_a_file_that_is_no_program_here_is_named(tmp_path: Path) -> None:
    alien = tmp_path / "valkey-server"
    alien.write_bytes(b"\x7fELF of another world")
    alien.chmod(0o755)
    (finding,) = library_findings(alien)
    assert finding.startswith("valkey-server cannot be executed")


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused_by_its_settings_name(text: str) -> None:
    with pytest.raises(WrongSetting, match="EMBEDDED_REDIS_PORT"):
        read_settings({"EMBEDDED_REDIS_PORT": text})


def test_two_servers_on_one_port_are_refused() -> None:
    with pytest.raises(WrongSetting, match=r"EMBEDDED_REDIS_PORT and PORT are both 8000"):
        read_settings({"EMBEDDED_REDIS_PORT": "8000"})


def test_ports_have_defaults() -> None:
    assert read_settings({}).ports == PORT_DEFAULTS


def test_a_given_url_keeps_its_store_from_being_started(data: Path, keepers: list[Keeper]) -> None:
    elsewhere = {
        "DATABASE_URL": "postgresql://me@db.example/seats",
        "REDIS_URL": "redis://cache.example:6379/0",
        "MONGO_URL": "mongodb://docs.example/",
    }
    keeper = stand_in(data, environment=elsewhere)
    keepers.append(keeper)
    keeper.wait_for("is up after")

    assert keeper.descendants("postgres", "mongod") == []
    assert len(keeper.descendants("valkey-server")) == 1  # the broker
    live = (data / "live.env").read_text()
    for name, url in elsewhere.items():
        assert f"{name}='{url}'" in live
    assert "SEATLOCK_EMBEDDED='0'" in live  # not our database: no demo accounts


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (set(), ["mongo", "valkey-holds", "valkey-broker", "postgres"]),
        ({"DATABASE_URL"}, ["mongo", "valkey-holds", "valkey-broker"]),
        ({"BROKER_URL"}, ["mongo", "valkey-holds", "valkey-broker", "postgres"]),
        ({"BROKER_URL", "CACHE_URL"}, ["mongo", "valkey-holds", "postgres"]),
        ({"REDIS_URL", "MONGO_URL"}, ["valkey-broker", "postgres"]),
    ],
)
def test_only_stores_that_some_setting_needs_are_started(
    given: set[str], left: list[str], tmp_path: Path
) -> None:
    settings = read_settings(dict.fromkeys(given, "somewhere"))
    fleet = make_fleet(Places(data=tmp_path), settings)
    assert [store.name for store in fleet.stores] == left
