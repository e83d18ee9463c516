"""Gradient descent while coding: networks and stacks that learn from the symbols that both sides know by then.

Known as dynamic evaluation (Krause et al. 2018, "Dynamic evaluation of neural sequence models"): after a chunk of
symbols the weights take one step down the gradient of what these cost, so that they follow the file at hand. Steps are
divided by the root of each weight's fading mean square gradient (RMSProp; Tieleman and Hinton 2012), and gradients
pass roundings as they do in training (``rounding``).

Here the gradients themselves must be the same on every machine. They are float32, and each is a sum over symbols or
outputs in a written order, one IEEE operation at a time: what runs side by side in a vector are different sums, never
parts of one. Between layers gradients are rounded to multiples of 2**-13 and held below 2**30, so that nothing ever
becomes subnormal, infinite or no number (docs/EXACT.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit import inlined, kernel
from . import kernels
from . import program as p
from . import spec as s
from . import tables as t
from .learner import CODES, COUNT, DONE, FROM, GROUP, NOW, PEAKS, REALS, Learner

UNIT = np.float32(2.0**16)  # gradients are of so many nats: large, so that little is lost in rounding

_FADE = 0.999  # of the mean squares, a step
_KEPT, _TAKEN = np.float32(_FADE), np.float32(1 - _FADE)
_LEAST_SQUARE = np.float32(1e-20)
_LEAST_ROOT = np.float32(2.0**-10)
_STILL = np.float32(1.5 * 2.0**11)  # added and taken away, it rounds to multiples of 2**-12 what is below 2**10
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


@kernel
def forward(
    layers: np.ndarray,
    start: int,
    stop: int,
    weights: np.ndarray,
    constants: np.ndarray,
    sigmoid: np.ndarray,
    states: np.ndarray,
    total: np.ndarray,
    sums: np.ndarray,
    codes: np.ndarray,
    reals: np.ndarray,
    plan: np.ndarray,
) -> None:
    """Run the layers from ``start`` on, and keep what ``descend`` will ask for in codes and reals, rows of a learner's.

    The first layer's codes stand there already, and total (width,), the residual sum, at what it begins with; states:
    of all recurrences; sums (4,) int32 is room to work in. The outputs are the last layer's reals.
    """
    for i in range(start, stop):
        layer = layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        entering, leaving, kept, last = plan[i, FROM], plan[i, CODES], plan[i, REALS], plan[i - 1, REALS]
        if kind == p.LINEAR:
            matrix = weights[layer[p.WEIGHTS] : layer[p.WEIGHTS] + inputs * outputs]
            at, made = layer[p.CONSTANTS], reals[kept : kept + outputs]
            scale, bias = constants[at : at + outputs], constants[at + outputs : at + 2 * outputs]
            kernels.linear(matrix, scale, bias, codes[entering : entering + inputs], sums, made)
        elif kind == p.NORM:
            for j in range(outputs):
                reals[kept + j] = total[j]
            kernels.norm(total[:outputs], codes[leaving : leaving + outputs])
        elif kind == p.RECURRENCE:
            h = states[layer[p.REALS] : layer[p.REALS] + outputs]
            kernels.recurrence(reals[last : last + inputs], h, sigmoid, codes[leaving : leaving + outputs])
            for j in range(outputs):
                reals[kept + j] = h[j]
        elif kind == p.SQUARED_RELU:
            kernels.squared_relu(reals[last : last + inputs], codes[leaving : leaving + outputs])
        else:
            for j in range(outputs):
                total[j] = total[j] + reals[last + j]


@kernel
def still(x: Any) -> Any:
    """A gradient as it is passed on."""
    return (min(max(x, -_LARGEST), _LARGEST) + _STILL) - _STILL


@kernel
def begin_step(learner: Learner) -> float:
    """Count a step; what mean squares are to be multiplied by, because they began at 0."""
    learner.clock[DONE] += 1
    learner.clock[NOW] = 0
    learner.fading[0] = max(learner.fading[0] * _FADE, 1e-30)
    return np.float32(1 / (1 - learner.fading[0]))


@kernel
def descend(
    layers: np.ndarray,
    start: int,
    stop: int,
    weights: np.ndarray,
    constants: np.ndarray,
    sigmoid: np.ndarray,
    learner: Learner,
    stack: int,
    rate: float,
    whole: float,
) -> None:
    """One step of the layers from ``start`` on, the last first; the gradient of their outputs is at hand."""
    learner.of_sum[:] = 0
    reals = learner.reals
    for i in range(stop - 1, start - 1, -1):
        layer = layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        kept, before = learner.plan[i, REALS], learner.plan[i - 1, REALS]
        if kind == p.LINEAR:
            gradient = learner.of_reals
            if i == stop - 1:
                gradient = learner.of_outputs[stack]
            elif layers[i + 1, p.KIND] == p.ADD:
                gradient = learner.of_sum
            _linear_back(layer, weights, constants, learner, i, gradient, i > start, rate, whole)
        elif kind == p.NORM:
            for n in range(len(reals)):
                x = reals[n, kept : kept + outputs]
                _norm_back(x, learner.of_codes[n, :outputs], learner.of_sum[n, :outputs])
        elif kind == p.RECURRENCE:
            first, carry = learner.first[layer[p.REALS] : layer[p.REALS] + outputs], learner.rows[0, :outputs]
            carry[:] = 0
            for n in range(len(reals) - 1, -1, -1):
                earlier = reals[n - 1, kept : kept + outputs] if n else first
                x, h = reals[n, before : before + inputs], reals[n, kept : kept + outputs]
                _recurrence_back(x, h, earlier, sigmoid, learner.of_codes[n], carry, learner.of_reals[n])
        elif kind == p.SQUARED_RELU:
            for n in range(len(reals)):
                x = reals[n, before : before + outputs]
                _squared_relu_back(x, learner.of_codes[n, :outputs], learner.of_reals[n, :outputs])


# Of one symbol each. Rows are handed over one by one: only of an array without gaps does LLVM make vectors.


@kernel
def _norm_back(x: np.ndarray, of_codes: np.ndarray, of_sum: np.ndarray) -> None:
    """Adds to of_sum (width,) what comes through the codes and through the root mean square of x (width,)."""
    width = len(x)
    inverse, through = kernels.inverse_root(x), _ZERO
    for i in range(width):
        inside = abs(x[i] * inverse * _PER_NORM) < _INSIDE
        of_codes[i] = still(of_codes[i] * _PER_NORM) if inside else _ZERO
    for i in range(width):
        through = through + of_codes[i] * x[i]
    per_square = np.float32(s.STATISTIC_STEP**2 / width)
    of_square = still(through * inverse) * inverse * inverse * per_square * _PER_STATISTIC  # 2 and 1/2 cancel
    for i in range(width):
        coarse = x[i] * _PER_STATISTIC
        squares = of_square * np.rint(coarse) if abs(coarse) < _INSIDE else _ZERO
        of_sum[i] = still(of_sum[i] + (of_codes[i] * inverse - squares))


@kernel
def _recurrence_back(
    x: np.ndarray,
    h: np.ndarray,
    earlier: np.ndarray,
    table: np.ndarray,
    of_codes: np.ndarray,
    carry: np.ndarray,
    of_x: np.ndarray,
) -> None:
    """x (3 * width,), the states h (width,) and those before -> of_x; carry (width,): what later states pass back."""
    width = len(h)
    for i in range(width):
        raw_f, raw_g = x[i], x[2 * width + i]
        f, g = kernels.sigmoid(table, raw_f), kernels.sigmoid(table, raw_g)
        z = min(max(x[width + i], -_INPUT), _INPUT)
        out = h[i] * g
        of_out = still(of_codes[i] * _PER_GATED) if abs(out * _PER_GATED) < _INSIDE else _ZERO
        slope = out * (_ONE - g)  # the sigmoid's step and its slope's cancel
        of_x[2 * width + i] = still(of_out * slope) if abs(raw_g * _PER_SIGMOID) < _INSIDE else _ZERO
        of_state = still(carry[i] + of_out * g)
        of_x[width + i] = still(of_state * (_ONE - f)) if z == x[width + i] else _ZERO
        slope = (earlier[i] - z) * (f * (_ONE - f))
        of_x[i] = still(of_state * slope) if abs(raw_f * _PER_SIGMOID) < _INSIDE else _ZERO
        carry[i] = still(of_state * f)


@kernel
def _squared_relu_back(x: np.ndarray, of_codes: np.ndarray, of_x: np.ndarray) -> None:
    """x (width,) -> of_x (width,)."""
    for i in range(len(x)):
        positive = max(x[i], _ZERO)
        g = of_codes[i]
        # At the limit only what leads inwards.
        passes = positive * positive * _PER_SQUARE <= _LIMIT - _HALF or g > _ZERO
        of_x[i] = still(g * positive * _TWICE_PER_SQUARE) if passes else _ZERO


@kernel
def _linear_back(
    layer: np.ndarray,
    weights: np.ndarray,
    constants: np.ndarray,
    learner: Learner,
    i: int,
    gradient: np.ndarray,
    on: bool,
    rate: float,
    whole: float,
) -> None:
    """From the gradient (chunk, outputs) of a linear layer's reals to that of its codes, and a step of its weights."""
    inputs, outputs, at, scales = layer[p.INPUTS], layer[p.OUTPUTS], layer[p.WEIGHTS], layer[p.CONSTANTS]
    count = learner.plan[i, COUNT]
    scale, bias = constants[scales : scales + outputs], constants[scales + outputs : scales + 2 * outputs]
    squares = learner.bias_squares[scales + outputs : scales + 2 * outputs]
    entering, chunk = learner.plan[i, FROM], len(learner.codes)
    for n in range(chunk):
        codes, as_floats = learner.codes[n, entering : entering + inputs], learner.inputs[n, :inputs]
        for j in range(inputs):
            as_floats[j] = np.float32(codes[j])
    if on:
        matrix = weights[at : at + inputs * outputs]
        for n in range(0, chunk, GROUP):
            _codes_back(matrix, scale, gradient[n : n + GROUP], inputs, learner.of_codes[n : n + GROUP])
    for o in range(count):
        if o % GROUP == 0:
            _weights_back(gradient, o, learner.inputs, inputs, learner.rows, learner.of_biases)
        first, row = at + o * inputs, learner.rows[o % GROUP, :inputs]
        of_bias = learner.of_biases[o % GROUP : o % GROUP + 1]
        _step(bias[o : o + 1], squares[o : o + 1], of_bias, rate, whole)
        _step(learner.weights[first : first + inputs], learner.weight_squares[first : first + inputs], row, rate, whole)
        rounded = weights[first : first + inputs]
        scale[o] = _round_row(learner.weights[first : first + inputs], learner.peaks, rounded) * learner.steps[i]


# Sums four at a time, each of four products more: what is read once serves sixteen times.
assert GROUP == 4


@inlined
def _and_four(total: Any, a: Any, b: Any, c: Any, d: Any, x: Any, y: Any, z: Any, w: Any) -> Any:
    return (((total + a * x) + b * y) + c * z) + d * w


@kernel
def _codes_back(matrix: np.ndarray, scale: np.ndarray, gradient: np.ndarray, inputs: int, of_codes: np.ndarray) -> None:
    """Of four symbols, the sum over outputs of gradient * scale * weights, in their order -> of_codes (4, inputs).

    gradient: (4, ...), outputs padded like the scales; those of padding may be anything finite, as scales there are 0.
    """
    to_a, to_b, to_c, to_d = of_codes[0, :inputs], of_codes[1, :inputs], of_codes[2, :inputs], of_codes[3, :inputs]
    to_a[:] = to_b[:] = to_c[:] = to_d[:] = 0
    g, h, j, k = gradient[0], gradient[1], gradient[2], gradient[3]
    for o in range(0, len(scale), GROUP):
        s0, s1, s2, s3 = scale[o], scale[o + 1], scale[o + 2], scale[o + 3]
        a0, a1, a2, a3 = still(g[o] * s0), still(g[o + 1] * s1), still(g[o + 2] * s2), still(g[o + 3] * s3)
        b0, b1, b2, b3 = still(h[o] * s0), still(h[o + 1] * s1), still(h[o + 2] * s2), still(h[o + 3] * s3)
        c0, c1, c2, c3 = still(j[o] * s0), still(j[o + 1] * s1), still(j[o + 2] * s2), still(j[o + 3] * s3)
        d0, d1, d2, d3 = still(k[o] * s0), still(k[o + 1] * s1), still(k[o + 2] * s2), still(k[o + 3] * s3)
        rows = matrix[o * inputs : (o + GROUP) * inputs]
        first, second = rows[:inputs], rows[inputs : 2 * inputs]
        third, fourth = rows[2 * inputs : 3 * inputs], rows[3 * inputs :]
        for i in range(inputs):
            x, y = np.float32(first[i]), np.float32(second[i])
            z, w = np.float32(third[i]), np.float32(fourth[i])
            to_a[i] = _and_four(to_a[i], a0, a1, a2, a3, x, y, z, w)
            to_b[i] = _and_four(to_b[i], b0, b1, b2, b3, x, y, z, w)
            to_c[i] = _and_four(to_c[i], c0, c1, c2, c3, x, y, z, w)
            to_d[i] = _and_four(to_d[i], d0, d1, d2, d3, x, y, z, w)


@kernel
def _weights_back(
    gradient: np.ndarray, o: int, codes: np.ndarray, inputs: int, rows: np.ndarray, of_biases: np.ndarray
) -> None:
    """Of outputs from o on, the sum over symbols of gradient times codes -> rows (4, inputs); of 1 -> of_biases."""
    to_a, to_b, to_c, to_d = rows[0, :inputs], rows[1, :inputs], rows[2, :inputs], rows[3, :inputs]
    to_a[:] = to_b[:] = to_c[:] = to_d[:] = 0
    of_biases[:] = 0
    for n in range(0, len(codes), GROUP):
        g, h, j, k = gradient[n], gradient[n + 1], gradient[n + 2], gradient[n + 3]
        a0, a1, a2, a3 = g[o], h[o], j[o], k[o]
        b0, b1, b2, b3 = g[o + 1], h[o + 1], j[o + 1], k[o + 1]
        c0, c1, c2, c3 = g[o + 2], h[o + 2], j[o + 2], k[o + 2]
        d0, d1, d2, d3 = g[o + 3], h[o + 3], j[o + 3], k[o + 3]
        of_biases[0] = (((of_biases[0] + a0) + a1) + a2) + a3
        of_biases[1] = (((of_biases[1] + b0) + b1) + b2) + b3
        of_biases[2] = (((of_biases[2] + c0) + c1) + c2) + c3
        of_biases[3] = (((of_biases[3] + d0) + d1) + d2) + d3
        first, second = codes[n, :inputs], codes[n + 1, :inputs]
        third, fourth = codes[n + 2, :inputs], codes[n + 3, :inputs]
        for i in range(inputs):
            x, y, z, w = first[i], second[i], third[i], fourth[i]
            to_a[i] = _and_four(to_a[i], a0, a1, a2, a3, x, y, z, w)
            to_b[i] = _and_four(to_b[i], b0, b1, b2, b3, x, y, z, w)
            to_c[i] = _and_four(to_c[i], c0, c1, c2, c3, x, y, z, w)
            to_d[i] = _and_four(to_d[i], d0, d1, d2, d3, x, y, z, w)


@kernel
def _step(weight: np.ndarray, square: np.ndarray, gradient: np.ndarray, rate: Any, whole: Any) -> None:
    """One step of weights (n,) down their gradient, whose mean squares are brought up to date."""
    for i in range(len(weight)):
        mean = max(square[i] * _KEPT + (gradient[i] * gradient[i]) * _TAKEN, _LEAST_SQUARE)
        square[i] = mean
        root = np.sqrt(mean * whole) + _LEAST_ROOT
        weight[i] = weight[i] - (gradient[i] * rate) / root


@kernel
def _round_row(weight: np.ndarray, peaks: np.ndarray, codes: np.ndarray) -> Any:
    """The codes nearest to a row of weights, and what a code of 1 stands for."""
    peaks[:] = _LEAST_WEIGHT
    for i in range(0, len(weight), PEAKS):
        for j in range(PEAKS):
            peaks[j] = max(peaks[j], abs(weight[i + j]))
    largest = _LEAST_WEIGHT
    for j in range(PEAKS):
        largest = max(largest, peaks[j])
    inverse = _WEIGHT_LIMIT / largest
    for i in range(len(weight)):
        codes[i] = np.int8(min(max(np.rint(weight[i] * inverse), -_WEIGHT_LIMIT), _WEIGHT_LIMIT))
    return largest / _WEIGHT_LIMIT
