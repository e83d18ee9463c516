"""A network that goes on learning while it codes; ``descent`` says how."""

from __future__ import annotations

import numpy as np

from ..jit import kernel
from . import descent, kernels
from . import program as p
from . import spec as s
from .contexts import remember
from .descent import UNIT
from .learner import BYTES_CHUNK, BYTES_RATE, NOW, REALS, Layout, Learner, fresh_learner, learner_memory, no_learner
from .learner import can_learn as layers_can_learn
from .program import Program, State, fresh_state

_PER_BIT = np.float32(0.6931471805599453) * UNIT  # of the gradient of a logit: ln 2, not asked of a library


def can_learn(program: Program) -> bool:
    """Whether gradients are computed of its family's layers."""
    return layers_can_learn(_layout(program))


def begin(program: Program, learns: bool, helped: bool = False) -> tuple[Program, State, Learner]:
    """All that a sequence needs before its first symbol; one that learns gets weights of its own.

    helped: whether a second core may help one that does not. Raises ModelError for a program that cannot learn.
    """
    if not learns:
        return program, fresh_state(program, helped=helped), no_learner()
    program = program._replace(weights=program.weights.copy(), constants=program.constants.copy())
    return program, fresh_state(program), fresh_learner(_layout(program), program.weights, program.constants)


def memory(program: Program) -> int:
    """Bytes that a sequence takes which learns: its copy of the program and what it has learnt."""
    return learner_memory(_layout(program), len(program.weights), len(program.constants))


def _layout(program: Program) -> Layout:
    all_of_them = np.array([0, len(program.layers)])
    return Layout(program.layers, all_of_them, s.EMBED_STEP, s.ALPHABET, int(program.shape[p.STATE_REALS]), BYTES_CHUNK)


@kernel
def weights(program: Program, state: State, learner: Learner, out: np.ndarray) -> None:
    """``kernels.weights``, remembering what learning will ask for."""
    if len(learner.clock) == 0:
        kernels.weights(program, state, out)
        return
    codes, reals = learner.codes[learner.clock[NOW]], learner.reals[learner.clock[NOW]]
    kernels.embed(program, state)
    for i in range(program.shape[p.CONTEXTS] * program.shape[p.ROW_WIDTH]):  # behind them zeros remain
        codes[i] = state.codes_now[i]
    layers = program.layers
    descent.forward(
        layers,
        0,
        len(layers),
        program.weights,
        program.constants,
        program.sigmoid,
        state.reals,
        state.sum,
        state.sums,
        codes,
        reals,
        learner.plan,
    )
    logits = learner.plan[len(layers) - 1, REALS]
    kernels.weigh(program, reals[logits : logits + s.ALPHABET], out)


@kernel
def follow(program: Program, state: State, learner: Learner, weights: np.ndarray, symbol: int) -> None:
    """Take the symbol that followed, for which ``weights`` gave these weights; learn when there are enough."""
    remember(state.memory, symbol)
    if len(learner.clock) == 0:
        return
    now = learner.clock[NOW]
    total = np.int64(0)
    for i in range(s.ALPHABET):
        total += weights[i]
    gradient = learner.of_outputs[0, now]
    for i in range(s.ALPHABET):
        gradient[i] = descent.still((np.float32(weights[i]) / np.float32(total)) * _PER_BIT)
    gradient[symbol] = gradient[symbol] - _PER_BIT
    learner.clock[NOW] = now + 1
    if now + 1 == len(learner.codes):
        layers, whole = program.layers, descent.begin_step(learner)
        descent.descend(
            layers,
            0,
            len(layers),
            program.weights,
            program.constants,
            program.sigmoid,
            learner,
            0,
            BYTES_RATE,
            whole,
        )
        for i in range(len(state.reals)):
            learner.first[i] = state.reals[i]
