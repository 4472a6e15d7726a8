"""The unprivileged account PostgreSQL runs under when we are root, and folders it can reach.

PostgreSQL refuses to run as root. `nobody` exists on every Linux and needs no change to the
system. No mode of a folder that is not ours is touched: where the account cannot pass through to
the checkout (under /root, say), PostgreSQL's data, and if need be a copy of its binaries, live in

    /var/lib/seatlock/<digest of the data folder's path>/    root's, 0755
        data/          PostgreSQL's data, the account's, 0700
        wheel/         the copy of the binaries, root's, readable by all

and the file `outside` in the data folder names it.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from config.embedded.errors import MachineUnfit
from config.embedded.places import Places, make_folder
from config.embedded.processes import Account

ACCOUNT_NAME = "nobody"
OUTSIDE_PARENTS = (Path("/var/lib"), Path("/var/tmp"), Path("/srv"))  # noqa: S108 (root's own)


def unprivileged_account() -> Account | None:
    """Who PostgreSQL is to run as; None is ourselves.

    Raises:
        MachineUnfit: we are root and there is no such account (initdb asks for its name).

    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        raise MachineUnfit(
            f"PostgreSQL does not run as root and this machine has no account {ACCOUNT_NAME!r}: "
            "run as an ordinary user, or set DATABASE_URL to a server of your own"
        ) from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def data_folder(places: Places, account: Account | None) -> Path:
    """Where PostgreSQL's data are: inside `places` if the account can get there."""
    inside = places.data / "postgres"
    if account is None or inside.exists():
        return inside
    home = places.outside
    if home is not None and (home / "data").exists():
        return home / "data"
    return inside if all_may_enter(places.data) else _outside_home(places) / "data"


def binaries(installed: Path, places: Places, account: Account | None) -> Path:
    """A folder with PostgreSQL's `bin`, `lib` and `share` that the account can use."""
    if account is None or _can_run(installed, account):
        return installed
    package = installed.parent
    wheel = _outside_home(places) / "wheel"
    copy = wheel / package.name / installed.name
    stamp = wheel / "copied-from"
    origin = f"{installed} {(installed / 'bin' / 'postgres').stat().st_mtime_ns}\n"
    if not stamp.exists() or stamp.read_text() != origin:
        _copy_readable(installed, copy)
        # The programs look for their libraries beside the package, where auditwheel put them.
        libraries = f"{package.name}.libs"
        _copy_readable(package.with_name(libraries), wheel / libraries)
        stamp.write_text(origin)
    if not _can_run(copy, account):
        raise MachineUnfit(f"PostgreSQL's programs do not run as {ACCOUNT_NAME!r} from {copy}")
    return copy


def all_may_enter(folder: Path) -> bool:
    """Whether any account may pass through `folder` and all its parents."""
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.resolve().parents))


def _outside_home(places: Places) -> Path:
    if places.outside is not None:
        return places.outside
    digest = hashlib.sha256(str(places.data).encode()).hexdigest()[:16]
    for parent in OUTSIDE_PARENTS:
        base = parent / "seatlock"
        if not all_may_enter(parent) or not os.access(parent, os.W_OK):
            continue
        make_folder(base, 0o755)
        if base.is_symlink() or base.stat().st_uid != os.geteuid() or not all_may_enter(base):
            continue
        home = base / digest
        shutil.rmtree(home, ignore_errors=True)  # of a data folder that was deleted since
        make_folder(home, 0o755)
        places.record_outside(home)
        return home
    raise MachineUnfit(
        f"PostgreSQL's account cannot reach {places.data}, and none of "
        f"{', '.join(str(parent) for parent in OUTSIDE_PARENTS)} can hold its data: "
        "move the checkout, or set DATABASE_URL to a server of your own"
    )


def _can_run(installation: Path, account: Account) -> bool:
    for name in ("postgres", "initdb"):
        try:
            subprocess.run(  # noqa: S603 (a program of ours)
                [installation / "bin" / name, "--version"],
                user=account.uid,
                group=account.gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def _copy_readable(source: Path, target: Path) -> None:
    """Copy with modes all can read: the umask at installation may have hidden the files."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for folder, _, names in os.walk(target):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder) / name
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
