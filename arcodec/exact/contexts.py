"""Which rows of the embedding's tables a position looks at: hashes of what came before, and what followed it there.

Integers only, one definition for training and for every engine. Context 0 is the word so far together with the word
before it; context n is the last n + 1 symbols, so a network with six contexts sees orders 2 to 6 and words. Behind the
rows of the contexts come those of ``followers``.
"""

from __future__ import annotations

import numpy as np

from ..jit import allocating, kernel
from . import followers
from .hashing import MULTIPLIER, spread, words
from .memory import BEFORE, OLDER, PAST, WORD, Memory


@kernel
def _is_letter(symbol: int) -> bool:
    lower = symbol | 32
    return (97 <= lower <= 122) or symbol >= 128


@kernel
def remember(memory: Memory, symbol: int) -> None:
    """Take one more symbol (0..255) into the memory."""
    followers.follow(memory, symbol)
    past, byte = memory.past, np.uint64(symbol)
    past[OLDER] = (past[OLDER] << np.uint64(8)) | (past[PAST] >> np.uint64(56))
    past[PAST] = (past[PAST] << np.uint64(8)) | byte
    if _is_letter(symbol):
        folded = byte | np.uint64(32) if symbol < 128 else byte
        past[WORD] = (past[WORD] + folded + np.uint64(1)) * MULTIPLIER
    elif past[WORD] != 0:
        past[BEFORE] = past[WORD]
        past[WORD] = np.uint64(0)
    followers.go_on(memory)


@kernel
def fill_rows(memory: Memory, rows_log2: int, contexts: int, rows: np.ndarray) -> None:
    """Write the row of every context, each within its own part of the table, then two for each of the followers.

    rows: (contexts + 2 * followers,).
    """
    shift, past = np.uint64(64 - rows_log2), memory.past
    for i in range(contexts):
        if i == 0:
            key = words(past[WORD], past[BEFORE])
        else:
            used = np.uint64(8 * (i + 1))
            key = past[PAST] & (~np.uint64(0) >> (np.uint64(64) - used))
        rows[i] = (i << rows_log2) + np.int64(spread(key ^ np.uint64(i)) >> shift)
    followers.look_up(memory, rows[contexts:])


@allocating
def rows_of(symbols: np.ndarray, memory: Memory, rows_log2: int, contexts: int) -> np.ndarray:
    """Rows for predicting each of symbols (n,) from those before it -> (n, all rows) int64; memory moves on."""
    rows = np.empty((len(symbols), contexts + 2 * len(memory.hashes)), np.int64)
    for t in range(len(symbols)):
        fill_rows(memory, rows_log2, contexts, rows[t])
        remember(memory, symbols[t])
    return rows
