"""One byte in eight decisions: experts that learn from the block itself, the network, and a mixer above them.

Every expert gives a probability that the next bit is 1; ``weighing`` adds them up.

All state is integers, and float32 numbers on which one IEEE operation at a time is done in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import inlined, kernel
from ..range_kernel import BIT_TOTAL
from . import adaptive, estimation, experts, history, logistic, matching, weighing
from . import contexts as cx
from .team import (
    BIAS,
    BY_BEFORE_LAST,
    BY_CLASSES,
    BY_COLUMN,
    BY_LAST,
    BY_PARTIAL,
    BY_SURE,
    CENTRED,
    CHOICES,
    FINAL_CHOICES,
    HISTORY,
    KINDS,
    MATCH,
    NETWORK,
    NODE,
    OTHER,
    RUN_CELLS,
    STATE_CELLS,
    Team,
    cells_of,
    inputs_of,
)

# numbers, int64
PARTIAL, KNOWN, POSITION = range(3)  # bits of this byte after a leading 1, how many they are, bytes before it
NETWORK_SAYS = 3  # the network's probability of a 1, of 2**22; -1 without a network
_ESTIMATES = 4  # maps of secondary estimation above the mixer: 1 or 2
EACH = 5  # inputs of a context
_SETS = 6  # how many there are that something chooses in: all but the roots
_KIND = 7  # of each of them, what does (BY_SURE and so on)
_AROUND = _KIND + weighing.MOST_SETS  # of each kind, what stands around the bit
CHOICE = _AROUND + KINDS  # see weighing
_CHOSEN = CHOICE + weighing.CHOSEN
OTHER_SAYS = CHOICE + weighing.CHOICE  # as NETWORK_SAYS; -1 without a network that learns
_NUMBERS = OTHER_SAYS + 1

# rows of places, (5, n) int64
SLOTS, FIRST_SLOTS, _RUNS, _RUN_CELLS, SCRATCH, _ROWS = range(6)

_CELL_LIMIT = 255
_MATCH_LIMIT = 1023

# maps of secondary estimation; small teams lack the last
_BY_ONE, _NETWORK_BY_ONE, _BY_TWO, _MAPS = range(4)

_LEAST = 2  # of 2**20: no bit costs more than 19 bits

_STRETCH = logistic.STRETCH
_TO_STRETCH = np.uint32(32 - logistic.STRETCH_BITS)
_CENTRED = np.float32(2.0**-20)  # centred 22-bit probabilities to -2 .. 2
_HALF = 1 << 21
_CONSTANT = np.float32(0.25)


class Mixture(NamedTuple):
    """All that changes while a block is coded.

    Handed to the kernels array by array: they take no references, and a tuple's array would cost one each time.
    """

    numbers: np.ndarray  # int64, see above
    past: np.ndarray  # int64, see contexts
    hashes: np.ndarray  # uint64, see contexts
    keys: np.ndarray  # (contexts,) uint64
    followers: np.ndarray  # uint32, see contexts
    match: np.ndarray  # int64, see matching
    heads: np.ndarray  # int32, see matching
    places: np.ndarray  # (5, contexts) int64
    nodes: np.ndarray  # uint32, see experts
    cells: np.ndarray  # uint32, see adaptive
    reals: np.ndarray  # float32: the inputs; what each set says (16); the sets' weight vectors
    finals: np.ndarray  # float32, see weighing: the weights of what the sets say, in all and by partial byte; uses
    maps: np.ndarray  # int32, see estimation
    points: np.ndarray  # (3,) int64, the points of the maps that learn


def _fresh_weights(team: Team, network: bool) -> np.ndarray:
    """Weights (inputs,) that trust all contexts alike, what their histories say most, and the network."""
    n, each = team.contexts, team.each
    others = each * n
    weights = np.zeros(team.inputs, np.float32)
    # With roots 1.0 in all is better beside a network (0.3 % of the first 4 KB), and 1.3 without one, by as much.
    weights[HISTORY:others:each] = (1.0 if team.rooted and network else 1.3) / n
    weights[each - 1 : others : each] = 0.2 / n
    weights[others + MATCH] = 0.2
    if network:
        weights[others + NETWORK] = 0.3 if team.learns else 0.5
        weights[others + OTHER] = 0.2 if team.learns else 0
    return weights


def _fresh_cells(n: int) -> np.ndarray:
    """What runs, histories and matches mean before anything was seen; believed as much as six bits."""
    count = np.uint32(6)
    cells = np.full(cells_of(n), adaptive.cell(0.9, 6), np.uint32)
    cells[: n * RUN_CELLS] = adaptive.cell(0.8, 6)
    cells[n * RUN_CELLS : n * (RUN_CELLS + STATE_CELLS)] = np.tile(history.FIRST << adaptive.COUNT_BITS | count, n)
    return cells


def fresh_mixture(length: int, team: Team, network: bool) -> Mixture:
    """The state before the first byte of a block of ``length`` bytes. For its memory see ``Team.memory``."""
    n = team.contexts
    sets = len(team.sets)
    numbers = np.zeros(_NUMBERS, np.int64)
    numbers[PARTIAL], numbers[EACH], numbers[_ESTIMATES] = 1, team.each, team.estimates
    numbers[NETWORK_SAYS] = numbers[OTHER_SAYS] = -1
    numbers[_SETS], numbers[_KIND : _KIND + sets] = sets, team.sets
    weighing.begin(numbers, CHOICE, sets, FINAL_CHOICES, sets * CHOICES if team.rooted else None)
    heads = np.zeros(team.inputs + weighing.SAYINGS, np.float32)
    weights = np.tile(_fresh_weights(team, network), team.vectors)
    return Mixture(
        numbers,
        cx.fresh_past(n),
        np.zeros(cx.HASHES, np.uint64),
        np.zeros(n, np.uint64),
        np.zeros(cx.FOLLOWERS, np.uint32),
        np.zeros(matching.NUMBERS, np.int64),
        matching.fresh_heads(team.heads_log2(length)),
        np.zeros((_ROWS, n), np.int64),
        experts.fresh_nodes(n, team.buckets_log2(length)),
        _fresh_cells(n),
        np.concatenate([heads, weights]),
        weighing.fresh_finals(FINAL_CHOICES, numbers[CHOICE + weighing.SETS], team.vectors),
        estimation.fresh_maps(1 + team.estimates),
        np.zeros(_MAPS, np.int64),
    )


@kernel
def plant(tree: np.ndarray, weights: np.ndarray) -> None:
    """Take the network's weights (256,) for the next byte: tree[c] (512,) becomes the sum below the partial byte c."""
    for i in range(256):
        tree[256 + i] = weights[i]
    for i in range(255, 0, -1):
        tree[i] = tree[2 * i] + tree[2 * i + 1]


@inlined
def probability(tree: np.ndarray, partial: int) -> int:
    """A network's probability of a 1 as the bit behind the partial byte, of 2**22."""
    share = np.float64(tree[2 * partial + 1]) / np.float64(tree[partial])
    return min(max(np.int64(share * np.float64(1 << adaptive.BITS)), 0), adaptive.TOP)


@kernel
def start_nibble(
    numbers: np.ndarray,
    past: np.ndarray,
    hashes: np.ndarray,
    keys: np.ndarray,
    followers: np.ndarray,
    places: np.ndarray,
    nodes: np.ndarray,
    text: np.ndarray,
) -> None:
    """Find the buckets for the next four bits; before the first four also the contexts."""
    slots = places[SLOTS]
    if numbers[KNOWN] == 0:
        cx.fill_keys(past, hashes, followers, text, numbers[POSITION], keys)
        experts.find_buckets(nodes, keys, 1, slots, places[SCRATCH])
        experts.read_runs(nodes, slots, places[_RUNS])
        for i in range(len(keys)):
            places[FIRST_SLOTS, i] = slots[i]
        numbers[_AROUND + BY_LAST] = np.int64(hashes[cx.LAST] & np.uint64(255))
        numbers[_AROUND + BY_BEFORE_LAST] = np.int64(hashes[cx.LAST] >> np.uint64(8) & np.uint64(255))
        numbers[_AROUND + BY_CLASSES] = cx.classes(past)
        numbers[_AROUND + BY_COLUMN] = numbers[POSITION] % past[cx.RECORD] & 255
    else:
        experts.find_buckets(nodes, keys, numbers[PARTIAL], slots, places[SCRATCH])


@inlined
def _ask_contexts(
    numbers: np.ndarray, places: np.ndarray, nodes: np.ndarray, cells: np.ndarray, reals: np.ndarray
) -> None:
    """The inputs of the hashed contexts (see team): node, history - also centred if there is room - and run."""
    partial, known, each = numbers[PARTIAL], numbers[KNOWN], numbers[EACH]
    inside = experts.inside(partial, known)
    n = places.shape[1]
    states_at = n * RUN_CELLS
    for i in range(n):
        node = nodes[places[SLOTS, i] + inside]
        state = np.int64(node & experts.STATE)
        at = each * i
        run_at = at + each - 1
        if state:
            history = cells[states_at + i * STATE_CELLS + state]
            reals[at + NODE] = _STRETCH[node >> _TO_STRETCH]
            reals[at + HISTORY] = _STRETCH[history >> _TO_STRETCH]
            if run_at > at + CENTRED:
                reals[at + CENTRED] = np.float32(np.int64(history >> adaptive.COUNT_BITS) - _HALF) * _CENTRED
        else:
            reals[at + NODE] = reals[at + HISTORY] = reals[at + CENTRED] = 0
        byte, times = places[_RUNS, i] & 255, places[_RUNS, i] >> 8
        if times > 0 and (byte | 256) >> (8 - known) == partial:
            bit = byte >> (7 - known) & 1
            cell = i * RUN_CELLS + times * 8 + known
            places[_RUN_CELLS, i] = cell << 1 | bit
            trust = _STRETCH[cells[cell] >> _TO_STRETCH]
            reals[run_at] = trust if bit else -trust
        else:
            places[_RUN_CELLS, i] = -1
            reals[run_at] = 0


@inlined
def _ask_others(
    numbers: np.ndarray,
    hashes: np.ndarray,
    match: np.ndarray,
    cells: np.ndarray,
    reals: np.ndarray,
    maps: np.ndarray,
    points: np.ndarray,
    others: int,
    matches_at: int,
) -> int:
    """The inputs of the network and the match, which begin at ``others``; how sure these two are, 0 to 127."""
    partial, known = numbers[PARTIAL], numbers[KNOWN]
    confidence = 0
    says = numbers[NETWORK_SAYS]
    if says >= 0:
        nats = _STRETCH[says >> (adaptive.BITS - logistic.STRETCH_BITS)]
        reals[others + NETWORK] = nats
        reals[others + NETWORK + 1] = np.float32(says - _HALF) * _CENTRED
        last = np.int64(hashes[cx.LAST] & np.uint64(255))
        estimate = estimation.estimate(maps, _NETWORK_BY_ONE, last << 8 | partial, nats, points)
        reals[others + NETWORK + 2] = _STRETCH[estimate >> (logistic.PROBABILITY_BITS - logistic.STRETCH_BITS)]
        confidence = 1 + min(abs(says - _HALF) >> 18, 6)
    says = numbers[OTHER_SAYS]
    if says >= 0:
        reals[others + OTHER] = _STRETCH[says >> (adaptive.BITS - logistic.STRETCH_BITS)]
        reals[others + OTHER + 1] = np.float32(says - _HALF) * _CENTRED
    expected = matching.expected_bit(match, partial, known)
    if expected < 0:
        reals[others + MATCH] = reals[others + MATCH + 1] = 0
        return confidence
    right = cells[matches_at + matching.cell_of(match)]
    nats = _STRETCH[right >> _TO_STRETCH]
    centred = np.float32(np.int64(right >> adaptive.COUNT_BITS) - _HALF) * _CENTRED
    reals[others + MATCH] = nats if expected else -nats
    reals[others + MATCH + 1] = centred if expected else -centred
    return (1 + min(matching.length_class(match) // 2, 14)) * 8 + confidence


@inlined
def predict(
    numbers: np.ndarray,
    hashes: np.ndarray,
    match: np.ndarray,
    places: np.ndarray,
    nodes: np.ndarray,
    cells: np.ndarray,
    reals: np.ndarray,
    finals: np.ndarray,
    maps: np.ndarray,
    points: np.ndarray,
) -> int:
    """The frequency of a 1 as the next bit, of 2**20; between 2 and 2**20 - 2."""
    partial, known = numbers[PARTIAL], numbers[KNOWN]
    n = places.shape[1]
    each = numbers[EACH]
    inputs, others = inputs_of(n, each), each * n
    _ask_contexts(numbers, places, nodes, cells, reals)
    matches_at = n * (RUN_CELLS + STATE_CELLS)
    sure = _ask_others(numbers, hashes, match, cells, reals, maps, points, others, matches_at)
    reals[others + BIAS] = _CONSTANT

    last, two = np.int64(hashes[cx.LAST] & np.uint64(255)), np.int64(hashes[cx.LAST] & np.uint64(0xFFFF))
    numbers[_AROUND + BY_SURE] = sure
    for k in range(numbers[_SETS]):
        kind = numbers[_KIND + k]
        numbers[_CHOSEN + k] = k * CHOICES + (partial if kind == BY_PARTIAL else 8 * numbers[_AROUND + kind] + known)
    final = weighing.weigh(numbers, CHOICE, reals, finals, inputs, partial)
    mixed = numbers[CHOICE + weighing.MIXED]

    by_one = estimation.estimate(maps, _BY_ONE, last << 8 | partial, final, points)
    if numbers[_ESTIMATES] < 2:
        return min(max((mixed + by_one) >> 5, _LEAST), BIT_TOTAL - _LEAST)
    by_two = estimation.estimate(maps, _BY_TWO, (two * 40503 ^ partial * 9973) & 0xFFFF, final, points)
    return min(max((2 * mixed + by_one + by_two) >> 6, _LEAST), BIT_TOTAL - _LEAST)


@inlined
def update(
    numbers: np.ndarray,
    match: np.ndarray,
    places: np.ndarray,
    nodes: np.ndarray,
    cells: np.ndarray,
    reals: np.ndarray,
    finals: np.ndarray,
    maps: np.ndarray,
    points: np.ndarray,
    bit: int,
) -> None:
    """Learn from the bit, and take it into the partial byte."""
    partial, known = numbers[PARTIAL], numbers[KNOWN]
    n = places.shape[1]
    weighing.learn(numbers, CHOICE, reals, finals, inputs_of(n, numbers[EACH]), partial, bit)
    inside = experts.inside(partial, known)
    states_at = n * RUN_CELLS
    for i in range(n):
        at = places[SLOTS, i] + inside
        node = nodes[at]
        state = np.int64(node & experts.STATE)
        if state:
            adaptive.learn(cells, states_at + i * STATE_CELLS + state, bit, _CELL_LIMIT)
        nodes[at] = experts.adapted(node, bit)
        run = places[_RUN_CELLS, i]
        if run >= 0:
            adaptive.learn(cells, run >> 1, 1 if run & 1 == bit else 0, _CELL_LIMIT)
    expected = matching.expected_bit(match, partial, known)
    if expected >= 0:
        at = n * (RUN_CELLS + STATE_CELLS) + matching.cell_of(match)
        adaptive.learn(cells, at, 1 if bit == expected else 0, _MATCH_LIMIT)
    estimation.learn(maps, points[_BY_ONE], bit)
    if numbers[_ESTIMATES] == 2:
        estimation.learn(maps, points[_BY_TWO], bit)
    if numbers[NETWORK_SAYS] >= 0:
        estimation.learn(maps, points[_NETWORK_BY_ONE], bit)
    numbers[PARTIAL] = partial << 1 | bit
    numbers[KNOWN] = known + 1


@kernel
def end_byte(
    numbers: np.ndarray,
    past: np.ndarray,
    hashes: np.ndarray,
    followers: np.ndarray,
    match: np.ndarray,
    heads: np.ndarray,
    places: np.ndarray,
    nodes: np.ndarray,
    text: np.ndarray,
) -> None:
    """Take the finished byte into the past; it stands in the block's bytes, text (length,), already."""
    byte = numbers[PARTIAL] & 255
    position = numbers[POSITION] + 1
    numbers[PARTIAL], numbers[KNOWN], numbers[POSITION] = 1, 0, position
    experts.write_runs(nodes, places[FIRST_SLOTS], byte)
    cx.remember(past, hashes, followers, text, position, byte)
    matching.follow(match, hashes, heads, text, position)
