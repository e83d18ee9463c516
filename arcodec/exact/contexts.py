"""Which rows of the embedding's tables a position looks at: hashes of what came before, and what followed it there.

Integers only, one definition for training and for every engine. Context 0 is the word so far together with the word
before it; context n is the last n + 1 symbols, so a network with six contexts sees orders 2 to 6 and words. Behind the
rows of the contexts come those of ``followers``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import allocating, kernel
from . import followers as fw

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio (Knuth, TAOCP 6.4)


class Memory(NamedTuple):
    """What a sequence remembers exactly."""

    past: np.ndarray  # (4,) uint64, see the places in followers
    hashes: np.ndarray  # (followers,) uint64, of the contexts whose followers are remembered
    slots: np.ndarray  # uint32, see followers


def fresh_memory(followers: int) -> Memory:
    """What is remembered before the first symbol: zeros. followers: of how many contexts."""
    return Memory(
        np.zeros(fw.BEFORE + 1, np.uint64),
        np.zeros(followers, np.uint64),
        np.zeros(followers << fw.SLOTS_LOG2, np.uint32),
    )


@kernel
def _is_letter(symbol: int) -> bool:
    lower = symbol | 32
    return (97 <= lower <= 122) or symbol >= 128


@kernel
def remember(memory: Memory, symbol: int) -> None:
    """Take one more symbol (0..255) into the memory."""
    past = memory.past
    fw.follow(memory.hashes, memory.slots, symbol)
    byte = np.uint64(symbol)
    past[fw.OLDER] = (past[fw.OLDER] << np.uint64(8)) | (past[fw.PAST] >> np.uint64(56))
    past[fw.PAST] = (past[fw.PAST] << np.uint64(8)) | byte
    if _is_letter(symbol):
        folded = byte | np.uint64(32) if symbol < 128 else byte
        past[fw.WORD] = (past[fw.WORD] + folded + np.uint64(1)) * _MULTIPLIER
    elif past[fw.WORD] != 0:
        past[fw.BEFORE] = past[fw.WORD]
        past[fw.WORD] = np.uint64(0)
    fw.go_on(past, memory.hashes, memory.slots)


@kernel
def fill_rows(memory: Memory, rows_log2: int, contexts: int, rows: np.ndarray) -> None:
    """Write the row of every context, each within its own part of the table, then two for each of the followers.

    rows: (contexts + 2 * followers,).
    """
    shift, past = np.uint64(64 - rows_log2), memory.past
    for i in range(contexts):
        if i == 0:
            key = past[fw.WORD] ^ (past[fw.BEFORE] * _MULTIPLIER)
        else:
            used = np.uint64(8 * (i + 1))
            key = past[fw.PAST] & (~np.uint64(0) >> (np.uint64(64) - used))
        mixed = (key ^ (key >> np.uint64(29)) ^ np.uint64(i)) * _MULTIPLIER
        rows[i] = (i << rows_log2) + np.int64(mixed >> shift)
    fw.look_up(memory.hashes, memory.slots, rows[contexts:])


@allocating
def rows_of(symbols: np.ndarray, memory: Memory, rows_log2: int, contexts: int) -> np.ndarray:
    """Rows for predicting each of symbols (n,) from those before it -> (n, all rows) int64; memory moves on."""
    rows = np.empty((len(symbols), contexts + 2 * len(memory.hashes)), np.int64)
    for t in range(len(symbols)):
        fill_rows(memory, rows_log2, contexts, rows[t])
        remember(memory, symbols[t])
    return rows
