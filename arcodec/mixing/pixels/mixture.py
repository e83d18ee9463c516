"""A sample in a few decisions: predictors, densities, contexts, memories, and the mixer above them.

A sample is found by halving what it can be. The first decision is on which side of the predicted value it lies; then
come intervals that double in size, away from it; then the halves of the interval found. Every density knows the
probability of each decision, every context has learnt one for each place in this tree.

All state is integers, and float32 numbers on which one IEEE operation at a time is done in a fixed order.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np

from ...jit import inlined, kernel
from ...range_kernel import BIT_TOTAL
from .. import adaptive, estimation, logistic, weighing
from . import canvas as cv
from . import contexts as cx
from . import densities as de
from . import lattice, recall
from . import least_squares as ls
from .levels import FRACTION, LEVELS, UNIT, level
from .team import CHOICES, MAPS, SITUATIONS, Team

# shape, int64: of the block, and of what codes it
HEIGHT, WIDTH, CHANNELS, DEPTH, PLANE, STRIDE, PREDICTORS, NETWORK, LATTICE, INPUTS, SHAPE = range(11)

# tree, int64: where in the tree of decisions a sample is
LOW, HIGH, SPLIT, STAGE, SIDE, STEP, PREFIX, NODE, SITUATION, PHASE = range(10)
_CHOICE = 10  # see weighing
TREE = _CHOICE + weighing.CHOICE
SIDES, DOUBLING, HALVING = range(3)  # stages

# rows of bounds, float32: of each density, what lies below LOW, SPLIT and HIGH
_BELOW_LOW, _BELOW_SPLIT, _BELOW_HIGH = range(3)

MIXTURE = 5  # logistic distributions of a network's density

_SCALE_BITS = 8  # of a mean error, beyond those of an error
_SCALE_RATE = 7
_LEAST_SCALE = 4 << _SCALE_BITS
# Of a logistic distribution the mean distance from its mean is 2 ln 2 times its scale.
_STEEPNESS = np.float32(1.3862944 * logistic.STEPS * (1 << _SCALE_BITS))
_EASE = np.float32(10)
_WINDOW_LEAST, _WINDOW_MOST = 12, 96  # values to each side that the lattice looks at
_LANES, _EVERY, _CLASSES, _COLUMNS = range(4)  # columns of asked
_STALE = 1 << 30
_FIRST_NODE, _NODES_A_SIDE, _DOUBLINGS = 1, 30, 8

_CELL_LIMIT = 255
_RECALL_LIMIT = 255
RECALL_CELLS = recall.CONTEXTS * 16 * 16
_CONFIDENCE = np.array([n / (n + 1.5) for n in range(1024)], np.float32)
_STRETCH = logistic.STRETCH
_TO_STRETCH = np.uint32(32 - logistic.STRETCH_BITS)
_COUNT = np.uint32(1023)
_CONSTANT = np.float32(0.3)
_ONE, _HALF, _ZERO = np.float32(1), np.float32(0.5), np.float32(0)
_PER_UNIT = np.float32(UNIT)
_LEAST = 2  # of 2**20: no decision costs more than 19 bits


class Pixels(NamedTuple):
    """All that changes while a block is coded, and its shape. Handed to the kernels array by array."""

    shape: np.ndarray  # (11,) int64
    canvas: np.ndarray  # uint16, see canvas
    offsets: np.ndarray  # (predictors, channels, 31) int64: regressors, relative to a sample
    planes: np.ndarray  # (predictors, channels, 31) int64: their channels
    counts: np.ndarray  # (predictors, channels) int64: how many there are
    asked: np.ndarray  # (predictors, 4) int64: lanes, every so many samples, classes, columns
    fades: np.ndarray  # (predictors,) float32
    matrices: np.ndarray  # (predictors, channels, 4) int64: where in scratch those of each class are
    ages: np.ndarray  # (predictors, channels, 4) int64: samples since coefficients were found
    starts: np.ndarray  # (predictors, channels, 4) int64: where in above and ends their matrices begin
    scratch: np.ndarray  # float32, see least_squares
    above: np.ndarray  # float32
    ends: np.ndarray  # float32
    middles: np.ndarray  # (channels,) float32: around a pixel
    weights: np.ndarray  # (predictors,) float32: how much a sample counts
    means: np.ndarray  # (predictors + 1,) int64: what each says of the sample, last what they say together
    errors: np.ndarray  # (predictors + 1, channels, 3, width + margins) int32: their errors, of three rows in turn
    signed: np.ndarray  # (channels, 3, width + margins) int32: those of the last
    near: np.ndarray  # (predictors + 1,) int64: levels of the errors around
    scales: np.ndarray  # (predictors + 1, channels, levels) int64: mean errors
    steepness: np.ndarray  # (predictors + 1,) float32
    network: np.ndarray  # (channels, 15) float32: weights, means and steepness of the network's distributions
    tables: np.ndarray  # float32, see lattice
    expected: np.ndarray  # (192,) float32
    below: np.ndarray  # (193,) float32
    bounds: np.ndarray  # (3, densities) float32
    sample: np.ndarray  # int64, see contexts
    tree: np.ndarray  # int64
    keys: np.ndarray  # (4,) uint64, see recall
    entries: np.ndarray  # uint32
    places: np.ndarray  # (4,) int64
    values: np.ndarray  # (4,) int64
    recalled: np.ndarray  # (4,) int64: the cell that answers for each, -1 for none
    slots: np.ndarray  # (contexts,) int64
    cells: np.ndarray  # uint32, see adaptive: of the contexts, and behind them of recall
    reals: np.ndarray  # float32, see weighing
    finals: np.ndarray  # float32
    maps: np.ndarray  # int32, see estimation
    points: np.ndarray  # (2,) int64


def _fresh_weights(team: Team, inputs: int, densities: int) -> np.ndarray:
    """Weights (sets, inputs) that trust densities as much as all contexts together."""
    weights = np.zeros((team.sets, inputs), np.float32)
    weights[:, 0 : 2 * densities : 2] = 0.5 / densities
    weights[:, 2 * densities : 2 * densities + team.contexts] = 0.5 / team.contexts
    weights[:, 2 * densities + team.contexts : 2 * densities + team.contexts + recall.CONTEXTS] = 0.1
    return weights


def _fresh_scales() -> np.ndarray:
    """Mean errors (levels,) about as large as what is around: 2**(level / 2 + 3.25) less a quarter of a unit."""
    energies = [isqrt(isqrt(1 << 2 * n + 13)) - UNIT // 4 for n in range(LEVELS)]
    return np.array([max(9 * e // 10, 4) << _SCALE_BITS for e in energies], np.int64)


def fresh_pixels(height: int, width: int, channels: int, depth: int, team: Team, network: bool) -> Pixels:
    """The state before the first sample of a block. For its memory see ``Team.memory``."""
    wanted = team.has_lattice(channels, depth)
    count, inputs = len(team.predictors), team.inputs(network, wanted)
    stride, plane = cv.stride(width), cv.plane(height, width)
    offsets = np.zeros((count, channels, ls.WIDE - 1), np.int64)
    planes, counts = np.zeros_like(offsets), np.zeros((count, channels), np.int64)
    starts = np.zeros((count, channels, ls.MOST_CLASSES), np.int64)
    matrices, end, room = np.zeros_like(starts), 0, ls.MATRICES
    for p, (lanes, _, _, classes, columns) in enumerate(team.predictors):
        groups = -(-width // columns)
        for c in range(channels):
            found = ls.regressors(c, channels, lanes)
            counts[p, c] = len(found)
            for k in range(classes):
                starts[p, c, k], matrices[p, c, k] = end, room
                end += (groups + 2) * ls.SIZE[lanes]
                room += ls.SPACE
            for i, (other, dy, dx) in enumerate(found):
                offsets[p, c, i], planes[p, c, i] = (other - c) * plane + dy * stride + dx, other
    samples = height * width * channels
    densities = team.densities(network, wanted)
    tree = np.zeros(TREE, np.int64)
    tree[_CHOICE + weighing.SETS] = team.sets
    weights = np.repeat(_fresh_weights(team, inputs, densities), CHOICES, axis=0).ravel()
    cells = np.full(team.contexts << team.cells_log2(samples), adaptive.cell(0.5, 0), np.uint32)
    return Pixels(
        np.array([height, width, channels, depth, plane, stride, count, network, wanted, inputs], np.int64),
        cv.fresh_canvas(height, width, channels, depth),
        offsets,
        planes,
        counts,
        np.array([(p.lanes, p.every, p.classes, p.columns) for p in team.predictors], np.int64),
        np.array([p.fade for p in team.predictors], np.float32),
        matrices,
        np.zeros_like(starts),
        starts,
        np.zeros(room, np.float32),
        np.zeros(end, np.float32),
        np.zeros(end, np.float32),
        np.zeros(channels, np.float32),
        np.zeros(count, np.float32),
        np.zeros(count + 1, np.int64),
        np.zeros((count + 1, channels, 3, stride), np.int32),
        np.zeros((channels, 3, stride), np.int32),
        np.zeros(count + 1, np.int64),
        np.tile(_fresh_scales(), (count + 1, channels, 1)),
        np.zeros(count + 1, np.float32),
        np.zeros((channels, 3 * MIXTURE), np.float32),
        lattice.fresh_tables(wanted),
        np.zeros(2 * _WINDOW_MOST, np.float32),
        np.zeros(2 * _WINDOW_MOST + 1, np.float32),
        np.zeros((3, densities), np.float32),
        np.zeros(cx.SAMPLE, np.int64),
        tree,
        np.zeros(recall.CONTEXTS, np.uint64),
        recall.fresh_entries(team.entries_log2(samples)),
        np.zeros(recall.CONTEXTS, np.int64),
        np.zeros(recall.CONTEXTS, np.int64),
        np.zeros(recall.CONTEXTS, np.int64),
        np.zeros(team.contexts, np.int64),
        np.concatenate([cells, np.full(RECALL_CELLS, adaptive.cell(0.8, 6), np.uint32)]),
        np.concatenate([np.zeros(inputs + weighing.SAYINGS, np.float32), weights]),
        weighing.fresh_finals(SITUATIONS, team.sets, team.sets * CHOICES),
        estimation.fresh_maps(MAPS),
        np.zeros(MAPS, np.int64),
    )


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
        size, columns = ls.size_of(asked[p, _LANES]), asked[p, _COLUMNS]
        groups = (width + columns - 1) // columns
        left = width - (groups - 1) * columns
        for c in range(channels):
            if asked[p, _CLASSES] == 1:
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
def start_pixel(shape: np.ndarray, canvas: np.ndarray, middles: np.ndarray, keys: np.ndarray, at: int) -> None:
    """at: its place in the first plane."""
    plane, stride = shape[PLANE], shape[STRIDE]
    for c in range(shape[CHANNELS]):
        here = at + c * plane
        middles[c] = (np.float32(canvas[here - 1]) + np.float32(canvas[here - stride])) * _HALF
    recall.start_pixel(canvas, at, plane, stride, shape[CHANNELS], keys)


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
        lanes = asked[p, _LANES]
        k = 2 * (y & 1) + (x & 1) if asked[p, _CLASSES] > 1 else 0
        matrix = matrices[p, c, k]
        sample = ls.SAMPLES + p * ls.WIDE
        weights[p] = ls.gather(scratch, sample, canvas, at, offsets[p, c], planes[p, c], counts[p, c], middles, scale)
        value = middles[c]
        ages[p, c, k] += 1
        if weights[p] > _ZERO:
            if ages[p, c, k] >= asked[p, _EVERY]:
                group_at = starts[p, c, k] + x // asked[p, _COLUMNS] * ls.size_of(lanes)
                ls.solve(scratch, matrix, above, group_at, counts[p, c], lanes)
                ages[p, c, k] = 0
            value = ls.predict(scratch, sample, matrix, lanes) / scale + middles[c]
        means[p] = np.int64(np.rint(min(max(value, _ZERO), top) * _PER_UNIT))


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
        lanes = asked[p, _LANES]
        first = 2 * (y & 1) if asked[p, _CLASSES] > 1 else 0
        matrix = matrices[p, c, first + (x & 1 if asked[p, _CLASSES] > 1 else 0)]
        if weights[p] > _ZERO:  # a flat place teaches nothing, and what is known need not fade
            ls.learn(scratch, ls.SAMPLES + p * ls.WIDE, matrix, lanes, weights[p], target, fades[p])
        columns = asked[p, _COLUMNS]
        if x % columns == columns - 1 or x == shape[WIDTH] - 1:
            size = ls.size_of(lanes)
            for k in range(first, first + (2 if asked[p, _CLASSES] > 1 else 1)):
                ls.keep(scratch, matrices[p, c, k], size, ends, starts[p, c, k] + x // columns * size)


@inlined
def _network_below(network: np.ndarray, c: int, value: float) -> float:
    total = _ZERO
    for k in range(MIXTURE):
        part = network[c, k] * de.below(value, network[c, MIXTURE + k], network[c, 2 * MIXTURE + k])
        total = total + part
    return total


@inlined
def _smooth_below(
    shape: np.ndarray, means: np.ndarray, steepness: np.ndarray, network: np.ndarray, c: int, value: float
) -> float:
    """Below a value, in 1/32: by the network if there is one, else by the predictors together."""
    if shape[NETWORK]:
        return _network_below(network, c, value)
    last = len(means) - 1
    return de.below(value, np.float32(means[last]), steepness[last])


@kernel
def start_sample(
    shape: np.ndarray,
    canvas: np.ndarray,
    means: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    steepness: np.ndarray,
    network: np.ndarray,
    tables: np.ndarray,
    expected: np.ndarray,
    below: np.ndarray,
    bounds: np.ndarray,
    sample: np.ndarray,
    tree: np.ndarray,
    keys: np.ndarray,
    entries: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    slots: np.ndarray,
    cells: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
) -> None:
    """What is known of a sample before its first decision; at: its pixel's place in the first plane."""
    last = len(means) - 1
    plane, stride = shape[PLANE], shape[STRIDE]
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
        steepness[p] = _STEEPNESS / np.float32(max(scales[p, c, near[p]], _LEAST_SCALE))
    centre = min((means[last] + UNIT // 2) >> FRACTION, top)
    if top == 1:
        centre = 1
    mean_error = scales[last, c, near[last]] >> _SCALE_BITS
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
    recall.find(entries, keys, c, places, values)
    each = (len(cells) - RECALL_CELLS) // len(slots)
    cx.fill_slots(sample, canvas, at, plane, stride, shape[CHANNELS], keys, each - 1, slots)
    for i in range(len(slots)):
        slots[i] += i * each

    tree[LOW], tree[HIGH], tree[STAGE], tree[SIDE], tree[STEP], tree[PREFIX] = 0, top + 1, SIDES, 0, 0, 0
    for d in range(bounds.shape[1]):
        bounds[_BELOW_LOW, d] = _ZERO
        bounds[_BELOW_HIGH, d] = de.WHOLE
    if shape[LATTICE] and c < lattice.CHANNELS:
        reach = min(max(4 * (mean_error >> FRACTION) + _WINDOW_LEAST, _WINDOW_LEAST), _WINDOW_MOST)
        first = max(centre - reach, 0)
        count = min(centre + reach, top + 1) - first
        sample[cx.WINDOW], sample[cx.WINDOW_SIZE] = first, count
        sample[cx.ROW] = lattice.row_of(canvas, at, plane, c)
        sample[cx.SHIFT] = lattice.VALUES // 2 - (np.int64(canvas[at]) if c > 0 else 0)
        before = _smooth_below(shape, means, steepness, network, c, np.float32((first << FRACTION) - UNIT // 2))
        for i in range(count):
            value = np.float32(((first + i) << FRACTION) + UNIT // 2)
            after = _smooth_below(shape, means, steepness, network, c, value)
            expected[i] = after - before
            before = after
        lattice.correct(tables, c, sample[cx.ROW], sample[cx.SHIFT], expected[:count], first, below[: count + 1])
        bounds[_BELOW_HIGH, bounds.shape[1] - 1] = _corrected_below(
            shape, means, steepness, network, below, sample, c, top + 1
        )


@inlined
def _corrected_below(
    shape: np.ndarray,
    means: np.ndarray,
    steepness: np.ndarray,
    network: np.ndarray,
    below: np.ndarray,
    sample: np.ndarray,
    c: int,
    value: int,
) -> float:
    """Below a value, by the smooth density corrected where the lattice looks at it."""
    first, count = sample[cx.WINDOW], sample[cx.WINDOW_SIZE]
    top = (1 << shape[DEPTH]) - 1
    if value <= 0:
        return _ZERO
    start = _ZERO
    if first > 0:
        low = np.float32((min(value, first) << FRACTION) - UNIT // 2)
        start = _smooth_below(shape, means, steepness, network, c, low)
    if value <= first:
        return start
    if value <= first + count:
        return start + below[value - first]
    edge = np.float32(((first + count) << FRACTION) - UNIT // 2)
    beyond = de.WHOLE
    if value <= top:
        beyond = _smooth_below(shape, means, steepness, network, c, np.float32((value << FRACTION) - UNIT // 2))
    return (start + below[count]) + (beyond - _smooth_below(shape, means, steepness, network, c, edge))


@inlined
def find_split(tree: np.ndarray, sample: np.ndarray) -> bool:
    """Choose where the next decision divides what the sample can be; False if it is known."""
    while tree[HIGH] - tree[LOW] > 1:
        stage = tree[STAGE]
        if stage == SIDES:
            split = sample[cx.CENTRE]
            node, phase = 0, 0
            if split <= tree[LOW] or split >= tree[HIGH]:
                tree[STAGE], tree[SIDE] = DOUBLING, 1 if split <= tree[LOW] else 0
                continue
        elif stage == DOUBLING:
            distance = 1 << (sample[cx.WIDTH] + tree[STEP])
            split = sample[cx.CENTRE] + (distance if tree[SIDE] else -distance)
            if split <= tree[LOW] or split >= tree[HIGH]:
                tree[STAGE], tree[PREFIX] = HALVING, 0
                continue
            step = min(tree[STEP], _DOUBLINGS - 1)
            node, phase = _FIRST_NODE + tree[SIDE] * _NODES_A_SIDE + step, 1 + min(tree[STEP], 1)
        else:
            split = (tree[LOW] + tree[HIGH]) >> 1
            node = _FIRST_NODE + tree[SIDE] * _NODES_A_SIDE + _DOUBLINGS
            prefix = tree[PREFIX]  # the halvings taken, after a leading 1; 0 for none
            if prefix < 4:
                node += 3 * min(tree[STEP], 3) + (0 if prefix == 0 else prefix - 1)
            else:
                depth = 0
                while prefix > 7:
                    prefix >>= 1
                    depth += 1
                node += 12 + min(depth, 5)
            phase = 3
        tree[SPLIT], tree[NODE], tree[PHASE] = split, node, phase
        return True
    return False


@inlined
def take_decision(tree: np.ndarray, bounds: np.ndarray, bit: int) -> None:
    """Go on with the half that the bit names: 1 is the upper."""
    moved = _BELOW_LOW if bit else _BELOW_HIGH
    for d in range(bounds.shape[1]):
        bounds[moved, d] = bounds[_BELOW_SPLIT, d]
    tree[LOW if bit else HIGH] = tree[SPLIT]
    if tree[STAGE] == SIDES:
        tree[STAGE], tree[SIDE] = DOUBLING, bit
    elif tree[STAGE] == DOUBLING:
        if bit == tree[SIDE]:
            tree[STEP] += 1
        else:
            tree[STAGE], tree[PREFIX] = HALVING, 0
    else:
        tree[PREFIX] = tree[PREFIX] << 1 | bit if tree[PREFIX] else 2 | bit


@inlined
def _ask_densities(
    shape: np.ndarray,
    means: np.ndarray,
    steepness: np.ndarray,
    network: np.ndarray,
    below: np.ndarray,
    bounds: np.ndarray,
    sample: np.ndarray,
    tree: np.ndarray,
    reals: np.ndarray,
) -> None:
    """What lies below the split by each density, and what that makes of the decision: two inputs each."""
    c, split = sample[cx.CHANNEL], tree[SPLIT]
    value = np.float32((split << FRACTION) - UNIT // 2)
    count = shape[PREDICTORS]
    for p in range(count):
        bounds[_BELOW_SPLIT, p] = de.below(value, np.float32(means[p]), steepness[p])
    if shape[NETWORK]:
        bounds[_BELOW_SPLIT, count] = _network_below(network, c, value)
        count += 1
    if shape[LATTICE]:
        if c < lattice.CHANNELS:
            bounds[_BELOW_SPLIT, count] = _corrected_below(shape, means, steepness, network, below, sample, c, split)
        else:
            bounds[_BELOW_SPLIT, count] = bounds[_BELOW_SPLIT, 0]
    for d in range(bounds.shape[1]):
        share = de.share(bounds[_BELOW_LOW, d], bounds[_BELOW_SPLIT, d], bounds[_BELOW_HIGH, d])
        reals[2 * d] = _STRETCH[de.place(share)]
        reals[2 * d + 1] = de.centred(share)


@inlined
def predict(
    shape: np.ndarray,
    means: np.ndarray,
    steepness: np.ndarray,
    network: np.ndarray,
    below: np.ndarray,
    bounds: np.ndarray,
    sample: np.ndarray,
    tree: np.ndarray,
    entries: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    recalled: np.ndarray,
    slots: np.ndarray,
    cells: np.ndarray,
    reals: np.ndarray,
    finals: np.ndarray,
    maps: np.ndarray,
    points: np.ndarray,
) -> int:
    """The frequency of a 1 as the next decision, of 2**20; between 2 and 2**20 - 2."""
    c, node, phase = sample[cx.CHANNEL], tree[NODE], tree[PHASE]
    _ask_densities(shape, means, steepness, network, below, bounds, sample, tree, reals)
    at = 2 * bounds.shape[1]
    for i in range(len(slots)):
        cell = cells[slots[i] + node]
        reals[at + i] = _STRETCH[cell >> _TO_STRETCH] * _CONFIDENCE[np.int64(cell & _COUNT)]
    at += len(slots)
    recall_at = len(cells) - RECALL_CELLS
    surest, agreeing = 0, 0
    for i in range(recall.CONTEXTS):
        value = values[i]
        if tree[LOW] <= value < tree[HIGH]:
            times = recall.run(entries, places[i])
            recalled[i] = recall_at + (i * 16 + times) * 16 + phase * 4 + c
            trust = _STRETCH[cells[recalled[i]] >> _TO_STRETCH]
            reals[at + i] = trust if value >= tree[SPLIT] else -trust
            surest = times
            agreeing = agreeing + 1 if value >= tree[SPLIT] else agreeing - 1
        else:
            recalled[i] = -1
            reals[at + i] = _ZERO
    reals[at + recall.CONTEXTS] = _CONSTANT

    energy = sample[cx.ENERGY]
    corner = phase * 4 + c
    tree[_CHOICE + weighing.CHOSEN] = c * cx.NODES + node
    tree[_CHOICE + weighing.CHOSEN + 1] = CHOICES + (energy * 4 + min(sample[cx.WIDTH], 3)) * 16 + corner
    tree[_CHOICE + weighing.CHOSEN + 2] = 2 * CHOICES + ((agreeing + 4) * 16 + surest) * 16 + corner
    before, before_that = min(sample[cx.LEVEL_BEFORE] >> 1, 9), min(sample[cx.LEVEL_BEFORE_THAT] >> 1, 9)
    tree[_CHOICE + weighing.CHOSEN + 3] = 3 * CHOICES + (before * 10 + before_that) * 16 + corner
    first, last = min(sample[cx.ENERGY_FIRST] >> 1, 9), min(sample[cx.ENERGY_LAST] >> 1, 9)
    tree[_CHOICE + weighing.CHOSEN + 4] = 4 * CHOICES + (first * 10 + last) * 16 + corner
    tree[_CHOICE + weighing.CHOSEN + 5] = 5 * CHOICES + (sample[cx.PARITY] * 4 + c) * cx.NODES + node
    situation = c * cx.NODES + node
    final = weighing.weigh(tree, _CHOICE, reals, finals, shape[INPUTS], situation)
    mixed = tree[_CHOICE + weighing.MIXED]
    by_energy = estimation.estimate(maps, 0, situation * LEVELS + energy, final, points)
    exact = cx.scattered(node, sample[cx.EXACT]) & 0xFFFF
    by_value = estimation.estimate(maps, 1, exact, final, points)
    return min(max((2 * mixed + by_energy + by_value) >> 6, _LEAST), BIT_TOTAL - _LEAST)


@inlined
def update(
    shape: np.ndarray,
    bounds: np.ndarray,
    sample: np.ndarray,
    tree: np.ndarray,
    values: np.ndarray,
    recalled: np.ndarray,
    slots: np.ndarray,
    cells: np.ndarray,
    reals: np.ndarray,
    finals: np.ndarray,
    maps: np.ndarray,
    points: np.ndarray,
    bit: int,
) -> None:
    """Learn from a decision, and go on to the next."""
    node = tree[NODE]
    situation = sample[cx.CHANNEL] * cx.NODES + node
    weighing.learn(tree, _CHOICE, reals, finals, shape[INPUTS], situation, SITUATIONS, bit)
    for i in range(len(slots)):
        adaptive.learn(cells, slots[i] + node, bit, _CELL_LIMIT)
    for i in range(recall.CONTEXTS):
        if recalled[i] >= 0:
            right = (values[i] >= tree[SPLIT]) == (bit == 1)
            adaptive.learn(cells, recalled[i], 1 if right else 0, _RECALL_LIMIT)
    estimation.learn(maps, points[0], bit)
    estimation.learn(maps, points[1], bit)
    take_decision(tree, bounds, bit)


@kernel
def end_sample(
    shape: np.ndarray,
    canvas: np.ndarray,
    means: np.ndarray,
    errors: np.ndarray,
    signed: np.ndarray,
    near: np.ndarray,
    scales: np.ndarray,
    tables: np.ndarray,
    expected: np.ndarray,
    sample: np.ndarray,
    keys: np.ndarray,
    entries: np.ndarray,
    places: np.ndarray,
    c: int,
    at: int,
    y: int,
    x: int,
    value: int,
) -> None:
    """Put a sample on the canvas and learn from it what does not depend on the decisions."""
    canvas[at + c * shape[PLANE]] = value
    here, place = y % 3, cv.BESIDE + x
    exact = value << FRACTION
    for p in range(len(means)):
        error = abs(exact - means[p])
        errors[p, c, here, place] = error
        old = scales[p, c, near[p]]
        scales[p, c, near[p]] = old + (((error << _SCALE_BITS) - old) >> _SCALE_RATE)
    signed[c, here, place] = exact - means[len(means) - 1]
    recall.learn(entries, places, value)
    recall.follow(keys, value)
    if shape[LATTICE] and c < lattice.CHANNELS:
        size = sample[cx.WINDOW_SIZE]
        lattice.learn(tables, c, sample[cx.ROW], sample[cx.SHIFT], expected[:size], sample[cx.WINDOW], value)
