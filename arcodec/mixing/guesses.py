"""What the mixture would have bet on: its likeliest next bytes at every position, for reports.

The tree of a byte's eight decisions is searched from its root, the likelier branch first, and left where no leaf can be
among the likeliest. Whoever asks for a bucket that nobody used takes one from somebody else: here both places it could
be at are put back afterwards, so that the mixture learns as if nobody had asked.
"""

from __future__ import annotations

import numpy as np

from ..exact.program import Program, empty_program
from ..jit import kernel
from ..range_kernel import BIT_TOTAL
from . import experts
from . import mixture as mx
from . import networks as nt
from .experts import BUCKET
from .mixture import Mixture, fresh_mixture
from .networks import SCRATCH, Networks, fresh_networks
from .team import Team

_LEAST = 1 / 512  # less likely bytes are not looked for
_DEEP = 16  # of the stack: two children a level


@kernel
def _lend(
    nodes: np.ndarray, keys: np.ndarray, partial: int, slots: np.ndarray, checks: np.ndarray, kept: np.ndarray
) -> None:
    """Find the buckets below a nibble; kept (contexts, 2 * BUCKET + 1): what stood where each could be, and where."""
    size = len(nodes) // len(keys)
    for i in range(len(keys)):
        first = i * size + experts.place_of(keys[i], partial, size)
        kept[i, 2 * BUCKET] = first
        for j in range(BUCKET):
            kept[i, j] = nodes[first + j]
            kept[i, BUCKET + j] = nodes[(first ^ BUCKET) + j]
    experts.find_buckets(nodes, keys, partial, slots, checks)


@kernel
def _put_back(nodes: np.ndarray, kept: np.ndarray) -> None:
    for i in range(len(kept)):
        first = kept[i, 2 * BUCKET]
        for j in range(BUCKET):
            nodes[first + j] = np.uint32(kept[i, j])
            nodes[(first ^ BUCKET) + j] = np.uint32(kept[i, BUCKET + j])


@kernel
def _search(
    mixture: Mixture,
    network: bool,
    learns: bool,
    scratch: np.ndarray,
    kept: np.ndarray,
    stack: np.ndarray,
    guesses: np.ndarray,
    shares: np.ndarray,
) -> None:
    """Before a byte, its first nibble's buckets found: the likeliest into guesses (count,), falling."""
    numbers, _, hashes, keys, _, match, _, places, nodes, cells, reals, finals, maps, points = mixture
    count, below = len(guesses), 1  # the nibble whose buckets are at hand
    shares[:] = 0
    stack[0, 0], stack[0, 1], top = 1, 1.0, 1
    while top:
        top -= 1
        partial, share = np.int64(stack[top, 0]), stack[top, 1]
        if share < _LEAST or share <= shares[count - 1]:
            continue
        if partial >= 256:
            place = count - 1
            while place > 0 and shares[place - 1] < share:
                shares[place], guesses[place] = shares[place - 1], guesses[place - 1]
                place -= 1
            shares[place], guesses[place] = share, np.uint8(partial & 255)
            continue
        known = 0
        while partial >> (known + 1):
            known += 1
        nibble = partial >> (known - 4) if known >= 4 else 1
        if nibble != below:
            if below != 1:
                _put_back(nodes, kept)
            if nibble == 1:
                for i in range(len(keys)):
                    places[mx.SLOTS, i] = places[mx.FIRST_SLOTS, i]
            else:
                _lend(nodes, keys, nibble, places[mx.SLOTS], places[mx.SCRATCH], kept)
            below = nibble
        numbers[mx.PARTIAL], numbers[mx.KNOWN] = partial, known
        if network:
            nt.consult(numbers, scratch, learns)
        one = mx.predict(numbers, hashes, match, places, nodes, cells, reals, finals, maps, points) / BIT_TOTAL
        likelier = 1 if one >= 0.5 else 0
        stack[top, 0], stack[top, 1] = 2 * partial + 1 - likelier, share * (1 - one if likelier else one)
        stack[top + 1, 0], stack[top + 1, 1] = 2 * partial + likelier, share * (one if likelier else 1 - one)
        top += 2
    if below != 1:
        _put_back(nodes, kept)
        for i in range(len(keys)):
            places[mx.SLOTS, i] = places[mx.FIRST_SLOTS, i]
    numbers[mx.PARTIAL], numbers[mx.KNOWN] = 1, 0


@kernel
def _read(
    networks: Networks,
    network: bool,
    mixture: Mixture,
    scratch: np.ndarray,
    kept: np.ndarray,
    stack: np.ndarray,
    text: np.ndarray,
    wanted: np.ndarray,
    guesses: np.ndarray,
    shares: np.ndarray,
) -> None:
    numbers, past, hashes, keys, followers, match, heads, places, nodes, cells, reals, finals, maps, points = mixture
    learns = len(networks.learner.clock) > 0
    for t in range(len(text)):
        symbol = np.int64(text[t])
        mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
        if network:
            nt.ask(networks, scratch)
            nt.follow(networks, scratch, symbol)
        if wanted[t]:
            _search(mixture, network, learns, scratch, kept, stack, guesses[t], shares[t])
        for place in range(7, -1, -1):
            if place == 3:
                mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
            if network:
                nt.consult(numbers, scratch, learns)
            mx.predict(numbers, hashes, match, places, nodes, cells, reals, finals, maps, points)
            mx.update(numbers, match, places, nodes, cells, reals, finals, maps, points, (symbol >> place) & 1)
        mx.end_byte(numbers, past, hashes, followers, match, heads, places, nodes, text)


def likeliest(
    program: Program | None,
    team: Team,
    block: np.ndarray,
    wanted: np.ndarray,
    count: int,
    beside: Program | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Where wanted (n,) bool, before each byte of a block (n,) uint8: the likeliest (n, count) uint8 and their shares.

    Shares below 1/512 are 0, and there no byte is meant. program, beside: see ``MixtureEngine``.
    """
    network = program is not None
    program = empty_program() if program is None else program
    guesses, shares = np.zeros((len(block), count), np.uint8), np.zeros((len(block), count))
    _read(
        fresh_networks(program, network and team.learns, beside),
        network,
        fresh_mixture(len(block), team, network),
        np.empty(SCRATCH, np.int64),
        np.empty((team.contexts, 2 * BUCKET + 1), np.int64),
        np.empty((_DEEP, 2)),
        block,
        wanted,
        guesses,
        shares,
    )
    return guesses, shares
