"""What each expert would have taken alone, and how loudly it spoke in the mixture.

For the ledger only, and only when it is asked for: logarithms are slow, and coding never needs them.
"""

from __future__ import annotations

import numpy as np

from ...jit import kernel
from .. import weighing
from ..account import ALONE, VOICE
from . import contexts, recall
from .team import Team


@kernel
def add(
    numbers: np.ndarray,
    choice: int,
    situation: int,
    reals: np.ndarray,
    finals: np.ndarray,
    inputs: int,
    densities: int,
    bit: int,
    shares: np.ndarray,
) -> None:
    """Add a decision, not yet learnt from, to shares (experts, 2), in the order of ``names``; see ``mixing.account``.

    Alone nothing said is one bit. reals begins with the mixer's inputs, in nats: two of each density, one of
    the others.
    """
    for i in range(len(shares)):
        first, count = (2 * i, 2) if i < densities else (densities + i, 1)
        nats = np.float64(reals[first])
        shares[i, ALONE] += np.log2(1 + np.exp(-nats if bit else nats))
        shares[i, VOICE] += abs(weighing.added(numbers, choice, reals, finals, inputs, situation, first, count))


def names(team: Team, network: bool, lattice: bool) -> tuple[str, ...]:
    """Of the rows of shares: densities, contexts, memories."""
    predictors = [f"least squares {p + 1}" for p in range(len(team.predictors))]
    densities = [*predictors, *["network"] * network, *["lattice"] * lattice]
    memories = [f"recall {i + 1}" for i in range(recall.CONTEXTS)]
    return (*densities, *contexts.NAMES[: team.contexts], *memories)
