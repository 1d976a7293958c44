"""Writing a learnt model as the file that ``SemanticModel.load`` reads: int8 weights with one scale for each hidden unit."""

import json
from collections.abc import Sequence

import numpy as np
from safetensors.numpy import save

from semantic_model.network import Learnt

LARGEST = 127


def model_bytes(learnt: Learnt, classes: Sequence[str], families: Sequence[int], temperature: float, facts: dict[str, object]) -> bytes:
    """Quantise and serialise; ``facts`` go into the file's header (training data, metrics)."""
    folded = learnt.weights * learnt.importance[:, None].astype(np.float32)
    scale = np.maximum(np.abs(folded).max(axis=0), 1e-9) / LARGEST
    tensors = {
        "keys": learnt.keys,
        "weights": np.rint(folded / scale).astype(np.int8),
        "importance": learnt.importance,
        "scale": scale.astype(np.float32),
        "lean": learnt.lean,
        "speaks": learnt.speaks,
        "bias": learnt.bias,
        "temperature": np.array([temperature], np.float32),
        "families": np.array(families, np.int16),
        "marked": np.ones(1, np.uint8),
        "classes": np.frombuffer(json.dumps(list(classes)).encode(), np.uint8),
    }
    return save(tensors, {"facts": json.dumps(facts, sort_keys=True)})
