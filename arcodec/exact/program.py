"""A network laid out for the compiled engine: one row of numbers a layer, and flat arrays behind it.

Imports no torch, so that a command that compresses one file starts quickly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import spec as s
from .dot import LANES, ROWS, padded
from .memory import Memory, fresh_memory
from .packing import unpacked

NORM, LINEAR, RECURRENCE, SQUARED_RELU, GATE, DELAY, ATTEND, ADD = range(8)

# Columns of Program.layers
KIND, INPUTS, OUTPUTS, WEIGHTS, CONSTANTS, REALS, CODES, SIZE, EXTRA, COLUMNS = range(10)


class Program(NamedTuple):
    """Read-only, shared by all sequences."""

    layers: np.ndarray  # (layers, 9) int64, see the columns above; sizes of linear layers are padded, see dot
    weights: np.ndarray  # int8, the matrices one after the other, row by row
    constants: np.ndarray  # float32: scale and bias of each linear layer, the scale of each attention's scores
    distances: np.ndarray  # int32, of each attention layer
    sigmoid: np.ndarray  # (255,) float32
    exp2: np.ndarray  # (1537,) int64
    softmax: np.ndarray  # (96,) int32
    table: np.ndarray  # (rows, row_width) int8
    last: np.ndarray  # (256, width) int8
    followers: np.ndarray  # (rows, width) int8
    shape: (
        np.ndarray
    )  # int64: contexts, rows_log2, width of a row, width, widest reals, widest codes, state sizes, see the names below


class State(NamedTuple):
    """What one sequence remembers, and room to work in."""

    reals: np.ndarray  # float32, of the recurrences
    codes: np.ndarray  # int8, rings of delays and attentions
    clock: np.ndarray  # (1,) int64, symbols seen
    memory: Memory
    sum: np.ndarray  # (width,) float32, the residual sum
    work: np.ndarray  # float32, the reals of the layer at hand
    codes_now: np.ndarray  # int16, the codes of the layer at hand
    rows: np.ndarray  # int64, those of contexts and then those of followers
    sums: np.ndarray  # (4,) int32
    query: np.ndarray  # int16, of one head of attention
    scores: np.ndarray  # (longest window,) int32
    head_sums: np.ndarray  # int32, of one head
    board: np.ndarray  # (32,) int64, where it meets who helps, see helper; empty if nobody does
    answers: np.ndarray  # float32, what a helper computed of the layer at hand
    helper_sums: np.ndarray  # (4,) int32


# Places in Program.shape
CONTEXTS, ROWS_LOG2, ROW_WIDTH, WIDTH, WIDEST_REALS, WIDEST_CODES, STATE_REALS, STATE_CODES = range(8)
WIDEST_HEAD, LONGEST_WINDOW, FOLLOWERS, SHAPES = range(8, 12)
BOARD = 32  # words of State.board: two cache lines of the longest there are
_LINE = 32  # int32 in one


def fresh_state(program: Program, memory: Memory | None = None, helped: bool = False) -> State:
    """The state before the first symbol.

    memory: one that another network fills, which reads the same contexts. helped: whether a second core may help.
    """
    shape = program.shape
    return State(
        np.zeros(shape[STATE_REALS], np.float32),
        np.zeros(shape[STATE_CODES], np.int8),
        np.zeros(1, np.int64),
        fresh_memory(shape[FOLLOWERS]) if memory is None else memory,
        np.zeros(shape[WIDTH], np.float32),
        np.zeros(shape[WIDEST_REALS], np.float32),
        np.zeros(shape[WIDEST_CODES], np.int16),
        np.zeros(shape[CONTEXTS] + 2 * shape[FOLLOWERS], np.int64),
        np.zeros(ROWS, np.int32),
        np.zeros(shape[WIDEST_HEAD], np.int16),
        np.zeros(shape[LONGEST_WINDOW], np.int32),
        np.zeros(shape[WIDEST_HEAD], np.int32),
        np.zeros(BOARD if helped else 0, np.int64),
        np.zeros(shape[WIDEST_REALS] if helped else 0, np.float32),
        np.zeros(3 * _LINE, np.int32)[_LINE : _LINE + ROWS],  # apart from sums, which another core writes
    )


class Flat:
    """Arrays appended one behind the other."""

    def __init__(self, dtype: type) -> None:
        self.parts: list[np.ndarray] = [np.zeros(0, dtype)]
        self.dtype = dtype
        self.length = 0

    def append(self, array: np.ndarray) -> int:
        """Where the array begins."""
        start = self.length
        self.parts.append(array.astype(self.dtype).ravel())
        self.length += array.size
        return start

    def joined(self) -> np.ndarray:
        return np.ascontiguousarray(np.concatenate(self.parts))


def linear_row(
    tensors: dict[str, np.ndarray], prefix: str, inputs: int, outputs: int, weights: Flat, constants: Flat
) -> list[int]:
    """The row of a linear layer, whose matrix, scales and biases go behind those of the layers before it.

    Padding multiplies whatever lies behind the codes by 0, and gives outputs nobody reads.
    """
    wide, high = padded(inputs, LANES), padded(outputs, ROWS)
    matrix, affine = np.zeros((high, wide), np.int8), np.zeros((2, high), np.float32)
    matrix[:outputs, :inputs] = tensors[f"{prefix}.codes"]
    affine[:, :outputs] = tensors[f"{prefix}.scale"], tensors[f"{prefix}.bias"]
    return [LINEAR, wide, high, weights.append(matrix), constants.append(affine), 0, 0, 0, 0]


def compile_network(network: s.Network, tensors: dict[str, np.ndarray], table: np.ndarray | None = None) -> Program:
    """Lay out a network whose tensors were checked against ``network.tensors()``.

    table: its rows, if another program has them already.
    """
    weights, constants, distances = Flat(np.int8), Flat(np.float32), Flat(np.int32)
    rows: list[list[int]] = []
    state_reals = state_codes = widest_head = longest_window = 0
    widest_reals, widest_codes = max(s.ALPHABET, network.width), network.embed.contexts * network.embed.row_width

    def linear(prefix: str, inputs: int, outputs: int) -> None:
        rows.append(linear_row(tensors, prefix, inputs, outputs, weights, constants))

    linear("embed", network.embed.contexts * network.embed.row_width, network.width)
    rows.append([ADD, network.width, network.width, 0, 0, 0, 0, 0, 0])
    for b, branch in enumerate((*network.branches, network.head)):
        for i, layer in enumerate(branch):
            prefix = f"{b}.{i}"
            match layer:
                case s.Norm(width):
                    rows.append([NORM, width, width, 0, 0, 0, 0, 0, 0])
                case s.Linear(inputs, outputs):
                    linear(prefix, inputs, outputs)
                    widest_reals, widest_codes = max(widest_reals, outputs), max(widest_codes, inputs)
                case s.Recurrence(width):
                    rows.append([RECURRENCE, 3 * width, width, 0, 0, state_reals, 0, 0, 0])
                    state_reals += width
                    widest_codes = max(widest_codes, width)
                case s.SquaredRelu(width):
                    rows.append([SQUARED_RELU, width, width, 0, 0, 0, 0, 0, 0])
                case s.Gate(width):
                    rows.append([GATE, 2 * width, width, 0, 0, 0, 0, 0, 0])
                case s.Delay(width, taps, dilation):
                    rows.append([DELAY, width, taps * width, 0, 0, 0, state_codes, taps, dilation])
                    state_codes += layer.span * width
                    widest_codes = max(widest_codes, taps * width)
                case s.Attend(width, heads, window):
                    scale = constants.append(np.array([s.attention_scale(layer)]))
                    distance = distances.append(tensors[f"{prefix}.distance"])
                    rows.append([ATTEND, 3 * width, width, distance, scale, 0, state_codes, heads, window])
                    state_codes += 2 * window * width
                    widest_head, longest_window = max(widest_head, width // heads), max(longest_window, window)
        if b < len(network.branches):
            rows.append([ADD, network.width, network.width, 0, 0, 0, 0, 0, 0])

    embed = network.embed
    widest = padded(widest_reals, ROWS), padded(widest_codes, LANES)
    sizes = [embed.contexts, embed.rows_log2, embed.row_width, network.width]
    return Program(
        np.array(rows, np.int64),
        weights.joined(),
        constants.joined(),
        distances.joined(),
        np.ldexp(tensors["sigmoid"].astype(np.float32), -16),
        tensors["exp2"].astype(np.int64),
        np.ascontiguousarray(tensors["softmax"]),
        unpacked(tensors["embed.table"], embed.bits) if table is None else table,
        np.ascontiguousarray(tensors["embed.last"]),
        np.ascontiguousarray(tensors.get("embed.followers", np.zeros((0, network.width), np.int8))),
        np.array([*sizes, *widest, state_reals, state_codes, widest_head, longest_window, embed.followers], np.int64),
    )


def empty_program() -> Program:
    """A program of no layers, where a compiled loop's signature wants one that is not used."""
    none = np.zeros
    return Program(
        none((0, COLUMNS), np.int64),
        none(0, np.int8),
        none(0, np.float32),
        none(0, np.int32),
        none(0, np.float32),
        none(0, np.int64),
        none(0, np.int32),
        none((0, 0), np.int8),
        none((0, 0), np.int8),
        none((0, 0), np.int8),
        none(SHAPES, np.int64),
    )
