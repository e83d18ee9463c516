"""A trained network among the densities: what it is told of a sample, and the mixture that it answers with.

What it is told is relative to what lies around, so that it need not learn brightness and contrast: neighbours by how
far they differ from one another, errors by how large errors were here. Its answer is in units of those errors.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...exact.descent import UNIT as NATS
from ...exact.descent import still
from ...exact.learner import NOW, REALS, Learner
from ...exact.spec import CODE_LIMIT, INPUT_STEP
from ...exact.stack import StackProgram, StackState, begin, empty_stacks, run_and_remember
from ...exact.tables import LOGIT_STEP
from ...jit import inlined, kernel
from ...models import pixels as family
from ...models.pixels import MIXTURE
from .. import logistic
from . import canvas as cv
from . import contexts as cx
from .levels import FRACTION, UNIT, level
from .prediction import STEEPNESS
from .state import CHANNELS, LEAST_SCALE, PLANE, SCALE_BITS, STRIDE, WIDTH

STEEPNESS_STEP = 1 / 16  # octaves

_LIMIT = np.float32(CODE_LIMIT)
_CODES = int(1 / INPUT_STEP)  # to a unit
_PER_ERROR = np.float32(_CODES << SCALE_BITS)
_TO_ERROR = np.float32(2.0**-SCALE_BITS)
_HALF_UNITS = np.float32(2.0 ** (1 - FRACTION))  # half units of a sample to one of a predicted value
_LOGITS_PER_BIT = np.float32(1 / LOGIT_STEP)
_STEEPNESS_PER_OCTAVE = np.float32(1 / STEEPNESS_STEP)
_ENTRIES = int(STEEPNESS_STEP / LOGIT_STEP)  # of the table of powers, to a step of steepness
_STEEPEST = int(8 / LOGIT_STEP)  # octaves
_TO_FACTOR = np.float32(2.0 ** (8 - 24))
_FIXED_MIDDLE = np.float32(family.FIXED_MIDDLE * UNIT)
_FIXED_REACH = np.float32(family.FIXED_REACH * UNIT)
_FIXED_STEEPNESS = np.float32(STEEPNESS / np.float32(UNIT << SCALE_BITS))  # of a mean error of one
_FARTHEST = np.float32(64)  # errors
_SHARPEST = np.float32(7.9)  # octaves
_SQUASH = logistic.SQUASH
_TABLED = np.float32(logistic.LIMIT - 1)
_PER_WHOLE = np.float32(2.0**-logistic.PROBABILITY_BITS)
_NATS_PER_STEP = np.float32(1 / logistic.STEPS)
_NATS_PER_BIT = np.float32(math.log(2)) * NATS
_HALF_UNIT = np.float32(UNIT // 2)
_LEAST = np.float32(2.0**-22)  # keeps the cost of what no distribution expects finite
_WHITE = 255
_ONE, _ZERO = np.float32(1), np.float32(0)
_SAME, _OTHERS, _SQUARES, _FIXED = range(4)


class Prior(NamedTuple):
    """A network, and one block's room to run it."""

    program: StackProgram
    state: StackState
    learner: Learner
    reach: np.ndarray  # (neighbours,) int64: where they stand relative to a sample
    sizes: (
        np.ndarray
    )  # (4,) int64: neighbours of its own channel, of each other; whether the place in a square is told;
    # how many distributions are fixed
    parts: np.ndarray  # (3, 5) float32: room for ``cost_gradient``


def fresh_prior(program: StackProgram, config: family.Config, stride: int, learns: bool = False) -> Prior:
    """A network for a canvas of this stride, which learns or stays as it is."""
    offsets = family.neighbours(max(config.same, config.others))
    sizes = np.array([config.same, config.others, config.squares, config.fixed], np.int64)
    parts = np.zeros((3, MIXTURE), np.float32)
    return Prior(*begin(program, learns), offsets[:, 0] * stride + offsets[:, 1], sizes, parts)


def no_prior() -> Prior:
    """Where there is no network."""
    return fresh_prior(empty_stacks(), family.Config(same=0, others=0), 0)


@inlined
def _code(real: float) -> int:
    return np.int16(min(max(np.rint(real), -_LIMIT), _LIMIT))


@inlined
def _small(number: int) -> int:
    return np.int16(min(max(number, -CODE_LIMIT), CODE_LIMIT))


@kernel
def describe(
    reach: np.ndarray,
    sizes: np.ndarray,
    shape: np.ndarray,
    canvas: np.ndarray,
    means: np.ndarray,
    signed: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    sample: np.ndarray,
    codes: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
) -> None:
    """Write what the network is told of a sample into codes; at: its pixel's place in the first plane."""
    plane, stride, channels = shape[PLANE], shape[STRIDE], shape[CHANNELS]
    total, count = 0, 0
    for k in range(family.CHANNELS):
        other = (c + k) % family.CHANNELS if channels >= family.CHANNELS else c  # of a grey picture all are the same
        here = at + other * plane
        middle = np.int64(canvas[here - 1]) + np.int64(canvas[here - stride])
        for i in range(sizes[_SAME] if k == 0 else sizes[_OTHERS]):
            difference = 2 * np.int64(canvas[here + reach[i]]) - middle
            codes[count] = np.int16(difference)
            total += abs(difference)
            count += 1
    # The mean difference becomes 16; half a unit at least counts as contrast.
    by_contrast = np.float32(2 * _CODES * count) / np.float32(2 * total + count)
    for i in range(count):
        codes[i] = _code(np.float32(codes[i]) * by_contrast)
    i = count
    for k in range(family.CHANNELS - 1):
        codes[i] = 0
        if k < c and channels >= family.CHANNELS:
            here = at + k * plane
            middle = np.int64(canvas[here - 1]) + np.int64(canvas[here - stride])
            codes[i] = _code(np.float32(2 * np.int64(canvas[here]) - middle) * by_contrast)
        i += 1
    here = at + c * plane
    middle = np.int64(canvas[here - 1]) + np.int64(canvas[here - stride])
    last = len(means) - 1
    half_units = np.float32(means[last] - (middle << (FRACTION - 1))) * _HALF_UNITS
    codes[i] = _code(half_units * by_contrast)
    i += 1
    by_error = _PER_ERROR / np.float32(max(scales[last, c, near[last]], LEAST_SCALE))
    for p in range(last):
        codes[i] = _code(np.float32(means[p] - means[last]) * by_error)
        codes[i + 1] = _small((near[p] - near[last]) * 16)
        i += 2
    now, over, place = y % 3, (y + 1) % 3, cv.BESIDE + x
    codes[i] = _code(np.float32(sample[cx.ERROR_WEST]) * by_error)
    codes[i + 1] = _code(np.float32(sample[cx.ERROR_NORTH]) * by_error)
    codes[i + 2] = _code(np.float32(sample[cx.ERROR_NORTHWEST]) * by_error)
    codes[i + 3] = _code(np.float32(sample[cx.ERROR_NORTHEAST]) * by_error)
    codes[i + 4] = _code(np.float32(signed[c, now, place - 2]) * by_error)
    codes[i + 5] = _code(np.float32(signed[c, over, place]) * by_error)
    codes[i + 6] = _code(np.float32(sample[cx.ERROR_BEFORE]) * by_error)
    codes[i + 7] = _code(np.float32(sample[cx.ERROR_BEFORE_THAT]) * by_error)
    codes[i + 8] = _small(6 * near[last] - 100)
    codes[i + 9] = _small(8 * (level(total * (UNIT // 2) // max(count, 1)) - near[last]))
    codes[i + 10] = _small(6 * (sample[cx.LEVEL_BEFORE] - near[last]))
    codes[i + 11] = _small(6 * (sample[cx.LEVEL_BEFORE_THAT] - near[last]))
    codes[i + 12] = 64 * (x & 1) - 32
    codes[i + 13] = 64 * (y & 1) - 32
    codes[i + 14] = 64 * ((x ^ y) & 1) - 32
    codes[i + 15] = _small((means[last] >> FRACTION) - 128)
    i += 16
    if sizes[_SQUARES]:
        for k in range(2 * family.SQUARE):
            codes[i + k] = 0
        if shape[WIDTH] <= family.SQUARE:
            codes[i + x] = 2 * _CODES
            codes[i + family.SQUARE + y % shape[WIDTH]] = 2 * _CODES


@kernel
def answer(
    program: StackProgram,
    state: StackState,
    learner: Learner,
    sizes: np.ndarray,
    means: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    steepness: np.ndarray,
    c: int,
    mixture: np.ndarray,
) -> None:
    """Run the network on its codes and write the mixture (15,): weights, means in 1/32 and steepness."""
    run_and_remember(program, state, learner, c)
    out = state.work
    best = np.float32(-np.inf)
    for k in range(MIXTURE):
        out[k] = np.rint(out[k] * _LOGITS_PER_BIT)
        best = max(best, out[k])
    lowest = np.float32(len(program.exp2) - 1)
    total = _ZERO
    for k in range(MIXTURE):
        mixture[k] = program.exp2[np.int64(min(best - out[k], lowest))]
        total = total + mixture[k]
    last = len(means) - 1
    error = np.float32(max(scales[last, c, near[last]], LEAST_SCALE)) * _TO_ERROR
    for k in range(MIXTURE):
        mixture[k] = mixture[k] / total
        fixed = k < sizes[_FIXED]
        answer = min(max(out[MIXTURE + k], -_FARTHEST), _FARTHEST)
        moved = answer * (_FIXED_REACH if fixed else error)
        mixture[MIXTURE + k] = moved + (_FIXED_MIDDLE if fixed else np.float32(means[last]))
        steps = np.int64(min(max(np.rint(out[2 * MIXTURE + k] * _STEEPNESS_PER_OCTAVE), -_LIMIT), _LIMIT))
        factor = program.exp2[_STEEPEST - _ENTRIES * steps] * _TO_FACTOR
        mixture[2 * MIXTURE + k] = (_FIXED_STEEPNESS if fixed else steepness[last]) * factor


@inlined
def _tabled(steps: float) -> float:
    return min(max(steps, -_TABLED), _TABLED)


@inlined
def _part_below(distance: float) -> float:
    """The share of a logistic distribution below a distance from its mean, in steps of the table; interpolated."""
    step = np.floor(distance)
    at = np.int64(step) + logistic.LIMIT
    low = np.float32(_SQUASH[at])
    return (low + (np.float32(_SQUASH[at + 1]) - low) * (distance - step)) * _PER_WHOLE


@kernel
def cost_gradient(
    program: StackProgram,
    learner: Learner,
    sizes: np.ndarray,
    means: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    c: int,
    mixture: np.ndarray,
    parts: np.ndarray,
    value: int,
) -> None:
    """Write the gradient of what a sample cost, once it is known, by what ``answer`` made of it.

    The cost is -ln of the sum over distributions of weight times (below(high) - below(low)), the interval that rounds
    to the value; see ``training.pictures.bits``. parts (3, 5) float32 is room to work in.
    """
    now, last = learner.clock[NOW], len(means) - 1
    raw = learner.plan[program.starts[c + 1] - 1, REALS]
    reals, gradient = learner.reals[now], learner.of_outputs[c, now]
    error = np.float32(max(scales[last, c, near[last]], LEAST_SCALE)) * _TO_ERROR
    middle, total = np.float32(value << FRACTION), _LEAST
    for k in range(MIXTURE):
        mean, steepness = mixture[MIXTURE + k], mixture[2 * MIXTURE + k]
        high = _tabled((middle + _HALF_UNIT - mean) * steepness)
        low = _tabled((middle - _HALF_UNIT - mean) * steepness)
        above = _ONE if value >= _WHITE else _part_below(high)
        below = _ZERO if value <= 0 else _part_below(low)
        at_high, at_low = above * (_ONE - above), below * (_ONE - below)
        parts[0, k] = mixture[k] * (above - below)
        parts[1, k] = mixture[k] * (at_high - at_low)
        parts[2, k] = mixture[k] * (at_high * high - at_low * low) * _NATS_PER_STEP
        total = total + parts[0, k]
    for k in range(MIXTURE):
        moves = _FIXED_REACH if k < sizes[_FIXED] else error
        free = abs(reals[raw + MIXTURE + k]) <= _FARTHEST
        sharper = abs(reals[raw + 2 * MIXTURE + k]) <= _SHARPEST
        gradient[k] = still((mixture[k] - parts[0, k] / total) * _NATS_PER_BIT)
        along = (parts[1, k] / total) * (mixture[2 * MIXTURE + k] * _NATS_PER_STEP) * moves
        gradient[MIXTURE + k] = still(along * NATS) if free else _ZERO
        gradient[2 * MIXTURE + k] = still(-(parts[2, k] / total) * _NATS_PER_BIT) if sharper else _ZERO


@inlined
def plain(means: np.ndarray, steepness: np.ndarray, mixture: np.ndarray) -> None:
    """Where the network knows nothing of a channel: the predictors together."""
    last = len(means) - 1
    for k in range(3 * MIXTURE):
        mixture[k] = _ZERO
    mixture[0], mixture[MIXTURE], mixture[2 * MIXTURE] = _ONE, np.float32(means[last]), steepness[last]


@inlined
def knows(shape: np.ndarray, c: int) -> bool:
    """Whether the network knows of a channel: of grey and of three colours, not of transparency."""
    return c < family.CHANNELS if shape[CHANNELS] >= family.CHANNELS else c == 0
