"""The hashed experts: for each context a tree of nodes for each nibble, in a bucket that fills a cache line.

A node is a probability of 22 bits and a state of 10 (see ``history``). A bucket is a check, with the byte that came
last in this context and how often in a row, and the fifteen inner nodes of a nibble's tree.
"""

from __future__ import annotations

import numpy as np

from ..exact.fetching import prefetch
from ..jit import inlined, kernel
from . import history

BUCKET = 16  # uint32
STATE = np.uint32(1023)
FRESH = np.uint32(1 << 31)  # probability 1/2, state 0
_STATE_BITS = np.uint32(10)

_RUN_BITS = np.uint32(12)
_BYTE = np.uint32(255)
_BYTE_BITS = np.uint32(8)
_LONGEST_RUN = np.uint32(15)

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_EACH_NIBBLE = np.uint64(0x2545F4914F6CDD1D)

_NEXT, _RATES, _SEEN = history.NEXT, history.RATES, history.SEEN


def fresh_nodes(contexts: int, buckets_log2: int) -> np.ndarray:
    """Nodes before the first bit, aligned so that a bucket is one cache line. Shape (contexts * buckets * 16,)."""
    count = contexts * BUCKET << buckets_log2
    room = np.empty(4 * count + 64, np.uint8)
    start = -room.ctypes.data % 64
    nodes = room[start : start + 4 * count].view(np.uint32)
    nodes.fill(FRESH)
    return nodes


@inlined
def _mixed(key: int, partial: int) -> int:
    mixed = (key + np.uint64(partial) * _EACH_NIBBLE) * _MULTIPLIER
    return mixed ^ mixed >> np.uint64(32)


@inlined
def place_of(key: int, partial: int, size: int) -> int:
    """Where, of the ``size`` nodes of its context, a bucket is looked for first; then at the place ^ BUCKET."""
    return np.int64(_mixed(key, partial) & np.uint64(size // BUCKET - 1)) * BUCKET


@kernel
def find_buckets(nodes: np.ndarray, keys: np.ndarray, partial: int, slots: np.ndarray, checks: np.ndarray) -> None:
    """Write where the bucket of each context begins for the nibble that follows the partial byte, into slots (n,).

    checks (n,) is scratch. A bucket that another context used is taken from it if there is none.
    """
    size = len(nodes) // len(keys)
    for i in range(len(keys)):  # begin all loads before the first is waited for
        first = i * size + place_of(keys[i], partial, size)
        prefetch(nodes, np.int64(first))  # type: ignore[call-arg]
        slots[i] = first
        checks[i] = np.int64((_mixed(keys[i], partial) >> np.uint64(40)) & np.uint64(0xFFFFF))
    for i in range(len(keys)):
        first, second, check = slots[i], slots[i] ^ BUCKET, np.uint32(checks[i])
        if nodes[first] >> _RUN_BITS == check:
            continue
        if nodes[second] >> _RUN_BITS != check:
            # The root's state tells how often a bucket was used: the less used of the two goes.
            if _SEEN[nodes[first + 1] & STATE] <= _SEEN[nodes[second + 1] & STATE]:
                second = first
            nodes[second] = check << _RUN_BITS
            for j in range(1, BUCKET):
                nodes[second + j] = FRESH
        slots[i] = second


@inlined
def inside(partial: int, known: int) -> int:
    """Which node of its bucket a partial byte of so many known bits is at."""
    return partial if known < 4 else (partial & ((1 << (known - 4)) - 1)) | (1 << (known - 4))


@inlined
def adapted(node: int, bit: int) -> int:
    """A node after one more bit."""
    state = np.int64(node & STATE)
    probability = np.int64(node >> _STATE_BITS)
    probability += (((1 << 22) - 1 if bit else 0) - probability) * _RATES[state] >> 16
    return np.uint32(probability << 10) | _NEXT[2 * state + bit]


@inlined
def read_runs(nodes: np.ndarray, slots: np.ndarray, runs: np.ndarray) -> None:
    """The last byte of each context and, times 256, how often it came in a row (0 if never) into runs (n,)."""
    for i in range(len(slots)):
        runs[i] = np.int64(nodes[slots[i]] & np.uint32(0xFFF))


@inlined
def write_runs(nodes: np.ndarray, slots: np.ndarray, byte: int) -> None:
    """Take the byte that came into the run of each context."""
    for i in range(len(slots)):
        old = nodes[slots[i]]
        count = np.uint32(1)
        if np.int64(old & _BYTE) == byte:
            count = min((old >> _BYTE_BITS & _LONGEST_RUN) + np.uint32(1), _LONGEST_RUN)
        nodes[slots[i]] = old >> _RUN_BITS << _RUN_BITS | np.uint32(count << _BYTE_BITS) | np.uint32(byte)
