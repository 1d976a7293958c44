"""rayapp classifies bank and card transactions: the library's public face."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rayapp.packs import load_classifier, load_pack
    from rayapp.scoring.classifier import Classifier
    from rayapp.scoring.transaction import Transaction

__all__ = ["Classifier", "Transaction", "load_classifier", "load_pack"]

_HOMES = {
    "Classifier": "rayapp.scoring.classifier",
    "Transaction": "rayapp.scoring.transaction",
    "load_classifier": "rayapp.packs",
    "load_pack": "rayapp.packs",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute can be anything
    """Import the public names when they are first asked for, so that ``import rayapp`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(_HOMES[name]), name)
