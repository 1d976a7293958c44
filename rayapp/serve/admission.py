"""Who may come in, and with how much: keys, requests at a time, and rows, metered so that the limits hold across all replicas.

A client is known by the hash of its key. Where there are no keys and the service listens on loopback only, everybody is one client without
limits; where it is exposed, nobody gets in without a key. Most requests are paid with rows that this replica has leased already.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Protocol

from rayapp.errors import Unavailable
from rayapp.serve.buckets import LeasedBucket
from rayapp.serve.overload import Forbidden, QuotaExceeded, Retry, TooManyAtOnce, Unauthorised
from rayapp.serve.queueing import Tier
from rayapp.serve.slots import LeasedSlots
from rayapp.store.api_keys import ApiKey, Lease, hash_of

OPEN_PATHS = {"/", "/healthz", "/readyz", "/docs", "/console", "/openapi.json"}
OPEN_BELOW = "/pages/"
OPERATORS_PATHS = ("/packs", "/plans", "/changesets")
"""What is written below these changes the answers that everybody gets."""

READING = {"GET", "HEAD", "OPTIONS"}
BEARER = b"bearer "
MOST_KEY_BYTES = 512

KEYS_GOOD_S = 3_600.0
"""How long keys are believed in that could not be read again, so that a key that was revoked meanwhile does not open for ever."""

PAUSES_S = (0.0, 0.005, 0.02, 0.1)
"""How long others have, again and again, to give back a slot that they do not use."""

SETTLES = 8
"""Requests over which the mean time of one is taken."""


class Bank(Protocol):
    """Where the shared buckets are. Both raise ``Unavailable`` when it does not answer."""

    async def lease(self, key_id: int, need: float, want: float) -> Lease:
        """Lease rows."""

    async def give_back(self, key_id: int, rows: float) -> None:
        """Give leased rows back."""

    async def take_slots(self, key_id: int, need: int, want: int) -> int:
        """Lease requests at a time in place of those that are held; gives how many."""

    async def keep_slots(self, key_ids: Sequence[int]) -> AbstractSet[int]:
        """Prolong the leases of requests at a time; gives the keys of which any are still held."""

    async def give_slots(self, key_id: int, left: int) -> None:
        """Give requests at a time back, down to ``left``."""


class Client:
    """Who asks; without a key there is no bucket."""

    __slots__ = ("asking", "bucket", "key_id", "leasing", "mean_s", "name", "operator", "slots", "tier")

    def __init__(self, key: ApiKey | None = None) -> None:
        """Know a client by its key."""
        self.key_id = key.id if key else 0
        self.name = key.mark if key else ""
        self.tier: Tier = key.tier if key else "standard"
        self.operator = key.operator if key else True
        self.bucket = LeasedBucket(key.allowance) if key else None
        self.slots = LeasedSlots(key.allowance.at_once) if key else None
        self.mean_s = 0.0
        self.leasing = asyncio.Lock()
        self.asking = asyncio.Lock()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Say what is left, as the IETF's draft of RateLimit header fields writes it; nothing where nothing is metered."""
        if self.bucket is None:
            return []
        allowance, standing = self.bucket.allowance, self.bucket.standing()
        window = max(1, round(allowance.burst_rows / allowance.rows_per_s))
        policy = f'"rows";q={int(allowance.burst_rows)};w={window}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", f'"rows";r={standing.left};t={standing.full_in_s}'.encode())]


class Gate:
    """Stands before the routes of one replica."""

    def __init__(self, bank: Bank | None = None, *, exposed: bool = False, replicas: int = 1) -> None:
        """Without a bank everybody is let in, unless the service is exposed; ``replicas`` share a limit while the bank is closed."""
        self._bank = bank
        self._exposed = exposed
        self._replicas = replicas
        self._everybody = Client()
        self._somebody = Client()
        self._somebody.operator = False
        self._read_at = time.monotonic()
        self._clients: dict[bytes, Client] = {}
        self._known = bank is None
        self._telling: set[asyncio.Task[None]] = set()

    def use(self, keys: Iterable[ApiKey]) -> None:
        """Let in who has one of these keys, from now on; what a known client has leased stays."""
        former = {client.key_id: client for client in self._clients.values()}
        self._clients = {key.hash: self._kept(former.get(key.id), key) for key in keys}
        self._known = True
        self._read_at = time.monotonic()

    @staticmethod
    def _kept(former: Client | None, key: ApiKey) -> Client:
        same = former is not None and former.bucket is not None and (former.tier, former.bucket.allowance) == (key.tier, key.allowance)
        return former if same and former is not None and former.operator == key.operator else Client(key)

    def enter(self, path: str, headers: Mapping[bytes, bytes], method: str = "GET") -> Client:
        """Say who asks; raises ``Unauthorised``, ``Forbidden``, or ``Unavailable`` before keys are known."""
        client = self._everybody if path in OPEN_PATHS or path.startswith(OPEN_BELOW) else self._client(headers)
        if method not in READING and path.startswith(OPERATORS_PATHS) and not client.operator:
            raise Forbidden("rule packs are changed with an operator's key; `rayapp keys add NAME --operator` makes one")
        return client

    async def admit(self, client: Client) -> None:
        """Let a request in, which must ``leave``; raises ``TooManyAtOnce``."""
        slots, came = client.slots, time.monotonic()
        if slots is None or slots.enter(came):
            return
        async with client.asking:
            if slots.closed(came) or not await self._found_slot(client.key_id, slots):
                said = f"as many requests of this key are in work as may be, {slots.most}"
                raise TooManyAtOnce(said, [Retry(client.mean_s / slots.most)])

    def leave(self, client: Client, seconds: float = 0.0) -> None:
        """Note that a request is answered, which took so long."""
        client.mean_s += (seconds - client.mean_s) / SETTLES
        if client.slots is not None:
            client.slots.leave(time.monotonic())
            if client.slots.given_up():
                self._tell_later(client)

    async def charge(self, client: Client, rows: int) -> None:
        """Take rows from a client's bucket; raises ``QuotaExceeded`` that says when there will be enough."""
        if client.bucket is None or client.bucket.take(rows, time.monotonic()):
            return
        async with client.leasing:
            await self._lease(client, client.bucket, rows)

    @staticmethod
    def refund(client: Client, rows: int) -> None:
        """Put rows back that were paid for and not done."""
        if client.bucket is not None:
            client.bucket.tokens += rows

    async def charge_patiently(self, client: Client, rows: int) -> None:
        """Take rows from a client's bucket, waiting until there are enough."""
        while True:
            try:
                return await self.charge(client, rows)
            except QuotaExceeded as error:
                await asyncio.sleep(next(detail.after_s for detail in error.details if isinstance(detail, Retry)))

    async def give_back(self) -> None:
        """Give back what clients have leased and not used for a while, and keep what they use."""
        if self._bank is None:
            return
        for client in list(self._clients.values()):
            surplus = client.bucket.surplus(time.monotonic()) if client.bucket else 0.0
            if surplus:
                await self._bank.give_back(client.key_id, surplus)
        await self._keep_slots(self._bank)

    def ask_back(self, key_id: int) -> None:
        """Give back what is idle of a key's requests at a time: another replica lacks them."""
        for client in self._clients.values():
            if client.key_id == key_id and client.slots is not None:
                client.slots.asked_back()
                if client.slots.given_up():
                    self._tell_later(client)

    def _client(self, headers: Mapping[bytes, bytes]) -> Client:
        if not self._known:
            return self._before_keys()
        if not self._clients and not self._exposed:
            return self._everybody
        if time.monotonic() - self._read_at > KEYS_GOOD_S:
            raise Unavailable("the keys of clients could not be read for too long")
        said = headers.get(b"x-api-key") or _bearer(headers.get(b"authorization", b""))
        client = self._clients.get(hash_of(said.decode("latin-1"))) if said and len(said) <= MOST_KEY_BYTES else None
        if client is None:
            raise Unauthorised("send a key that is good as `Authorization: Bearer KEY`; `rayapp keys add` makes one")
        return client

    def _before_keys(self) -> Client:
        """Give who may come in before keys are known: where others can reach the service nobody, else anybody, but not to change packs."""
        if self._exposed:
            raise Unavailable("the keys of clients cannot be read yet")
        return self._somebody

    async def _found_slot(self, key_id: int, slots: LeasedSlots) -> bool:
        """Enter by a slot that others give back, unless all are in use."""
        for pause in PAUSES_S:
            if pause:
                await asyncio.sleep(pause)
            now = time.monotonic()
            if slots.enter(now):
                return True
            try:
                slots.leased(await self._bank.take_slots(key_id, *slots.need(self._replicas)) if self._bank else slots.most, now)
            except Unavailable:
                slots.alone(self._replicas, now)
            if slots.enter(time.monotonic()):
                return True
        slots.close(time.monotonic())
        return False

    async def _keep_slots(self, bank: Bank) -> None:
        now = time.monotonic()
        held = {client.key_id: client for client in self._clients.values() if client.slots is not None and client.slots.granted}
        for client in held.values():
            if client.slots is not None:
                client.slots.rest(now)
                await self._tell(client)
        if held:
            kept = await bank.keep_slots(list(held))
            for key_id, client in held.items():
                if client.slots is not None:
                    client.slots.kept(now) if key_id in kept else client.slots.lost()

    def _tell_later(self, client: Client) -> None:
        task = asyncio.get_running_loop().create_task(self._tell(client))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, client: Client) -> None:
        """Tell the bank of slots that were given up; where it does not answer they come back when their lease ends."""
        async with client.asking:
            slots = client.slots
            if slots is not None and slots.given_up() and self._bank is not None:
                slots.granted = slots.held
                with suppress(Unavailable):
                    await self._bank.give_slots(client.key_id, slots.held)

    async def _lease(self, client: Client, bucket: LeasedBucket, rows: int) -> None:
        now = time.monotonic()
        if bucket.take(rows, now):
            return
        wait = bucket.closed(rows, now) or await self._ask(client, bucket, rows)
        if wait:
            raise QuotaExceeded(f"{rows:,} rows are more than this key has left", [Retry(wait)])

    async def _ask(self, client: Client, bucket: LeasedBucket, rows: int) -> float:
        """Lease rows and spend them; gives the seconds to wait where there were not enough, 0 where there were."""
        if self._bank is not None:
            with suppress(Unavailable):
                lease = await self._bank.lease(client.key_id, *bucket.need(rows))
                return bucket.leased(rows, lease, time.monotonic())
        return bucket.take_alone(rows, self._replicas, time.monotonic())


def _bearer(said: bytes) -> bytes:
    return said[len(BEARER) :].strip() if said[: len(BEARER)].lower() == BEARER else b""
