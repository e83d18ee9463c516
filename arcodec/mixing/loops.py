"""Compiled loops over bytes: the network, if there is one, then eight bits, each predicted, coded and learnt from."""

from __future__ import annotations

import numpy as np

from .. import range_kernel as rk
from ..jit import kernel
from . import account as ac
from . import mixture as mx
from . import networks as nt
from .mixture import Mixture
from .networks import Networks


@kernel
def encode(
    networks: Networks,
    network: bool,
    mixture: Mixture,
    scratch: np.ndarray,
    coder: np.ndarray,
    words: np.ndarray,
    text: np.ndarray,
    start: int,
    stop: int,
    totals: np.ndarray,
    shares: np.ndarray,
    costs: np.ndarray,
) -> None:
    """Code text[start:stop]; scratch (1536,) int64 is room to work in.

    Adds to totals the bits of the mixture and of the network alone. Unless they are empty, adds to shares what each
    expert would have taken alone and what it added (see ``account``), and to totals the bits of the network beside one
    that learns; and writes to costs[start:stop] the bits of each byte.
    """
    numbers, past, hashes, keys, followers, match, heads, places, nodes, cells, reals, finals, maps, points = mixture
    learns = len(networks.learner.clock) > 0
    for t in range(start, stop):
        symbol = np.int64(text[t])
        mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
        if network:
            nt.ask(networks, scratch)
            totals[1] += nt.bits(scratch, symbol)
            if learns and len(shares):
                totals[2] += nt.bits_beside(scratch, symbol)
            nt.follow(networks, scratch, symbol)
        likelihood = 1.0  # of the byte's bits, times BIT_TOTAL each: one logarithm a byte instead of eight
        for place in range(7, -1, -1):
            if place == 3:
                mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
            if network:
                nt.consult(numbers, scratch, learns)
            bit = (symbol >> place) & 1
            one = mx.predict(numbers, hashes, match, places, nodes, cells, reals, finals, maps, points)
            rk.encode_bit(coder, words, one, bit)
            likelihood *= one if bit else rk.BIT_TOTAL - one
            if len(shares):
                ac.add(
                    numbers,
                    mx.CHOICE,
                    numbers[mx.EACH],
                    numbers[mx.PARTIAL],
                    reals,
                    finals,
                    places.shape[1],
                    bit,
                    shares,
                )
            mx.update(numbers, match, places, nodes, cells, reals, finals, maps, points, bit)
        bits = 8 * rk.BIT_PRECISION - np.log2(likelihood)
        totals[0] += bits
        if len(costs):
            costs[t] = bits
        mx.end_byte(numbers, past, hashes, followers, match, heads, places, nodes, text)


@kernel
def decode(
    networks: Networks,
    network: bool,
    mixture: Mixture,
    scratch: np.ndarray,
    coder: np.ndarray,
    words: np.ndarray,
    text: np.ndarray,
    start: int,
    stop: int,
) -> bool:
    """Fill text[start:stop]; False if the words are damaged so that no symbol fits."""
    numbers, past, hashes, keys, followers, match, heads, places, nodes, cells, reals, finals, maps, points = mixture
    learns = len(networks.learner.clock) > 0
    for t in range(start, stop):
        mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
        if network:
            nt.ask(networks, scratch)
        for place in range(7, -1, -1):
            if place == 3:
                mx.start_nibble(numbers, past, hashes, keys, followers, places, nodes, text)
            if network:
                nt.consult(numbers, scratch, learns)
            one = mx.predict(numbers, hashes, match, places, nodes, cells, reals, finals, maps, points)
            bit = rk.decode_bit(coder, words, one)
            if bit < 0:
                return False
            mx.update(numbers, match, places, nodes, cells, reals, finals, maps, points, bit)
        text[t] = numbers[mx.PARTIAL] & 255
        if network:
            nt.follow(networks, scratch, np.int64(text[t]))
        mx.end_byte(numbers, past, hashes, followers, match, heads, places, nodes, text)
    return True
