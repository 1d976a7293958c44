"""Packs as clients send and switch them. A pack is compiled in a process of its own, so that requests are answered meanwhile."""

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterable
from pathlib import Path

import msgspec

from rayapp.errors import Unavailable
from rayapp.packs.uploaded import Compiled
from rayapp.serve.overload import Retry
from rayapp.serve.refusals import RefusedPack
from rayapp.serve.uploads import Store
from rayapp.settings import Settings

MOST_BYTES = 64_000_000
WITHIN_S = 25.0
AT_ONCE = 1

log = logging.getLogger(__name__)


class PackDesk:
    """Compiles uploads, one at a time."""

    def __init__(self, settings: Settings) -> None:
        """Take where uploads go."""
        self._store = Store(settings.files_dir / "packs", MOST_BYTES)
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def compile(self, pieces: AsyncIterable[bytes]) -> tuple[Compiled, bytes]:
        """Compile an uploaded pack; gives its digest and the artefact.

        Raises ``RefusedPack`` with every fault, ``Unavailable`` when another is being compiled or it takes too long.
        """
        if self._turn.locked():
            raise Unavailable("another pack is being compiled", [Retry(5.0)])
        async with self._turn:
            upload = await self._store.keep(pieces)
            try:
                return await self._compiled(upload.path)
            finally:
                upload.path.unlink(missing_ok=True)

    async def _compiled(self, archive: Path) -> tuple[Compiled, bytes]:
        with tempfile.TemporaryDirectory(prefix="rayapp-pack-") as folder:
            out = Path(folder) / "out.pack"
            said = await _run([sys.executable, "-m", "rayapp.packs.uploaded", str(archive), str(out)], folder)
            found = msgspec.json.decode(said, type=Compiled)
            if not found.digest:
                raise RefusedPack.of("the pack has faults", found.faults)
            return found, await asyncio.to_thread(out.read_bytes)


async def _run(command: list[str], folder: str) -> bytes:
    """Run a compiler within its time; it does not outlive this."""
    environment = os.environ | {"TMPDIR": folder}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, stdin=asyncio.subprocess.DEVNULL, env=environment)
    try:
        async with asyncio.timeout(WITHIN_S):
            said, wrong = await process.communicate()
    except TimeoutError as error:
        raise Unavailable(f"the pack was not compiled within {WITHIN_S:.0f} s: `rayapp packs publish` takes what time it needs") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.warning("packs.compiler_ended", extra={"code": process.returncode, "said": wrong[-2_000:].decode("utf-8", "replace")})
        raise Unavailable(f"the pack could not be compiled: its compiler ended with {process.returncode}")
    return said
