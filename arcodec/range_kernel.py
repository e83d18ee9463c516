"""constriction's range coder, compiled, for use inside a loop that must not call back into Python.

Words and state are constriction's default: 32-bit words, a 64-bit interval [lower, lower + range) modulo 2**64,
24-bit frequencies. Tests hold both directions equal to constriction, word for word.

    lower                                   lower + range
      |---- left * scale ----|-- f * scale --|-------|          scale = range >> 24
                             |<- new range ->|

Invariant: range >= 2**32, so scale >= 2**8. When range falls below 2**32 the top word of lower is settled and leaves,
unless [lower, lower + range) wraps around 2**64: then the carry is not yet known, and the word is held back together
with the number of words behind it, all of which are 2**32 - 1 without a carry and 0 with one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .frequencies import PRECISION

LOWER, RANGE, HELD, FIRST_HELD, WRITTEN = range(5)
POINT, READ = 2, 3

_PRECISION = np.uint64(PRECISION)
_WORD = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_TOP = np.uint64(1) << np.uint64(PRECISION)
_ONE = np.uint64(1)
_NONE = np.uint64(0)


def room_for(symbols: int) -> int:
    """Words that certainly suffice: 24 bits a symbol, and the end."""
    return symbols * PRECISION // 32 + 4


@njit(cache=True, nogil=True)
def new_encoder() -> np.ndarray:
    """State of an encoder before the first symbol, (5,) uint64."""
    state = np.zeros(5, np.uint64)
    state[RANGE] = _FULL
    return state


@njit(cache=True, nogil=True)
def _write(state: np.ndarray, words: np.ndarray, word: int) -> None:
    words[np.int64(state[WRITTEN])] = np.uint32(word & _LOW)
    state[WRITTEN] += _ONE


@njit(cache=True, nogil=True)
def _release(state: np.ndarray, words: np.ndarray, carry: bool) -> None:
    """Write the words held back, now that the carry is known."""
    _write(state, words, state[FIRST_HELD] + (_ONE if carry else _NONE))
    for _ in range(np.int64(state[HELD]) - 1):
        _write(state, words, _NONE if carry else _LOW)


@njit(cache=True, nogil=True)
def encode(state: np.ndarray, words: np.ndarray, left: int, frequency: int) -> None:
    """Put in one symbol whose interval is [left, left + frequency) of 2**24."""
    scale = state[RANGE] >> _PRECISION
    state[RANGE] = scale * np.uint64(frequency)
    lower = state[LOWER] + scale * np.uint64(left)
    if state[HELD] != _NONE and lower + state[RANGE] > lower:
        _release(state, words, lower < state[LOWER])
        state[HELD] = _NONE
    state[LOWER] = lower
    if state[RANGE] >> _WORD == _NONE:
        top = lower >> _WORD
        state[RANGE] <<= _WORD
        state[LOWER] = lower << _WORD
        if state[HELD] != _NONE:
            state[HELD] += _ONE
        elif state[LOWER] + state[RANGE] > state[LOWER]:
            _write(state, words, top)
        else:
            state[HELD] = _ONE
            state[FIRST_HELD] = top


@njit(cache=True, nogil=True)
def finish(state: np.ndarray, words: np.ndarray) -> int:
    """Write what identifies the interval; the number of words in all."""
    if state[RANGE] == _FULL:  # nothing was put in
        return 0
    point = state[LOWER] + _LOW
    if state[HELD] != _NONE:
        _release(state, words, point < state[LOWER])
    top = point >> _WORD
    _write(state, words, top)
    if (state[LOWER] + state[RANGE]) >> _WORD == top:
        _write(state, words, _NONE)
    return np.int64(state[WRITTEN])


@njit(cache=True, nogil=True)
def new_decoder(words: np.ndarray) -> np.ndarray:
    """State of a decoder at the first symbol, (4,) uint64. Beyond its end the input counts as zeros."""
    state = np.zeros(4, np.uint64)
    state[RANGE] = _FULL
    for _ in range(2):
        _read(state, words)
    return state


@njit(cache=True, nogil=True)
def _read(state: np.ndarray, words: np.ndarray) -> None:
    at = np.int64(state[READ])
    word = np.uint64(words[at]) if at < len(words) else _NONE
    state[POINT] = (state[POINT] << _WORD) | word
    state[READ] += _ONE


@njit(cache=True, nogil=True)
def decode(state: np.ndarray, words: np.ndarray, frequencies: np.ndarray) -> int:
    """Take out one symbol under frequencies (alphabet,) int64; -1 if no encoder could have written these words."""
    scale = state[RANGE] >> _PRECISION
    quantile = (state[POINT] - state[LOWER]) // scale
    if quantile >= _TOP:
        return -1
    target = np.int64(quantile)
    left = np.int64(0)
    symbol = 0
    while left + frequencies[symbol] <= target:
        left += frequencies[symbol]
        symbol += 1
    state[LOWER] += scale * np.uint64(left)
    state[RANGE] = scale * np.uint64(frequencies[symbol])
    if state[RANGE] >> _WORD == _NONE:
        state[LOWER] <<= _WORD
        state[RANGE] <<= _WORD
        _read(state, words)
    return symbol


@njit(cache=True, nogil=True)
def fully_read(state: np.ndarray, words: np.ndarray) -> bool:
    """Whether the decoder has come to the end of its words, give or take the two it looks ahead."""
    return np.int64(state[READ]) >= len(words)
