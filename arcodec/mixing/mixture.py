"""One byte in eight decisions: experts that learn from the block itself, the network, and a mixer above them.

Every expert gives a probability that the next bit is 1. In the logistic domain (nats) they are added up with weights
that gradient descent on the code length adapts after each bit, as in PAQ (Mahoney 2005, "Adaptive weighing of context
models for lossless data compression"): for p = squash(w . x) the gradient of the cost -ln p(bit) is (p - bit) x.

All state is integers, and float32 numbers on which one IEEE operation at a time is done in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import kernel
from ..range_kernel import BIT_TOTAL
from . import logistic

# Experts, in the order of their inputs.
HASHED = 7  # orders 2, 3, 4, 5, 6, the word so far, the word so far with the one before
ORDER_0, ORDER_1, NETWORK, MATCH, EXPERTS = HASHED, HASHED + 1, HASHED + 2, HASHED + 3, HASHED + 4
INPUTS = 24  # each expert in nats and as a centred probability, a constant, and 0 to fill the vectors

SETS = 3  # of weights, each chosen by a context of its own
_CHOICES = 2048  # weight vectors a set holds

# A node is a probability of 22 bits and a count of 10.
_COUNT = np.uint32(1023)
_FRESH = np.uint32(1 << 31)  # probability 1/2, never used
_COUNT_LIMIT = 250
_BUCKET = 16  # nodes: a check, and the fifteen inner nodes of a nibble's tree

_MATCH_LEAST = 5  # bytes that must agree before a match is followed
_MATCH_MOST = 65535
_POINTS = 33  # of interpolation in secondary estimation, from -8 to 8 nats
_STAGE_CONTEXTS = 1 << 16
_LEAST = 2  # of 2**20: no bit costs more than 19 bits

_RATES = np.array([65536 * 10 // (10 * n + 16) for n in range(1024)], np.int64)
_STRETCH = logistic.STRETCH
_SQUASH = logistic.SQUASH
_LIMIT = np.float32(11.99)
_STEPS = np.float32(logistic.STEPS)
_LINEAR = np.float32(2.0**-20)  # centred 22-bit probabilities to -2 .. 2
_TO_UNIT = np.float32(2.0**-24)
_CONSTANT = np.float32(0.25)
_RATE_LEAST = np.float32(0.0018)
_RATE_MORE = np.float32(0.018)
_FINAL_RATE = np.float32(0.002)
_EIGHT = np.float32(8)
_TWO = np.float32(2)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio

# The state is a handful of flat arrays, handed to every kernel one by one: numba counts references whenever an array is
# taken out of a tuple, which would cost more than the arithmetic.

# numbers, int64
PARTIAL, KNOWN, POSITION = 0, 1, 2  # bits of this byte after a leading 1, how many they are, bytes before it
_MATCH_AT, _MATCH_LENGTH, _MATCH_BYTE = 3, 4, 5  # the byte that follows the match, its length, what it expects
_MIXED = 6  # the mixer's probability of a 1, of 2**24
_PLACES = 7  # of each stage, the nearer point
_SLOTS = 9  # of each hashed context, where the bucket of this nibble begins
_CHOSEN = _SLOTS + HASHED  # of each set, where the weights chosen begin
_SAID = _CHOSEN + SETS  # of each set, its probability of a 1, of 2**24
TREE = _SAID + SETS  # 512 sums of the network's weights; the first is 0 if there is no network
_NUMBERS = TREE + 512

# hashes, uint64
_LAST, _WORD, _WORD_BEFORE = 0, 1, 2  # the last eight bytes, the hash of the word so far, that of the word before
_KEYS = 3  # of each hashed context
_HASHES = _KEYS + HASHED

# reals, float32
_INPUTS = 0
_NATS = INPUTS  # what each set says
_WEIGHTS = INPUTS + 8
_FINAL = _WEIGHTS + SETS * _CHOICES * INPUTS  # 256 weight vectors of the sets
_REALS = _FINAL + 256 * SETS

# nodes, uint32
_ORDER_1, _ORDER_0, _TRUST = 0, 65536, 65536 + 256  # trust: how often matches of a length were right
_BUCKETS = _TRUST + 64


class Mixture(NamedTuple):
    """All that changes while a block is coded."""

    numbers: np.ndarray  # int64
    hashes: np.ndarray  # uint64
    reals: np.ndarray  # float32
    nodes: np.ndarray  # uint32: orders 1 and 0, trust in matches, then the buckets of the hashed contexts
    stages: np.ndarray  # (2 * 65536 * 33,) int32, of 2**24
    heads: np.ndarray  # int64, one behind the last place of each hash of five bytes; 0 for none


def fresh_mixture(length: int, network: bool) -> Mixture:
    """The state before the first byte of a block of ``length`` bytes. Memory: 18 MB, and up to 62 more."""
    buckets = 1 << min(17, max(8, (2 * length - 1).bit_length()))
    weights = np.zeros((SETS * _CHOICES, INPUTS), np.float32)
    weights[:, 0 : 2 * EXPERTS : 2] = 0.16
    weights[:, 2 * NETWORK] = 0.5 if network else 0
    weights[:, 2 * EXPERTS] = 0.16
    reals = np.zeros(_REALS, np.float32)
    reals[_WEIGHTS:_FINAL] = weights.ravel()
    reals[_FINAL:] = 1 / SETS
    numbers = np.zeros(_NUMBERS, np.int64)
    numbers[PARTIAL] = 1
    points = np.array([logistic.SQUASH[(i - 16) * 128 + logistic.LIMIT] for i in range(_POINTS)], np.int32)
    return Mixture(
        numbers,
        np.zeros(_HASHES, np.uint64),
        reals,
        np.full(_BUCKETS + HASHED * buckets * _BUCKET, _FRESH, np.uint32),
        np.tile(points, 2 * _STAGE_CONTEXTS),
        np.zeros(1 << min(18, max(8, length.bit_length())), np.int64),
    )


@kernel
def plant(numbers: np.ndarray, weights: np.ndarray) -> None:
    """Take the network's weights (256,) for the next byte: tree[c] becomes the sum below the partial byte c."""
    for i in range(256):
        numbers[TREE + 256 + i] = weights[i]
    for i in range(255, 0, -1):
        numbers[TREE + i] = numbers[TREE + 2 * i] + numbers[TREE + 2 * i + 1]
    numbers[TREE] = 1


@kernel
def _find_buckets(numbers: np.ndarray, hashes: np.ndarray, nodes: np.ndarray) -> None:
    """The bucket of each hashed context for the nibble that begins; one that was never used if there is none."""
    partial = np.uint64(numbers[PARTIAL])
    size = (len(nodes) - _BUCKETS) // HASHED
    mask = np.uint64(size // _BUCKET - 1)
    for i in range(HASHED):
        mixed = (hashes[_KEYS + i] + partial * np.uint64(0x2545F4914F6CDD1D)) * _MULTIPLIER
        mixed ^= mixed >> np.uint64(32)
        check = np.uint32(((mixed >> np.uint64(40)) & np.uint64(0x3FFFFF)) | np.uint64(1 << 22))
        start = np.int64(mixed & mask) * _BUCKET
        first = _BUCKETS + i * size + start
        second = _BUCKETS + i * size + (start ^ _BUCKET)
        if nodes[first] == check:
            numbers[_SLOTS + i] = first
        elif nodes[second] == check:
            numbers[_SLOTS + i] = second
        else:
            # The root's count tells how often a bucket was used: the less used of the two goes.
            slot = first if (nodes[first + 1] & _COUNT) <= (nodes[second + 1] & _COUNT) else second
            nodes[slot] = check
            for j in range(1, _BUCKET):
                nodes[slot + j] = _FRESH
            numbers[_SLOTS + i] = slot


@kernel
def start_byte(numbers: np.ndarray, hashes: np.ndarray, nodes: np.ndarray) -> None:
    """Hash the contexts of the byte that begins."""
    last = hashes[_LAST]
    for i in range(HASHED - 2):
        kept = last & ((np.uint64(1) << np.uint64(8 * (i + 2))) - np.uint64(1))
        hashes[_KEYS + i] = (kept + np.uint64(i + 1)) * _MULTIPLIER
    word, before = hashes[_WORD], hashes[_WORD_BEFORE]
    hashes[_KEYS + HASHED - 2] = (word + np.uint64(77)) * _MULTIPLIER
    hashes[_KEYS + HASHED - 1] = (word ^ (before * _MULTIPLIER) ^ np.uint64(99)) * _MULTIPLIER
    for i in range(HASHED):
        hashes[_KEYS + i] ^= hashes[_KEYS + i] >> np.uint64(29)
    _find_buckets(numbers, hashes, nodes)


@kernel
def _set_input(reals: np.ndarray, expert: int, probability: int) -> None:
    """Give the mixer a probability of 22 bits."""
    reals[_INPUTS + 2 * expert] = _STRETCH[probability >> (22 - logistic.STRETCH_BITS)]
    reals[_INPUTS + 2 * expert + 1] = np.float32(probability - (1 << 21)) * _LINEAR


@kernel
def _set_node(reals: np.ndarray, expert: int, node: int) -> None:
    """Give the mixer a node's probability, or nothing if it was never used."""
    if node & _COUNT:
        _set_input(reals, expert, np.int64(node >> np.uint32(10)))
    else:
        reals[_INPUTS + 2 * expert] = 0
        reals[_INPUTS + 2 * expert + 1] = 0


@kernel
def _squash(nats: float) -> int:
    """Probability of 24 bits."""
    clamped = min(max(nats, -_LIMIT), _LIMIT)
    return np.int64(_SQUASH[np.int64(np.rint(clamped * _STEPS)) + logistic.LIMIT])


@kernel
def _match_length_class(length: int) -> int:
    """0 for none, then 1 to 15 in growing steps."""
    if length < 16:
        return (length + 3) // 4
    return min(15, 4 + (length - 16) // 8) if length < 96 else 15


@kernel
def _expected_bit(numbers: np.ndarray) -> int:
    """What the match says of the next bit; -1 if there is none or this byte is another already."""
    known = numbers[KNOWN]
    byte = numbers[_MATCH_BYTE]
    if numbers[_MATCH_LENGTH] == 0 or (byte | 256) >> (8 - known) != numbers[PARTIAL]:
        return -1
    return (byte >> (7 - known)) & 1


@kernel
def _dot(reals: np.ndarray, start: int) -> float:
    """The product of the inputs and the 24 weights at start, in eight sums added up in a fixed order."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = np.float32(0)
    for i in range(0, INPUTS, 8):
        at = start + i
        s0 += reals[at] * reals[_INPUTS + i]
        s1 += reals[at + 1] * reals[_INPUTS + i + 1]
        s2 += reals[at + 2] * reals[_INPUTS + i + 2]
        s3 += reals[at + 3] * reals[_INPUTS + i + 3]
        s4 += reals[at + 4] * reals[_INPUTS + i + 4]
        s5 += reals[at + 5] * reals[_INPUTS + i + 5]
        s6 += reals[at + 6] * reals[_INPUTS + i + 6]
        s7 += reals[at + 7] * reals[_INPUTS + i + 7]
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


@kernel
def predict(numbers: np.ndarray, hashes: np.ndarray, reals: np.ndarray, nodes: np.ndarray, stages: np.ndarray) -> int:
    """The frequency of a 1 as the next bit, of 2**20; between 2 and 2**20 - 2."""
    partial, known = numbers[PARTIAL], numbers[KNOWN]
    inside = partial if known < 4 else (partial & ((1 << (known - 4)) - 1)) | (1 << (known - 4))
    for i in range(HASHED):
        _set_node(reals, i, nodes[numbers[_SLOTS + i] + inside])
    last = np.int64(hashes[_LAST] & np.uint64(255))
    _set_node(reals, ORDER_0, nodes[_ORDER_0 + partial])
    _set_node(reals, ORDER_1, nodes[_ORDER_1 + (last << 8 | partial)])
    confidence = 0
    if numbers[TREE + 0]:
        share = np.float64(numbers[TREE + 2 * partial + 1]) / np.float64(numbers[TREE + partial])
        probability = min(max(np.int64(share * 4194304.0), 0), 4194303)
        _set_input(reals, NETWORK, probability)
        distance = abs(probability - (1 << 21)) >> 17  # 0 .. 16
        confidence = 1 + min(distance // 2, 6)
    expected = _expected_bit(numbers)
    length = _match_length_class(numbers[_MATCH_LENGTH]) if expected >= 0 else 0
    if expected >= 0:
        right = np.int64(nodes[_TRUST + length] >> np.uint32(10))
        _set_input(reals, MATCH, right if expected else 4194303 - right)
    else:
        reals[_INPUTS + 2 * MATCH] = 0
        reals[_INPUTS + 2 * MATCH + 1] = 0
    reals[_INPUTS + 2 * EXPERTS] = _CONSTANT

    numbers[_CHOSEN] = _WEIGHTS + ((length * 8 + confidence) * 8 + known) * INPUTS
    numbers[_CHOSEN + 1] = _WEIGHTS + (_CHOICES + partial) * INPUTS
    numbers[_CHOSEN + 2] = _WEIGHTS + (2 * _CHOICES + last * 8 + known) * INPUTS
    final = np.float32(0)
    for k in range(SETS):
        total = min(max(_dot(reals, numbers[_CHOSEN + k]), -_LIMIT), _LIMIT)
        reals[_NATS + k] = total
        numbers[_SAID + k] = _squash(total)
        weighed = reals[_FINAL + partial * SETS + k] * total
        final = final + weighed
    mixed = _squash(final)
    numbers[_MIXED] = mixed

    # Secondary estimation: what bits did when the mixer said so, after the last byte, and after the last two.
    position = (min(max(final, -_EIGHT), np.float32(7.999)) + _EIGHT) * _TWO
    point = np.int64(position)
    part = np.int64((position - np.float32(point)) * np.float32(65536))
    estimate = 2 * mixed
    two = np.int64(hashes[_LAST] & np.uint64(0xFFFF))
    for k in range(2):
        context = (last << 8 | partial) if k == 0 else (two * 40503 ^ partial * 9973) & (_STAGE_CONTEXTS - 1)
        at = (k * _STAGE_CONTEXTS + context) * _POINTS + point
        low, high = np.int64(stages[at]), np.int64(stages[at + 1])
        estimate += (low * (65536 - part) + high * part) >> 16
        numbers[_PLACES + k] = at + (1 if part >= 32768 else 0)
    return min(max(estimate >> 6, _LEAST), BIT_TOTAL - _LEAST)


@kernel
def _adapted(node: int, bit: int, limit: int) -> int:
    """A node after one more bit: the mean of what it saw, and with the count at its limit a fading one."""
    count = np.int64(node & _COUNT)
    probability = np.int64(node >> np.uint32(10))
    target = 4194303 if bit else 0
    probability += ((target - probability) * _RATES[count]) >> 16
    count = min(count + 1, limit)
    return np.uint32((probability << 10) | count)


@kernel
def update(
    numbers: np.ndarray, hashes: np.ndarray, reals: np.ndarray, nodes: np.ndarray, stages: np.ndarray, bit: int
) -> None:
    """Learn from the bit, and take it into the partial byte."""
    partial, known = numbers[PARTIAL], numbers[KNOWN]
    truth = np.float32(bit)

    step = numbers[POSITION]
    rate = _RATE_LEAST + _RATE_MORE / (np.float32(1) + np.float32(step) / np.float32(256))
    error = truth - np.float32(numbers[_MIXED]) * _TO_UNIT
    final_step = error * _FINAL_RATE
    for k in range(SETS):
        own_error = truth - np.float32(numbers[_SAID + k]) * _TO_UNIT
        scaled = own_error * rate
        start = numbers[_CHOSEN + k]
        for i in range(INPUTS):
            change = scaled * reals[_INPUTS + i]
            reals[start + i] = reals[start + i] + change
        shift = final_step * reals[_NATS + k]
        at = _FINAL + partial * SETS + k
        reals[at] = reals[at] + shift

    inside = partial if known < 4 else (partial & ((1 << (known - 4)) - 1)) | (1 << (known - 4))
    for i in range(HASHED):
        at = numbers[_SLOTS + i] + inside
        nodes[at] = _adapted(nodes[at], bit, _COUNT_LIMIT)
    last = np.int64(hashes[_LAST] & np.uint64(255))
    for at in (_ORDER_0 + partial, _ORDER_1 + (last << 8 | partial)):
        nodes[at] = _adapted(nodes[at], bit, _COUNT_LIMIT)
    expected = _expected_bit(numbers)
    if expected >= 0:
        length = _match_length_class(numbers[_MATCH_LENGTH])
        nodes[_TRUST + length] = _adapted(nodes[_TRUST + length], 1 if bit == expected else 0, 1023)
    target = (1 << 24) - 1 if bit else 0
    for k in range(2):
        at = numbers[_PLACES + k]
        stages[at] += (target - stages[at]) >> 6

    numbers[PARTIAL] = partial << 1 | bit
    numbers[KNOWN] = known + 1
    if known == 3:
        _find_buckets(numbers, hashes, nodes)


@kernel
def end_byte(numbers: np.ndarray, hashes: np.ndarray, heads: np.ndarray, text: np.ndarray) -> int:
    """Take the finished byte into the past; text (length,) are the block's bytes so far. Returns the byte."""
    byte = numbers[PARTIAL] & 255
    position = numbers[POSITION] + 1
    numbers[PARTIAL], numbers[KNOWN], numbers[POSITION] = 1, 0, position
    hashes[_LAST] = (hashes[_LAST] << np.uint64(8)) | np.uint64(byte)
    lower = byte | 32
    if 97 <= lower <= 122 or byte >= 128:
        hashes[_WORD] = (hashes[_WORD] + np.uint64(lower if byte < 128 else byte)) * _MULTIPLIER
        hashes[_WORD] ^= hashes[_WORD] >> np.uint64(31)
    elif hashes[_WORD] != 0:
        hashes[_WORD_BEFORE] = hashes[_WORD]
        hashes[_WORD] = np.uint64(0)
    _follow_match(numbers, hashes, heads, text, byte, position)
    return byte


@kernel
def _follow_match(
    numbers: np.ndarray, hashes: np.ndarray, heads: np.ndarray, text: np.ndarray, byte: int, position: int
) -> None:
    if numbers[_MATCH_LENGTH] > 0 and numbers[_MATCH_BYTE] == byte:
        numbers[_MATCH_AT] += 1
        numbers[_MATCH_LENGTH] = min(numbers[_MATCH_LENGTH] + 1, _MATCH_MOST)
    else:
        numbers[_MATCH_LENGTH] = 0
    if position < _MATCH_LEAST:
        return
    five = hashes[_LAST] & np.uint64(0xFFFFFFFFFF)
    mixed = five * _MULTIPLIER
    place = np.int64((mixed >> np.uint64(32)) & np.uint64(len(heads) - 1))
    if numbers[_MATCH_LENGTH] == 0:
        at = heads[place]
        if at > 0:
            length = 0
            while length < 400 and length < at and text[at - 1 - length] == text[position - 1 - length]:
                length += 1
            if length >= _MATCH_LEAST:
                numbers[_MATCH_AT], numbers[_MATCH_LENGTH] = at, length
    heads[place] = position
    if numbers[_MATCH_LENGTH] > 0:
        numbers[_MATCH_BYTE] = text[numbers[_MATCH_AT]]
