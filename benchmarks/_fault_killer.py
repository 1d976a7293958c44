"""Who kills: one process at random of those that run now, what was killed least being the most likely."""

import random
import signal
from collections import Counter
from collections.abc import Mapping

from rayapp.launch.processes import Process


class Killer:
    """Sends SIGKILL and counts."""

    def __init__(self, weights: Mapping[str, int], chance: random.Random) -> None:
        """Take what there is to kill, and how often in comparison."""
        self.kills: Counter[str] = Counter()
        self._weights = weights
        self._chance = chance

    def kill(self, candidates: Mapping[str, list[Process]]) -> bool:
        """Kill one; says whether there was any."""
        found = {name: processes for name, processes in candidates.items() if processes}
        if not found:
            return False
        weights = [self._weights[name] / (1 + self.kills[name]) for name in found]
        name = self._chance.choices(list(found), weights)[0]
        self._chance.choice(found[name]).end(signal.SIGKILL)
        self.kills[name] += 1
        return True

    def report(self) -> dict[str, int]:
        """Say how many of each, and in all."""
        return {"kills": self.kills.total(), **{f"kills of {name}": self.kills[name] for name in self._weights}}
