"""The one file that knows Ray Serve: the replica that classifies inside the ingress, and follows the rule actor."""

import asyncio
import logging
import os
import time
from typing import Any

from ray import serve
from ray.serve._private import replica as serve_replica
from ray.serve.config import AutoscalingConfig, AutoscalingPolicy

from rayapp.errors import InvalidSetup, Unavailable
from rayapp.rule_actor import Fetched, fetch_pack, follow
from rayapp.serve.admission import Gate
from rayapp.serve.app import build_app
from rayapp.serve.board import Board
from rayapp.serve.database import Database
from rayapp.serve.desk import Desk
from rayapp.serve.edge import carries
from rayapp.serve.job_desk import JobDesk
from rayapp.serve.key_book import KeyBook
from rayapp.serve.recall import Caching
from rayapp.serve.scaling import DOWN_AFTER_S, LOOK_BACK_S, UP_AFTER_S, policy
from rayapp.settings import Settings
from rayapp.store.api_keys import valid_keys
from rayapp.store.database import connection, resolve_url

APPLICATION = "rayapp"
REPLICA_CPUS = 0.5
"""What a replica books: on a machine of two cores a load can run beside it."""

MAX_ONGOING = 1_000
"""Requests in one replica; HAProxy gives it fewer, and its own queue is bounded by rows and bytes."""

GRACE_S = 30.0
"""How long a replica that is to go may finish what it has: as long as a request may take."""

STUCK_S = 30.0
"""A batch or a wait that is older than this means that the replica does not work any more; Serve then replaces it."""

log = logging.getLogger(__name__)

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@serve.deployment(
    name="ingress",
    max_ongoing_requests=MAX_ONGOING,
    ray_actor_options={"num_cpus": REPLICA_CPUS},
    graceful_shutdown_timeout_s=GRACE_S,
    max_surge_percent=100,
    health_check_period_s=5,
    logging_config={"enable_access_log": False},
)
@serve.ingress()
class Ingress:
    """One replica."""

    async def __init__(self, settings: Settings) -> None:  # type: ignore[misc]  # Serve awaits it
        """Load the active pack; the replica takes requests when that is done."""
        if settings.http_host in LOOPBACK:
            _listen_on_loopback()
        database = Database(resolve_url(settings))
        book = KeyBook(database)
        gate = Gate(book, exposed=settings.http_host not in LOOPBACK, replicas=settings.replicas)
        self._jobs = JobDesk(settings, database)
        self._desk = Desk(gate, database, Caching(settings.cache_mb, settings.cache_url))
        self._desk.batcher.at_once = carries()
        self._reading_keys = asyncio.get_running_loop().create_task(book.follow(gate))
        replica = serve.get_replica_context().replica_id.unique_id
        self._follower = f"replica {replica} ({os.getpid()})"
        board = Board(replica, self._desk.numbers)
        self._desk.told = board.text
        self._telling = asyncio.get_running_loop().create_task(board.keep_telling())
        fetched = await fetch_pack(settings)
        await self._desk.swap(fetched.version, fetched.pack)
        await book.first_read()
        self._following = asyncio.get_running_loop().create_task(follow(fetched.version, self._follower, self._swap))

    async def _swap(self, fetched: Fetched) -> None:
        await self._desk.swap(fetched.version, fetched.pack)
        seconds = max(0.0, time.time() - fetched.activated_at)  # between two machines' clocks
        self._desk.metrics.pack_live_s.set(seconds)
        log.info("packs.live", extra={"version": fetched.version, "pack": fetched.pack.digest, "seconds": round(seconds, 3)})

    async def record_autoscaling_stats(self) -> dict[str, float]:
        """Tell Serve's controller how much waits here, for ``scaling.policy``."""
        return self._desk.load()

    async def check_health(self) -> None:
        """Fail when the engine is stuck."""
        if self._desk.batcher.oldest() > STUCK_S:
            raise Unavailable(f"rows wait for more than {STUCK_S:.0f} s")

    def __serve_build_asgi_app__(self) -> Any:  # noqa: ANN401 - an ASGI app
        """Give the routes around this replica's desk."""
        return build_app(self._desk, self._jobs)


def _listen_on_loopback() -> None:
    """Keep the replica's port for calls from other deployments, which takes pickles from anyone, off every interface but loopback.

    Serve binds it to all of them and has no setting for it; there is only one deployment, so nobody else has a use for it.
    """
    bind = serve_replica.add_port_to_grpc_server  # type: ignore[attr-defined]
    serve_replica.add_port_to_grpc_server = lambda server, _address: bind(server, "127.0.0.1:0")  # type: ignore[attr-defined]


async def check_keys(settings: Settings) -> None:
    """Refuse to serve beyond this machine without keys: raises ``InvalidSetup``."""
    if settings.http_host in LOOPBACK:
        return
    async with connection(resolve_url(settings)) as session:
        if not await valid_keys(session):
            said = f"RAYAPP_HTTP_HOST is {settings.http_host}, which others can reach, and nobody has a key"
            raise InvalidSetup(f"{said}: `rayapp keys add NAME` makes one, or serve on 127.0.0.1")


def application(settings: Settings) -> Any:  # noqa: ANN401 - Serve's applications have no public type
    """Give the Serve application of these settings."""
    if settings.max_replicas <= settings.replicas:
        return Ingress.options(num_replicas=settings.replicas).bind(settings)  # type: ignore[attr-defined]
    scaled = AutoscalingConfig(
        min_replicas=settings.replicas,
        max_replicas=settings.max_replicas,
        look_back_period_s=LOOK_BACK_S,
        upscale_delay_s=UP_AFTER_S,
        downscale_delay_s=DOWN_AFTER_S,
        policy=AutoscalingPolicy(policy_function=f"{policy.__module__}:{policy.__name__}"),
    )
    return Ingress.options(autoscaling_config=scaled).bind(settings)  # type: ignore[attr-defined]


def run_application(settings: Settings) -> None:
    """Start Serve on the cluster that this process is connected to, and the application on it; returns when the replicas answer."""
    serve.start(proxy_location="HeadOnly", http_options={"host": settings.http_host, "port": settings.http_port})
    serve.run(application(settings), name=APPLICATION, route_prefix="/")


def stop_application() -> None:
    """Stop everything of Serve's on the cluster."""
    serve.shutdown()
