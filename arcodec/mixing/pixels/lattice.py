"""Values that pictures prefer: how often each came, against how often it was expected.

A picture that was once kept in another colour space (every decoded JPEG or video frame) uses a lattice of the RGB cube;
one whose contrast was stretched lacks some values. A smooth density knows nothing of this. Here, for each value in a
context, the density's expectations are summed up beside the occurrences; the quotient of the two corrects the density.
The contexts are differences between the channels of a pixel, which do not change with its brightness.
"""

from __future__ import annotations

import numpy as np

from ...jit import inlined, kernel

VALUES = 512  # differences of two 8-bit samples
CHANNELS = 3
_OCCURRED, _EXPECTED = range(2)
_PRIOR = np.float32(0.02)
_LEAST = np.float32(16)  # of 2**24: no value is impossible
_TO_UNIT = np.float32(2.0**-24)
_ONE = np.float32(1)


def fresh_tables(wanted: bool) -> np.ndarray:
    """(2, 3, 512, 512) float32, or empty."""
    return np.zeros((2, CHANNELS, VALUES, VALUES) if wanted else (0, 0, 0, 0), np.float32)


@kernel
def correct(
    tables: np.ndarray, channel: int, row: int, shift: int, expected: np.ndarray, first: int, below: np.ndarray
) -> None:
    """expected (n,) is the smooth density of the values from first on, of 2**24 -> below (n + 1,), summed up."""
    total = np.float32(0)
    below[0] = total
    for i in range(len(expected)):
        occurred = tables[_OCCURRED, channel, row, first + i + shift]
        awaited = tables[_EXPECTED, channel, row, first + i + shift]
        ratio = (occurred + _PRIOR) / (awaited + _PRIOR)
        corrected = (expected[i] + _LEAST) * ratio
        total = total + corrected
        below[i + 1] = total


@kernel
def learn(tables: np.ndarray, channel: int, row: int, shift: int, expected: np.ndarray, first: int, value: int) -> None:
    """Take in the value that came."""
    for i in range(len(expected)):
        share = expected[i] * _TO_UNIT
        place = first + i + shift
        tables[_EXPECTED, channel, row, place] = tables[_EXPECTED, channel, row, place] + share
    tables[_OCCURRED, channel, row, value + shift] = tables[_OCCURRED, channel, row, value + shift] + _ONE


@inlined
def row_of(canvas: np.ndarray, at: int, plane: int, channel: int) -> int:
    """The context: what is known of the pixel's colour; for red, how blue its left neighbour is."""
    if channel == 0:
        return VALUES // 2
    if channel == 1:
        return VALUES // 2 + np.int64(canvas[at + 2 * plane - 1]) - np.int64(canvas[at - 1])
    return VALUES // 2 + np.int64(canvas[at + plane]) - np.int64(canvas[at])
