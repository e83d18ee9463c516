"""What a network would have bet on: its likeliest next symbols, for reports."""

from __future__ import annotations

import numpy as np

from ..exact.program import Program, fresh_state
from ..frequencies import TOTAL
from . import loops

_CHUNK = 4096  # symbols whose distributions are kept at a time


def likeliest(program: Program, symbols: np.ndarray, wanted: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Where wanted (n,) bool, before each of symbols (n,) uint8: the likeliest (n, count) uint8 and their shares."""
    state = fresh_state(program)
    guesses, shares = np.zeros((len(symbols), count), np.uint8), np.zeros((len(symbols), count))
    frequencies = np.empty((_CHUNK, 256), np.int64)
    for start in range(0, len(symbols), _CHUNK):
        part = slice(start, min(start + _CHUNK, len(symbols)))
        loops.fill_distributions(program, state, symbols[part], frequencies[: part.stop - start])
        at = np.flatnonzero(wanted[part])
        known = frequencies[at]
        best = np.argsort(-known, 1, kind="stable")[:, :count]
        guesses[start + at] = best
        shares[start + at] = np.take_along_axis(known, best, 1) / TOTAL
    return guesses, shares
