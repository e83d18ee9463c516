"""A trained network among the densities: what it is told of a sample, and the mixture that it answers with.

What it is told is relative to what lies around, so that it need not learn brightness and contrast: neighbours by how
far they differ from one another, errors by how large errors were here. Its answer is in units of those errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...exact.spec import CODE_LIMIT, INPUT_STEP
from ...exact.stack import StackProgram, StackState, empty_stacks, fresh_stack_state, run_stack
from ...exact.tables import LOGIT_STEP
from ...jit import inlined, kernel
from ...models import pixels as family
from ...models.pixels import MIXTURE
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
_ONE, _ZERO = np.float32(1), np.float32(0)
_SAME, _OTHERS, _SQUARES, _FIXED = range(4)


class Prior(NamedTuple):
    """A network, and one block's room to run it."""

    program: StackProgram
    state: StackState
    reach: np.ndarray  # (neighbours,) int64: where they stand relative to a sample
    sizes: (
        np.ndarray
    )  # (4,) int64: neighbours of its own channel, of each other; whether the place in a square is told;
    # how many distributions are fixed


def fresh_prior(program: StackProgram, config: family.Config, stride: int) -> Prior:
    """A network for a canvas of this stride."""
    offsets = family.neighbours(max(config.same, config.others))
    sizes = np.array([config.same, config.others, config.squares, config.fixed], np.int64)
    return Prior(program, fresh_stack_state(program), offsets[:, 0] * stride + offsets[:, 1], sizes)


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
    sizes: np.ndarray,
    means: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    steepness: np.ndarray,
    c: int,
    mixture: np.ndarray,
) -> None:
    """Run the network on its codes and write the mixture (15,): weights, means in 1/32 and steepness."""
    run_stack(program, state, c)
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
