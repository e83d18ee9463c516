"""A sample in a few decisions: densities, contexts, memories, and the mixer above them.

A sample is found by halving what it can be. The first decision is on which side of the predicted value it lies; then
come intervals that double in size, away from it; then the halves of the interval found. Every density knows the
probability of each decision, every context has learnt one for each place in this tree.
"""

from __future__ import annotations

import numpy as np

from ...jit import inlined, kernel
from ...models.pixels import MIXTURE
from ...range_kernel import BIT_TOTAL
from .. import adaptive, estimation, logistic, weighing
from . import contexts as cx
from . import densities as de
from . import lattice, recall
from .levels import FRACTION, LEVELS, UNIT
from .state import (
    CHANNELS,
    CHOICE,
    DEPTH,
    HIGH,
    INPUTS,
    LATTICE,
    LOW,
    NETWORK,
    NODE,
    PHASE,
    PLANE,
    PREDICTORS,
    PREFIX,
    RECALL_CELLS,
    SIDE,
    SPLIT,
    STAGE,
    STEP,
    STRIDE,
    WINDOW_MOST,
)
from .team import CHOICES

SIDES, DOUBLING, HALVING = range(3)  # stages

# rows of bounds, float32: of each density, what lies below LOW, SPLIT and HIGH
_BELOW_LOW, _BELOW_SPLIT, _BELOW_HIGH = range(3)

_WINDOW_LEAST = 12  # values to each side that the lattice looks at
_FIRST_NODE, _NODES_A_SIDE, _DOUBLINGS = 1, 30, 8

_CELL_LIMIT = 255
_RECALL_LIMIT = 255
_CONFIDENCE = np.array([n / (n + 1.5) for n in range(1024)], np.float32)
_STRETCH = logistic.STRETCH
_TO_STRETCH = np.uint32(32 - logistic.STRETCH_BITS)
_COUNT = np.uint32(1023)
_CONSTANT = np.float32(0.3)
_ZERO = np.float32(0)
_LEAST = 2  # of 2**20: no decision costs more than 19 bits


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
) -> None:
    """What a sample's decisions are looked up by, once it is predicted; at: its pixel's place in the first plane."""
    plane, stride = shape[PLANE], shape[STRIDE]
    top = (1 << shape[DEPTH]) - 1
    centre = sample[cx.CENTRE]
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
        reach = min(max(4 * (sample[cx.MEAN_ERROR] >> FRACTION) + _WINDOW_LEAST, _WINDOW_LEAST), WINDOW_MOST)
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
    tree[CHOICE + weighing.CHOSEN] = c * cx.NODES + node
    tree[CHOICE + weighing.CHOSEN + 1] = CHOICES + (energy * 4 + min(sample[cx.WIDTH], 3)) * 16 + corner
    tree[CHOICE + weighing.CHOSEN + 2] = 2 * CHOICES + ((agreeing + 4) * 16 + surest) * 16 + corner
    before, before_that = min(sample[cx.LEVEL_BEFORE] >> 1, 9), min(sample[cx.LEVEL_BEFORE_THAT] >> 1, 9)
    tree[CHOICE + weighing.CHOSEN + 3] = 3 * CHOICES + (before * 10 + before_that) * 16 + corner
    first, last = min(sample[cx.ENERGY_FIRST] >> 1, 9), min(sample[cx.ENERGY_LAST] >> 1, 9)
    tree[CHOICE + weighing.CHOSEN + 4] = 4 * CHOICES + (first * 10 + last) * 16 + corner
    tree[CHOICE + weighing.CHOSEN + 5] = 5 * CHOICES + (sample[cx.PARITY] * 4 + c) * cx.NODES + node
    situation = c * cx.NODES + node
    final = weighing.weigh(tree, CHOICE, reals, finals, shape[INPUTS], situation)
    mixed = tree[CHOICE + weighing.MIXED]
    by_energy = estimation.estimate(maps, 0, situation * LEVELS + energy, final, points)
    exact = cx.scattered(node, sample[cx.EXACT]) & 0xFFFF
    by_value = estimation.estimate(maps, 1, exact, final, points)
    return min(max((2 * mixed + by_energy + by_value) >> 6, _LEAST), BIT_TOTAL - _LEAST)


@inlined
def situation(sample: np.ndarray, tree: np.ndarray) -> int:
    """Which weights add up what the sets say: by channel and place in the tree."""
    return sample[cx.CHANNEL] * cx.NODES + tree[NODE]


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
    weighing.learn(tree, CHOICE, reals, finals, shape[INPUTS], situation(sample, tree), bit)
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
    tables: np.ndarray,
    expected: np.ndarray,
    sample: np.ndarray,
    keys: np.ndarray,
    entries: np.ndarray,
    places: np.ndarray,
    c: int,
    value: int,
) -> None:
    """Learn from a sample what does not depend on the decisions."""
    recall.learn(entries, places, value)
    recall.follow(keys, value)
    if shape[LATTICE] and c < lattice.CHANNELS:
        size = sample[cx.WINDOW_SIZE]
        lattice.learn(tables, c, sample[cx.ROW], sample[cx.SHIFT], expected[:size], sample[cx.WINDOW], value)
