"""``rayapp warm``: compile the kernels and the pack once, so that every later start is fast."""

import sys
import time
from argparse import Namespace

import pyarrow as pa

from rayapp.data_jobs.warming import warm_values
from rayapp.datasets import dataset
from rayapp.packs import load_classifier
from rayapp.scoring.transaction import Transaction
from rayapp.settings import Settings

DESCRIPTOR = "SQ *BLUE BOTTLE 0123 OAKLAND CA"
UNKNOWN = "QUOZZLE WIMBUSH"
"""What nothing but the model decides."""


def run(settings: Settings, _arguments: Namespace) -> int:
    """Send one transaction along each way into the engine, and one on its way into the database."""
    started = time.monotonic()
    classifier = load_classifier(settings.pack)
    one = Transaction(id="1", descriptor=DESCRIPTOR, amount="4.50", currency="USD", direction="debit", mcc="5814", country="US")
    classifier.classify_one(one)
    classifier.classify_one(Transaction(id="2", descriptor=UNKNOWN))
    classifier.explain(one)
    classifier.classify(pa.table({"id": ["1", "2"], "descriptor": [DESCRIPTOR, UNKNOWN]}))
    warm_values(dataset("transactions"))
    print(f"rayapp: ready, pack {classifier.pack.digest}, {time.monotonic() - started:.1f} s", file=sys.stderr)
    return 0
