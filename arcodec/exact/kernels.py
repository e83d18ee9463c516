"""The layers compiled by numba: one sequence, one core, one symbol at a time.

Every function mirrors one layer of ``torch_layers`` operation by operation. Sums are of integers only; each float
operation is written so that it rounds once, in float32 (numba neither fuses nor reorders without fastmath).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..jit import kernel
from . import program as p
from . import spec as s
from . import tables as t
from .contexts import fill_rows
from .dot import matrix_vector
from .helper import share
from .memory import PAST
from .program import Program, State

_CODE_LIMIT = np.float32(s.CODE_LIMIT)
_STATISTIC_PER_UNIT = np.float32(1 / s.STATISTIC_STEP)
_STATISTIC_SQUARE = s.STATISTIC_STEP**2
_EPSILON = np.float32(s.NORM_EPSILON)
_NORM_PER_UNIT = np.float32(1 / s.NORM_STEP)
_GATED_PER_UNIT = np.float32(1 / s.GATED_STEP)
_SQUARE_PER_UNIT = np.float32(1 / s.SQUARE_STEP)
_EMBED_STEP = np.float32(s.EMBED_STEP)
_SIGMOID_PER_UNIT = np.float32(1 / t.SIGMOID_STEP)
_LOGIT_PER_BIT = np.float32(1 / t.LOGIT_STEP)
_INPUT_LIMIT = np.float32(s.INPUT_LIMIT)
_SNAP = np.float32(s.SNAP)
_ONE = np.float32(1)
_ZERO = np.float32(0)


@kernel
def _code(scaled: Any) -> Any:
    """The code of a real already divided by its step, as float32."""
    return min(max(np.rint(scaled), -_CODE_LIMIT), _CODE_LIMIT)


@kernel
def linear(
    weights: np.ndarray, scale: np.ndarray, bias: np.ndarray, codes: np.ndarray, sums: np.ndarray, out: np.ndarray
) -> None:
    """weights (outputs * inputs,), codes (inputs,) -> out (outputs,), sizes padded as in ``dot``."""
    matrix_vector(weights, codes, sums, out)
    _stretch(scale, bias, out)


@kernel
def _stretch(scale: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
    for o in range(len(out)):
        scaled = out[o] * scale[o]
        out[o] = scaled + bias[o]


@kernel
def inverse_root(x: np.ndarray) -> Any:
    """What a norm multiplies by: 1 over the root mean square, float32."""
    squares = np.int32(0)
    for i in range(len(x)):
        coarse = np.int32(_code(x[i] * _STATISTIC_PER_UNIT))
        squares = np.int32(squares + coarse * coarse)
    per_square = np.float32(_STATISTIC_SQUARE / len(x))
    mean = np.float32(squares) * per_square
    rms = np.sqrt(mean + _EPSILON)
    return _ONE / rms


@kernel
def norm(x: np.ndarray, codes: np.ndarray) -> None:
    """See spec.Norm."""
    inverse = inverse_root(x)
    for i in range(len(x)):
        y = x[i] * inverse
        codes[i] = np.int16(_code(y * _NORM_PER_UNIT))


@kernel
def sigmoid(table: np.ndarray, x: Any) -> Any:
    """Of a real, from the table."""
    return table[np.int64(_code(x * _SIGMOID_PER_UNIT)) + s.CODE_LIMIT]


@kernel
def recurrence(x: np.ndarray, h: np.ndarray, table: np.ndarray, codes: np.ndarray) -> None:
    """See spec.Recurrence; x (3 * width,) -> codes (width,), the states h (width,) move on."""
    width = len(h)
    for i in range(width):
        f = sigmoid(table, x[i])
        z = min(max(x[width + i], -_INPUT_LIMIT), _INPUT_LIMIT)
        b = (_ONE - f) * z
        kept = f * h[i]
        state = kept + b
        raised = state + _SNAP
        state = raised - _SNAP
        h[i] = state
        out = state * sigmoid(table, x[2 * width + i])
        codes[i] = np.int16(_code(out * _GATED_PER_UNIT))


@kernel
def squared_relu(x: np.ndarray, codes: np.ndarray) -> None:
    """See spec.SquaredRelu."""
    for i in range(len(x)):
        positive = max(x[i], _ZERO)
        square = positive * positive
        codes[i] = np.int16(min(np.rint(square * _SQUARE_PER_UNIT), _CODE_LIMIT))


@kernel
def _gate(x: np.ndarray, table: np.ndarray, codes: np.ndarray) -> None:
    width = len(x) // 2
    for i in range(width):
        y = x[i] * sigmoid(table, x[width + i])
        codes[i] = np.int16(_code(y * _GATED_PER_UNIT))


@kernel
def _delay(codes: np.ndarray, ring: np.ndarray, taps: int, dilation: int, clock: int) -> None:
    """codes (taps * width,): the first width hold those of now; the others are filled from ring (span, width)."""
    width = len(codes) // taps
    span = (taps - 1) * dilation
    for tap in range(1, taps):
        slot = (clock - tap * dilation) % span
        for i in range(width):
            codes[tap * width + i] = ring[slot, i]
    slot = clock % span
    for i in range(width):
        ring[slot, i] = codes[i]


@kernel
def _attend(
    x: np.ndarray,
    ring: np.ndarray,
    distance: np.ndarray,
    softmax: np.ndarray,
    scale: Any,
    clock: int,
    codes: np.ndarray,
    query: np.ndarray,
    scores: np.ndarray,
    sums: np.ndarray,
) -> None:
    """x (3 * width,) -> codes (width,); ring (window, 2 * width) holds keys and values, distance (heads, window).

    query (each,) int16, scores (window,) and sums (each,) int32 are room to work in.
    """
    width = len(codes)
    heads, window = distance.shape
    each = width // heads
    now = clock % window
    for i in range(2 * width):
        ring[now, i] = np.int8(_code(x[width + i] * _NORM_PER_UNIT))
    for head in range(heads):
        start = head * each
        for i in range(each):
            query[i] = np.int16(_code(x[start + i] * _NORM_PER_UNIT))
        best = np.int32(-(2**30))
        for j in range(window):
            slot = now - j if j <= now else now - j + window
            key = ring[slot, start : start + each]
            total = np.int32(0)
            for i in range(each):
                total = np.int32(total + np.int32(query[i]) * np.int32(np.int16(key[i])))
            score = np.int32(np.rint(np.float32(total) * scale)) + distance[head, j]
            scores[j] = score
            best = max(best, score)
        sums[:] = 0
        weight_sum = np.int32(0)
        for j in range(window):
            behind = best - scores[j]
            if behind >= len(softmax) - 1:  # weighs nothing
                continue
            weight = np.int16(softmax[behind])
            weight_sum = np.int32(weight_sum + weight)
            slot = now - j if j <= now else now - j + window
            value = ring[slot, width + start : width + start + each]
            for i in range(each):
                sums[i] = np.int32(sums[i] + np.int32(weight) * np.int32(np.int16(value[i])))
        divisor = np.float32(weight_sum)
        for i in range(each):
            codes[start + i] = np.int16(_code(np.float32(sums[i]) / divisor))


@kernel
def embed(program: Program, state: State) -> None:
    """Rows side by side, which the first layer projects; those added as they are begin the residual sum."""
    contexts, rows, codes = program.shape[p.CONTEXTS], state.rows, state.codes_now
    fill_rows(state.memory, program.shape[p.ROWS_LOG2], contexts, rows)
    last, width = program.last[state.memory.past[PAST] & np.uint64(255)], len(state.sum)
    for i in range(width):
        codes[i] = last[i]
    for c in range(contexts, len(rows)):
        row = program.followers[rows[c]]
        for i in range(width):
            codes[i] = np.int16(codes[i] + row[i])
    for i in range(width):
        state.sum[i] = np.float32(codes[i]) * _EMBED_STEP
    each = program.shape[p.ROW_WIDTH]
    for c in range(contexts):
        row = program.table[rows[c]]
        for i in range(each):
            codes[c * each + i] = row[i]


@kernel
def _logits(program: Program, state: State) -> None:
    """Write the logits of the next symbol, in bits, into the first 256 of state.work."""
    embed(program, state)
    clock = state.clock[0]
    work, now = state.work, state.codes_now
    for i in range(len(program.layers)):
        layer = program.layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        if kind == p.LINEAR:
            matrix = program.weights[layer[p.WEIGHTS] : layer[p.WEIGHTS] + inputs * outputs]
            at = layer[p.CONSTANTS]
            scale, bias = program.constants[at : at + outputs], program.constants[at + outputs : at + 2 * outputs]
            if len(state.board):
                share(state, i, matrix, now[:inputs], work[:outputs])
                _stretch(scale, bias, work[:outputs])
            else:
                linear(matrix, scale, bias, now[:inputs], state.sums, work[:outputs])
        elif kind == p.NORM:
            norm(state.sum, now[:outputs])
        elif kind == p.RECURRENCE:
            h = state.reals[layer[p.REALS] : layer[p.REALS] + outputs]
            recurrence(work[:inputs], h, program.sigmoid, now[:outputs])
        elif kind == p.SQUARED_RELU:
            squared_relu(work[:inputs], now[:outputs])
        elif kind == p.GATE:
            _gate(work[:inputs], program.sigmoid, now[:outputs])
        elif kind == p.DELAY:
            taps, dilation = layer[p.SIZE], layer[p.EXTRA]
            span = (taps - 1) * dilation
            ring = state.codes[layer[p.CODES] : layer[p.CODES] + span * inputs].reshape(span, inputs)
            _delay(now[:outputs], ring, taps, dilation, clock)
        elif kind == p.ATTEND:
            heads, window = layer[p.SIZE], layer[p.EXTRA]
            ring = state.codes[layer[p.CODES] : layer[p.CODES] + 2 * window * outputs].reshape(window, 2 * outputs)
            distance = program.distances[layer[p.WEIGHTS] : layer[p.WEIGHTS] + heads * window].reshape(heads, window)
            scale_one = program.constants[layer[p.CONSTANTS]]
            _attend(
                work[:inputs],
                ring,
                distance,
                program.softmax,
                scale_one,
                clock,
                now[:outputs],
                state.query,
                state.scores,
                state.head_sums,
            )
        else:
            for j in range(outputs):
                state.sum[j] = state.sum[j] + work[j]
    state.clock[0] = clock + 1


@kernel
def weights(program: Program, state: State, out: np.ndarray) -> None:
    """Integer weights (256,) int64 of the next symbol, 1..2**24, proportional to 2**logit."""
    _logits(program, state)
    weigh(program, state.work[: s.ALPHABET], out)


@kernel
def weigh(program: Program, bits: np.ndarray, out: np.ndarray) -> None:
    """Integer weights (256,) from logits (256,), which are rounded to their step."""
    best = np.float32(-np.inf)
    for i in range(len(bits)):
        bits[i] = np.rint(bits[i] * _LOGIT_PER_BIT)
        best = max(best, bits[i])
    lowest = np.float32(len(program.exp2) - 1)
    for i in range(len(bits)):
        out[i] = program.exp2[np.int64(min(best - bits[i], lowest))]
