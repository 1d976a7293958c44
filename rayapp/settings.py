"""Everything that an operator can set: one frozen object, read from ``RAYAPP_*`` in one function, passed as an argument.

======================== ============================ ======================================================================
variable                 default                      meaning
======================== ============================ ======================================================================
``RAYAPP_DATABASE_URL``  embedded PostgreSQL          ``postgresql://user:password@host:port/name`` of a PostgreSQL >= 15
``RAYAPP_DATA_DIR``      ``default_data_dir()``       where the embedded PostgreSQL is kept
``RAYAPP_CACHE_DIR``     the user's cache directory   where compiled packs are kept, see ``rayapp.packs.cache``
``RAYAPP_PACK``          the pack in the package      a shipped pack's name, a pack directory or a compiled file
``RAYAPP_DATASETS``      none                         a folder with declarations of datasets of one's own, ``*.toml``
``RAYAPP_HTTP_HOST``     ``127.0.0.1``                address that HTTP is served on
``RAYAPP_HTTP_PORT``     ``8000``                     port that HTTP is served on, 1..65535
``RAYAPP_INGRESS``       ``haproxy``                  what stands before the replicas: ``haproxy``, or ``default``, Ray Serve's own proxy
``RAYAPP_REPLICAS``      ``1``                        Serve replicas that classify, 1..1024
``RAYAPP_MAX_REPLICAS``  ``1``                        as many as there may be under load, 1..1024; no more than
                                                      RAYAPP_REPLICAS: always as many as those
``RAYAPP_CACHE_MB``      ``64``                       megabytes of single answers that a replica keeps, 0..65536; 0 keeps none
``RAYAPP_CACHE_URL``     none                         ``redis://host:port/0`` of a Redis or Valkey that replicas share, see docs
``RAYAPP_LOG_LEVEL``     ``INFO``                     DEBUG, INFO, WARNING or ERROR
``RAYAPP_TIER_SMALL``    ``500``                      rows below which a load is one batch in one transaction
``RAYAPP_TIER_MEDIUM``   ``5000``                     rows below which a load is batches of 200 in one transaction
``RAYAPP_TIER_LARGE``    ``50000``                    rows below which a load is batches of 5000, committed one by one
``RAYAPP_JOB_SLOTS``     ``2``                        small jobs that a worker does at once, 1..64
``RAYAPP_JOB_LEASE_S``   ``30``                       seconds after which a silent worker counts as dead, 2..3600
``RAYAPP_FILES``         ``files`` in the data dir    directory for uploads and result files, the same for all machines of a cluster
``RAYAPP_UPLOAD_MB``     ``10000``                    megabytes that one upload may have, 1..10**7
``RAYAPP_SOURCES``       none                         what clients may name as a job's source: ``file:///folder``, ``s3://bucket``, ...
``RAYAPP_WEBHOOK_HOSTS`` none                         hosts that webhooks may go to though they are private, also by plain http
``RAYAPP_KEEP_JOBS_DAYS``  ``90``                     days that a finished job is kept, 0..36500; 0 is for ever, here and below
``RAYAPP_KEEP_FILES_DAYS`` ``30``                     days that a finished job's upload and result files are kept, 0..36500
``RAYAPP_KEEP_HISTORY_DAYS`` ``0``                    days for which a change of decisions can be taken back, 0..36500
======================== ============================ ======================================================================
"""

import os
import pwd
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

import msgspec

from rayapp.errors import InvalidSetup

PREFIX = "RAYAPP_"

RANGES = {
    "http_port": (1, 65_535),
    "replicas": (1, 1_024),
    "max_replicas": (1, 1_024),
    "cache_mb": (0, 65_536),
    "tier_small": (1, 10**9),
    "tier_medium": (1, 10**9),
    "tier_large": (1, 10**9),
    "job_slots": (1, 64),
    "job_lease_s": (2, 3_600),
    "upload_mb": (1, 10**7),
    "keep_jobs_days": (0, 36_500),
    "keep_files_days": (0, 36_500),
    "keep_history_days": (0, 36_500),
}
"""Settings that are whole numbers, with the least and the most that each may be."""

LISTS = {"sources", "webhook_hosts"}
"""Settings that are several words with commas between them."""

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Ingress = Literal["haproxy", "default"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided; the names are those of the variables without their prefix, in lower case."""

    database_url: str | None = None
    data_dir: Path
    cache_dir: Path | None = None
    pack: Path | None = None
    datasets: Path | None = None
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    ingress: Ingress = "haproxy"
    replicas: int = 1
    max_replicas: int = 1
    cache_mb: int = 64
    cache_url: str | None = None
    log_level: LogLevel = "INFO"
    tier_small: int = 500
    tier_medium: int = 5_000
    tier_large: int = 50_000
    job_slots: int = 2
    job_lease_s: int = 30
    files: Path | None = None
    upload_mb: int = 10_000
    sources: tuple[str, ...] = ()
    webhook_hosts: tuple[str, ...] = ()
    keep_jobs_days: int = 90
    keep_files_days: int = 30
    keep_history_days: int = 0

    def __repr__(self) -> str:
        """Show every field but the addresses that can hold a password."""
        shown = (f"{name}={'***' if name in {'database_url', 'cache_url'} and value else repr(value)}" for name, value in self._fields())
        return f"Settings({', '.join(shown)})"

    def _fields(self) -> list[tuple[str, object]]:
        return [(name, getattr(self, name)) for name in self.__struct_fields__]

    @property
    def files_dir(self) -> Path:
        """Where uploads and result files are."""
        return self.files or self.data_dir / "files"

    @property
    def http_url(self) -> str:
        """Where a client on this machine finds the API."""
        host = "127.0.0.1" if self.http_host in {"0.0.0.0", "::"} else self.http_host  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self.http_port}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from ``environment`` (the process's own when ``None``).

    Raises ``InvalidSetup`` that names every wrong variable: an unknown ``RAYAPP_`` name, or a value out of its range.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value != ""}
    faults = [_unknown(name) for name in given if _field(name) not in Settings.__struct_fields__]
    values: dict[str, object] = {}
    for name, value in given.items():
        try:
            values[_field(name)] = _parse(_field(name), value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    faults += _tiers_in_disorder(values)
    if faults:
        raise InvalidSetup.of("settings", faults)
    values.setdefault("data_dir", default_data_dir(environment))
    return msgspec.convert(values, Settings)


def default_data_dir(environment: Mapping[str, str], user_id: int | None = None) -> Path:
    """Give where data are kept when nothing is said.

    ``$XDG_DATA_HOME/rayapp`` or ``~/.local/share/rayapp``. For root ``/var/lib/rayapp``: PostgreSQL refuses to run as root, and
    the account that it runs under instead must be able to reach the directory, which is not so under root's home.
    """
    if (os.geteuid() if user_id is None else user_id) == 0:
        return Path("/var/lib/rayapp")
    if xdg := environment.get("XDG_DATA_HOME"):
        return Path(xdg) / "rayapp"
    home = environment.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir
    return Path(home) / ".local" / "share" / "rayapp"


def _field(name: str) -> str:
    return name.removeprefix(PREFIX).lower()


def _unknown(name: str) -> str:
    known = [PREFIX + field.upper() for field in Settings.__struct_fields__]
    near = get_close_matches(name.removeprefix(PREFIX), [entry.removeprefix(PREFIX) for entry in known], n=1)
    return f"{name} is not a setting" + (f", did you mean {PREFIX}{near[0]}?" if near else f"; the settings are {', '.join(known)}")


def _parse(field: str, value: str) -> object:
    """Turn the text of a variable into the field's value; a ``ValueError`` says what was expected, and never quotes an address."""
    match field:
        case _ if field in RANGES:
            return _whole(value, *RANGES[field])
        case _ if field in LISTS:
            return tuple(word.strip() for word in value.split(",") if word.strip())
        case "log_level":
            return _one_of(value.upper(), get_args(LogLevel))
        case "ingress":
            return _one_of(value.lower(), get_args(Ingress))
        case "data_dir" | "cache_dir" | "pack" | "datasets" | "files":
            bare = field == "pack" and Path(value).name == value and not Path(value).exists()
            return Path(value) if bare else Path(value).expanduser().absolute()
        case "database_url" if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("is not an address of the form postgresql://user:password@host:port/name")
        case "cache_url" if not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("is not an address of the form redis://user:password@host:port/number")
    return value


def _whole(value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise ValueError(f"{value!r} is not a whole number from {least} to {most}")
    return int(value)


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")
    return value


def _tiers_in_disorder(values: Mapping[str, object]) -> list[str]:
    defaults = Settings(data_dir=Path())
    names = ["tier_small", "tier_medium", "tier_large"]
    sizes = [int(str(values.get(name, getattr(defaults, name)))) for name in names]
    if sizes == sorted(sizes):
        return []
    return [f"{PREFIX}TIER_SMALL <= {PREFIX}TIER_MEDIUM <= {PREFIX}TIER_LARGE does not hold: {sizes}"]
