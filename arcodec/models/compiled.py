"""The compiled engine: a block at a time, one core a block, any number of cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from .. import range_kernel as rk
from ..errors import DamagedError
from ..exact.program import compile_network, fresh_state
from . import loops
from .engine import Coded, Progress
from .file import Model

_CHUNK = 4096  # symbols between two looks at the world outside
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class CompiledEngine:
    """Runs a model's program in numba."""

    name = "compiled"

    def __init__(self, model: Model, threads: int = 1) -> None:
        self.program = compile_network(model.network, model.tensors)
        self.threads = threads

    def frequencies(self, symbols: np.ndarray) -> np.ndarray:
        """The distribution before each of symbols (n,) uint8 -> (n, 256) int64, each row summing to 2**24."""
        frequencies = np.empty((len(symbols), 256), np.int64)
        loops.fill_distributions(self.program, fresh_state(self.program), symbols, frequencies)
        return frequencies

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress) -> Iterator[Coded]:
        """Code blocks of symbols (n,) uint8, in order."""
        stop = threading.Event()

        def one(block: np.ndarray) -> Coded:
            state, coder, totals = fresh_state(self.program), rk.new_encoder(), np.zeros(2)
            words = np.empty(rk.room_for(len(block)), np.uint32)
            for start in range(0, len(block), _CHUNK):
                chunk = block[start : start + _CHUNK]
                loops.encode(self.program, state, coder, words, chunk, totals)
                _go_on(stop, progress, len(chunk))
            count = rk.finish(coder, words)
            return Coded(words[:count].copy(), float(totals[0]), float(totals[1]))

        return self._side_by_side(one, blocks, stop)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """Decode (words, number of symbols), in order -> symbols (n,) uint8. Raises DamagedError."""
        stop = threading.Event()

        def one(block: tuple[np.ndarray, int]) -> np.ndarray:
            words, count = block
            symbols = np.empty(count, np.uint8)
            state, coder = fresh_state(self.program), rk.new_decoder(words)
            for start in range(0, count, _CHUNK):
                chunk = symbols[start : start + _CHUNK]
                if not loops.decode(self.program, state, coder, words, chunk):
                    raise DamagedError("the coded data are damaged: no symbol fits them")
                _go_on(stop, progress, len(chunk))
            return symbols

        return self._side_by_side(one, blocks, stop)

    def _side_by_side(self, one: Callable[[_In], _Out], blocks: Sequence[_In], stop: threading.Event) -> Iterator[_Out]:
        if self.threads == 1 or len(blocks) == 1:
            yield from map(one, blocks)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                yield from pool.map(one, blocks)
            finally:
                stop.set()  # whoever still works on a later block need not finish it
                pool.shutdown(wait=True, cancel_futures=True)


class _StoppedError(Exception):
    pass


def _go_on(stop: threading.Event, progress: Progress, done: int) -> None:
    if stop.is_set():
        raise _StoppedError
    progress(done)
