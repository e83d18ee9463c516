"""The network among the experts; where it learns, beside it one that does not, an expert of its own.

What learns follows the file, what does not still knows all that it was trained on: the mixer finds out which to trust.
The other is the same network as it was, or a larger one, for which learning would take too long.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from ..exact import helper, kernels, learning
from ..exact.learner import Learner
from ..exact.program import Program, State, empty_program, fresh_state
from ..jit import inlined, kernel
from . import mixture as mx

_WEIGHTS, _SUMS = 256, 512  # room for a network's weights, and behind them for the sums over them
_EACH = _WEIGHTS + _SUMS
SCRATCH = 2 * _EACH


class Networks(NamedTuple):
    """Programs, and what a sequence's memories are."""

    program: Program
    state: State
    learner: Learner
    other: Program  # which does not learn; empty unless the first does
    other_state: State  # it remembers what the first does, in the same memory


def fresh_networks(program: Program, learns: bool, beside: Program | None = None, helped: bool = False) -> Networks:
    """Before the first byte of a block.

    beside: what stands beside a network that learns, in place of the same as it was; it must read the same rows.
    helped: whether a second core may help, where it pays.
    """
    other = (program if beside is None else beside) if learns else empty_program()
    own, state, learner = learning.begin(program, learns, helped and helper.pays(program))
    return Networks(own, state, learner, other, fresh_state(other, state.memory, helped and helper.pays(other)))


def assisted(networks: Networks) -> AbstractContextManager[None]:
    """Inside, a second core helps the network that may be helped, if there is one."""
    if len(networks.state.board):
        return helper.helped(networks.program, networks.state)
    return helper.helped(networks.other, networks.other_state)


@kernel
def ask(networks: Networks, scratch: np.ndarray) -> None:
    """Run what there is for the next byte; its weights (256,) and the sums over them into scratch (1536,) int64."""
    learning.weights(networks.program, networks.state, networks.learner, scratch[:_WEIGHTS])
    mx.plant(scratch[_WEIGHTS:_EACH], scratch[:_WEIGHTS])
    if len(networks.learner.clock):
        kernels.weights(networks.other, networks.other_state, scratch[_EACH : _EACH + _WEIGHTS])
        mx.plant(scratch[_EACH + _WEIGHTS :], scratch[_EACH : _EACH + _WEIGHTS])


@inlined
def consult(numbers: np.ndarray, scratch: np.ndarray, learns: bool) -> None:
    """Take their probabilities of a 1 as the next bit."""
    numbers[mx.NETWORK_SAYS] = mx.probability(scratch[_WEIGHTS:_EACH], numbers[mx.PARTIAL])
    if learns:
        numbers[mx.OTHER_SAYS] = mx.probability(scratch[_EACH + _WEIGHTS :], numbers[mx.PARTIAL])


@kernel
def follow(networks: Networks, scratch: np.ndarray, symbol: int) -> None:
    """Take the byte that followed what ``ask`` was asked for."""
    learning.follow(networks.program, networks.state, networks.learner, scratch[:_WEIGHTS], symbol)


@inlined
def bits(scratch: np.ndarray, symbol: int) -> float:
    """What the network alone would take for the next byte."""
    return np.log2(scratch[_WEIGHTS + 1] / scratch[symbol])


@inlined
def bits_beside(scratch: np.ndarray, symbol: int) -> float:
    """What the one beside it would."""
    return bits(scratch[_EACH:], symbol)
