"""Lanes of text for truncated backpropagation: each reads on where it stopped, and now and then starts afresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..exact.contexts import rows_of
from ..exact.memory import PAST, Memory, fresh_memory
from ..exact.spec import Embed
from ..jit import allocating
from .corpus import Source

_SEPARATOR = 0
_LONGEST_LINE = 1000  # bytes looked through for the start of a line


@dataclass(frozen=True)
class Chunk:
    """Time-major training data. A fresh lane starts with nothing before it, as a file does."""

    symbols: np.ndarray  # (time, lanes) int64, what is to be predicted
    last: np.ndarray  # (time, lanes) int64, the symbol before
    rows: np.ndarray  # (time, lanes, all rows) int64
    fresh: np.ndarray  # (lanes,) bool


@allocating
def _contexts(
    symbols: np.ndarray, memory: Memory, rows_log2: int, contexts: int, rows: np.ndarray, last: np.ndarray
) -> None:
    last[0] = memory.past[PAST] & np.uint64(255)
    for t in range(1, len(symbols)):
        last[t] = symbols[t - 1]
    rows[:] = rows_of(symbols, memory, rows_log2, contexts)


class Lanes:
    """Endless chunks from several sources, each drawn in proportion to its weight."""

    def __init__(self, sources: Sequence[Source], embed: Embed, lanes: int, steps: int, run: int, seed: int) -> None:
        """Each lane reads ``run`` chunks of ``steps`` symbols from one place before it starts afresh at another."""
        self.sources = sources
        self.embed, self.steps, self.run = embed, steps, run
        weights = np.array([source.weight for source in sources])
        self.shares = weights / weights.sum()
        self.random = np.random.default_rng(seed)
        self.source = np.zeros(lanes, np.int64)
        self.position = np.zeros(lanes, np.int64)
        self.left = self.random.integers(1, run + 1, lanes)  # so that not all lanes start afresh together
        self.memory = [fresh_memory(embed.followers) for _ in range(lanes)]
        for lane in range(lanes):
            self._jump(lane)

    def _jump(self, lane: int) -> None:
        source = int(self.random.choice(len(self.sources), p=self.shares))
        symbols = self.sources[source].symbols
        at = int(self.random.integers(len(symbols)))
        if self.random.random() < 0.5:  # to the document's first byte
            before = symbols[max(0, at - 2**20) : at]
            starts = np.flatnonzero(before == _SEPARATOR)
            at = at - len(before) + int(starts[-1]) + 1 if len(starts) else at - len(before)
        else:  # to the next line
            ends = np.flatnonzero(symbols[at : at + _LONGEST_LINE] == ord("\n"))
            at += int(ends[0]) + 1 if len(ends) else 0
        self.source[lane], self.position[lane] = source, at
        for part in self.memory[lane]:
            part.fill(0)

    def next(self) -> Chunk:
        """The next chunk of every lane."""
        lanes = len(self.left)
        symbols = np.empty((lanes, self.steps), np.uint8)
        fresh = self.left == 0
        for lane in range(lanes):
            if fresh[lane]:
                self._jump(lane)
                self.left[lane] = self.run
            source = self.sources[self.source[lane]].symbols
            start = int(self.position[lane])
            # A source that ends goes on from its start, as if one document followed another.
            symbols[lane] = np.take(source, range(start, start + self.steps), mode="wrap")
            self.position[lane] = (start + self.steps) % len(source)
        self.left -= 1
        rows = np.empty((self.steps, lanes, self.embed.rows), np.int64)
        last = np.empty((self.steps, lanes), np.int64)
        for lane, memory in enumerate(self.memory):
            _contexts(symbols[lane], memory, self.embed.rows_log2, self.embed.contexts, rows[:, lane], last[:, lane])
        return Chunk(symbols.T.astype(np.int64), last, rows, fresh)
