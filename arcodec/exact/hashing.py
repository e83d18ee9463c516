"""Multiplicative hashing of 64-bit keys (Knuth, The Art of Computer Programming, 6.4)."""

from __future__ import annotations

import numpy as np

from ..jit import inlined

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


@inlined
def spread(key: np.uint64) -> np.uint64:
    """A hash whose highest bits depend on all bits of the key; 0 of 0."""
    return (key ^ (key >> np.uint64(29))) * MULTIPLIER


@inlined
def words(word: np.uint64, before: np.uint64) -> np.uint64:
    """One key of the hashes of a word and of the one before it."""
    return word ^ (before * MULTIPLIER)
