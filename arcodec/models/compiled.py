"""The compiled engine: a block at a time, one core a block, any number of cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .. import range_kernel as rk
from ..errors import DamagedError
from ..exact import helper
from ..exact.program import Program, fresh_state
from . import loops
from .engine import Coded, Progress
from .parallel import chunks, side_by_side


class CompiledEngine:
    """Runs a network's program in numba."""

    name = "compiled"

    def __init__(self, program: Program, threads: int = 1, helped: bool = False) -> None:
        """helped: whether each block may have a second core, where that pays."""
        self.program = program
        self.threads = threads
        self.helped = helped and helper.pays(program)

    def frequencies(self, symbols: np.ndarray) -> np.ndarray:
        """The distribution before each of symbols (n,) uint8 -> (n, 256) int64, each row summing to 2**24."""
        frequencies = np.empty((len(symbols), 256), np.int64)
        loops.fill_distributions(self.program, fresh_state(self.program), symbols, frequencies)
        return frequencies

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool = False) -> Iterator[Coded]:
        """See ``Engine``."""

        def one(block: np.ndarray, tell: Progress) -> Coded:
            state, coder, totals = fresh_state(self.program, helped=self.helped), rk.new_encoder(), np.zeros(2)
            words = np.empty(rk.room_for(len(block)), np.uint32)
            costs = np.empty(len(block) if detailed else 0)
            with helper.helped(self.program, state):
                for start, stop in chunks(len(block)):
                    loops.encode(self.program, state, coder, words, block[start:stop], totals, costs[start:stop])
                    tell(stop - start)
            count = rk.finish(coder, words)
            return Coded(
                words[:count].copy(), float(totals[0]), float(totals[1]), symbol_bits=costs if detailed else None
            )

        return side_by_side(one, blocks, self.threads, progress)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """See ``Engine``."""

        def one(block: tuple[np.ndarray, int], tell: Progress) -> np.ndarray:
            words, count = block
            symbols = np.empty(count, np.uint8)
            state, coder = fresh_state(self.program, helped=self.helped), rk.new_decoder(words)
            with helper.helped(self.program, state):
                for start, stop in chunks(count):
                    if not loops.decode(self.program, state, coder, words, symbols[start:stop]):
                        raise DamagedError("the coded data are damaged: no symbol fits them")
                    tell(stop - start)
            return symbols

        return side_by_side(one, blocks, self.threads, progress)
