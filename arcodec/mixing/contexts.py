"""What the hashed experts look at: a 64-bit key for each, made anew before every byte.

Ordered so that a team takes the first few: what a small one cannot do without comes first.
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel

NAMES = (
    "order 2",
    "order 3",
    "order 4",
    "order 6",
    "word",
    "order 1",
    "order 0",
    "two words",
    "order 5",
    "record: above, last, column",
    "record: two above, last",
    "skip 1: two bytes",
    "followers of one byte",
    "followers of two bytes",
    "record: above, column",
    "line: above, last, first",
    "shape of five bytes",
    "word, skipping one",
    "skip 2: two bytes",
    "line: column, first, last",
    "skip the second byte",
    "order 8",
    "skip 1: one byte, above",
    "skip 1: one byte",
)
MOST = len(NAMES)

# numbers, int64: what is known of the past besides the bytes themselves
LINE, LINE_BEFORE, FIRST_OF_LINE, SHAPE, RECORD, NEXT_SEARCH, NUMBERS = range(7)
# hashes, uint64
LAST, WORD, WORD_BEFORE, WORD_BEFORE_THAT, HASHES = range(5)
# followers, uint32: the last four bytes that came after a byte, and after two
_AFTER_TWO = 256
FOLLOWERS = _AFTER_TWO + 65536

_SMALL = 6  # contexts for which records need not be looked for
_FIRST_RECORD = 4  # their length until one is found
_LONGEST_RECORD = 1024
_LOOKED_AT = 1024  # bytes from which the length of records is found
_SEARCH_EVERY = 4096

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_EACH_CONTEXT = np.uint64(0xD6E8FEB86659FD93)
# Shapes of a byte: 1 for lower-case letters and bytes from 128, 2 for capitals, 3 for digits; others stand for
# themselves (control bytes 1 to 3 meet letters and digits there). Classes put those others together as 5, and the
# space as 4.
_DIGIT, _OTHER = 3, 5


def fresh_past(contexts: int) -> np.ndarray:
    """The numbers before the first byte."""
    past = np.zeros(NUMBERS, np.int64)
    past[RECORD] = _FIRST_RECORD
    past[NEXT_SEARCH] = np.iinfo(np.int64).max if contexts <= _SMALL else 256
    return past


@inlined
def _key(number: int, value: int) -> int:
    mixed = (np.uint64(value) + np.uint64(number + 1) * _EACH_CONTEXT) * _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(29))


@inlined
def _joined(low: int, middle: int, high: int) -> int:
    """A byte, another, and a number of up to 48 bits as one."""
    return np.uint64(low) | np.uint64(middle) << np.uint64(8) | np.uint64(high) << np.uint64(16)


@kernel
def fill_keys(
    past: np.ndarray, hashes: np.ndarray, followers: np.ndarray, text: np.ndarray, position: int, keys: np.ndarray
) -> None:
    """Write the key of each context into keys (n,), the first n of them; text[:position] is known."""
    n = len(keys)
    last = hashes[LAST]
    one, two = last & np.uint64(0xFF), last & np.uint64(0xFFFF)
    word, before = hashes[WORD], hashes[WORD_BEFORE]
    keys[0] = _key(0, two)
    keys[1] = _key(1, last & np.uint64(0xFFFFFF))
    keys[2] = _key(2, last & np.uint64(0xFFFFFFFF))
    keys[3] = _key(3, last & np.uint64(0xFFFFFFFFFFFF))
    keys[4] = _key(4, word ^ (one << np.uint64(56)))
    keys[5] = _key(5, one)
    if n <= _SMALL:
        return
    keys[6] = _key(6, 0)
    length = past[RECORD]
    above = np.uint64(text[position - length]) if position >= length else np.uint64(0)
    above_that = np.uint64(text[position - 2 * length]) if position >= 2 * length else np.uint64(0)
    column = np.uint64(position % length)
    in_line = position - past[LINE]
    over_at = past[LINE_BEFORE] + in_line
    over = np.uint64(text[over_at]) if over_at < past[LINE] - 1 else np.uint64(10)
    first = np.uint64(past[FIRST_OF_LINE])
    after_one = np.uint64(followers[np.int64(one)]) & np.uint64(0xFFFF)
    after_two = np.uint64(followers[_AFTER_TWO + np.int64(two)]) & np.uint64(0xFFFF)
    keys[7] = _key(7, word ^ before * _MULTIPLIER)
    keys[8] = _key(8, last & np.uint64(0xFFFFFFFFFF))
    keys[9] = _key(9, _joined(above, one, column))
    keys[10] = _key(10, _joined(above, above_that, one))
    keys[11] = _key(11, last & np.uint64(0xFFFF00))
    keys[12] = _key(12, after_one << np.uint64(16) | one)
    keys[13] = _key(13, after_two << np.uint64(16) | two)
    keys[14] = _key(14, _joined(above, 0, column))
    keys[15] = _key(15, _joined(over, one, first))
    keys[16] = _key(16, np.uint64(past[SHAPE]))
    keys[17] = _key(17, word ^ hashes[WORD_BEFORE_THAT] * _MULTIPLIER)
    keys[18] = _key(18, last & np.uint64(0xFFFF0000))
    keys[19] = _key(19, _joined(one, first, min(in_line, 255)))
    if n <= 20:
        return
    keys[20] = _key(20, last & np.uint64(0xFF00FF))
    keys[21] = _key(21, last)
    if n <= 22:
        return
    keys[22] = _key(22, (last & np.uint64(0xFF00)) | above)
    keys[23] = _key(23, last & np.uint64(0xFF00))


@kernel
def remember(
    past: np.ndarray, hashes: np.ndarray, followers: np.ndarray, text: np.ndarray, position: int, byte: int
) -> None:
    """Take in text[position - 1], which is byte; position counts the bytes known."""
    last = hashes[LAST]
    one, two = np.int64(last & np.uint64(0xFF)), np.int64(last & np.uint64(0xFFFF))
    followers[one] = followers[one] << np.uint32(8) | np.uint32(byte)
    followers[_AFTER_TWO + two] = followers[_AFTER_TWO + two] << np.uint32(8) | np.uint32(byte)
    hashes[LAST] = last << np.uint64(8) | np.uint64(byte)
    lower = byte | 32
    if 97 <= lower <= 122 or byte >= 128:
        hashes[WORD] = (hashes[WORD] + np.uint64(lower if byte < 128 else byte)) * _MULTIPLIER
        hashes[WORD] ^= hashes[WORD] >> np.uint64(31)
        shape = 1 if byte >= 97 else 2
    else:
        if hashes[WORD] != 0:
            hashes[WORD_BEFORE_THAT] = hashes[WORD_BEFORE]
            hashes[WORD_BEFORE] = hashes[WORD]
            hashes[WORD] = np.uint64(0)
        shape = _DIGIT if 48 <= byte <= 57 else byte
    past[SHAPE] = (past[SHAPE] << 7 | shape) & ((1 << 35) - 1)
    if past[LINE] == position - 1:
        past[FIRST_OF_LINE] = byte
    if byte == 10:
        past[LINE_BEFORE], past[LINE] = past[LINE], position
    if position >= past[NEXT_SEARCH]:
        past[NEXT_SEARCH] = position + min(position, _SEARCH_EVERY)
        past[RECORD] = _record_length(text, position, past[RECORD])


@inlined
def classes(past: np.ndarray) -> int:
    """The classes of the last three bytes as one number below 216."""
    number = 0
    for k in range(3):
        shape = past[SHAPE] >> (7 * k) & 127
        number = 6 * number + (shape if shape <= _DIGIT else 4 if shape == 32 else _OTHER)
    return number


@kernel
def _agreements(text: np.ndarray, begin: int, end: int, distance: int) -> int:
    """How often bytes agree at this distance, where they differ from their left neighbour."""
    count = 0
    for i in range(begin, end):
        count += np.int64((text[i] == text[i - distance]) & (text[i] != text[i - 1]))
    return count


@kernel
def _record_length(text: np.ndarray, position: int, known: int) -> int:
    """The distance at which the last bytes agree most often; the known one unless another is clearly better."""
    longest = min(_LONGEST_RECORD, (position - 1) // 2)
    begin = max(longest + 1, position - _LOOKED_AT)
    best, best_count = known, 4
    if known <= longest:
        best_count += _agreements(text, begin, position, known)
    for distance in range(2, longest + 1):
        count = _agreements(text, begin, position, distance)
        if count * 20 > best_count * 21:  # multiples of the record's length agree as often: the shortest counts
            best, best_count = distance, count
    return best
