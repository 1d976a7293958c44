"""Connections to PostgreSQL: where it is, how a session is set up, and what its errors mean to us."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from asyncpg.exceptions import InternalClientError

from rayapp.datasets import datasets
from rayapp.errors import InvalidSetup, RayappError, Unavailable
from rayapp.settings import Settings
from rayapp.store.embedded import EmbeddedPostgres
from rayapp.store.keeper import kept_running
from rayapp.store.migrations import migrate

CONNECT_S = 20.0
IDLE_POOL_S = 300.0

# A vanished client must not hold a claimed chunk for hours. Times in milliseconds unless they say otherwise.
SESSION_SETTINGS = {
    "application_name": "rayapp",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "client_connection_check_interval": "5s",
}

COPYING_SETTINGS = SESSION_SETTINGS | {"synchronous_commit": "off"}
SEND_BYTES = 1 << 22

OPERATOR_CAN_MEND = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedParameterError,
    asyncpg.ClientConfigurationError,
)
TIME_CAN_MEND = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    InternalClientError,  # a connection that broke in the middle of COPY; of no common class
)


def resolve_url(settings: Settings) -> str:
    """Give the address of the database: the operator's, or that of the embedded server, which this does not start."""
    return settings.database_url or EmbeddedPostgres(settings.data_dir).url()


@contextmanager
def running_database(settings: Settings) -> Iterator[str]:
    """Give the address of a database that answers and has the newest schema, for as long as the context lasts.

    The embedded server is started and migrated, held by a lease, and started again if it is killed. A database of the operator's is
    migrated by ``rayapp migrate`` and otherwise left as it is. For programs without an event loop: a command line or a driver, never a
    Serve replica.
    """
    if settings.database_url is not None:
        yield settings.database_url
        return
    with EmbeddedPostgres(settings.data_dir) as server, kept_running(server):
        asyncio.run(migrated(server.url(), settings.datasets))
        yield server.url()


async def migrated(url: str, folder: Path | None = None) -> list[str]:
    """Bring the schema at ``url`` up to date, with the tables of all datasets, also those declared in ``folder``.

    Gives the names of the migrations that were applied and of the datasets whose tables were changed.
    """
    async with connection(url) as session:
        with errors_as_ours():
            return await migrate(session, datasets(folder))


async def connect(url: str) -> asyncpg.Connection:
    """Open one connection; raises ``InvalidSetup`` or ``Unavailable``, neither of which quotes the address."""
    with errors_as_ours():
        return await asyncpg.connect(url, timeout=CONNECT_S, server_settings=SESSION_SETTINGS)


async def connect_to_copy(url: str) -> asyncpg.Connection:
    """Open a connection for a load.

    A commit does not wait for the disk: a crash may undo the last chunks, each with its row in the ledger, so that they are loaded again.
    What says that the load is done waits for all that was committed before. A local socket takes as much at once as
    the system allows, so that the server need not wait for this process's turn with every 200 kB.
    """
    with errors_as_ours():
        session = await asyncpg.connect(url, timeout=CONNECT_S, server_settings=COPYING_SETTINGS)
    way = session._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg has no other name for it
    if way is not None and way.family == socket.AF_UNIX:
        way.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    return session


@asynccontextmanager
async def connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Open one connection for the length of the context."""
    session = await connect(url)
    try:
        yield session
    finally:
        await session.close(timeout=CONNECT_S)


async def open_pool(url: str, size: int = 2) -> asyncpg.Pool:
    """Open a pool of at most ``size`` connections, each made when first needed; one pool for each process and loop."""
    with errors_as_ours():
        return await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            timeout=CONNECT_S,
            max_inactive_connection_lifetime=IDLE_POOL_S,
            server_settings=SESSION_SETTINGS,
        )


@contextmanager
def errors_as_ours() -> Iterator[None]:
    """Turn the driver's errors into ours, grouped by who can mend them; others are faults of our own and pass."""
    try:
        yield
    except RayappError:
        raise
    except asyncpg.UndefinedTableError as error:
        raise InvalidSetup(f"the database has no schema of this rayapp ({error}): run `rayapp migrate`") from error
    except OPERATOR_CAN_MEND as error:
        raise InvalidSetup(f"the database refuses: {error}") from error
    except TIME_CAN_MEND as error:
        raise Unavailable(f"the database does not answer: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
