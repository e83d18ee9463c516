"""What a sample is expected to be: predictors by least squares, how far they were off around here, and all together."""

from __future__ import annotations

import numpy as np

from ...jit import inlined, kernel
from .. import logistic
from . import canvas as cv
from . import contexts as cx
from . import least_squares as ls
from .levels import FRACTION, UNIT, level
from .state import (
    CHANNELS,
    CLASSES,
    COLUMNS,
    DEPTH,
    EVERY,
    HEIGHT,
    LANES,
    LEAST_SCALE,
    PLANE,
    SCALE_BITS,
    STRIDE,
    WIDTH,
)

_SCALE_RATE = 7
# Of a logistic distribution the mean distance from its mean is 2 ln 2 times its scale.
STEEPNESS = np.float32(1.3862944 * logistic.STEPS * (1 << SCALE_BITS))
_EASE = np.float32(10)
_STALE = 1 << 30
_ONE, _HALF, _ZERO = np.float32(1), np.float32(0.5), np.float32(0)
_PER_UNIT = np.float32(UNIT)


@kernel
def start_row(
    shape: np.ndarray,
    canvas: np.ndarray,
    scratch: np.ndarray,
    ages: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    y: int,
) -> None:
    """Margins of a row, and matrices that know nothing of it yet."""
    ages[:] = _STALE
    cv.start_row(canvas, y, shape[HEIGHT], shape[WIDTH], shape[CHANNELS])
    for i in range(ls.MATRICES, len(scratch)):
        scratch[i] = _ZERO
    here, above = y % 3, (y + 2) % 3
    for c in range(shape[CHANNELS]):
        for x in range(cv.BESIDE):
            signed[c, here, x] = signed[c, above, cv.BESIDE]
            for p in range(len(errors)):
                errors[p, c, here, x] = errors[p, c, above, cv.BESIDE]


@kernel
def end_row(
    shape: np.ndarray,
    canvas: np.ndarray,
    asked: np.ndarray,
    fades: np.ndarray,
    starts: np.ndarray,
    above: np.ndarray,
    ends: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    y: int,
) -> None:
    """Margins of a row that is known, and its sums to the matrices of those above."""
    width, channels = shape[WIDTH], shape[CHANNELS]
    cv.end_row(canvas, y, shape[HEIGHT], width, channels)
    here, end = y % 3, cv.BESIDE + width
    for c in range(channels):
        for x in range(end, end + cv.BESIDE):
            signed[c, here, x] = signed[c, here, end - 1]
            for p in range(len(errors)):
                errors[p, c, here, x] = errors[p, c, here, end - 1]
    for p in range(len(asked)):
        size, columns = ls.size_of(asked[p, LANES]), asked[p, COLUMNS]
        groups = (width + columns - 1) // columns
        left = width - (groups - 1) * columns
        for c in range(channels):
            if asked[p, CLASSES] == 1:
                ls.end_row(above, ends, starts[p, c, 0], groups, size, fades[p], columns, left)
            else:
                for odd in range(2):
                    start = starts[p, c, 2 * (y & 1) + odd]
                    ls.end_row(above, ends, start, groups, size, fades[p], columns // 2, (left + 1 - odd) // 2)


@inlined
def _around(errors: np.ndarray, p: int, c: int, y: int, x: int) -> int:
    """The mean error of six neighbours, the nearest counting most."""
    here, above, over = y % 3, (y + 2) % 3, (y + 1) % 3
    at = cv.BESIDE + x
    near = 4 * (errors[p, c, here, at - 1] + errors[p, c, above, at])
    near += 2 * (errors[p, c, above, at - 1] + errors[p, c, above, at + 1])
    near += errors[p, c, here, at - 2] + errors[p, c, over, at]
    return near // 14


@inlined
def start_pixel(shape: np.ndarray, canvas: np.ndarray, middles: np.ndarray, at: int) -> None:
    """The middles that its samples are predicted from; at: its place in the first plane."""
    plane, stride = shape[PLANE], shape[STRIDE]
    for c in range(shape[CHANNELS]):
        here = at + c * plane
        middles[c] = (np.float32(canvas[here - 1]) + np.float32(canvas[here - stride])) * _HALF


@inlined
def _scale(depth: int) -> float:
    """Least squares see samples as if they had eight bits."""
    scale = _ONE
    for _ in range(8, depth):
        scale = scale * _HALF
    return scale


@kernel
def foresee(
    shape: np.ndarray,
    canvas: np.ndarray,
    offsets: np.ndarray,
    planes: np.ndarray,
    counts: np.ndarray,
    asked: np.ndarray,
    matrices: np.ndarray,
    ages: np.ndarray,
    starts: np.ndarray,
    scratch: np.ndarray,
    above: np.ndarray,
    middles: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
) -> None:
    """Ask the predictors for the sample at canvas[at]."""
    scale = _scale(shape[DEPTH])
    top = np.float32((1 << shape[DEPTH]) - 1)
    for p in range(len(asked)):
        lanes = asked[p, LANES]
        k = 2 * (y & 1) + (x & 1) if asked[p, CLASSES] > 1 else 0
        matrix = matrices[p, c, k]
        sample = ls.SAMPLES + p * ls.WIDE
        weights[p] = ls.gather(scratch, sample, canvas, at, offsets[p, c], planes[p, c], counts[p, c], middles, scale)
        value = middles[c]
        ages[p, c, k] += 1
        if weights[p] > _ZERO:
            if ages[p, c, k] >= asked[p, EVERY]:
                group_at = starts[p, c, k] + x // asked[p, COLUMNS] * ls.size_of(lanes)
                ls.solve(scratch, matrix, above, group_at, counts[p, c], lanes)
                ages[p, c, k] = 0
            value = ls.predict(scratch, sample, matrix, lanes) / scale + middles[c]
        means[p] = np.int64(np.rint(min(max(value, _ZERO), top) * _PER_UNIT))


@kernel
def combine(
    shape: np.ndarray,
    canvas: np.ndarray,
    means: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    steepness: np.ndarray,
    sample: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
) -> None:
    """What the predictors say together, and how far that was off around here: all that is known of a sample.

    at: its pixel's place in the first plane.
    """
    last = len(means) - 1
    plane = shape[PLANE]
    top = (1 << shape[DEPTH]) - 1
    trust, weighed = _ZERO, _ZERO
    for p in range(last):
        around = _around(errors, p, c, y, x)
        near[p] = level(around)
        doubt = np.float32(around) + _EASE
        share = _ONE / (doubt * doubt)
        trust = trust + share
        part = share * np.float32(means[p])
        weighed = weighed + part
    means[last] = np.int64(np.rint(weighed / trust))
    near[last] = level(_around(errors, last, c, y, x))
    for p in range(last + 1):
        steepness[p] = STEEPNESS / np.float32(max(scales[p, c, near[p]], LEAST_SCALE))
    centre = min((means[last] + UNIT // 2) >> FRACTION, top)
    if top == 1:
        centre = 1
    mean_error = scales[last, c, near[last]] >> SCALE_BITS
    sample[cx.MEAN_ERROR] = mean_error
    width = 0
    while width < shape[DEPTH] - 1 and UNIT << (width + 1) <= mean_error:
        width += 1

    here, above, margin = y % 3, (y + 2) % 3, cv.BESIDE
    sample[cx.CHANNEL], sample[cx.PREDICTED], sample[cx.CENTRE], sample[cx.WIDTH] = c, means[last], centre, width
    sample[cx.FIRST], sample[cx.LAST] = means[0], means[last - 1]
    sample[cx.ENERGY], sample[cx.ENERGY_FIRST], sample[cx.ENERGY_LAST] = near[last], near[0], near[last - 1]
    sample[cx.ERROR_WEST] = signed[c, here, margin + x - 1]
    sample[cx.ERROR_NORTH] = signed[c, above, margin + x]
    sample[cx.ERROR_NORTHWEST] = signed[c, above, margin + x - 1]
    sample[cx.ERROR_NORTHEAST] = signed[c, above, margin + x + 1]
    sample[cx.ERROR_BEFORE] = signed[c - 1, here, margin + x] if c > 0 else 0
    sample[cx.ERROR_BEFORE_THAT] = signed[c - 2, here, margin + x] if c > 1 else 0
    sample[cx.LEVEL_BEFORE] = level(abs(sample[cx.ERROR_BEFORE]))
    sample[cx.LEVEL_BEFORE_THAT] = level(abs(sample[cx.ERROR_BEFORE_THAT]))
    sample[cx.PARITY] = (y & 1) << 1 | (x & 1)
    known = np.int64(canvas[at]) if c > 0 else 0
    hue = np.int64(canvas[at + plane]) - known + (1 << 16) if c > 1 else 0
    sample[cx.EXACT] = (hue << 20 | (centre - known + (1 << 17))) << 2 | c


@inlined
def learn_errors(
    canvas: np.ndarray,
    means: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    plane: int,
    c: int,
    at: int,
    y: int,
    x: int,
    value: int,
) -> None:
    """Put a sample on the canvas and remember how far each prediction was off."""
    canvas[at + c * plane] = value
    here, place = y % 3, cv.BESIDE + x
    exact = value << FRACTION
    for p in range(len(means)):
        error = abs(exact - means[p])
        errors[p, c, here, place] = error
        old = scales[p, c, near[p]]
        scales[p, c, near[p]] = old + (((error << SCALE_BITS) - old) >> _SCALE_RATE)
    signed[c, here, place] = exact - means[len(means) - 1]


@kernel
def learn_to_foresee(
    shape: np.ndarray,
    canvas: np.ndarray,
    asked: np.ndarray,
    fades: np.ndarray,
    matrices: np.ndarray,
    starts: np.ndarray,
    scratch: np.ndarray,
    ends: np.ndarray,
    middles: np.ndarray,
    weights: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
) -> None:
    """Let the predictors learn from the sample at canvas[at], which is known now."""
    target = (np.float32(canvas[at]) - middles[c]) * _scale(shape[DEPTH])
    for p in range(len(asked)):
        lanes = asked[p, LANES]
        first = 2 * (y & 1) if asked[p, CLASSES] > 1 else 0
        matrix = matrices[p, c, first + (x & 1 if asked[p, CLASSES] > 1 else 0)]
        if weights[p] > _ZERO:  # a flat place teaches nothing, and what is known need not fade
            ls.learn(scratch, ls.SAMPLES + p * ls.WIDE, matrix, lanes, weights[p], target, fades[p])
        columns = asked[p, COLUMNS]
        if x % columns == columns - 1 or x == shape[WIDTH] - 1:
            size = ls.size_of(lanes)
            for k in range(first, first + (2 if asked[p, CLASSES] > 1 else 1)):
                ls.keep(scratch, matrices[p, c, k], size, ends, starts[p, c, k] + x // columns * size)
