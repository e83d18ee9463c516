"""The state of a block of pixels: all that changes while it is coded.

Everything is integers, and float32 numbers on which one IEEE operation at a time is done in a fixed order.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np

from ...models.pixels import MIXTURE
from .. import adaptive, estimation, weighing
from . import canvas as cv
from . import contexts as cx
from . import lattice, recall
from . import least_squares as ls
from .levels import LEVELS, UNIT
from .team import CHOICES, MAPS, SITUATIONS, Team

# shape, int64: of the block, and of what codes it
HEIGHT, WIDTH, CHANNELS, DEPTH, PLANE, STRIDE, PREDICTORS, NETWORK, LATTICE, INPUTS, SHAPE = range(11)

# tree, int64: where in the tree of decisions a sample is
LOW, HIGH, SPLIT, STAGE, SIDE, STEP, PREFIX, NODE, SITUATION, PHASE = range(10)
CHOICE = 10  # see weighing
TREE = CHOICE + weighing.CHOICE

SCALE_BITS = 8  # of a mean error, beyond those of an error
LEAST_SCALE = 4 << SCALE_BITS
LANES, EVERY, CLASSES, COLUMNS = range(4)  # columns of asked
WINDOW_MOST = 96  # values to each side that the lattice looks at
RECALL_CELLS = recall.CONTEXTS * 16 * 16


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
    return np.array([max(9 * e // 10, 4) << SCALE_BITS for e in energies], np.int64)


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
    weighing.begin(tree, CHOICE, team.sets, SITUATIONS)
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
        np.zeros(2 * WINDOW_MOST, np.float32),
        np.zeros(2 * WINDOW_MOST + 1, np.float32),
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
