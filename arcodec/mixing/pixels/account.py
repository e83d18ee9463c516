"""What each expert would have taken alone: the bits of a code built on its own probabilities, decision by decision.

For the ledger only, and only when it is asked for: logarithms are slow, and coding never needs them.
"""

from __future__ import annotations

import numpy as np

from ...jit import kernel
from . import contexts, recall
from .team import Team


@kernel
def add(reals: np.ndarray, densities: int, bit: int, shares: np.ndarray) -> None:
    """Add the cost of a decision to shares (experts,), in the order of ``names``.

    Nothing said is one bit. reals begins with the mixer's inputs, in nats.
    """
    for i in range(len(shares)):
        nats = np.float64(reals[2 * i if i < densities else densities + i])
        shares[i] += np.log2(1 + np.exp(-nats if bit else nats))


def names(team: Team, network: bool, lattice: bool) -> tuple[str, ...]:
    """What the shares are called: densities, contexts, memories."""
    predictors = [f"least squares {p + 1}" for p in range(len(team.predictors))]
    densities = [*predictors, *["network"] * network, *["lattice"] * lattice]
    memories = [f"recall {i + 1}" for i in range(recall.CONTEXTS)]
    return (*densities, *contexts.NAMES[: team.contexts], *memories)
