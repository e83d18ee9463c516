"""What each expert would have taken alone, and how loudly it spoke in the mixture.

For the ledger only, and only when it is asked for: logarithms are slow, and coding never needs them.
"""

from __future__ import annotations

import numpy as np

from ..jit import kernel
from . import weighing
from .contexts import NAMES
from .team import HISTORY, MATCH, NETWORK, OTHER, Team, inputs_of

ALONE, VOICE, COLUMNS = range(3)  # bits of a code built on its own probability; sum of |nats| it added to the mixture's


@kernel
def add(
    numbers: np.ndarray,
    choice: int,
    each: int,
    situation: int,
    reals: np.ndarray,
    finals: np.ndarray,
    contexts: int,
    bit: int,
    shares: np.ndarray,
) -> None:
    """Add a bit, not yet learnt from, to shares (experts, 2): of each context, the match and the network.

    Alone a context is its bit history, and nothing said is one bit; the network's bits are counted elsewhere. Of the
    mixture an expert has all its inputs; a network that learns and the one beside it are one expert here. reals begins
    with them, in nats, ``each`` of a context; the choice is at numbers[choice].
    """
    inputs = inputs_of(contexts, each)
    for i in range(contexts + 2):
        first, count = each * i, each
        if i == contexts:
            first, count = each * contexts + MATCH, 2
        elif i > contexts:
            first, count = each * contexts + NETWORK, 3
        if i <= contexts:
            nats = np.float64(reals[first + HISTORY if i < contexts else first])
            shares[i, ALONE] += np.log2(1 + np.exp(-nats if bit else nats))
        voice = weighing.added(numbers, choice, reals, finals, inputs, situation, first, count)
        if i > contexts:
            first = each * contexts + OTHER
            voice += weighing.added(numbers, choice, reals, finals, inputs, situation, first, 2)
        shares[i, VOICE] += abs(voice)


def names(team: Team) -> tuple[str, ...]:
    """Of the rows of shares."""
    return (*NAMES[: team.contexts], "match", "network")
