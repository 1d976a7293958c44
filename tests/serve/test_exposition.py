"""What several replicas count in one text: each metric once, each sample with its replica, and Prometheus's own parser reads it."""

from prometheus_client.parser import text_string_to_metric_families

from rayapp.serve.exposition import merged
from rayapp.serve.metrics import Metrics


def counting(requests):
    metrics = Metrics()
    for _ in range(requests):
        metrics.request("GET", '/a"b\\c} 1\n{', 200, 0.003)
    metrics.pack(3, "d" * 64)
    return metrics.text()


def test_samples_of_all_replicas_stand_together_under_one_head():
    text = merged({"two": counting(2), "one": counting(1)})
    families = list(text_string_to_metric_families(text.decode()))
    assert len({family.name for family in families}) == len(families)
    (requests,) = [family for family in families if family.name == "rayapp_http_requests"]
    assert requests.documentation == "Requests answered."
    counted = {sample.labels["replica"]: sample.value for sample in requests.samples if sample.name.endswith("_total")}
    assert counted == {"one": 1.0, "two": 2.0}
    assert {sample.labels["route"] for sample in requests.samples} == {'/a"b\\c} 1\n{'}


def test_nothing_of_a_replica_is_lost_beside_others():
    alone = list(text_string_to_metric_families(counting(5).decode()))
    beside = list(text_string_to_metric_families(merged({"a": counting(5), "b": b"nonsense\n# HELP\n"}).decode()))
    for before, after in zip(alone, beside, strict=True):
        assert (before.name, before.type, before.documentation) == (after.name, after.type, after.documentation)
        if not before.name.startswith("process"):
            kept = [(s.name, s.labels | {"replica": "a"}, s.value) for s in before.samples if not s.name.endswith("_created")]
            assert kept == [(s.name, s.labels, s.value) for s in after.samples if not s.name.endswith("_created")]
