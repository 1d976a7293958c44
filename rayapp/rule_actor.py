"""The rule actor: which pack decides, told to every replica and task of the cluster as soon as it changes.

A named, detached actor in the app's own namespace. PostgreSQL is its source of truth: it keeps no state that it could lose, so when it is
killed it comes back with the active version. Who follows it asks "anything newer than what I have?" and waits for the answer (a long
poll), swaps the pack and acknowledges. A pack travels as one object of Ray's store; when that object is lost with the actor, or there is
no actor, the pack comes from PostgreSQL, and without that from the installation. It also holds what each replica last counted, for the one
that Prometheus meets.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import ray
from ray.exceptions import RayError

from rayapp.errors import RayappError, Unavailable
from rayapp.packs import CompiledPack, load_pack
from rayapp.settings import Settings
from rayapp.store import packs as stored
from rayapp.store.active_pack import install_pack
from rayapp.store.database import connection, resolve_url
from rayapp.store.plan_application import activate_checked

NAMESPACE = "rayapp"
NAME = "rule_actor"

POLL_S = 20.0
"""How long a long poll waits, and how often the actor looks into the database although nobody told it to."""

SILENT_S = 2.5 * POLL_S
"""Who has not been heard of for so long follows no more: a replica that was killed or taken away."""

REPORTS_S = 20.0
"""A replica that has told no numbers for so long is gone."""

FIRST_S = 30.0
"""How long the actor is waited for by who could read the database as well."""

RETRY_S = 1.0
NO_VERSION = 0
"""Version of the installation's own pack, which is used while the database does not answer."""

log = logging.getLogger(__name__)

Value = TypeVar("Value")


class Active(NamedTuple):
    """What is active: ``version`` grows with each activation; ``artefact`` holds one reference to ``CompiledPack.dump()`` as ``uint8``.

    ``activated_at`` is in seconds since 1970 of the database's clock.
    """

    version: int
    digest: str
    artefact: list[Any]
    activated_at: float


class Fetched(NamedTuple):
    """A pack and the version under which it is active; ``NO_VERSION`` for one that was asked for by digest.

    ``activated_at`` is what the rule actor says of it.
    """

    version: int
    pack: CompiledPack
    activated_at: float = 0.0


class Said(Generic[Value]):
    """What each of several processes said last; who has said nothing for ``silent_s`` is gone."""

    def __init__(self, silent_s: float) -> None:
        """Begin with nobody."""
        self._silent_s = silent_s
        self._last: dict[str, tuple[Value, float]] = {}

    def note(self, who: str, what: Value) -> None:
        """Keep what one says."""
        self._last[who] = what, time.monotonic()

    def all(self) -> dict[str, Value]:
        """Give what those said who are not gone."""
        since = time.monotonic() - self._silent_s
        self._last = {who: said for who, said in self._last.items() if said[1] >= since}
        return {who: what for who, (what, _) in self._last.items()}


class RuleActor:
    """The actor's body. All methods may be called at once."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the database is first read when someone asks."""
        self._settings = settings
        self._changed = asyncio.Condition()
        self._look = asyncio.Event()
        self._active: Active | None = None
        self._acknowledged: Said[int] = Said(SILENT_S)
        self._reports: Said[bytes] = Said(REPORTS_S)
        self._watch: asyncio.Task[None] | None = None

    async def wait(self, known: int, patience_s: float = POLL_S) -> Active | None:
        """Give the active pack as soon as its version is not ``known``; ``None`` when nothing changed in time."""
        self._start()
        async with self._changed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait_for(lambda: self._newer(known) is not None), patience_s)
            return self._newer(known)

    async def activate(self, digest: str, reason: str = "", override: str = "") -> int:
        """Make a stored pack the active one, which all who follow are told at once; gives the version.

        Raises ``InvalidInput`` where it breaks corrections that people made and ``override`` does not say why it may.
        """
        async with connection(resolve_url(self._settings)) as session:
            version = await activate_checked(session, digest, reason, override)
        self._look.set()
        return version

    async def acknowledge(self, follower: str, version: int) -> None:
        """Note that a follower decides by this version; it says so with every poll."""
        self._acknowledged.note(follower, version)

    async def acknowledgements(self) -> dict[str, int]:
        """Give the version that each follower said it decides by; one that has long said nothing is gone."""
        return self._acknowledged.all()

    async def report(self, replica: str, numbers: bytes) -> None:
        """Keep what a replica counts."""
        self._reports.note(replica, numbers)

    async def reports(self) -> dict[str, bytes]:
        """Give what each replica last said that it counts."""
        return self._reports.all()

    def _newer(self, known: int) -> Active | None:
        return self._active if self._active is not None and self._active.version != known else None

    def _start(self) -> None:
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._keep_watching())

    async def _keep_watching(self) -> None:
        """Follow the database for ever, whatever happens to it."""
        while True:
            try:
                await self._watch_database()
            except RayappError as error:
                log.warning("rule_actor.database_unavailable", extra={"reason": str(error)})
                await asyncio.sleep(RETRY_S)

    async def _watch_database(self) -> None:
        async with connection(resolve_url(self._settings)) as session:
            await install_pack(session, self._settings)
            await session.add_listener(stored.CHANNEL, lambda *_: self._look.set())
            while True:
                self._look.clear()
                await self._catch_up(session)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._look.wait(), POLL_S)

    async def _catch_up(self, session: Any) -> None:  # noqa: ANN401 - a connection of asyncpg, which has no types
        """Take over the last activation, if it is another than ours."""
        last = (await stored.list_activations(session, most=1))[0]
        if self._active is None or self._active.version != last.id:
            await self._become(last, CompiledPack.load(await stored.fetch_pack(session, last.digest)))

    async def _become(self, last: stored.Activation, pack: CompiledPack) -> None:
        artefact = ray.put(np.frombuffer(await asyncio.to_thread(pack.dump), np.uint8))
        async with self._changed:
            self._active = Active(last.id, pack.digest, [artefact], last.activated_at.timestamp())
            self._changed.notify_all()
        log.info("rule_actor.pack_active", extra={"version": last.id, "pack": pack.digest})


def start_rule_actor(settings: Settings) -> Any:  # noqa: ANN401 - Ray's handles have no type of their own
    """Give the cluster's rule actor, which is made if there is none."""
    options = {"name": NAME, "namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True}
    return ray.remote(RuleActor).options(**options, num_cpus=0, max_restarts=-1, max_task_retries=-1).remote(settings)


def rule_actor() -> Any:  # noqa: ANN401 - Ray's handles have no type of their own
    """Find the cluster's rule actor; raises ``Unavailable`` when there is none, or no cluster."""
    if not ray.is_initialized():
        raise Unavailable("this process is connected to no cluster")
    try:
        return ray.get_actor(NAME, namespace=NAMESPACE)
    except (ValueError, RayError) as error:
        raise Unavailable("this cluster has no rule actor") from error


async def fetch_pack(settings: Settings, digest: str | None = None) -> Fetched:
    """Give the active pack, or the stored one of this digest.

    From the rule actor, else from PostgreSQL, else from the installation, if it is the active pack that is asked for.
    """
    with suppress(RayappError, RayError):
        active = await rule_actor().wait.remote(-1, FIRST_S)
        if active is not None and digest in {None, active.digest}:
            return await _unpack(active)
    try:
        async with connection(resolve_url(settings)) as session:
            return await _from_database(session, digest)
    except Unavailable:
        pack = await asyncio.to_thread(load_pack, settings.pack)
        if digest not in {None, pack.digest}:
            raise
        return Fetched(NO_VERSION, pack)


async def _from_database(session: Any, digest: str | None) -> Fetched:  # noqa: ANN401 - see _catch_up
    if digest is not None:
        return Fetched(NO_VERSION, CompiledPack.load(await stored.fetch_pack(session, digest)))
    activations = await stored.list_activations(session, most=1)
    if not activations:
        raise Unavailable("no pack is active yet")
    return Fetched(activations[0].id, CompiledPack.load(await stored.fetch_pack(session, activations[0].digest)))


async def _unpack(active: Active) -> Fetched:
    """Read the pack; raises a ``RayError`` when its object is gone."""
    content = await active.artefact[0]
    return Fetched(active.version, await asyncio.to_thread(lambda: CompiledPack.load(content.tobytes())), active.activated_at)


async def follow(known: int, follower: str, swap: Callable[[Fetched], Awaitable[None]]) -> None:
    """Call ``swap`` with each version that becomes active after ``known``, and acknowledge it, until cancelled."""
    while True:
        try:
            actor = await asyncio.to_thread(rule_actor)
            active = await actor.wait.remote(known)
            if active is not None:
                await swap(await _unpack(active))
                known = active.version
            await actor.acknowledge.remote(follower, known)
        except (RayError, RayappError) as error:
            log.warning("rule_actor.not_followed", extra={"reason": str(error)})
            await asyncio.sleep(RETRY_S)
