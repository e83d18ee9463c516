"""Which predictors and experts a preset asks of pictures, and what memory they take."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import estimation
from ..weighing import MOST_SETS, SAYINGS
from . import contexts, lattice, least_squares, recall
from .canvas import BESIDE, plane
from .least_squares import NARROW, WIDE, Predictor

CHOICES = 4096  # weight vectors a set holds
SITUATIONS = 4 * contexts.NODES
MAPS = 2
_LANES = 16


@dataclass(frozen=True)
class Team:
    """The experts of a preset. Its number stands in the file."""

    name: str
    number: int
    predictors: tuple[least_squares.Predictor, ...]
    contexts: int  # the first so many of contexts.NAMES
    sets: int
    lattice: bool
    most_cells_log2: int  # of each context
    most_entries_log2: int  # of each of recall's
    learns: bool = False  # the network among the densities does, from the block itself

    def densities(self, network: bool, lattice_wanted: bool) -> int:
        """How many give probabilities of intervals."""
        return len(self.predictors) + network + lattice_wanted

    def inputs(self, network: bool, lattice_wanted: bool) -> int:
        """Of the mixer, padded: two of each density, one of each context and of recall's, and a constant."""
        inputs = 2 * self.densities(network, lattice_wanted) + self.contexts + recall.CONTEXTS + 1
        return -(-inputs // _LANES) * _LANES

    def cells_log2(self, samples: int) -> int:
        """Cells of each context for so many samples."""
        return min(self.most_cells_log2, max(10, (8 * samples).bit_length()))

    def entries_log2(self, samples: int) -> int:
        """Entries of each of recall's contexts."""
        return min(self.most_entries_log2, max(8, samples.bit_length()))

    def has_lattice(self, channels: int, depth: int) -> bool:
        """Whether differences of channels are looked at."""
        return self.lattice and channels >= lattice.CHANNELS and depth == 8

    def memory(self, height: int, width: int, channels: int) -> int:
        """Bytes that coding a block of pixels takes at most, its samples included.

        What a network that learns takes comes on top (``stack.memory``).
        """
        samples = height * width * channels
        matrices = 0
        for p in self.predictors:
            matrices += 8 * channels * (-(-width // p.columns) + 2) * p.classes * least_squares.SIZE[p.lanes]
        weights = 4 * (self.sets * CHOICES * (self.inputs(True, True) + 1) + (1 + SITUATIONS) * MOST_SETS)
        cells = 4 * self.contexts << self.cells_log2(samples)
        entries = 4 * recall.CONTEXTS << self.entries_log2(samples)
        tables = 8 * lattice.CHANNELS * lattice.VALUES**2
        rows = 64 * (len(self.predictors) + 1) * channels * (width + 2 * BESIDE)
        pixels = 2 * samples + 2 * channels * plane(height, width)
        return matrices + weights + cells + entries + tables + rows + pixels + 4 * estimation.points(MAPS) + 4 * SAYINGS


_QUICK = Predictor(NARROW, 0.85, every=2, columns=8)
_THREE = (
    Predictor(WIDE, 0.9, every=3),
    Predictor(WIDE, 0.95, every=4, classes=4, columns=8),
    Predictor(NARROW, 0.8),
)

FAST = Team("fast", 0, (_QUICK,), 8, 3, False, 16, 16)
DEFAULT = Team("default", 1, _THREE, contexts.MOST, 6, True, 20, 18)
BEST = Team("best", 2, _THREE, contexts.MOST, 6, True, 22, 20)
LEARNING = replace(BEST, name="best, learning", number=3, learns=True)
TEAMS = (FAST, DEFAULT, BEST, LEARNING)
