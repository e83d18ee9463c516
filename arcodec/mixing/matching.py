"""The match model: where the last bytes came before, and what followed them there."""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel
from .contexts import LAST

# numbers, int64: the byte that follows the match (0 for none), how many bytes agreed, what it expects, how many
# expectations were wrong since it was found
AT, LENGTH, BYTE, MISSED, NUMBERS = range(5)

CELLS = 32 * 8  # adaptive probabilities, by length and misses

_LONG, _SHORT = 7, 4  # bytes that must agree
_KEPT = 20  # a match this long is not left for another
_COMPARED = 32
_MOST = 65535  # of a length
_MISSES = 8  # after which a match is given up
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio


def fresh_heads(heads_log2: int) -> np.ndarray:
    """One behind the last place of each hash, of seven bytes and then of four; 0 for none."""
    return np.zeros(2 << heads_log2, np.int32)


@inlined
def expected_bit(match: np.ndarray, partial: int, known: int) -> int:
    """What the match says of the next bit; -1 if there is none or this byte is another already."""
    byte = match[BYTE]
    if match[AT] == 0 or (byte | 256) >> (8 - known) != partial:
        return -1
    return (byte >> (7 - known)) & 1


@inlined
def length_class(match: np.ndarray) -> int:
    """0 to 31."""
    length = match[LENGTH]
    if length < 16:
        return length
    return 16 + (length - 16) // 4 if length < 32 else min(31, 20 + (length - 32) // 16)


@inlined
def cell_of(match: np.ndarray) -> int:
    """Which adaptive probability says how far the match is to be trusted."""
    return 8 * length_class(match) + match[MISSED]


@kernel
def follow(match: np.ndarray, hashes: np.ndarray, heads: np.ndarray, text: np.ndarray, position: int) -> None:
    """Go on to the next byte: text[:position] is known, and its last byte is new."""
    if match[AT] > 0:
        if match[BYTE] == text[position - 1]:
            match[LENGTH] = min(match[LENGTH] + 1, _MOST)
        else:
            match[LENGTH] = 0
            match[MISSED] += 1
        match[AT] += 1
    half = len(heads) // 2
    for k in range(2):
        least, kept = (_LONG, _KEPT) if k == 0 else (_SHORT, 1)
        if position < least:
            continue
        mixed = (hashes[LAST] & ((np.uint64(1) << np.uint64(8 * least)) - np.uint64(1))) * _MULTIPLIER
        place = half * k + np.int64(mixed >> np.uint64(32) & np.uint64(half - 1))
        at = np.int64(heads[place])
        heads[place] = position
        if at == 0 or at == match[AT] or (match[AT] > 0 and match[LENGTH] >= kept):
            continue
        length = 0
        while length < _COMPARED and length < at and text[at - 1 - length] == text[position - 1 - length]:
            length += 1
        if length >= least and length > match[LENGTH]:
            match[AT], match[LENGTH], match[MISSED] = at, length, 0
    if match[MISSED] >= _MISSES:
        match[AT] = match[LENGTH] = match[MISSED] = 0
    if match[AT] > 0:
        match[BYTE] = text[match[AT]]
