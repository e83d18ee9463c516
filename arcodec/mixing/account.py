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
    """Add a bit, not yet learnt from, to shares (experts, 2): of each context, the match and the networks.

    Alone a context is its bit history, and nothing said is one bit; the networks' bits are counted elsewhere. Of the
    mixture an expert has all its inputs. reals begins with them, in nats, ``each`` of a context; the choice is at
    numbers[choice].
    """
    inputs = inputs_of(contexts, each)
    for i in range(len(shares)):
        first, count = each * i, each
        if i == contexts:
            first, count = each * contexts + MATCH, 2
        elif i == contexts + 1:
            first, count = each * contexts + NETWORK, 3
        elif i > contexts + 1:
            first, count = each * contexts + OTHER, 2
        if i <= contexts:
            nats = np.float64(reals[first + HISTORY if i < contexts else first])
            shares[i, ALONE] += np.log2(1 + np.exp(-nats if bit else nats))
        shares[i, VOICE] += abs(weighing.added(numbers, choice, reals, finals, inputs, situation, first, count))


def names(team: Team) -> tuple[str, ...]:
    """Of the first rows of shares."""
    return (*NAMES[: team.contexts], "match")


def names_of_networks(team: Team) -> tuple[str, ...]:
    """Of the rows behind them."""
    return ("network", "network beside it") if team.learns else ("network",)
