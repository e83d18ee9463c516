"""The small codes of an embedding's rows, several to a byte."""

from __future__ import annotations

import numpy as np

# Bits of a code -> (distance of neighbouring codes, the largest code). Four bits leave -8 unused; two are -6, -2, 2, 6:
# twice the rows in the same bytes serve as well (docs/LOG.md).
CODES = {4: (1, 7), 2: (4, 6)}


def _lowest(bits: int) -> int:
    """The code that packs to 0."""
    distance, largest = CODES[bits]
    return largest - distance * ((1 << bits) - 1)


def packed(codes: np.ndarray, bits: int) -> np.ndarray:
    """codes (rows, width) int8 -> (rows, width * bits // 8) uint8, the first code in the lowest bits."""
    distance, _ = CODES[bits]
    numbers = ((codes - np.int16(_lowest(bits))) // distance).astype(np.uint8)
    each = 8 // bits
    whole = np.zeros((len(codes), codes.shape[1] // each), np.uint8)
    for i in range(each):
        whole |= numbers[:, i::each] << (bits * i)
    return whole


def unpacked(whole: np.ndarray, bits: int) -> np.ndarray:
    """The inverse of ``packed``."""
    distance, _ = CODES[bits]
    each, mask = 8 // bits, (1 << bits) - 1
    codes = np.empty((len(whole), whole.shape[1] * each), np.int8)
    for i in range(each):
        codes[:, i::each] = ((whole >> (bits * i)) & mask).astype(np.int8) * distance + _lowest(bits)
    return codes
