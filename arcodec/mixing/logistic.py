"""The logistic function and its inverse as tables of integers, built by integer arithmetic alone.

exp and log may differ in their last bit between machines; Python's integers do not. All this is computed once, at
import, in a few milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

PROBABILITY_BITS = 24  # of squash's values
STRETCH_BITS = 14  # of the probabilities that stretch is tabulated for
STEPS = 256  # of squash's argument, to a nat
LIMIT = 12 * STEPS  # squash is tabulated from -12 to 12 nats

_FIXED = 160  # fractional bits of the intermediate integers


def _exponentials() -> list[int]:
    """exp(k / 256) for k = 0..3072, with 160 fractional bits, by the series and then by multiplication."""
    one = 1 << _FIXED
    step, term = one, one
    for n in range(1, 40):
        term = term // (STEPS * n)
        step += term
    powers = [one]
    for _ in range(LIMIT):
        powers.append(powers[-1] * step >> _FIXED)
    return powers


def _squash() -> np.ndarray:
    one, top = 1 << _FIXED, 1 << PROBABILITY_BITS
    upper = [(top * e + (one + e) // 2) // (one + e) for e in _exponentials()]  # 1 / (1 + exp(-k / 256)), rounded
    return np.array([top - p for p in upper[:0:-1]] + upper, np.int32)


def _stretch(squash: np.ndarray) -> np.ndarray:
    """At the middle of each of 2**14 intervals of probability, by linear interpolation in squash."""
    values, known = [], squash.tolist()
    half = 1 << PROBABILITY_BITS - STRETCH_BITS - 1
    for i in range(1 << STRETCH_BITS):
        p = (2 * i + 1) * half
        k = min(max(bisect_left(known, p), 1), len(known) - 1)
        low, high = known[k - 1], known[k]
        between = 256 * (p - low) // (high - low)
        values.append((k - 1 - LIMIT) * 256 + min(max(between, 0), 256))
    return np.array(values, np.int32)


SQUASH = _squash()  # (6145,) int32: 2**24 / (1 + exp(-x)) at x = -12 .. 12 in steps of 1/256
STRETCH = np.ldexp(_stretch(SQUASH).astype(np.float32), -16)  # (16384,) float32: nats, multiples of 2**-16
