"""What followed when this sequence last saw what it sees now: a network's exact memory of the file at hand.

A recurrence fades; this does not. Of each of some contexts (words, and the last 2 to 12 symbols) a slot knows the
symbol that followed last, how often in succession it did, and the last other one. Both are rows of a table that the
network adds to its sum, so it has learnt what to make of them. Integers only, one definition for training and for every
engine. Compressors of the PAQ family call such a thing an indirect context.
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel
from .fetching import prefetch
from .hashing import spread, words
from .memory import BEFORE, OLDER, PAST, WORD, Memory
from .spec import FIRST_OTHER, FOLLOWER_ROWS, SLOTS_LOG2, STREAKS

_LENGTHS = (2, 3, 4, 5, 6, 8, 12)  # of contexts 2 to 8, in symbols; 0 is the word and the word before it, 1 the word
_ALL = ~np.uint64(0)

# A slot, uint32: the symbol, the last other one, whether there is one, the streak (0: the slot is empty), and twelve
# bits of the context's hash, which tell most others that share the slot.
_OTHER, _HAS_OTHER, _STREAK, _CHECK = (np.uint64(n) for n in (8, 16, 17, 20))
_SYMBOL_MASK, _STREAK_MASK, _CHECK_MASK = (np.uint64(n) for n in (0xFF, 7, 0xFFF))
_LONGEST = 5


@inlined
def _hash(past: np.ndarray, context: int) -> np.uint64:
    if context == 0:
        key = words(past[WORD], past[BEFORE])
    elif context == 1:  # between words the last symbol, and the word before it
        key = past[WORD] if past[WORD] != 0 else words(past[PAST] & _SYMBOL_MASK, past[BEFORE])
    else:
        length = _LENGTHS[context - 2]
        if length <= 8:
            key = past[PAST] & (_ALL >> np.uint64(64 - 8 * length))
        else:
            key = words(past[PAST], past[OLDER] & (_ALL >> np.uint64(128 - 8 * length)))
    return spread(key)


@inlined
def _place(context: int, hashed: np.uint64) -> int:
    return (context << SLOTS_LOG2) + np.int64(hashed >> np.uint64(64 - SLOTS_LOG2))


@inlined
def _check(hashed: np.uint64) -> np.uint64:
    return (hashed >> np.uint64(32)) & _CHECK_MASK


@kernel
def go_on(memory: Memory) -> None:
    """Hash each context of a new past, and fetch the slots that will be wanted. Before the start all hashes are 0."""
    for context in range(len(memory.hashes)):
        memory.hashes[context] = _hash(memory.past, context)
        prefetch(memory.slots, _place(context, memory.hashes[context]))  # type: ignore[call-arg]


@kernel
def look_up(memory: Memory, rows: np.ndarray) -> None:
    """Write two rows of each context into rows (2 * contexts,), within its part of the table."""
    for context in range(len(memory.hashes)):
        hashed = memory.hashes[context]
        slot = np.uint64(memory.slots[_place(context, hashed)])
        streak = np.int64(slot >> _STREAK & _STREAK_MASK)
        newest = other = 0
        if streak > 0 and slot >> _CHECK == _check(hashed):
            grade = streak - 1 if streak < 3 else streak // 5 + 2
            newest = 1 + STREAKS * np.int64(slot & _SYMBOL_MASK) + grade
            if slot >> _HAS_OTHER & np.uint64(1):
                other = 1 + np.int64(slot >> _OTHER & _SYMBOL_MASK)
        rows[2 * context] = FOLLOWER_ROWS * context + newest
        rows[2 * context + 1] = FOLLOWER_ROWS * context + FIRST_OTHER + other


@kernel
def follow(memory: Memory, symbol: int) -> None:
    """Take the symbol (0..255) that followed."""
    said = np.uint64(symbol)
    for context in range(len(memory.hashes)):
        hashed = memory.hashes[context]
        place, check = _place(context, hashed), _check(hashed)
        slot = np.uint64(memory.slots[place])
        streak = slot >> _STREAK & _STREAK_MASK
        others = slot & ((np.uint64(1) << _STREAK) - np.uint64(1)) & ~_SYMBOL_MASK
        if streak == 0 or slot >> _CHECK != check:
            streak, others = np.uint64(1), np.uint64(0)
        elif slot & _SYMBOL_MASK == said:
            streak = min(streak + np.uint64(1), np.uint64(_LONGEST))
        else:
            others = (slot & _SYMBOL_MASK) << _OTHER | np.uint64(1) << _HAS_OTHER
            streak = np.uint64(1)
        memory.slots[place] = np.uint32(check << _CHECK | streak << _STREAK | others | said)
