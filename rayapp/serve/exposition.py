"""What several replicas count as one text in Prometheus's format: the samples of a metric together, each with the replica that it is of."""

import re
from collections.abc import Mapping

_FAMILY = re.compile(r"^# HELP ", re.MULTILINE)
_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>[^ ]+)$", re.MULTILINE)


def merged(texts: Mapping[str, bytes]) -> bytes:
    """Give one text for those of the replicas, by their names, in the names' order. What is no sample is left out."""
    heads: dict[str, str] = {}
    samples: dict[str, list[str]] = {}
    for replica, text in sorted(texts.items()):
        for family in _FAMILY.split(text.decode())[1:]:
            told, kind, *lines = family.splitlines()
            name = told.split(" ", 1)[0]
            heads.setdefault(name, f"# HELP {told}\n{kind}\n")
            samples.setdefault(name, []).extend(_labelled(line, replica) for line in lines if _SAMPLE.match(line))
    return "".join(heads[name] + "".join(samples[name]) for name in heads).encode()


def _labelled(line: str, replica: str) -> str:
    name, labels, value = _SAMPLE.match(line).groups()  # type: ignore[union-attr]  # only samples come here
    return f'{name}{{{labels + "," if labels else ""}replica="{replica}"}} {value}\n'
