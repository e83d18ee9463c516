"""What a network would have bet on: its likeliest next symbols at every position."""

from __future__ import annotations

import numpy as np

from ..exact.program import compile_network, fresh_state
from ..frequencies import TOTAL
from . import loops
from .file import Model

_CHUNK = 4096  # symbols whose distributions are kept at a time


def likeliest(model: Model, symbols: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Before each of symbols (n,) uint8: the likeliest (n, count) uint8, the first first, and their probabilities."""
    program = compile_network(model.network, model.tensors)
    state = fresh_state(program)
    guesses = np.empty((len(symbols), count), np.uint8)
    shares = np.empty((len(symbols), count))
    frequencies = np.empty((_CHUNK, 256), np.int64)
    for start in range(0, len(symbols), _CHUNK):
        part = slice(start, min(start + _CHUNK, len(symbols)))
        known = frequencies[: part.stop - start]
        loops.fill_distributions(program, state, symbols[part], known)
        guesses[part] = np.argsort(-known, 1, kind="stable")[:, :count]
        shares[part] = np.take_along_axis(known, guesses[part].astype(np.int64), 1) / TOTAL
    return guesses, shares
