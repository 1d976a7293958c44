"""The worker of ``rayapp up``: ``python -m rayapp.launch.worker ADDRESS``, which ends with the launcher however that ends."""

import os
import sys

from rayapp.data_jobs import worker
from rayapp.launch.haproxy_guard import end_with_parent


def main(words: list[str]) -> int:
    """Work until asked to stop."""
    end_with_parent()
    return 1 if os.getppid() == 1 else worker.main(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
