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

from .frequencies import PRECISION
from .jit import allocating, inlined, kernel

LOWER, RANGE, HELD, FIRST_HELD, WRITTEN = range(5)
POINT, READ = 2, 3

# Bits have frequencies of 2**20: a decision loses the rest of the range modulo the total, some ten-thousandths of a
# bit with 2**24, which adds up with eight decisions a byte.
BIT_PRECISION = 20
BIT_TOTAL = 1 << BIT_PRECISION

_PRECISION = np.uint64(PRECISION)
_BIT_PRECISION = np.uint64(BIT_PRECISION)
_WORD = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_TOP = np.uint64(1) << np.uint64(PRECISION)
_ONE = np.uint64(1)
_NONE = np.uint64(0)


def room_for(symbols: int) -> int:
    """Words that certainly suffice: 24 bits a symbol, and the end."""
    return symbols * PRECISION // 32 + 4


def room_for_bits(bits: int) -> int:
    """Words that certainly suffice for so many bits: 20 bits each if all are the least probable, and the end."""
    return bits * BIT_PRECISION // 32 + 4


@allocating
def new_encoder() -> np.ndarray:
    """State of an encoder before the first symbol, (5,) uint64."""
    state = np.zeros(5, np.uint64)
    state[RANGE] = _FULL
    return state


@inlined
def _write(state: np.ndarray, words: np.ndarray, word: int) -> None:
    words[np.int64(state[WRITTEN])] = np.uint32(word & _LOW)
    state[WRITTEN] += _ONE


@kernel
def _release(state: np.ndarray, words: np.ndarray, carry: bool) -> None:
    """Write the words held back, now that the carry is known."""
    _write(state, words, state[FIRST_HELD] + (_ONE if carry else _NONE))
    for _ in range(np.int64(state[HELD]) - 1):
        _write(state, words, _NONE if carry else _LOW)


@kernel
def encode(state: np.ndarray, words: np.ndarray, left: int, frequency: int) -> None:
    """Put in one symbol whose interval is [left, left + frequency) of 2**24."""
    scale = state[RANGE] >> _PRECISION
    _narrow(state, words, scale * np.uint64(left), scale * np.uint64(frequency))


@inlined
def encode_bit(state: np.ndarray, words: np.ndarray, one: int, bit: int) -> None:
    """Put in a bit that is 1 with frequency ``one`` of 2**20, 0 lying below it."""
    scale = state[RANGE] >> _BIT_PRECISION
    zero = scale * np.uint64(BIT_TOTAL - one)
    if bit:
        _narrow(state, words, zero, scale * np.uint64(one))
    else:
        _narrow(state, words, _NONE, zero)


@inlined
def _narrow(state: np.ndarray, words: np.ndarray, offset: int, size: int) -> None:
    """Go on with the interval [lower + offset, lower + offset + size)."""
    state[RANGE] = size
    lower = state[LOWER] + offset
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


@kernel
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


@inlined
def _shortest(state: np.ndarray) -> int:
    """The number in the interval with the most zero bytes at its end."""
    for zeros in range(56, -1, -8):
        ends = (_ONE << np.uint64(zeros)) - _ONE
        point = (state[LOWER] + ends) & ~ends
        if point - state[LOWER] < state[RANGE]:
            return point
    return state[LOWER]


@kernel
def finish_short(state: np.ndarray, words: np.ndarray) -> int:
    """As ``finish``, with the number of the interval that ends in the most zeros; a decoder reads zeros behind the end.

    The last one or two words may then be zero, or end in zero bytes, which need not be kept.
    """
    if state[RANGE] == _FULL:
        return 0
    point = _shortest(state)
    if state[HELD] != _NONE:
        _release(state, words, point < state[LOWER])
    _write(state, words, point >> _WORD)
    _write(state, words, point & _LOW)
    return np.int64(state[WRITTEN])


@allocating
def new_decoder(words: np.ndarray) -> np.ndarray:
    """State of a decoder at the first symbol, (4,) uint64. Beyond its end the input counts as zeros."""
    state = np.zeros(4, np.uint64)
    state[RANGE] = _FULL
    for _ in range(2):
        _read(state, words)
    return state


@inlined
def _read(state: np.ndarray, words: np.ndarray) -> None:
    at = np.int64(state[READ])
    word = np.uint64(words[at]) if at < len(words) else _NONE
    state[POINT] = (state[POINT] << _WORD) | word
    state[READ] += _ONE


@kernel
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


@inlined
def decode_bit(state: np.ndarray, words: np.ndarray, one: int) -> int:
    """Take out a bit that is 1 with frequency ``one`` of 2**20; -1 as for ``decode``."""
    scale = state[RANGE] >> _BIT_PRECISION
    zero = scale * np.uint64(BIT_TOTAL - one)
    distance = state[POINT] - state[LOWER]
    if distance >= scale << _BIT_PRECISION:
        return -1
    if distance < zero:
        state[RANGE] = zero
        bit = 0
    else:
        state[LOWER] += zero
        state[RANGE] = scale * np.uint64(one)
        bit = 1
    if state[RANGE] >> _WORD == _NONE:
        state[LOWER] <<= _WORD
        state[RANGE] <<= _WORD
        _read(state, words)
    return bit
