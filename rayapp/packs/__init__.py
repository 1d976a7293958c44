"""Rule packs: reading, checking and compiling them, and the classifier that runs one."""

from pathlib import Path

from rayapp.packs.cache import load_pack
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack

__all__ = ["CompiledPack", "load_classifier", "load_pack"]


def load_classifier(path: str | Path | None = None) -> Classifier:
    """Give a classifier for the pack ``path`` (a shipped pack's name, a directory or a compiled file), or for the default pack.

    Raises ``InvalidPack`` with every fault of a pack that cannot be used.
    """
    return Classifier(load_pack(path))
