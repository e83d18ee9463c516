"""Compiled loops over symbols: predict, round, code, go on."""

from __future__ import annotations

import numpy as np

from .. import range_kernel as rk
from ..exact import kernels
from ..exact.contexts import remember
from ..exact.program import Program, State
from ..frequencies import PRECISION, fill_frequencies
from ..jit import allocating

MODEL_BITS, CODED_BITS = 0, 1  # of totals


@allocating
def _put(
    coder: np.ndarray, words: np.ndarray, weights: np.ndarray, frequencies: np.ndarray, symbol: int, totals: np.ndarray
) -> float:
    """Code one symbol under weights (256,), and add what it costs to totals (2,); the model's part of that, in bits."""
    weight_sum = fill_frequencies(weights, frequencies)
    left = np.int64(0)
    for i in range(symbol):
        left += frequencies[i]
    rk.encode(coder, words, left, frequencies[symbol])
    bits = np.log2(weight_sum / weights[symbol])
    totals[MODEL_BITS] += bits
    totals[CODED_BITS] += PRECISION - np.log2(np.float64(frequencies[symbol]))
    return bits


@allocating
def encode(
    program: Program,
    state: State,
    coder: np.ndarray,
    words: np.ndarray,
    symbols: np.ndarray,
    totals: np.ndarray,
    costs: np.ndarray,
) -> None:
    """Predict and code symbols (n,), one after the other; costs (n,) becomes the bits of each, unless it is empty."""
    weights = np.empty(256, np.int64)
    frequencies = np.empty(256, np.int64)
    for t in range(len(symbols)):
        kernels.weights(program, state, weights)
        bits = _put(coder, words, weights, frequencies, symbols[t], totals)
        if len(costs):
            costs[t] = bits
        remember(state.memory, symbols[t])


@allocating
def decode(program: Program, state: State, coder: np.ndarray, words: np.ndarray, symbols: np.ndarray) -> bool:
    """Fill symbols (n,); False if the words are damaged so that no symbol fits."""
    weights = np.empty(256, np.int64)
    frequencies = np.empty(256, np.int64)
    for t in range(len(symbols)):
        kernels.weights(program, state, weights)
        fill_frequencies(weights, frequencies)
        symbol = rk.decode(coder, words, frequencies)
        if symbol < 0:
            return False
        symbols[t] = symbol
        remember(state.memory, symbol)
    return True


@allocating
def fill_distributions(program: Program, state: State, symbols: np.ndarray, frequencies: np.ndarray) -> None:
    """The frequencies (n, 256) before each of symbols (n,)."""
    weights = np.empty(256, np.int64)
    for t in range(len(symbols)):
        kernels.weights(program, state, weights)
        fill_frequencies(weights, frequencies[t])
        remember(state.memory, symbols[t])


@allocating
def encode_lanes(
    coders: np.ndarray,
    words: np.ndarray,
    weights: np.ndarray,
    symbols: np.ndarray,
    lengths: np.ndarray,
    totals: np.ndarray,
    costs: np.ndarray,
) -> None:
    """Code a chunk of every lane: weights (time, lanes, 256), symbols (time, lanes), lengths (lanes,) still to code.

    costs (time, lanes) becomes the bits of each symbol.
    """
    frequencies = np.empty(256, np.int64)
    for lane in range(len(coders)):
        for t in range(min(len(symbols), lengths[lane])):
            costs[t, lane] = _put(
                coders[lane], words[lane], weights[t, lane], frequencies, symbols[t, lane], totals[lane]
            )


@allocating
def decode_lanes(
    coders: np.ndarray,
    words: np.ndarray,
    counts: np.ndarray,
    weights: np.ndarray,
    active: np.ndarray,
    symbols: np.ndarray,
) -> bool:
    """One symbol of every active lane: weights (lanes, 256), words (lanes, most), counts (lanes,) of words."""
    frequencies = np.empty(256, np.int64)
    for lane in range(len(coders)):
        if active[lane]:
            fill_frequencies(weights[lane], frequencies)
            symbol = rk.decode(coders[lane], words[lane, : counts[lane]], frequencies)
            if symbol < 0:
                return False
            symbols[lane] = symbol
    return True


def encode_weights(weights: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Words for symbols (n,) under given weights (n, 256): the coder without a network."""
    coders, words = rk.new_encoder()[None], np.empty((1, rk.room_for(len(symbols))), np.uint32)
    lengths, totals = np.array([len(symbols)]), np.zeros((1, 2))
    encode_lanes(coders, words, weights[:, None], symbols[:, None], lengths, totals, np.empty((len(symbols), 1)))
    return words[0, : rk.finish(coders[0], words[0])]
