"""Energies and errors in a few steps. Both are integers in 1/32 of a sample's unit."""

from __future__ import annotations

import numpy as np

from ...jit import inlined

FRACTION = 5  # bits
UNIT = 1 << FRACTION
LEVELS = 40

_TABLED = 12  # bits


def _half_octaves() -> np.ndarray:
    """2 * log2(n) rounded down, for 1 <= n < 4096, by integers alone."""
    steps = np.zeros(1 << _TABLED, np.int8)
    for n in range(1, 1 << _TABLED):
        whole = n.bit_length() - 1
        steps[n] = 2 * whole + (n * n >= 1 << (2 * whole + 1))
    return steps


_STEPS = _half_octaves()


@inlined
def level(energy: int) -> int:
    """Half octaves, from 0 for less than 1/10 of a unit; below LEVELS."""
    n = energy + UNIT // 4
    beyond = 0
    while n >= 1 << _TABLED:
        n >>= 4
        beyond += 8
    return min(_STEPS[n] - 6 + beyond, LEVELS - 1)


@inlined
def signed_step(error: int) -> int:
    """0 to 10: negative and positive errors in six sizes, from half a unit to sixteen."""
    size = abs(error)
    step = 0
    if size >= UNIT // 2:
        step = 1 if size < 3 * UNIT // 2 else 2 if size < 7 * UNIT // 2 else 3 if size < 15 * UNIT // 2 else 4
        if size >= 16 * UNIT:
            step = 5
    return 5 + step if error >= 0 else 5 - step


STEPS = 11
