"""The mixer: experts' probabilities, in the logistic domain, added up with weights that learn from every bit.

Several weight vectors are asked side by side, one of each set, chosen by what stands around the bit; what they say is
added up once more. For p = squash(w . x) the gradient of the cost -ln p(bit) is (p - bit) x, as in PAQ (Mahoney 2005,
"Adaptive weighing of context models for lossless data compression").
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel
from . import logistic
from .vectors import add_scaled, dot

MOST_SETS = 6

# A choice, int64, stands somewhere in an array of its user: how many sets there are; the mixer's probability of a 1, of
# 2**24; of each set, which of all weight vectors is chosen, and its probability of a 1.
SETS, MIXED, CHOSEN = range(3)
_SAID = CHOSEN + MOST_SETS
CHOICE = _SAID + MOST_SETS

SAYINGS = 16  # room behind the inputs for what the sets say; the weight vectors begin behind it

_SQUASH = logistic.SQUASH
_LIMIT = np.float32(11.99)
_STEPS = np.float32(logistic.STEPS)
_TO_UNIT = np.float32(2.0**-24)
_RATE_LEAST = np.float32(0.002)
_RATE_MORE = np.float32(0.02)
_USES = np.float32(1 / 256)
_FINAL_RATE = np.float32(0.0015)
_ONE = np.float32(1)


def fresh_finals(situations: int, sets: int, vectors: int) -> np.ndarray:
    """Equal weights (situations, MOST_SETS) of what the sets say, and behind them how often each vector was chosen."""
    shares = np.full(situations * MOST_SETS, 1 / sets, np.float32)
    return np.concatenate([shares, np.zeros(vectors, np.float32)])


@inlined
def squash(nats: float) -> int:
    """Probability of 24 bits."""
    clamped = min(max(nats, -_LIMIT), _LIMIT)
    return np.int64(_SQUASH[np.int64(np.rint(clamped * _STEPS)) + logistic.LIMIT])


@inlined
def weigh(numbers: np.ndarray, at: int, reals: np.ndarray, finals: np.ndarray, inputs: int, situation: int) -> float:
    """What the sets together say of the next bit, in nats. The choice is at numbers[at]; reals begins with inputs."""
    final = np.float32(0)
    for k in range(numbers[at + SETS]):
        start = inputs + SAYINGS + numbers[at + CHOSEN + k] * inputs
        total = min(max(dot(reals, start, 0, inputs), -_LIMIT), _LIMIT)  # type: ignore[call-arg]
        reals[inputs + k] = total
        numbers[at + _SAID + k] = squash(total)
        weighed = finals[situation * MOST_SETS + k] * total
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
    total = 0.0
    for k in range(numbers[at + SETS]):
        start = inputs + SAYINGS + numbers[at + CHOSEN + k] * inputs
        part = 0.0
        for i in range(first, first + count):
            part += reals[start + i] * reals[i]
        total += finals[situation * MOST_SETS + k] * part
    return total


@inlined
def learn(
    numbers: np.ndarray,
    at: int,
    reals: np.ndarray,
    finals: np.ndarray,
    inputs: int,
    situation: int,
    situations: int,
    bit: int,
) -> None:
    """One step of gradient descent for the weights each set chose, and for those of the sets."""
    truth = np.float32(bit)
    final_step = (truth - np.float32(numbers[at + MIXED]) * _TO_UNIT) * _FINAL_RATE
    used_at = situations * MOST_SETS
    for k in range(numbers[at + SETS]):
        chosen = numbers[at + CHOSEN + k]
        uses = finals[used_at + chosen]
        finals[used_at + chosen] = uses + _ONE
        rate = _RATE_LEAST + _RATE_MORE / (_ONE + uses * _USES)
        error = truth - np.float32(numbers[at + _SAID + k]) * _TO_UNIT
        add_scaled(reals, inputs + SAYINGS + chosen * inputs, 0, inputs, np.float32(error * rate))  # type: ignore[call-arg]
        shift = final_step * reals[inputs + k]
        finals[situation * MOST_SETS + k] = finals[situation * MOST_SETS + k] + shift
