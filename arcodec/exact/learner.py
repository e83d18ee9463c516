"""What one sequence has learnt while it was coded, and room for what its next step of ``descent`` needs to know."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from ..errors import ModelError
from . import program as p
from . import spec as s
from .dot import LANES, ROWS, padded

# Symbols between two steps of descent, and its rate: of bytes and of pixels, as measured (docs/LOG.md).
BYTES_CHUNK, BYTES_RATE = 64, np.float32(4e-4)
PIXELS_CHUNK, PIXELS_RATE = 16, np.float32(1.2e-4)
GROUP = ROWS  # sums of gradients, side by side: what is summed over outputs is padded like they are
PEAKS = 16  # running maxima of a row, side by side; rows are padded to a multiple
assert LANES % PEAKS == 0

# Columns of Learner.plan, of each layer: where its inputs begin among the codes of a symbol, where its own codes and
# its reals do (of a norm its inputs, of a recurrence its states), how many outputs it has without padding.
FROM, CODES, REALS, COUNT, _PLACES = range(5)
NOW, DONE = range(2)  # of clock: symbols since the last step, steps

# What may follow what. Gradients are computed of layers in these orders only: they look at the layers beside them.
_ORDERS = {
    (p.LINEAR, p.ADD),
    (p.ADD, p.NORM),
    (p.NORM, p.LINEAR),
    (p.LINEAR, p.RECURRENCE),
    (p.RECURRENCE, p.LINEAR),
    (p.LINEAR, p.SQUARED_RELU),
    (p.SQUARED_RELU, p.LINEAR),
}


class Layout(NamedTuple):
    """What learns."""

    layers: np.ndarray  # (layers, 9) int64, see program
    starts: np.ndarray  # (stacks + 1,) int64: where those of each stack begin
    step: float  # what a code that enters a stack stands for
    outputs: int  # of each stack
    states: int  # of all recurrences
    chunk: int  # symbols between two steps of descent, a multiple of GROUP


class Learner(NamedTuple):
    """What one sequence has learnt, and all that its next step needs to know of the symbols since the last."""

    clock: np.ndarray  # (2,) int64, see above; empty if nothing is learnt
    fading: np.ndarray  # (1,) float64: what is left of the first mean square
    plan: np.ndarray  # (layers, 4) int64, see above
    steps: np.ndarray  # (layers,) float32: what a code that enters a linear layer stands for
    weights: np.ndarray  # float32: those that the program's are the roundings of, laid out like them
    weight_squares: np.ndarray  # float32: mean squares of their gradients
    bias_squares: np.ndarray  # float32, laid out like the program's constants
    codes: np.ndarray  # (chunk, ...) int16
    reals: np.ndarray  # (chunk, ...) float32
    first: np.ndarray  # float32: the recurrences' states before the first of these symbols
    of_outputs: np.ndarray  # (stacks, chunk, outputs) float32: gradients from here on, padded to a multiple of GROUP
    of_sum: np.ndarray  # (chunk, width), padded likewise
    of_reals: np.ndarray  # (chunk, widest reals)
    of_codes: np.ndarray  # (chunk, widest codes)
    inputs: np.ndarray  # (chunk, widest codes) float32: room for codes as floats
    rows: np.ndarray  # (GROUP, widest codes) float32: room for the gradients of some outputs' weights, or of a state
    of_biases: np.ndarray  # (GROUP,) float32: and of their biases
    peaks: np.ndarray  # (16,) float32: room for a row's largest


def can_learn(layout: Layout) -> bool:
    """Whether gradients are computed of all its layers, in the order in which they stand."""
    kinds = layout.layers[:, p.KIND].tolist()
    stacks = [kinds[start:stop] for start, stop in pairwise(layout.starts)]
    remembers = p.RECURRENCE in kinds
    return bool(layout.states) == remembers and all(
        stack and stack[0] == stack[-1] == p.LINEAR and all(pair in _ORDERS for pair in pairwise(stack))
        for stack in stacks
    )


def no_learner() -> Learner:
    """Where nothing is learnt."""
    nothing = Layout(np.zeros((0, p.COLUMNS), np.int64), np.zeros(1, np.int64), 0.0, 0, 0, 0)
    learner = fresh_learner(nothing, np.zeros(0, np.int8), np.zeros(0, np.float32))
    return learner._replace(clock=np.zeros(0, np.int64))


def fresh_learner(layout: Layout, weights: np.ndarray, constants: np.ndarray) -> Learner:
    """Before the first symbol; weights and constants: of a program of its own. Raises ModelError if it cannot learn."""
    if not can_learn(layout):
        raise ModelError("this network cannot learn while coding: its family has layers without gradients here")
    assert layout.chunk % GROUP == 0, "the kernels take so many symbols at a time"
    plan, steps, sizes = _planned(layout)
    rooms = _rooms(layout, sizes, len(weights), len(constants))
    learner = Learner(*(np.zeros(shape, kind) for shape, kind in rooms))
    learner.fading[:], learner.plan[:], learner.steps[:], learner.weights[:] = 1, plan, steps, weights
    for layer, step in zip(layout.layers, steps, strict=True):
        if layer[p.KIND] == p.LINEAR:
            inputs, outputs, at, scales = layer[[p.INPUTS, p.OUTPUTS, p.WEIGHTS, p.CONSTANTS]]
            stand_for = constants[scales : scales + outputs] / step
            learner.weights[at : at + inputs * outputs] *= np.repeat(stand_for, inputs)
    return learner


def learner_memory(layout: Layout, weights: int, constants: int) -> int:
    """Bytes of a learner with so many weights and constants, and of the program that is its own."""
    _, _, sizes = _planned(layout)
    rooms = _rooms(layout, sizes, weights, constants)
    return weights + 4 * constants + int(sum(np.dtype(kind).itemsize * prod(shape) for shape, kind in rooms))


class _Sizes(NamedTuple):
    """Of what is kept of a symbol, and of the widest layers."""

    codes: int
    reals: int
    width: int
    widest_reals: int
    widest_codes: int


def _planned(layout: Layout) -> tuple[np.ndarray, np.ndarray, _Sizes]:
    """A learner's plan and steps, and the sizes that follow."""
    layers = layout.layers
    plan, steps = np.zeros((len(layers), _PLACES), np.int64), np.zeros(len(layers), np.float32)
    codes = reals = width = widest_reals = widest_codes = 0
    after = {p.NORM: s.NORM_STEP, p.RECURRENCE: s.GATED_STEP, p.SQUARED_RELU: s.SQUARE_STEP}
    for start, stop in pairwise(layout.starts):
        now, entering = codes, layout.step
        codes += layers[start, p.INPUTS]
        for i in range(start, stop):
            kind, inputs, many = layers[i, p.KIND], layers[i, p.INPUTS], layers[i, p.OUTPUTS]
            count = layout.outputs if i + 1 == stop else layers[i + 1, p.INPUTS]
            plan[i], steps[i] = (now, codes, reals, count), entering
            if kind in after:
                now, entering = codes, after[kind]
                codes += padded(many, LANES)
            if kind == p.LINEAR:
                widest_reals, widest_codes = max(widest_reals, many), max(widest_codes, inputs)
            if kind == p.ADD:
                width = max(width, padded(many, ROWS))
            elif kind != p.SQUARED_RELU:
                reals += many
    return plan, steps, _Sizes(codes, reals, width, widest_reals, widest_codes)


def _rooms(layout: Layout, sizes: _Sizes, weights: int, constants: int) -> list[tuple[tuple[int, ...], type]]:
    """Shape and type of each of a learner's arrays."""
    real, chunk, layers, stacks = np.float32, layout.chunk, len(layout.layers), len(layout.starts) - 1
    return [
        ((2,), np.int64),
        ((1,), np.float64),
        ((layers, _PLACES), np.int64),
        ((layers,), real),
        ((weights,), real),
        ((weights,), real),
        ((constants,), real),
        ((chunk, sizes.codes), np.int16),
        ((chunk, sizes.reals), real),
        ((layout.states,), real),
        ((stacks, chunk, padded(layout.outputs, ROWS)), real),
        ((chunk, sizes.width), real),
        ((chunk, sizes.widest_reals), real),
        ((chunk, sizes.widest_codes), real),
        ((chunk, sizes.widest_codes), real),
        ((GROUP, sizes.widest_codes), real),
        ((GROUP,), real),
        ((PEAKS,), real),
    ]
