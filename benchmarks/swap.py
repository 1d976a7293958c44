"""Publish and activate packs under load: how long until a pack decides everywhere, and what it costs those who ask.

    python -m benchmarks.swap [--replicas 4] [--swaps 4]

Starts a service of its own with the default pack, and stores a copy of the pack under another version. Then senders ask for single rows and
for bulks of 3,000 (three chunks) without a pause, while the copy and the first pack are activated in turn. Seconds count from the word to
the rule actor until the last replica has acknowledged. Checks that every request is answered, that no answer is decided by two packs, and
that nothing sent after the last acknowledgement is decided by a former pack. (That packs are compiled and published under load too is
a test, `tests/cluster/test_swap.py`.)
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks._own_service import Service, own_service
from benchmarks._senders import Senders
from benchmarks._swapping import live_everywhere, mixed, swapping
from benchmarks.throughput import circumstances
from rayapp.launch.driver import connected, prepare_environment

DEFAULT_PACK = Path(__file__).parent.parent / "rayapp" / "packs" / "default"
SINGLES, BULKS = 2, 2
BETWEEN_S = 2.0
HEAD = "replicas | swaps | live everywhere after, s: median | most | requests | errors | mixed | by a former pack after that"


class Swapped(NamedTuple):
    """A swap: when it was asked for and live everywhere (seconds since 1970), and the pack."""

    asked: float
    live: float
    digest: str


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--replicas", type=int, default=4)
    options.add_argument("--swaps", type=int, default=4)
    told = options.parse_args()
    print(f"{circumstances()}\n")
    with own_service(replicas=told.replicas) as service, tempfile.TemporaryDirectory() as folder:
        os.environ.update(service.environment)
        prepare_environment(service.settings)
        copy = publish(service, Path(folder) / "copy")
        with connected(service.settings, print), swapping(service.url, SINGLES, BULKS) as senders:
            time.sleep(BETWEEN_S)
            (first,) = senders.told[0].answer
            swaps = [swap((first, copy)[number % 2], told.replicas) for number in range(1, told.swaps + 1)]
    times = [one.live - one.asked for one in swaps]
    errors = senders.statuses().total() - senders.statuses()[200]
    late = decided_late(senders, swaps)
    figures = f"{median(times):.2f} | {max(times):.2f} | {len(senders.told):,}"
    print(f"| {HEAD} |\n|{'---|' * 8}")
    print(f"| {told.replicas} | {len(swaps)} | {figures} | {errors} | {len(mixed(senders.told))} | {late} |")
    if errors or mixed(senders.told) or late:
        sys.exit(f"not every request was answered by one pack: {senders.statuses()}")


def publish(service: Service, folder: Path) -> str:
    """Store a copy of the default pack under another version; gives its digest."""
    shutil.copytree(DEFAULT_PACK, folder)
    described = folder / "pack.toml"
    described.write_text(described.read_text().replace('version = "1"', f'version = "{folder.name}"'))
    return service.rayapp("packs", "publish", str(folder)).strip()


def swap(digest: str, replicas: int) -> Swapped:
    """Activate a pack and wait until every replica decides by it."""
    import ray

    from rayapp.rule_actor import rule_actor

    actor, asked = rule_actor(), time.time()
    version = ray.get(actor.activate.remote(digest, "a benchmark"))
    live = live_everywhere(lambda: ray.get(actor.acknowledgements.remote()), version, replicas)
    time.sleep(BETWEEN_S)
    return Swapped(asked, live, digest)


def decided_late(senders: Senders, swaps: list[Swapped]) -> int:
    """Count the answers to what was sent while a swap was live that another pack decided."""
    ends = [*(one.asked for one in swaps[1:]), float("inf")]
    return sum(
        told.answer != {one.digest}
        for one, end in zip(swaps, ends, strict=True)
        for told in senders.good_since(one.live)
        if told.over < end
    )


if __name__ == "__main__":
    main()
