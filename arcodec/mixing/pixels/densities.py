"""Probabilities of intervals under logistic distributions, by table."""

from __future__ import annotations

import numpy as np

from ...jit import inlined
from .. import logistic

WHOLE = np.float32(1 << logistic.PROBABILITY_BITS)

_SQUASH = logistic.SQUASH
_LIMIT = np.float32(11.99 * logistic.STEPS)
_BITS = 22  # of a probability that is asked for
_LEAST, _MOST = np.float32(1e-4), np.float32(1 - 1e-4)
_PARTS = np.float32(1 << logistic.STRETCH_BITS)
_HALF, _TWO = np.float32(0.5), np.float32(2)
_SOME = np.float32(2)  # of 2**24: keeps the quotient of two nothings defined


@inlined
def below(value: float, mean: float, steepness: float) -> float:
    """Of 2**24, what lies below value; steepness: steps of the table to a unit of value."""
    distance = (value - mean) * steepness
    clamped = min(max(distance, -_LIMIT), _LIMIT)
    return np.float32(_SQUASH[np.int64(np.rint(clamped)) + logistic.LIMIT])


@inlined
def share(low: float, middle: float, high: float) -> float:
    """The probability of [middle, high) within [low, high), from what lies below the three."""
    part = (high - middle) + _SOME
    return min(max(part / ((high - low) + _TWO * _SOME), _LEAST), _MOST)


@inlined
def centred(probability: float) -> float:
    """-1 to 1."""
    return (probability - _HALF) * _TWO


@inlined
def place(probability: float) -> int:
    """Of a probability, in the table of stretch."""
    return np.int64(probability * _PARTS)
