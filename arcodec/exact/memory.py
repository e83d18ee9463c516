"""What a sequence remembers exactly, besides the states of its layers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import spec as s

# Places in Memory.past: the last eight symbols, the eight before them, hashes of the word so far and of the one before
PAST, OLDER, WORD, BEFORE, PLACES = range(5)


class Memory(NamedTuple):
    """Of one sequence."""

    past: np.ndarray  # (4,) uint64
    hashes: np.ndarray  # (followers,) uint64, of the contexts whose followers are remembered, see followers
    slots: np.ndarray  # (followers << 18,) uint32, see followers


def fresh_memory(followers: int) -> Memory:
    """What is remembered before the first symbol: zeros. followers: of how many contexts."""
    return Memory(
        np.zeros(PLACES, np.uint64),
        np.zeros(followers, np.uint64),
        np.zeros(followers << s.SLOTS_LOG2, np.uint32),
    )
