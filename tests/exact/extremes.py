"""Models at the ends of what a file may hold, and what must hold of numbers all the same."""

from __future__ import annotations

import numpy as np

from arcodec.exact import program as p
from arcodec.exact.learner import Learner
from arcodec.exact.program import Program
from arcodec.exact.stack import StackProgram
from arcodec.models.file import Model

_TINY = np.finfo(np.float32).tiny


def scales_of_all_sizes(model: Model, seed: int) -> dict[str, np.ndarray]:
    """The model's tensors, with some scales and biases from the least to the largest that a file may have.

    Of odd seeds the heads stay as they are: one that answers something lets gradients through.
    """
    random, tensors = np.random.default_rng(seed), dict(model.tensors)
    branches = {name: int(name.split(".")[-3]) for name in tensors if name.endswith(".1.bias")}
    heads = {name.rpartition(".")[0] for name, branch in branches.items() if branch == max(branches.values())}
    for name, array in tensors.items():
        part, _, kind = name.rpartition(".")
        if kind not in ("scale", "bias") or (seed % 2 and part in heads) or random.random() < 0.4:
            continue
        sizes = 10.0 ** random.uniform(-20, 6, array.shape)
        signs = random.choice([-1, 1], array.shape) if kind == "bias" else 1
        tensors[name] = (sizes * signs).astype(np.float32).clip(-1e6, 1e6)
    return tensors


def check_numbers(own: Program | StackProgram, learner: Learner) -> None:
    """Nothing that is kept is infinite, no number or subnormal."""
    for array in (own.constants, *learner):
        assert np.isfinite(array).all()
        assert array.dtype != np.float32 or not ((array != 0) & (np.abs(array) < _TINY)).any()


def layers_with_gradients(own: Program | StackProgram, learner: Learner) -> np.ndarray:
    """Of each linear layer, 1 if a gradient arrived there."""
    found = []
    for layer in own.layers:
        if layer[p.KIND] == p.LINEAR:
            start = layer[p.WEIGHTS]
            squares = learner.weight_squares[start : start + layer[p.INPUTS] * layer[p.OUTPUTS]]
            found.append((squares > 1e-19).any())
    return np.array(found, int)
