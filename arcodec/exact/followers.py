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

PAST, OLDER, WORD, BEFORE = range(
    4
)  # last eight symbols, eight before them, hash of the word so far, of the one before

SLOTS_LOG2 = 18  # of each context
MOST = 9  # contexts
STREAKS = 4  # classes of how often in succession: once, twice, three or four times, more often
ROWS = 1 + 256 * STREAKS + 1 + 256  # of a context: none or the symbol that followed last; none or the last other one

_OTHERS = 1 + 256 * STREAKS
_LENGTHS = (2, 3, 4, 5, 6, 8, 12)  # of contexts 2 to 8, in symbols; 0 is the word and the word before it, 1 the word
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio (Knuth, TAOCP 6.4)
_ALL = ~np.uint64(0)

# A slot, uint32: the symbol, the last other one, whether there is one, the streak (0: the slot is empty), and twelve
# bits of the context's hash, which tell most others that share the slot.
_OTHER, _HAS_OTHER, _STREAK, _CHECK = (np.uint64(n) for n in (8, 16, 17, 20))
_SYMBOL_MASK, _STREAK_MASK, _CHECK_MASK = (np.uint64(n) for n in (0xFF, 7, 0xFFF))
_LONGEST = 5


@inlined
def _hash(past: np.ndarray, context: int) -> np.uint64:
    if context == 0:
        key = past[WORD] ^ (past[BEFORE] * _MULTIPLIER)
    elif context == 1:  # between words the last symbol, and the word before it
        key = past[WORD] if past[WORD] != 0 else (past[BEFORE] * _MULTIPLIER) ^ (past[PAST] & _SYMBOL_MASK)
    else:
        length = _LENGTHS[context - 2]
        if length <= 8:
            key = past[PAST] & (_ALL >> np.uint64(64 - 8 * length))
        else:
            key = past[PAST] ^ ((past[OLDER] & (_ALL >> np.uint64(128 - 8 * length))) * _MULTIPLIER)
    return (key ^ (key >> np.uint64(29))) * _MULTIPLIER


@inlined
def _place(context: int, mixed: np.uint64) -> int:
    return (context << SLOTS_LOG2) + np.int64(mixed >> np.uint64(64 - SLOTS_LOG2))


@inlined
def _check(mixed: np.uint64) -> np.uint64:
    return (mixed >> np.uint64(32)) & _CHECK_MASK


@kernel
def go_on(past: np.ndarray, hashes: np.ndarray, slots: np.ndarray) -> None:
    """Hash each context of this past (4,) uint64, see above, into hashes (contexts,) uint64: 0 before the start.

    slots: (contexts << SLOTS_LOG2,) uint32, of which those that will be wanted are fetched.
    """
    for context in range(len(hashes)):
        hashes[context] = _hash(past, context)
        prefetch(slots, _place(context, hashes[context]))  # type: ignore[call-arg]


@kernel
def look_up(hashes: np.ndarray, slots: np.ndarray, rows: np.ndarray) -> None:
    """Write two rows of each context into rows (2 * contexts,), within its part of the table."""
    for context in range(len(hashes)):
        mixed = hashes[context]
        slot = np.uint64(slots[_place(context, mixed)])
        streak = np.int64(slot >> _STREAK & _STREAK_MASK)
        newest = other = 0
        if streak > 0 and slot >> _CHECK == _check(mixed):
            grade = streak - 1 if streak < 3 else streak // 5 + 2
            newest = 1 + STREAKS * np.int64(slot & _SYMBOL_MASK) + grade
            if slot >> _HAS_OTHER & np.uint64(1):
                other = 1 + np.int64(slot >> _OTHER & _SYMBOL_MASK)
        rows[2 * context] = ROWS * context + newest
        rows[2 * context + 1] = ROWS * context + _OTHERS + other


@kernel
def follow(hashes: np.ndarray, slots: np.ndarray, symbol: int) -> None:
    """Take the symbol (0..255) that followed these contexts."""
    said = np.uint64(symbol)
    for context in range(len(hashes)):
        mixed = hashes[context]
        place, check = _place(context, mixed), _check(mixed)
        slot = np.uint64(slots[place])
        streak = slot >> _STREAK & _STREAK_MASK
        others = slot & ((np.uint64(1) << _STREAK) - np.uint64(1)) & ~_SYMBOL_MASK
        if streak == 0 or slot >> _CHECK != check:
            streak, others = np.uint64(1), np.uint64(0)
        elif slot & _SYMBOL_MASK == said:
            streak = min(streak + np.uint64(1), np.uint64(_LONGEST))
        else:
            others = (slot & _SYMBOL_MASK) << _OTHER | np.uint64(1) << _HAS_OTHER
            streak = np.uint64(1)
        slots[place] = np.uint32(check << _CHECK | streak << _STREAK | others | said)
