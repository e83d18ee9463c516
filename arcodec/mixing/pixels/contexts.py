"""What the adaptive probabilities of a sample's decisions are looked up by."""

from __future__ import annotations

import numpy as np

from ...jit import inlined
from .levels import FRACTION, LEVELS, STEPS, UNIT, signed_step

NAMES = (
    "energy",
    "errors west and north",
    "errors on the row above",
    "errors of the pixel's other channels",
    "slopes of the neighbours",
    "disagreement of the predictors",
    "texture",
    "value",
    "parity and energy",
    "differences of the channels",
    "differences to the left",
    "energies of two predictors",
    "energies of the other channels",
    "errors of the other channels, exact",
    "differences above",
    "planes",
    "two neighbours, exact",
    "four neighbours, exact",
    "fourteen neighbours, exact",
)
MOST = len(NAMES)
NODES = 64  # cells of a context: one for each place in the tree of decisions

# sample, int64: what is known of a sample before its first decision
(
    CHANNEL,
    PREDICTED,  # in 1/32 of a unit, as all that follow but CENTRE, WIDTH and those that say otherwise
    FIRST,  # what the first predictor said,
    LAST,  # and the last
    CENTRE,  # the sample that decisions begin at
    WIDTH,  # log2 of the first interval's
    ENERGY,  # levels
    ENERGY_FIRST,
    ENERGY_LAST,
    ERROR_WEST,
    ERROR_NORTH,
    ERROR_NORTHWEST,
    ERROR_NORTHEAST,
    ERROR_BEFORE,  # of the channel before this one
    ERROR_BEFORE_THAT,
    LEVEL_BEFORE,  # levels of the two
    LEVEL_BEFORE_THAT,
    PARITY,
    WINDOW,  # the first value that the lattice looks at,
    WINDOW_SIZE,  # how many,
    ROW,  # and where in its tables
    SHIFT,
    EXACT,  # what secondary estimation looks at
    MEAN_ERROR,  # where errors around were like this
    SAMPLE,
) = range(25)

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_EACH_CONTEXT = np.uint64(0xD6E8FEB86659FD93)
_BIAS = 1 << 17  # makes differences positive


@inlined
def scattered(number: int, value: int) -> int:
    """A hash of 30 bits."""
    mixed = (np.uint64(value) + np.uint64(number + 1) * _EACH_CONTEXT) * _MULTIPLIER
    mixed ^= mixed >> np.uint64(29)
    return np.int64(mixed >> np.uint64(20) & np.uint64(0x3FFFFFFF))


@inlined
def _pair(first: int, second: int) -> int:
    return (first + _BIAS) << 18 | (second + _BIAS)


@inlined
def fill_slots(
    sample: np.ndarray,
    canvas: np.ndarray,
    at: int,
    plane: int,
    stride: int,
    channels: int,
    keys: np.ndarray,
    mask: int,
    slots: np.ndarray,
) -> None:
    """Write where the cells of each context begin into slots (n,); at: the pixel's place in the first plane."""
    c, p, centre, energy = sample[CHANNEL], sample[PREDICTED], sample[CENTRE], sample[ENERGY]
    here = at + c * plane
    west, north = np.int64(canvas[here - 1]), np.int64(canvas[here - stride])
    northwest, northeast = np.int64(canvas[here - stride - 1]), np.int64(canvas[here - stride + 1])
    error_west, error_north = signed_step(sample[ERROR_WEST]), signed_step(sample[ERROR_NORTH])
    before, before_that = signed_step(sample[ERROR_BEFORE]), signed_step(sample[ERROR_BEFORE_THAT])
    quarter = min(max((p - (centre << FRACTION) + UNIT // 2) * 4 >> FRACTION, 0), 3)
    first, second = at, at + plane  # places of the first two channels
    known = np.int64(canvas[first]) if c > 0 else 0
    difference = np.int64(canvas[second]) - known if c > 1 else 0
    relative = centre - known
    for i in range(len(slots)):
        if i == 0:
            value = energy * 4 + quarter
        elif i == 1:
            value = error_west * STEPS + error_north
        elif i == 2:
            value = error_north * STEPS + signed_step(sample[ERROR_NORTHEAST])
            value = value * STEPS + signed_step(sample[ERROR_NORTHWEST])
        elif i == 3:
            value = (before * STEPS + before_that) * LEVELS + energy
        elif i == 4:
            value = signed_step(p - (west << FRACTION)) * STEPS + signed_step(p - (north << FRACTION))
            value = value * STEPS + signed_step(p - (northwest << FRACTION))
        elif i == 5:
            value = signed_step(sample[FIRST] - p) * STEPS + signed_step(sample[LAST] - p)
            value = value * LEVELS + energy
        elif i == 6:
            value = (west > centre) << 5 | (north > centre) << 4 | (northwest > centre) << 3 | (northeast > centre) << 2
            value |= (canvas[here - 2] > centre) << 1 | (canvas[here - 2 * stride] > centre)
            value = value * LEVELS + energy // 4
        elif i == 7:
            value = centre
        elif i == 8:
            value = (sample[PARITY] * LEVELS + energy) * STEPS + before
        elif i == 9:
            if c == 0 and channels > 1:
                difference = np.int64(canvas[second - 1]) - np.int64(canvas[first - 1])
                relative_here = west
            else:
                if c == 1 and channels > 2:
                    difference = np.int64(canvas[second + plane - 1]) - np.int64(canvas[first - 1])
                relative_here = relative
            value = _pair(difference, relative_here)
        elif i == 10:
            value = _pair(west - np.int64(canvas[first - 1]) if c > 0 else west, relative)
            if c == 1 and channels > 2:
                value = value * 512 + 256 + np.int64(canvas[second + plane - 1]) - np.int64(canvas[first - 1])
        elif i == 11:
            value = sample[ENERGY_FIRST] * LEVELS + sample[ENERGY_LAST]
        elif i == 12:
            value = (sample[LEVEL_BEFORE] * LEVELS + sample[LEVEL_BEFORE_THAT]) * LEVELS + energy
        elif i == 13:
            value = _pair(sample[ERROR_BEFORE] >> FRACTION, sample[ERROR_BEFORE_THAT] >> FRACTION) * 4 + quarter
        elif i == 14:
            value = _pair(north - np.int64(canvas[first - stride]) if c > 0 else north, relative)
        elif i == 15:
            value = signed_step((north - northwest << FRACTION) + sample[ERROR_WEST]) * STEPS
            value = (value + signed_step((west - northwest << FRACTION) + sample[ERROR_NORTH])) * LEVELS + energy
        else:
            value = np.int64(keys[i - 16 if i < 18 else 3] >> np.uint64(20)) + centre
        slots[i] = (scattered(i, (value * 4 + c) * 16 + sample[WIDTH]) * NODES) & mask
