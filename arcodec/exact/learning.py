"""A network that goes on learning while it codes: gradient descent on the symbols that both sides know by then.

Known as dynamic evaluation (Krause et al. 2018, "Dynamic evaluation of neural sequence models"): after every ``STEPS``
symbols the network takes one step down the gradient of what they cost, so that it follows the file it is coding. Steps
are divided by the root of each weight's fading mean square gradient (RMSProp; Tieleman and Hinton 2012), and gradients
pass roundings as they do in training (``rounding``).

Here the gradients themselves must be the same on every machine. They are float32, and each is a sum over symbols or
outputs in a written order, one IEEE operation at a time: what runs side by side in a vector are different sums, never
parts of one. Between layers gradients are rounded to multiples of 2**-12 and held below 2**30, so that nothing ever
becomes subnormal, infinite or no number (docs/EXACT.md).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ..jit import kernel
from . import kernels
from . import program as p
from . import spec as s
from . import tables as t
from .contexts import remember
from .dot import LANES, padded
from .program import Program, State, empty_program, fresh_state

STEPS = 64  # symbols between two steps of descent

_RATE = np.float32(2e-4)
_FADE = 0.999  # of the mean squares, a step
_KEPT, _TAKEN = np.float32(_FADE), np.float32(1 - _FADE)
_LEAST_SQUARE = np.float32(1e-20)
_LEAST_ROOT = np.float32(2.0**-10)
_UNIT = np.float32(math.log(2) * 2.0**16)  # of the gradient of a logit: large, so that little is lost in rounding
_STILL = np.float32(1.5 * 2.0**11)  # added and taken away, it rounds to multiples of 2**-12, and large numbers coarser
_LARGEST = np.float32(2.0**30)
_INSIDE = np.float32(s.CODE_LIMIT + 0.5)  # what rounds to a code within the limit is below this
_LIMIT = np.float32(s.CODE_LIMIT)
_WEIGHT_LIMIT = np.float32(s.WEIGHT_LIMIT)
_LEAST_WEIGHT = np.float32(1e-6)
_INPUT = np.float32(s.INPUT_LIMIT)
_PER_NORM = np.float32(1 / s.NORM_STEP)
_PER_GATED = np.float32(1 / s.GATED_STEP)
_PER_SQUARE = np.float32(1 / s.SQUARE_STEP)
_TWICE_PER_SQUARE = np.float32(2 / s.SQUARE_STEP)
_PER_STATISTIC = np.float32(1 / s.STATISTIC_STEP)
_PER_SIGMOID = np.float32(1 / t.SIGMOID_STEP)
_ONE, _ZERO, _HALF = np.float32(1), np.float32(0), np.float32(0.5)
_PEAKS = 16  # running maxima of a row, side by side

# Columns of Learner.plan, of each layer: where its inputs begin among the codes of a symbol, where its own codes and
# its reals do (of a norm its inputs, of a recurrence its states).
_FROM, _CODES, _REALS, _PLACES = range(4)
_NOW, _DONE = range(2)  # of clock: symbols since the last step, steps


class Learner(NamedTuple):
    """What one sequence has learnt, and all that its next step needs to know of the symbols since the last."""

    clock: np.ndarray  # (2,) int64, see above; empty if the network does not learn
    fading: np.ndarray  # (1,) float64: what is left of the first mean square
    plan: np.ndarray  # (layers, 3) int64, see above
    steps: np.ndarray  # (layers,) float32: what a code that enters a linear layer stands for
    weights: np.ndarray  # float32: those that the program's are the roundings of, laid out like them
    weight_squares: np.ndarray  # float32: mean squares of their gradients
    bias_squares: np.ndarray  # float32, laid out like the program's constants
    codes: np.ndarray  # (STEPS, ...) int16
    reals: np.ndarray  # (STEPS, ...) float32
    first: np.ndarray  # float32: the recurrences' states before the first of these symbols
    of_logits: np.ndarray  # (STEPS, 256) float32: gradients from here on
    of_sum: np.ndarray  # (STEPS, width)
    of_reals: np.ndarray  # (STEPS, widest reals)
    of_codes: np.ndarray  # (STEPS, widest codes)
    inputs: np.ndarray  # (STEPS, widest codes) float32: room for codes as floats
    row: np.ndarray  # (widest codes) float32: room for the gradient of one output's weights, or of a state
    peaks: np.ndarray  # (16,) float32


def can_learn(network: s.Network) -> bool:
    """Whether all its branches are of the forms whose gradients are computed here."""
    for branch in network.branches:
        match branch:
            case (s.Norm(), s.Linear(), s.Recurrence() | s.SquaredRelu(), s.Linear()):
                pass
            case _:
                return False
    return True


def begin(program: Program, learns: bool) -> tuple[Program, State, Learner]:
    """All that a sequence needs before its first symbol; one that learns gets weights of its own."""
    if learns:
        program = program._replace(weights=program.weights.copy(), constants=program.constants.copy())
    return program, fresh_state(program), _fresh_learner(program) if learns else _no_learner()


def memory(program: Program) -> int:
    """Bytes that a sequence takes which learns: its copy of the program and what it has learnt."""
    return sum(array.nbytes for array in (program.weights, program.constants, *_fresh_learner(program)))


def _no_learner() -> Learner:
    return _fresh_learner(empty_program())._replace(clock=np.zeros(0, np.int64))


def _fresh_learner(program: Program) -> Learner:
    shape, layers = program.shape, program.layers
    plan, steps = np.zeros((len(layers), _PLACES), np.int64), np.zeros(len(layers), np.float32)
    weights = program.weights.astype(np.float32)
    now, reals, step = 0, 0, s.EMBED_STEP
    codes = padded(shape[p.CONTEXTS] * shape[p.ROW_WIDTH], LANES)
    after = {p.NORM: s.NORM_STEP, p.RECURRENCE: s.GATED_STEP, p.SQUARED_RELU: s.SQUARE_STEP}
    for i, layer in enumerate(layers):
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        plan[i], steps[i] = (now, codes, reals), step
        if kind in after:
            now, step = codes, after[kind]
            codes += padded(outputs, LANES)
        if kind == p.LINEAR:
            at = layer[p.WEIGHTS]
            scale = program.constants[layer[p.CONSTANTS] : layer[p.CONSTANTS] + outputs] / steps[i]
            weights[at : at + inputs * outputs] *= np.repeat(scale, inputs)
        if kind in (p.LINEAR, p.NORM, p.RECURRENCE):
            reals += outputs
    widest_reals, widest_codes = shape[p.WIDEST_REALS], shape[p.WIDEST_CODES]

    def room(*sizes: int) -> np.ndarray:
        return np.zeros(sizes, np.float32)

    return Learner(
        np.zeros(2, np.int64),
        np.ones(1),
        plan,
        steps,
        weights,
        room(len(weights)),
        room(len(program.constants)),
        np.zeros((STEPS, codes), np.int16),
        room(STEPS, reals),
        room(shape[p.STATE_REALS]),
        room(STEPS, s.ALPHABET),
        room(STEPS, shape[p.WIDTH]),
        room(STEPS, widest_reals),
        room(STEPS, widest_codes),
        room(STEPS, widest_codes),
        room(widest_codes),
        room(_PEAKS),
    )


@kernel
def weights(program: Program, state: State, learner: Learner, out: np.ndarray) -> None:
    """``kernels.weights``, remembering what learning will ask for."""
    if len(learner.clock) == 0:
        kernels.weights(program, state, out)
        return
    now = learner.clock[_NOW]
    codes, reals = learner.codes[now], learner.reals[now]
    kernels.embed(program, state)
    for i in range(program.layers[0, p.INPUTS]):
        codes[i] = state.codes_now[i]
    for i in range(len(program.layers)):
        layer = program.layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        entering, leaving, kept = learner.plan[i, _FROM], learner.plan[i, _CODES], learner.plan[i, _REALS]
        last = learner.plan[i - 1, _REALS]
        if kind == p.LINEAR:
            matrix = program.weights[layer[p.WEIGHTS] : layer[p.WEIGHTS] + inputs * outputs]
            at, made = layer[p.CONSTANTS], reals[kept : kept + outputs]
            scale, bias = program.constants[at : at + outputs], program.constants[at + outputs : at + 2 * outputs]
            kernels.linear(matrix, scale, bias, codes[entering : entering + inputs], state.sums, made)
            if i == 0:
                kernels.start_sum(program, state, made)
        elif kind == p.NORM:
            for j in range(outputs):
                reals[kept + j] = state.sum[j]
            kernels.norm(state.sum, codes[leaving : leaving + outputs])
        elif kind == p.RECURRENCE:
            h = state.reals[layer[p.REALS] : layer[p.REALS] + outputs]
            kernels.recurrence(reals[last : last + inputs], h, program.sigmoid, codes[leaving : leaving + outputs])
            for j in range(outputs):
                reals[kept + j] = h[j]
        elif kind == p.SQUARED_RELU:
            kernels.squared_relu(reals[last : last + inputs], codes[leaving : leaving + outputs])
        else:
            for j in range(outputs):
                state.sum[j] = state.sum[j] + reals[last + j]
    state.clock[0] += 1
    logits = learner.plan[len(program.layers) - 1, _REALS]
    kernels.weigh(program, reals[logits : logits + s.ALPHABET], out)


@kernel
def follow(program: Program, state: State, learner: Learner, weights: np.ndarray, symbol: int) -> None:
    """Take the symbol that followed, for which ``weights`` gave these weights; learn when there are enough."""
    remember(state.memory, symbol)
    if len(learner.clock) == 0:
        return
    now = learner.clock[_NOW]
    total = np.int64(0)
    for i in range(s.ALPHABET):
        total += weights[i]
    gradient = learner.of_logits[now]
    for i in range(s.ALPHABET):
        gradient[i] = _still((np.float32(weights[i]) / np.float32(total)) * _UNIT)
    gradient[symbol] = gradient[symbol] - _UNIT
    learner.clock[_NOW] = now + 1
    if now + 1 == STEPS:
        _descend(program, learner)
        for i in range(len(state.reals)):
            learner.first[i] = state.reals[i]
        learner.clock[_NOW] = 0


@kernel
def _still(x: Any) -> Any:
    return (min(max(x, -_LARGEST), _LARGEST) + _STILL) - _STILL


@kernel
def _descend(program: Program, learner: Learner) -> None:
    """One step, from the last layer to the first."""
    learner.clock[_DONE] += 1
    learner.fading[0] = max(learner.fading[0] * _FADE, 1e-30)
    whole = np.float32(1 / (1 - learner.fading[0]))  # the mean squares began at 0
    learner.of_sum[:] = 0
    last = len(program.layers) - 1
    for i in range(last, -1, -1):
        layer = program.layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        kept, before = learner.plan[i, _REALS], learner.plan[i - 1, _REALS]
        if kind == p.LINEAR:
            gradient = learner.of_reals
            if i == last:
                gradient = learner.of_logits
            elif i == 0 or program.layers[i + 1, p.KIND] == p.ADD:
                gradient = learner.of_sum
            _linear_back(program, learner, i, gradient, whole)
        elif kind == p.NORM:
            _norm_back(learner.reals[:, kept : kept + outputs], learner.of_codes, learner.of_sum)
        elif kind == p.RECURRENCE:
            at = layer[p.REALS]
            _recurrence_back(
                learner.reals[:, before : before + inputs],
                learner.reals[:, kept : kept + outputs],
                learner.first[at : at + outputs],
                program.sigmoid,
                learner.of_codes,
                learner.row,
                learner.of_reals,
            )
        elif kind == p.SQUARED_RELU:
            _squared_relu_back(learner.reals[:, before : before + outputs], learner.of_codes, learner.of_reals)


@kernel
def _norm_back(x: np.ndarray, of_codes: np.ndarray, of_sum: np.ndarray) -> None:
    """Adds to of_sum what comes through the codes and through the root mean square of x (STEPS, width)."""
    width = x.shape[1]
    per_square = np.float32(s.STATISTIC_STEP**2 / width)
    for n in range(STEPS):
        inverse = kernels.inverse_root(x[n])
        through = _ZERO
        for i in range(width):
            inside = abs(x[n, i] * inverse * _PER_NORM) < _INSIDE
            of_codes[n, i] = _still(of_codes[n, i] * _PER_NORM) if inside else _ZERO
        for i in range(width):
            through = through + of_codes[n, i] * x[n, i]
        of_square = _still(through * inverse) * inverse * inverse * per_square * _PER_STATISTIC  # 2 and 1/2 cancel
        for i in range(width):
            coarse = x[n, i] * _PER_STATISTIC
            squares = of_square * np.rint(coarse) if abs(coarse) < _INSIDE else _ZERO
            of_sum[n, i] = _still(of_sum[n, i] + (of_codes[n, i] * inverse - squares))


@kernel
def _recurrence_back(
    x: np.ndarray,
    states: np.ndarray,
    first: np.ndarray,
    table: np.ndarray,
    of_codes: np.ndarray,
    carry: np.ndarray,
    of_x: np.ndarray,
) -> None:
    """x (STEPS, 3 * width), states (STEPS, width), first (width,): the state before -> of_x; carry is room to work."""
    width = len(first)
    carry[:width] = 0
    for n in range(STEPS - 1, -1, -1):
        before = states[n - 1] if n else first
        for i in range(width):
            raw_f, raw_g = x[n, i], x[n, 2 * width + i]
            f, g = kernels.sigmoid(table, raw_f), kernels.sigmoid(table, raw_g)
            z = min(max(x[n, width + i], -_INPUT), _INPUT)
            out = states[n, i] * g
            of_out = _still(of_codes[n, i] * _PER_GATED) if abs(out * _PER_GATED) < _INSIDE else _ZERO
            slope = out * (_ONE - g)  # the sigmoid's step and its slope's cancel
            of_x[n, 2 * width + i] = _still(of_out * slope) if abs(raw_g * _PER_SIGMOID) < _INSIDE else _ZERO
            of_state = _still(carry[i] + of_out * g)
            of_x[n, width + i] = _still(of_state * (_ONE - f)) if z == x[n, width + i] else _ZERO
            slope = (before[i] - z) * (f * (_ONE - f))
            of_x[n, i] = _still(of_state * slope) if abs(raw_f * _PER_SIGMOID) < _INSIDE else _ZERO
            carry[i] = _still(of_state * f)


@kernel
def _squared_relu_back(x: np.ndarray, of_codes: np.ndarray, of_x: np.ndarray) -> None:
    width = x.shape[1]
    for n in range(STEPS):
        for i in range(width):
            positive = max(x[n, i], _ZERO)
            g = of_codes[n, i]
            # At the limit only what leads inwards.
            passes = positive * positive * _PER_SQUARE <= _LIMIT - _HALF or g > _ZERO
            of_x[n, i] = _still(g * positive * _TWICE_PER_SQUARE) if passes else _ZERO


@kernel
def _linear_back(program: Program, learner: Learner, i: int, gradient: np.ndarray, whole: Any) -> None:
    """From the gradient (STEPS, outputs) of a linear layer's reals to that of its codes; and a step of its weights."""
    layer = program.layers[i]
    inputs, outputs, at, constants = layer[p.INPUTS], layer[p.OUTPUTS], layer[p.WEIGHTS], layer[p.CONSTANTS]
    count = min(outputs, gradient.shape[1])  # the others are padding
    scale, bias = program.constants[constants : constants + outputs], program.constants[constants + outputs :]
    squares = learner.bias_squares[constants + outputs :]
    entering = learner.plan[i, _FROM]
    for n in range(STEPS):
        for j in range(inputs):
            learner.inputs[n, j] = np.float32(learner.codes[n, entering + j])
    if i > 0:
        matrix = program.weights[at : at + inputs * outputs]
        for n in range(STEPS):
            _codes_back(matrix, scale, gradient[n, :count], learner.of_codes[n, :inputs])
    for o in range(count):
        first, row = at + o * inputs, learner.row[:inputs]
        learner.peaks[0] = _weights_back(gradient, o, learner.inputs, row)
        _step(bias[o : o + 1], squares[o : o + 1], learner.peaks, whole)
        _step(learner.weights[first : first + inputs], learner.weight_squares[first : first + inputs], row, whole)
        rounded = program.weights[first : first + inputs]
        scale[o] = _round_row(learner.weights[first : first + inputs], learner.peaks, rounded) * learner.steps[i]


@kernel
def _codes_back(matrix: np.ndarray, scale: np.ndarray, gradient: np.ndarray, of_codes: np.ndarray) -> None:
    """of_codes (inputs,) = the sum over outputs of gradient * scale * weights, in their order."""
    inputs = len(of_codes)
    of_codes[:] = 0
    for o in range(0, len(gradient) // 4 * 4, 4):
        a, b = _still(gradient[o] * scale[o]), _still(gradient[o + 1] * scale[o + 1])
        c, d = _still(gradient[o + 2] * scale[o + 2]), _still(gradient[o + 3] * scale[o + 3])
        rows = matrix[o * inputs : (o + 4) * inputs]
        first, second, third, fourth = (
            rows[:inputs],
            rows[inputs : 2 * inputs],
            rows[2 * inputs : 3 * inputs],
            rows[3 * inputs :],
        )
        for i in range(inputs):
            total = of_codes[i] + a * np.float32(first[i])
            total = total + b * np.float32(second[i])
            total = total + c * np.float32(third[i])
            of_codes[i] = total + d * np.float32(fourth[i])
    for o in range(len(gradient) // 4 * 4, len(gradient)):
        a = _still(gradient[o] * scale[o])
        for i in range(inputs):
            of_codes[i] = of_codes[i] + a * np.float32(matrix[o * inputs + i])


@kernel
def _weights_back(gradient: np.ndarray, o: int, codes: np.ndarray, row: np.ndarray) -> Any:
    """row (inputs,) = the sum over symbols of the gradient of output o times its codes, in their order; and of 1."""
    inputs = len(row)
    row[:] = 0
    of_bias = _ZERO
    for n in range(0, STEPS, 4):
        a, b, c, d = gradient[n, o], gradient[n + 1, o], gradient[n + 2, o], gradient[n + 3, o]
        of_bias = (((of_bias + a) + b) + c) + d
        first, second, third, fourth = codes[n], codes[n + 1], codes[n + 2], codes[n + 3]
        for i in range(inputs):
            total = row[i] + a * first[i]
            total = total + b * second[i]
            total = total + c * third[i]
            row[i] = total + d * fourth[i]
    return of_bias


@kernel
def _step(weight: np.ndarray, square: np.ndarray, gradient: np.ndarray, whole: Any) -> None:
    """One step of weights (n,) down their gradient, whose mean squares are brought up to date."""
    for i in range(len(weight)):
        mean = max(square[i] * _KEPT + (gradient[i] * gradient[i]) * _TAKEN, _LEAST_SQUARE)
        square[i] = mean
        root = np.sqrt(mean * whole) + _LEAST_ROOT
        weight[i] = weight[i] - (gradient[i] * _RATE) / root


@kernel
def _round_row(weight: np.ndarray, peaks: np.ndarray, codes: np.ndarray) -> Any:
    """The codes nearest to a row of weights, and what a code of 1 stands for."""
    peaks[:] = _LEAST_WEIGHT
    for i in range(0, len(weight), _PEAKS):
        for j in range(_PEAKS):
            peaks[j] = max(peaks[j], abs(weight[i + j]))
    largest = _LEAST_WEIGHT
    for j in range(_PEAKS):
        largest = max(largest, peaks[j])
    inverse = _WEIGHT_LIMIT / largest
    for i in range(len(weight)):
        codes[i] = np.int8(min(max(np.rint(weight[i] * inverse), -_WEIGHT_LIMIT), _WEIGHT_LIMIT))
    return largest / _WEIGHT_LIMIT
