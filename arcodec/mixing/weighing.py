"""The mixer: experts' probabilities, in the logistic domain, added up with weights that learn from every bit.

Several weight vectors are asked side by side, one of each set, chosen by what stands around the bit; what they say is
added up once more. For p = squash(w . x) the gradient of the cost -ln p(bit) is (p - bit) x, as in PAQ (Mahoney 2005,
"Adaptive weighing of context models for lossless data compression").

Rooted, the last two sets have one vector each, that learns from every bit: slowly the first, fast the second. Once the
slow one has learnt from some bits, a vector of another set that is chosen for the first time begins as a copy of it;
and part of the last sum's weights is the same in all situations. So what holds everywhere is learnt once.
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel
from . import logistic
from .vectors import add_scaled, dot

MOST_SETS = 8  # roots included
ROOTS = 2  # a slow one and a fast one, the last of the sets

# A choice, int64, stands somewhere in an array of its user: how many sets there are; whether they are rooted; where in
# the finals the uses begin; the mixer's probability of a 1, of 2**24; of each set, which of all weight vectors is
# chosen, and its probability of a 1.
SETS, _ROOTED, _USES_AT, MIXED, CHOSEN = range(5)
_SAID = CHOSEN + MOST_SETS
CHOICE = _SAID + MOST_SETS

SAYINGS = 16  # room behind the inputs for what the sets say; the weight vectors begin behind it

_SQUASH = logistic.SQUASH
_LIMIT = np.float32(11.99)
_STEPS = np.float32(logistic.STEPS)
_TO_UNIT = np.float32(2.0**-24)
_RATE_LEAST, _ROOTED_LEAST = np.float32(0.002), np.float32(0.001)
_RATE_MORE = np.float32(0.02)
_EACH_USE = np.float32(1 / 256)
_FINAL_RATE, _ROOTED_FINAL_RATE = np.float32(0.0015), np.float32(0.0005)
_SLOW, _FAST = np.float32(0.25), np.float32(3)  # times the rate of the others
_GROWN = np.float32(64)  # uses after which the slow root is worth copying
_INHERITED = np.float32(64)  # uses that a copy counts as, so that it is changed less than what knows nothing
_ONE = np.float32(1)


def fresh_finals(situations: int, sets: int, vectors: int) -> np.ndarray:
    """Equal weights of what the sets say, and how often each vector was chosen.

    (1 + situations, MOST_SETS) weights, first what is common to all situations, and then (vectors,).
    """
    shares = np.full(situations * MOST_SETS, 1 / sets, np.float32)
    return np.concatenate([np.zeros(MOST_SETS, np.float32), shares, np.zeros(vectors, np.float32)])


def begin(numbers: np.ndarray, at: int, sets: int, situations: int, root: int | None = None) -> None:
    """Write a choice to numbers[at]. root: which vector is the slow one, the fast one being the next; None: no roots.

    sets does not count the roots.
    """
    all_sets = sets + (0 if root is None else ROOTS)
    assert all_sets <= MOST_SETS
    numbers[at + SETS], numbers[at + _USES_AT] = all_sets, (1 + situations) * MOST_SETS
    if root is not None:
        numbers[at + _ROOTED] = 1
        numbers[at + CHOSEN + sets : at + CHOSEN + all_sets] = root, root + 1


@inlined
def _asked(numbers: np.ndarray, at: int, finals: np.ndarray, k: int) -> int:
    """Which vector speaks for a set: the one chosen, or the slow root if that knows something and the other nothing."""
    chosen, uses_at = numbers[at + CHOSEN + k], numbers[at + _USES_AT]
    if numbers[at + _ROOTED] and finals[uses_at + chosen] == 0:
        root = numbers[at + CHOSEN + numbers[at + SETS] - ROOTS]
        if finals[uses_at + root] > _GROWN:
            return root
    return chosen


@inlined
def squash(nats: float) -> int:
    """Probability of 24 bits."""
    clamped = min(max(nats, -_LIMIT), _LIMIT)
    return np.int64(_SQUASH[np.int64(np.rint(clamped * _STEPS)) + logistic.LIMIT])


@inlined
def weigh(numbers: np.ndarray, at: int, reals: np.ndarray, finals: np.ndarray, inputs: int, situation: int) -> float:
    """What the sets together say of the next bit, in nats. The choice is at numbers[at]; reals begins with inputs."""
    own = (1 + situation) * MOST_SETS
    final = np.float32(0)
    for k in range(numbers[at + SETS]):
        start = inputs + SAYINGS + _asked(numbers, at, finals, k) * inputs
        total = min(max(dot(reals, start, 0, inputs), -_LIMIT), _LIMIT)  # type: ignore[call-arg]
        reals[inputs + k] = total
        numbers[at + _SAID + k] = squash(total)
        weighed = (finals[own + k] + finals[k]) * total
        final = final + weighed
    numbers[at + MIXED] = squash(final)
    return final


@kernel
def added(
    numbers: np.ndarray,
    at: int,
    reals: np.ndarray,
    finals: np.ndarray,
    inputs: int,
    situation: int,
    first: int,
    count: int,
) -> float:
    """What ``count`` of the inputs, from the first, added to what ``weigh`` said, in nats; for accounts only."""
    own = (1 + situation) * MOST_SETS
    total = 0.0
    for k in range(numbers[at + SETS]):
        start = inputs + SAYINGS + _asked(numbers, at, finals, k) * inputs
        part = 0.0
        for i in range(first, first + count):
            part += reals[start + i] * reals[i]
        total += (finals[own + k] + finals[k]) * part
    return total


@inlined
def learn(
    numbers: np.ndarray,
    at: int,
    reals: np.ndarray,
    finals: np.ndarray,
    inputs: int,
    situation: int,
    bit: int,
) -> None:
    """One step of gradient descent for the weights each set chose, and for those of the sets."""
    truth = np.float32(bit)
    sets, rooted = numbers[at + SETS], numbers[at + _ROOTED] != 0
    least, final_rate = (_ROOTED_LEAST, _ROOTED_FINAL_RATE) if rooted else (_RATE_LEAST, _FINAL_RATE)
    final_step = (truth - np.float32(numbers[at + MIXED]) * _TO_UNIT) * final_rate
    own, uses_at = (1 + situation) * MOST_SETS, numbers[at + _USES_AT]
    for k in range(sets):
        chosen, asked = numbers[at + CHOSEN + k], _asked(numbers, at, finals, k)
        if asked != chosen:
            finals[uses_at + chosen] = _INHERITED
            for i in range(inputs):
                reals[inputs + SAYINGS + chosen * inputs + i] = reals[inputs + SAYINGS + asked * inputs + i]
        uses = finals[uses_at + chosen]
        finals[uses_at + chosen] = uses + _ONE
        rate = least + _RATE_MORE / (_ONE + uses * _EACH_USE)
        if rooted and k >= sets - ROOTS:
            rate = rate * (_SLOW if k == sets - ROOTS else _FAST)
        error = truth - np.float32(numbers[at + _SAID + k]) * _TO_UNIT
        add_scaled(reals, inputs + SAYINGS + chosen * inputs, 0, inputs, np.float32(error * rate))  # type: ignore[call-arg]
        shift = final_step * reals[inputs + k]
        finals[own + k] = finals[own + k] + shift
        if rooted:
            finals[k] = finals[k] + shift
