"""``rayapp bench``: run one of the benchmarks of a source checkout, each of which answers one question."""

import runpy
import sys
from argparse import Namespace
from pathlib import Path

from rayapp.errors import InvalidInput
from rayapp.settings import Settings

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"


def run(_settings: Settings, arguments: Namespace) -> int:
    """Run ``benchmarks/NAME.py`` with the rest of the arguments; without a name list what there is."""
    known = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("_")}
    if not known:
        raise InvalidInput("there are no benchmarks here: they are part of the source, not of the installed package")
    if arguments.name is None:
        print("\n".join(known))
        return 0
    if arguments.name not in known:
        raise InvalidInput(f"no benchmark is called {arguments.name!r}; there are {', '.join(known)}")
    sys.argv = [str(known[arguments.name]), *arguments.rest]
    sys.path.insert(0, str(FOLDER.parent))
    runpy.run_path(str(known[arguments.name]), run_name="__main__")
    return 0
