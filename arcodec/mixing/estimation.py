"""Secondary estimation: what bits did when something said so, in a context (the adaptive probability maps of PAQ).

A map has 33 points from -8 to 8 nats for each context; between two of them it is interpolated, and the nearer learns.
The points are kept as differences from where they begin, so that memory nobody touched stays untouched.
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined
from . import logistic

CONTEXTS = 1 << 16
_POINTS = 33
_RATE = 6  # a point moves 2**-6 of the way
_START = np.array(
    [logistic.SQUASH[(i - 16) * (logistic.STEPS // 2) + logistic.LIMIT] for i in range(_POINTS)], np.int64
)
_EIGHT, _ALMOST = np.float32(8), np.float32(7.999)
_TWO = np.float32(2)
_PARTS = np.float32(65536)
TOP = (1 << logistic.PROBABILITY_BITS) - 1


def points(count: int) -> int:
    """Points of so many maps."""
    return count * CONTEXTS * _POINTS


def fresh_maps(count: int) -> np.ndarray:
    """Maps that change nothing, (points,) int32."""
    return np.zeros(points(count), np.int32)


@inlined
def estimate(maps: np.ndarray, number: int, context: int, nats: float, places: np.ndarray) -> int:
    """A probability of 24 bits in place of nats, from map ``number``; places[number] becomes the point that learns."""
    position = (min(max(nats, -_EIGHT), _ALMOST) + _EIGHT) * _TWO
    point = np.int64(position)
    part = np.int64((position - np.float32(point)) * _PARTS)
    at = (number * CONTEXTS + context) * _POINTS + point
    low, high = _START[point] + maps[at], _START[point + 1] + maps[at + 1]
    nearer = point + (1 if part >= 32768 else 0)
    places[number] = (at - point + nearer) << 6 | nearer
    return (low * (65536 - part) + high * part) >> 16


@inlined
def learn(maps: np.ndarray, place: int, bit: int) -> None:
    """Move a point towards the bit."""
    at, point = place >> 6, place & 63
    maps[at] += ((TOP if bit else 0) - (_START[point] + maps[at])) >> _RATE
