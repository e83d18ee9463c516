"""Teams of experts: how many contexts are asked, how the mixer's inputs are laid out, and what memory it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..jit import inlined
from . import contexts, estimation, matching, weighing

# Inputs of the mixer: four of each context, then those of the network, of the match, a constant, and those of the
# network as it was before it learnt.
EACH = 4
NETWORK, MATCH, BIAS, ORIGINAL, OTHERS = 0, 3, 5, 6, 8
_LANES = 16  # inputs are padded to a multiple of it

CHOICES = 2048  # weight vectors a set holds
FINAL_CHOICES = 256

# Adaptive probabilities: of runs, [context][times in a row][known bits]; of states, [context][state]; of matches.
RUN_CELLS = 16 * 8
STATE_CELLS = 1024


@inlined
def inputs_of(contexts: int) -> int:
    """Inputs of the mixer with so many contexts; padded."""
    return (EACH * contexts + OTHERS + _LANES - 1) // _LANES * _LANES


def cells_of(contexts: int) -> int:
    """Adaptive probabilities with so many contexts."""
    return contexts * (RUN_CELLS + STATE_CELLS) + matching.CELLS


@dataclass(frozen=True)
class Team:
    """The experts of a preset. Its number stands in the file."""

    name: str
    number: int
    contexts: int  # the first so many of contexts.NAMES
    sets: int  # of weights, the first so many
    most_buckets_log2: int  # for each context
    most_heads_log2: int  # of matches, for each length
    estimates: int  # maps of secondary estimation above the mixer: by the last byte, by two as well (slow: they miss)
    learns: bool = False  # the network among the experts does, from the block itself

    def buckets_log2(self, length: int) -> int:
        """Buckets of each context for a block of ``length`` bytes, two a byte as long as there are few."""
        return min(self.most_buckets_log2, max(6, (2 * length - 1).bit_length()))

    def heads_log2(self, length: int) -> int:
        """Places a match may begin at that are remembered in a block of ``length`` bytes, for each length."""
        return min(self.most_heads_log2, max(8, length.bit_length()))

    def memory(self, length: int) -> int:
        """Bytes that coding a block of ``length`` bytes takes at most, its input and output included.

        What a network that learns takes comes on top (``learning.memory``).
        """
        nodes = self.contexts * 64 << self.buckets_log2(length)
        weights = 4 * self.sets * CHOICES * (EACH * self.contexts + OTHERS + _LANES)
        maps = 4 * estimation.points(1 + self.estimates)
        heads = 4 * (2 << self.heads_log2(length))
        return nodes + weights + maps + heads + 4 * contexts.FOLLOWERS + 6 * length


FAST = Team("fast", 0, 6, 3, 16, 18, 1)
DEFAULT = Team("default", 1, 22, 6, 16, 20, 2)
BEST = Team("best", 2, contexts.MOST, weighing.MOST_SETS, 20, 22, 2)
LEARNING = replace(BEST, name="best, learning", number=3, learns=True)
TEAMS = (FAST, DEFAULT, BEST, LEARNING)
