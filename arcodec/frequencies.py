"""Weights -> integer frequencies that sum to exactly 2**24, and what that rounding costs.

A predictor gives each symbol a positive integer weight; q(x) = weight / sum is the model's probability. The coder needs
frequencies f >= 1 that sum to 2**24, so that the coded probability is f / 2**24. The rounding is ours, hence its cost
is known to the last bit: log2(q(x) / (f / 2**24)) for the symbol coded.
"""

from __future__ import annotations

import numpy as np

from .jit import kernel

PRECISION = 24
TOTAL = 1 << PRECISION


@kernel
def fill_frequencies(weights: np.ndarray, frequencies: np.ndarray) -> int:
    """weights (alphabet,) int64 in 1..2**24 -> frequencies (alphabet,) int64; returns the sum of the weights.

    f = 1 + floor(weight * ((2**24 - alphabet) / sum)), and what is left goes to the first of the heaviest symbols. The
    floors sum to at most 2**24 - alphabet, because each factor is rounded up by less than 2**-51 of itself; so what is
    left is never negative. One float64 division, one multiplication a symbol: the same bits everywhere.
    """
    total = np.int64(0)
    heaviest = 0
    for i in range(len(weights)):
        total += weights[i]
        if weights[i] > weights[heaviest]:
            heaviest = i
    factor = np.float64(TOTAL - len(weights)) / np.float64(total)
    left = np.int64(TOTAL)
    for i in range(len(weights)):
        share = np.float64(weights[i]) * factor
        frequencies[i] = np.int64(1) + np.int64(share)
        left -= frequencies[i]
    frequencies[heaviest] += left
    return total


def from_weights(weights: np.ndarray) -> np.ndarray:
    """Frequencies of many distributions: weights (n, alphabet) int64 -> (n, alphabet) int64, rows sum to 2**24."""
    frequencies = np.empty_like(weights)
    _fill_rows(weights, frequencies)
    return frequencies


def from_probabilities(p: np.ndarray) -> np.ndarray:
    """Frequencies nearest to given probabilities: p (n, alphabet) float64 -> (n, alphabet) int64.

    Not exact between machines if p is not: for experiments and tests, where one machine does all.
    """
    return from_weights(np.clip(np.rint(p * TOTAL), 1, TOTAL).astype(np.int64))


@kernel
def _fill_rows(weights: np.ndarray, frequencies: np.ndarray) -> None:
    for i in range(len(weights)):
        fill_frequencies(weights[i], frequencies[i])


def model_bits(weights: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """-log2 q(x) of each symbol: weights (n, alphabet), symbols (n,) -> (n,) float64 bits."""
    chosen = weights[np.arange(len(symbols)), symbols]
    return np.asarray(np.log2(weights.sum(-1)) - np.log2(chosen))


def coded_bits(frequencies: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """-log2(f / 2**24) of each symbol: frequencies (n, alphabet), symbols (n,) -> (n,) float64 bits."""
    return np.asarray(PRECISION - np.log2(frequencies[np.arange(len(symbols)), symbols]))


def rounding_kl_bits(weights: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """KL(q || f / 2**24) of each distribution, in bits: what the rounding costs on average if the model is right."""
    q = weights / weights.sum(-1, keepdims=True)
    return np.asarray((q * np.log2(q / (frequencies / TOTAL))).sum(-1))
