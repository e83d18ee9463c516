"""Compiled loops over bytes: the network, if there is one, then eight bits, each predicted, coded and learnt from."""

from __future__ import annotations

import numpy as np

from .. import range_kernel as rk
from ..exact import kernels
from ..exact.contexts import remember
from ..exact.program import Program, State
from ..jit import kernel
from . import mixture as mx
from .mixture import Mixture


@kernel
def encode(
    program: Program,
    state: State,
    network: bool,
    mixture: Mixture,
    coder: np.ndarray,
    words: np.ndarray,
    text: np.ndarray,
    start: int,
    stop: int,
    totals: np.ndarray,
) -> None:
    """Code text[start:stop]; adds to totals the bits of the mixture and of the network alone."""
    numbers, hashes, reals, nodes, stages, heads = mixture
    weights = np.empty(256, np.int64)
    for t in range(start, stop):
        symbol = np.int64(text[t])
        if network:
            kernels.weights(program, state, weights)
            mx.plant(numbers, weights)
            totals[1] += np.log2(numbers[mx.TREE + 1] / weights[symbol])
            remember(state.memory, symbol)
        mx.start_byte(numbers, hashes, nodes)
        for place in range(7, -1, -1):
            bit = (symbol >> place) & 1
            one = mx.predict(numbers, hashes, reals, nodes, stages)
            rk.encode_bit(coder, words, one, bit)
            totals[0] += np.log2(rk.BIT_TOTAL / (one if bit else rk.BIT_TOTAL - one))
            mx.update(numbers, hashes, reals, nodes, stages, bit)
        mx.end_byte(numbers, hashes, heads, text)


@kernel
def decode(
    program: Program,
    state: State,
    network: bool,
    mixture: Mixture,
    coder: np.ndarray,
    words: np.ndarray,
    text: np.ndarray,
    start: int,
    stop: int,
) -> bool:
    """Fill text[start:stop]; False if the words are damaged so that no symbol fits."""
    numbers, hashes, reals, nodes, stages, heads = mixture
    weights = np.empty(256, np.int64)
    for t in range(start, stop):
        if network:
            kernels.weights(program, state, weights)
            mx.plant(numbers, weights)
        mx.start_byte(numbers, hashes, nodes)
        for _ in range(8):
            bit = rk.decode_bit(coder, words, mx.predict(numbers, hashes, reals, nodes, stages))
            if bit < 0:
                return False
            mx.update(numbers, hashes, reals, nodes, stages, bit)
        text[t] = numbers[mx.PARTIAL] & 255
        mx.end_byte(numbers, hashes, heads, text)
        if network:
            remember(state.memory, text[t])
    return True
