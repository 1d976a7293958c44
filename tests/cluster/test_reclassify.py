"""Re-deciding on a cluster: actors take the ranges, and the outcome is the same."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.cluster

ON_RAY = """
    import os
    from rayapp.data_jobs import reclassify
    os.environ[reclassify.ADDRESS_VARIABLE] = "the cluster that this process is connected to"
    reclassify.LEAST_ON_RAY = 1
    told = []
    answer = reclassify.run_reclassify(settings, {"full": True}, told.append, lambda: False)
"""


def test_actors_decide_all_rows_again_as_they_were_decided(cluster: Any, tmp_path: Path) -> None:
    source = tmp_path / "again.csv"
    source.write_text("id,descriptor,amount,currency\n" + "".join(f"again-{n},BLUE BOTTLE COFFEE {n},1,EUR\n" for n in range(50)))
    loaded = cluster.rayapp("ingest", str(source))
    assert loaded.returncode == 0, loaded.stderr
    done = cluster.on_cluster(ON_RAY.strip())
    assert done["decided"] == cluster.rows("SELECT count(*) AS n FROM rayapp.decision WHERE NOT locked")[0]["n"] >= 50
    assert done["changed"] == 0
    assert cluster.rows("SELECT kind, finished_at IS NOT NULL AS done FROM rayapp.changeset ORDER BY id DESC LIMIT 1") == [{"kind": "reclassify", "done": True}]
