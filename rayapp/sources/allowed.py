"""Which sources a client may name: what the operator allowed in ``RAYAPP_SOURCES``, and nothing otherwise.

``file:///folder`` allows what is below the folder, also through links that stay below it; ``s3://bucket`` and ``gs://bucket/prefix`` what
is in the bucket below the prefix. Nothing of an address but its scheme, bucket and path is taken: no user, password or option.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from rayapp.errors import InvalidInput
from rayapp.settings import Settings

STORES = {"s3", "gs"}
MAGIC = set("*?[")
LONGEST = 2_000


def allowed_source(settings: Settings, uri: str) -> str:
    """Give the address as a worker is told it; raises ``InvalidInput`` unless the operator allowed it."""
    try:
        parts = urlsplit(uri)
        path = unquote(parts.path, errors="strict")
    except ValueError as error:
        raise _refused(uri) from error
    if len(uri) > LONGEST or "\0" in path or parts.query or parts.fragment or "@" in parts.netloc:
        raise _refused(uri)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return str(_file(settings, uri, Path(path)))
    covered = any(_covers(rule, parts.netloc, path, parts.scheme) for rule in settings.sources)
    if covered and parts.scheme in STORES and parts.netloc and ".." not in path.split("/"):
        return uri
    raise _refused(uri)


def _file(settings: Settings, uri: str, path: Path) -> Path:
    """Resolve a file, through all links, and see that it is allowed; whether one is there is told of allowed ones alone."""
    folders = [Path(unquote(urlsplit(rule).path)).resolve() for rule in settings.sources if urlsplit(rule).scheme == "file"]
    if not path.is_absolute() or MAGIC & set(str(path)):
        raise _refused(uri)
    try:
        found = path.resolve()
    except (OSError, RuntimeError) as error:
        raise _refused(uri) from error
    if not any(found.is_relative_to(folder) for folder in folders):
        raise _refused(uri)
    if not found.is_file():
        raise InvalidInput(f"there is no file {uri}")
    return found


def _covers(rule: str, bucket: str, path: str, scheme: str) -> bool:
    allowed = urlsplit(rule)
    prefix = allowed.path.strip("/")
    inside = path.strip("/")
    return (allowed.scheme, allowed.netloc) == (scheme, bucket) and (not prefix or inside == prefix or inside.startswith(prefix + "/"))


def _refused(uri: str) -> InvalidInput:
    return InvalidInput(f"the source {uri[:200]!r} is not among those that the operator allows (RAYAPP_SOURCES): upload the file instead")
