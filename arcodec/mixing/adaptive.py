"""A probability of 22 bits with a count of 10: the mean of the bits it saw, a fading one once the count is full."""

from __future__ import annotations

import numpy as np

from ..jit import inlined

BITS = 22
TOP = (1 << BITS) - 1
COUNT_BITS = np.uint32(10)
_COUNT = np.uint32(1023)
_RATES = np.array([65536 * 10 // (10 * n + 16) for n in range(1024)], np.int64)


def cell(probability: float, count: int) -> np.uint32:
    """A probability believed as if so many bits had been seen."""
    return np.uint32(int(probability * (1 << BITS)) << 10 | count)


@inlined
def learn(cells: np.ndarray, at: int, bit: int, limit: int) -> None:
    """Move cells[at] towards the bit."""
    old = cells[at]
    count = np.int64(old & _COUNT)
    probability = np.int64(old >> COUNT_BITS)
    probability += ((TOP if bit else 0) - probability) * _RATES[count] >> 16
    cells[at] = np.uint32(probability << 10 | min(count + 1, limit))
