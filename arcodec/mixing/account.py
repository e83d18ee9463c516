"""What each expert would have taken alone: the bits of a code built on its own probability, bit by bit.

For the ledger only, and only when it is asked for: logarithms are slow, and coding never needs them.
"""

from __future__ import annotations

import numpy as np

from ..jit import kernel
from .contexts import NAMES
from .team import EACH, MATCH, Team


@kernel
def add(reals: np.ndarray, contexts: int, bit: int, shares: np.ndarray) -> None:
    """Add the cost of a bit to shares (contexts + 1,): of each context's history, and of the match.

    Nothing said is one bit. reals begins with the mixer's inputs, in nats.
    """
    for i in range(contexts + 1):
        nats = np.float64(reals[EACH * i + 1 if i < contexts else EACH * contexts + MATCH])
        shares[i] += np.log2(1 + np.exp(-nats if bit else nats))


def names(team: Team) -> tuple[str, ...]:
    """What the shares are called."""
    return (*NAMES[: team.contexts], "match")
