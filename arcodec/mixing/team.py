"""Teams of experts: how many contexts are asked, how the mixer's inputs are laid out, and what memory it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..jit import inlined
from . import contexts, estimation, matching, weighing

# Inputs of the mixer: of each context what its node says, what its history says, and last its run; without roots also
# the history's probability, centred, before the run. Then those of the network, of the match, a constant, and those of
# the network beside one that learns.
NODE, HISTORY, CENTRED = range(3)
NETWORK, MATCH, BIAS, OTHER, OTHERS = 0, 3, 5, 6, 8
_LANES = 16  # inputs are padded to a multiple of it

# What chooses a set's weight vector: how sure match and network are; the partial byte; the last byte, the one before,
# the classes of the last three and the column of the record, each by how many bits are known.
BY_SURE, BY_PARTIAL, BY_LAST, BY_BEFORE_LAST, BY_CLASSES, BY_COLUMN, KINDS = range(7)

CHOICES = 2048  # weight vectors a set holds
FINAL_CHOICES = 256

# Adaptive probabilities: of runs, [context][times in a row][known bits]; of states, [context][state]; of matches.
RUN_CELLS = 16 * 8
STATE_CELLS = 1024


@inlined
def inputs_of(contexts: int, each: int) -> int:
    """Inputs of the mixer with so many contexts, and so many of each; padded."""
    return (each * contexts + OTHERS + _LANES - 1) // _LANES * _LANES


def cells_of(contexts: int) -> int:
    """Adaptive probabilities with so many contexts."""
    return contexts * (RUN_CELLS + STATE_CELLS) + matching.CELLS


@dataclass(frozen=True)
class Team:
    """The experts of a preset. Its number stands in the file."""

    name: str
    number: int
    contexts: int  # the first so many of contexts.NAMES
    sets: tuple[int, ...]  # of weights: what chooses their vectors
    most_buckets_log2: int  # for each context
    most_heads_log2: int  # of matches, for each length
    estimates: int  # maps of secondary estimation above the mixer: by the last byte, by two as well (slow: they miss)
    learns: bool = False  # the network among the experts does, from the block itself
    rooted: bool = False  # two more sets that nothing chooses in, see weighing

    @property
    def each(self) -> int:
        """Inputs of a context."""
        return 3 if self.rooted else 4

    @property
    def inputs(self) -> int:
        """Of the mixer."""
        return int(inputs_of(self.contexts, self.each))

    @property
    def vectors(self) -> int:
        """Weight vectors: of each set, and of each root."""
        return len(self.sets) * CHOICES + (weighing.ROOTS if self.rooted else 0)

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
        weights = 4 * (self.vectors * (self.inputs + 1) + (1 + FINAL_CHOICES) * weighing.MOST_SETS)
        cells = 4 * cells_of(self.contexts)
        small = 1 << 14  # all that does not grow with anything
        maps = 4 * estimation.points(1 + self.estimates)
        heads = 4 * (2 << self.heads_log2(length))
        return nodes + weights + cells + maps + heads + 4 * contexts.FOLLOWERS + small + 6 * length


_ALL = (BY_SURE, BY_PARTIAL, BY_LAST, BY_BEFORE_LAST, BY_CLASSES, BY_COLUMN)

FAST = Team("fast", 0, 6, _ALL[:3], 16, 18, 1)
DEFAULT = Team("default", 5, contexts.MOST, (BY_PARTIAL, BY_LAST, BY_CLASSES, BY_COLUMN), 16, 20, 2, rooted=True)
BEST = Team("best", 6, contexts.MOST, _ALL, 20, 22, 2, rooted=True)
LEARNING = replace(BEST, name="best, learning", number=7, learns=True)
_BEST_BEFORE = Team("best, unrooted", 2, contexts.MOST, _ALL, 20, 22, 2)
_BEFORE = (  # nothing is coded with these any more: they read what was
    Team("default, unrooted", 1, 22, _ALL, 16, 20, 2),
    _BEST_BEFORE,
    replace(_BEST_BEFORE, name="best, unrooted, learning", number=3, learns=True),
)

TEAMS = {team.number: team for team in (FAST, DEFAULT, BEST, LEARNING, *_BEFORE)}
