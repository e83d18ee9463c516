"""Which rows of the embedding's table a position looks at: hashes of what came before.

Integers only, one definition for training and for every engine. Context 0 is the word so far together with the word
before it; context n is the last n + 1 symbols, so a network with six contexts sees orders 2 to 6 and words.
"""

from __future__ import annotations

import numpy as np

from ..jit import allocating, kernel

MEMORY = 3  # the last eight symbols, the hash of the word so far, the hash of the word before

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio (Knuth, TAOCP 6.4)


def fresh_memory() -> np.ndarray:
    """What is remembered before the first symbol: zeros. Shape (3,), uint64."""
    return np.zeros(MEMORY, np.uint64)


@kernel
def _is_letter(symbol: int) -> bool:
    lower = symbol | 32
    return (97 <= lower <= 122) or symbol >= 128


@kernel
def remember(memory: np.ndarray, symbol: int) -> None:
    """Take one more symbol (0..255) into the memory."""
    byte = np.uint64(symbol)
    memory[0] = (memory[0] << np.uint64(8)) | byte
    if _is_letter(symbol):
        folded = byte | np.uint64(32) if symbol < 128 else byte
        memory[1] = (memory[1] + folded + np.uint64(1)) * _MULTIPLIER
    elif memory[1] != 0:
        memory[2] = memory[1]
        memory[1] = np.uint64(0)


@kernel
def fill_rows(memory: np.ndarray, rows_log2: int, rows: np.ndarray) -> None:
    """Write the row of every context into rows (contexts,), each within its own part of the table."""
    shift = np.uint64(64 - rows_log2)
    for i in range(len(rows)):
        if i == 0:
            key = memory[1] ^ (memory[2] * _MULTIPLIER)
        else:
            used = np.uint64(8 * (i + 1))
            key = memory[0] & (~np.uint64(0) >> (np.uint64(64) - used))
        mixed = (key ^ (key >> np.uint64(29)) ^ np.uint64(i)) * _MULTIPLIER
        rows[i] = (i << rows_log2) + np.int64(mixed >> shift)


@allocating
def rows_of(symbols: np.ndarray, memory: np.ndarray, rows_log2: int, contexts: int) -> np.ndarray:
    """Rows for predicting each of symbols (n,) from those before it -> (n, contexts) int64; memory moves on."""
    rows = np.empty((len(symbols), contexts), np.int64)
    for t in range(len(symbols)):
        fill_rows(memory, rows_log2, rows[t])
        remember(memory, symbols[t])
    return rows
