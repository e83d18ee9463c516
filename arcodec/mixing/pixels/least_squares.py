"""Prediction by weighted least squares over a window that fades in both directions.

The coefficients are those that would have predicted best what lies around the pixel: to its left on its own row, and to
both sides on the rows above, each sample counting less the further away it is (Meyer and Tischer 2001, "Glicbawls -
grey level image compression by adaptive weighted least squares"). Samples from busy places count less as well.

The sums of products that this takes are kept recursively. On a row, a matrix fades from pixel to pixel. Of the rows
above, a matrix is kept for every few columns; when a row ends, its own sums are spread to both sides and added.

All is float32, one operation at a time in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...jit import inlined, kernel
from ..vectors import add_scaled, dot, eliminate_16, eliminate_32

WIDE, NARROW = 32, 16  # lanes: regressors, padding, and last the target

_HALF = NARROW
_RIDGE = np.float32(2)
_RELATIVE_RIDGE = np.float32(1e-4)
_ONE, _ZERO = np.float32(1), np.float32(0)
_MID = np.float32(0.5)
# Added and taken away, it makes 0 of what has faded, before it becomes subnormal: some libraries flush those.
_FLOOR = np.float32(1e-15)

# The first half of a matrix's rows has half the lanes: the rest are known by symmetry.
SIZE = {NARROW: _HALF * _HALF, WIDE: _HALF * _HALF + _HALF * WIDE}

# scratch, float32: what all predictors use in turn
MOST_PREDICTORS = 4
_TRIANGLE = 0
SAMPLES = WIDE * WIDE  # of each predictor, what it predicts from
MATRICES = SAMPLES + MOST_PREDICTORS * WIDE  # the row's, SPACE apart, the coefficients found last behind each
MATRIX = SIZE[WIDE]
SPACE = MATRIX + WIDE

_SAME = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-2, 1), (-2, -1), (-1, -2), (-1, 2), (-2, 2), (0, -3))
_KNOWN = ((0, 0), (0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0))
_LATER = ((0, -1), (-1, 0), (-1, -1), (-1, 1))


def regressors(channel: int, channels: int, lanes: int) -> list[tuple[int, int, int]]:
    """(channel, dy, dx) of what a sample of a channel is predicted from."""
    if lanes == WIDE:
        same, known, later = 12, (7 if channels <= 3 else 5), (4 if channel == 0 else 2)
    else:
        same, known, later = (8, 6, 5, 4)[channel], (0, 5, 4, 3)[channel], 2
    found = [(channel, dy, dx) for dy, dx in _SAME[:same]]
    for other in range(channels):
        offsets = _KNOWN[:known] if other < channel else _LATER[:later] if other > channel else ()
        found += [(other, dy, dx) for dy, dx in offsets]
    return found[: lanes - 1]


class Predictor(NamedTuple):
    """What is asked of least squares."""

    lanes: int
    fade: float  # of a sample's weight, what is left at the next
    every: int = 1  # sample for which the coefficients are found anew
    classes: int = 1  # 4: odd and even rows and columns apart, for what was upsampled; else 1
    columns: int = 4  # that share a matrix of the rows above; even


MOST_CLASSES = 4


@inlined
def size_of(lanes: int) -> int:
    """Of a matrix."""
    return _HALF * _HALF if lanes == _HALF else MATRIX


@inlined
def _row(i: int) -> int:
    """Where row i of a matrix begins."""
    return i * _HALF if i < _HALF else _HALF * _HALF + (i - _HALF) * WIDE


@kernel
def gather(
    scratch: np.ndarray,
    sample: int,
    canvas: np.ndarray,
    at: int,
    offsets: np.ndarray,
    planes: np.ndarray,
    count: int,
    middles: np.ndarray,
    scale: float,
) -> float:
    """Take to scratch[sample] what canvas[at] is predicted from, less its channel's middle; how much it shall count,
    or 0 if there is nothing but middles.

    offsets, planes (31,): of each regressor, where it stands relative to at, and its channel.
    """
    activity = _ZERO
    for i in range(count):
        value = (np.float32(canvas[at + offsets[i]]) - middles[planes[i]]) * scale
        scratch[sample + i] = value
        activity = activity + abs(value)
    for i in range(count, WIDE):
        scratch[sample + i] = _ZERO
    return _ONE / (activity / np.float32(count) + _ONE) if activity > _ZERO else _ZERO


@kernel
def solve(scratch: np.ndarray, matrix: int, above: np.ndarray, above_at: int, count: int, lanes: int) -> None:
    """The coefficients that fit the row's matrix and the one above together, by elimination."""
    last = _row(lanes - 1)
    for i in range(count):
        row = _row(i)
        for j in range(i + 1):
            both = scratch[matrix + row + j] + above[above_at + row + j]
            scratch[_TRIANGLE + i * lanes + j] = both
            scratch[_TRIANGLE + j * lanes + i] = both
        scratch[_TRIANGLE + i * lanes + lanes - 1] = scratch[matrix + last + i] + above[above_at + last + i]
        diagonal = scratch[_TRIANGLE + i * lanes + i]
        eased = diagonal + diagonal * _RELATIVE_RIDGE
        scratch[_TRIANGLE + i * lanes + i] = eased + _RIDGE
        for j in range(count, lanes - 1):
            scratch[_TRIANGLE + i * lanes + j] = _ZERO
    for k in range(count):
        pivot = _TRIANGLE + k * lanes
        inverse = -_ONE / scratch[pivot + k]
        from_lane = k // _HALF * _HALF  # what is left of it is done
        rows, left = pivot + lanes + from_lane, count - k - 1
        if lanes - from_lane == WIDE:
            eliminate_32(scratch, pivot + from_lane, pivot + k + 1, rows, lanes, left, inverse)
        else:
            eliminate_16(scratch, pivot + from_lane, pivot + k + 1, rows, lanes, left, inverse)
    coefficients = matrix + MATRIX
    for i in range(lanes):
        scratch[coefficients + i] = _ZERO
    for k in range(count - 1, -1, -1):
        # What is left of the diagonal is of no use any more, but its coefficients are still 0.
        rest = scratch[_TRIANGLE + k * lanes + lanes - 1] - dot(scratch, _TRIANGLE + k * lanes, coefficients, lanes)  # type: ignore[call-arg]
        scratch[coefficients + k] = rest / scratch[_TRIANGLE + k * lanes + k]


@inlined
def predict(scratch: np.ndarray, sample: int, matrix: int, lanes: int) -> float:
    """Above its channel's middle, by the coefficients found last."""
    return dot(scratch, sample, matrix + MATRIX, lanes)  # type: ignore[call-arg]


@kernel
def learn(scratch: np.ndarray, sample: int, matrix: int, lanes: int, weight: float, target: float, fade: float) -> None:
    """Add the sample and what came to the row's matrix."""
    size = size_of(lanes)
    for i in range(matrix, matrix + size):
        faded = scratch[i] * fade
        raised = faded + _FLOOR
        scratch[i] = raised - _FLOOR
    scratch[sample + lanes - 1] = target
    for i in range(lanes):
        scale = weight * scratch[sample + i]
        add_scaled(scratch, matrix + _row(i), sample, _HALF if i < _HALF else WIDE, scale)  # type: ignore[call-arg]


@kernel
def keep(scratch: np.ndarray, matrix: int, size: int, ends: np.ndarray, at: int) -> None:
    """At the end of a few columns: remember the row's matrix as it is here."""
    for i in range(size):
        ends[at + i] = scratch[matrix + i]


@kernel
def end_row(
    above: np.ndarray, ends: np.ndarray, start: int, groups: int, size: int, fade: float, each: int, last: int
) -> None:
    """Spread a row's sums to both sides and add them to those of the rows above, which fade.

    above, ends: ``groups`` matrices from start, and in ends room for two more. A group has ``each`` samples, the last
    group ``last``.
    """
    over_group, over_last = _ONE, _ONE
    for _ in range(each):
        over_group = over_group * fade
    for _ in range(last):
        over_last = over_last * fade
    spread, own = start + groups * size, start + (groups + 1) * size
    for i in range(size):
        ends[spread + i] = _ZERO
    for group in range(groups - 1, -1, -1):
        at, before = start + group * size, start + (group - 1) * size
        over = over_last if group == groups - 1 else over_group
        for i in range(size):
            value = ends[at + i]
            ends[own + i] = value - ends[before + i] * over if group > 0 else value
        for i in range(size):
            both = ends[at + i] + ends[spread + i]
            total = (above[at + i] + both) * fade
            raised = total + _FLOOR
            above[at + i] = raised - _FLOOR
        for i in range(size):
            ends[spread + i] = (ends[spread + i] + ends[own + i]) * over_group
