"""What happened in a context, bit by bit, as one of fewer than 1024 states.

Up to six bits are kept as they came. Behind them a state is a count of zeros, a count of ones and the last two bits;
the count of what did not come is cut down each time, since what a source did lately says more than what it did long ago
(the idea of PAQ's nonstationary states, Mahoney 2005; the states here are our own).
"""

from __future__ import annotations

import numpy as np

_EXACT = 6  # bits kept one by one
_MOST = 60  # of a count
_LAST = 2  # bits kept behind the counts

STATES = 1024  # room for them; the first is the fresh one

_State = tuple[int, int, tuple[int, ...]]  # zeros, ones, the bits kept


def _after(state: _State, bit: int) -> _State:
    zeros, ones, bits = state
    if zeros + ones < _EXACT and len(bits) == zeros + ones:
        return zeros + (bit == 0), ones + bit, (*bits, bit)
    came, other = (ones, zeros) if bit else (zeros, ones)
    came, other = min(came + 1, _MOST), other if other <= 2 else 2 + (other - 2) // 2
    kept = (*bits, bit)[-_LAST:]
    return (other, came, kept) if bit else (came, other, kept)


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    places: dict[_State, int] = {(0, 0, ()): 0}
    order: list[_State] = [(0, 0, ())]
    following = []
    for state in order:  # grows while we walk
        for bit in (0, 1):
            after = _after(state, bit)
            if after not in places:
                places[after] = len(order)
                order.append(after)
        following.append([places[_after(state, bit)] for bit in (0, 1)])
    assert len(order) <= STATES
    counts = np.array([[zeros, ones] for zeros, ones, _ in order])
    padding = STATES - len(order)
    rates = [65536 * 2 // (2 * (zeros + ones) + 3) for zeros, ones in counts.tolist()]
    first = [(1 << 22) * (5 * ones + 2) // (5 * (zeros + ones) + 4) for zeros, ones in counts.tolist()]
    return (
        np.array([*following, *[[0, 0]] * padding], np.uint32).ravel(),
        np.array([*rates, *[0] * padding], np.int64),
        np.array([*first, *[1 << 21] * padding], np.uint32),
        np.array([*counts.sum(1).tolist(), *[0] * padding], np.uint8),
    )


# NEXT[2 * state + bit]; RATES[state] of 65536, how far a probability moves towards the next bit;
# FIRST[state] of 2**22, the probability of a 1 before anything was learnt about the state; SEEN[state], bits counted.
NEXT, RATES, FIRST, SEEN = _tables()
