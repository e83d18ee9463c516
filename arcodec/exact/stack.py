"""Stacks compiled: their layers as rows of numbers over flat arrays, like a program's, and a kernel that runs one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import kernel
from . import descent
from . import kernels as k
from . import program as p
from . import spec as s
from .dot import LANES, ROWS, padded
from .learner import (
    FROM,
    NOW,
    PIXELS_CHUNK,
    PIXELS_RATE,
    REALS,
    Layout,
    Learner,
    fresh_learner,
    learner_memory,
    no_learner,
)

_OUTPUTS = 3  # place in StackProgram.shape


class StackProgram(NamedTuple):
    """Read-only, shared by all who run it."""

    layers: np.ndarray  # (layers, 9) int64, see program
    starts: np.ndarray  # (stacks + 1,) int64: where in layers each stack begins
    weights: np.ndarray  # int8
    constants: np.ndarray  # float32
    exp2: np.ndarray  # (1537,) float32: 2**(24 - i / 64), integers
    shape: np.ndarray  # (4,) int64: width, widest reals, widest codes, outputs of each stack


class StackState(NamedTuple):
    """Room to work in."""

    codes: np.ndarray  # int16: the inputs, and then the codes of the layer at hand
    sum: np.ndarray  # (width,) float32, the residual sum
    work: np.ndarray  # float32: the reals of the layer at hand, and at last the outputs
    sums: np.ndarray  # (4,) int32


def compile_stacks(stacks: s.Stacks, tensors: dict[str, np.ndarray]) -> StackProgram:
    """Lay out stacks whose tensors were checked against ``stacks.tensors()``."""
    weights, constants = p.Flat(np.int8), p.Flat(np.float32)
    rows: list[list[int]] = []
    starts, width, widest_reals, widest_codes, outputs = [0], 0, 0, 0, 0
    for c, stack in enumerate(stacks.stacks):
        width, outputs = max(width, stack.width), stack.outputs
        branch = "first"
        for prefix, layer in stack.layers():
            if prefix.partition(".")[0] != branch and branch != "first":
                rows.append([p.ADD, stack.width, stack.width, 0, 0, 0, 0, 0, 0])
            branch = prefix.partition(".")[0]
            match layer:
                case s.Linear(inputs, many):
                    rows.append(p.linear_row(tensors, f"{c}.{prefix}", inputs, many, weights, constants))
                    widest_reals, widest_codes = max(widest_reals, many), max(widest_codes, inputs)
                case s.Norm(size):
                    rows.append([p.NORM, size, size, 0, 0, 0, 0, 0, 0])
                case s.SquaredRelu(size):
                    rows.append([p.SQUARED_RELU, size, size, 0, 0, 0, 0, 0, 0])
                case _:
                    raise AssertionError(f"{layer} has a memory")
            if prefix == "first":
                rows.append([p.ADD, stack.width, stack.width, 0, 0, 0, 0, 0, 0])
        starts.append(len(rows))
    return StackProgram(
        np.array(rows, np.int64).reshape(-1, p.COLUMNS),
        np.array(starts, np.int64),
        weights.joined(),
        constants.joined(),
        tensors["exp2"].astype(np.float32),
        np.array([width, padded(widest_reals, ROWS), padded(widest_codes, LANES), outputs], np.int64),
    )


def empty_stacks(inputs: int = 0) -> StackProgram:
    """No stack, but room for so many inputs: where a signature wants one that is not run."""
    nothing = compile_stacks(s.Stacks(()), {"exp2": np.zeros(24 * 64 + 1, np.int32)})
    return nothing._replace(shape=np.array([0, 0, padded(inputs, LANES), 0], np.int64))


def fresh_stack_state(program: StackProgram) -> StackState:
    """Room for one who runs it."""
    width, reals, codes, _ = program.shape
    return StackState(
        np.zeros(codes, np.int16), np.zeros(width, np.float32), np.zeros(reals, np.float32), np.zeros(ROWS, np.int32)
    )


def answers(program: StackProgram, codes: np.ndarray, outputs: int) -> np.ndarray:
    """What each stack answers to codes (n, inputs) -> (n, stacks, outputs) float32."""
    state, stacks = fresh_stack_state(program), len(program.starts) - 1
    result = np.empty((len(codes), stacks, outputs), np.float32)
    for i, told in enumerate(codes):
        for stack in range(stacks):
            state.codes[: codes.shape[1]] = told
            run_stack(program, state, stack)
            result[i, stack] = state.work[:outputs]
    return result


def begin(program: StackProgram, learns: bool) -> tuple[StackProgram, StackState, Learner]:
    """All that a block needs before its first pixel; one whose stacks learn gets weights of its own."""
    if not learns:
        return program, fresh_stack_state(program), no_learner()
    program = program._replace(weights=program.weights.copy(), constants=program.constants.copy())
    learner = fresh_learner(_layout(program), program.weights, program.constants)
    return program, fresh_stack_state(program), learner


def memory(program: StackProgram) -> int:
    """Bytes that a block takes whose stacks learn: its copy of the program and what it has learnt."""
    return learner_memory(_layout(program), len(program.weights), len(program.constants))


def _layout(program: StackProgram) -> Layout:
    return Layout(program.layers, program.starts, s.INPUT_STEP, int(program.shape[_OUTPUTS]), 0, PIXELS_CHUNK)


@kernel
def run_and_remember(program: StackProgram, state: StackState, learner: Learner, stack: int) -> None:
    """``run_stack``, remembering what learning will ask for."""
    if len(learner.clock) == 0:
        run_stack(program, state, stack)
        return
    now, start, stop = learner.clock[NOW], program.starts[stack], program.starts[stack + 1]
    codes, reals, first = learner.codes[now], learner.reals[now], learner.plan[start, FROM]
    for i in range(program.layers[start, p.INPUTS]):
        codes[first + i] = state.codes[i]
    for j in range(len(state.sum)):
        state.sum[j] = np.float32(0)
    descent.forward(
        program.layers,
        start,
        stop,
        program.weights,
        program.constants,
        learner.first,
        learner.first,
        state.sum,
        state.sums,
        codes,
        reals,
        learner.plan,
    )  # there is no recurrence: neither its table nor its states are read
    outputs = learner.plan[stop - 1, REALS]
    for i in range(program.shape[_OUTPUTS]):
        state.work[i] = reals[outputs + i]


@kernel
def end_pixel(program: StackProgram, learner: Learner, stacks: int) -> None:
    """Learn when there are enough pixels; stacks: how many ran, and have the gradients of their outputs at hand."""
    learner.clock[NOW] += 1
    if learner.clock[NOW] < len(learner.codes):
        return
    whole = descent.begin_step(learner)
    for stack in range(stacks):
        descent.descend(
            program.layers,
            program.starts[stack],
            program.starts[stack + 1],
            program.weights,
            program.constants,
            learner.first,
            learner,
            stack,
            PIXELS_RATE,
            whole,
        )


@kernel
def run_stack(program: StackProgram, state: StackState, stack: int) -> None:
    """state.codes -> state.work, by one of the stacks."""
    work, now = state.work, state.codes
    for j in range(len(state.sum)):
        state.sum[j] = np.float32(0)
    for i in range(program.starts[stack], program.starts[stack + 1]):
        layer = program.layers[i]
        kind, inputs, outputs = layer[p.KIND], layer[p.INPUTS], layer[p.OUTPUTS]
        if kind == p.LINEAR:
            matrix = program.weights[layer[p.WEIGHTS] : layer[p.WEIGHTS] + inputs * outputs]
            at = layer[p.CONSTANTS]
            scale, bias = program.constants[at : at + outputs], program.constants[at + outputs : at + 2 * outputs]
            k.linear(matrix, scale, bias, now[:inputs], state.sums, work[:outputs])
        elif kind == p.NORM:
            k.norm(state.sum[:inputs], now[:outputs])
        elif kind == p.SQUARED_RELU:
            k.squared_relu(work[:inputs], now[:outputs])
        else:
            for j in range(outputs):
                state.sum[j] = state.sum[j] + work[j]
