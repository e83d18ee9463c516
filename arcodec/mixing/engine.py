"""The engine of the mixture: experts alone, or with a network among them. A block at a time, one core a block."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from .. import range_kernel as rk
from ..errors import DamagedError, ModelError
from ..exact.program import Program, empty_program, fresh_state
from ..models.engine import Coded, Progress
from ..models.file import conformance_symbols
from ..models.parallel import chunks, side_by_side
from . import loops
from .mixture import fresh_mixture

# CRC-32 of the words the experts alone make of the conformance symbols.
CONFORMANCE = 0xF7B63C4B


class MixtureEngine:
    """Codes bytes as bits; see ``mixture``."""

    def __init__(self, program: Program | None, threads: int = 1) -> None:
        """program: a network, verified by whoever hands it over, or None for the experts alone."""
        self.name = "experts" if program is None else "mixture"
        self.network = program is not None
        self.program = empty_program() if program is None else program
        self.threads = threads

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress) -> Iterator[Coded]:
        """Code blocks of symbols (n,) uint8, in order."""

        def one(block: np.ndarray, tell: Progress) -> Coded:
            state, mixture = fresh_state(self.program), fresh_mixture(len(block), self.network)
            coder, totals = rk.new_encoder(), np.zeros(2)
            words = np.empty(rk.room_for(8 * len(block)), np.uint32)
            for start, stop in chunks(len(block)):
                loops.encode(self.program, state, self.network, mixture, coder, words, block, start, stop, totals)
                tell(stop - start)
            count = rk.finish(coder, words)
            network_bits = float(totals[1]) if self.network else None
            return Coded(words[:count].copy(), float(totals[0]), float(totals[0]), network_bits)

        return side_by_side(one, blocks, self.threads, progress)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """Decode (words, number of symbols), in order -> symbols (n,) uint8. Raises DamagedError."""

        def one(block: tuple[np.ndarray, int], tell: Progress) -> np.ndarray:
            words, length = block
            text = np.zeros(length, np.uint8)
            state, mixture = fresh_state(self.program), fresh_mixture(length, self.network)
            coder = rk.new_decoder(words)
            for start, stop in chunks(length):
                if not loops.decode(self.program, state, self.network, mixture, coder, words, text, start, stop):
                    raise DamagedError("the coded data are damaged: no symbol fits them")
                tell(stop - start)
            return text

        return side_by_side(one, blocks, self.threads, progress)


@lru_cache(maxsize=1)
def conforms() -> bool:
    """Whether the experts compute on this machine what they compute everywhere. Takes some milliseconds, once."""
    (coded,) = MixtureEngine(None).encode([conformance_symbols()], lambda done: None)
    return zlib.crc32(coded.words.astype("<u4").tobytes()) == CONFORMANCE


def verified(engine: MixtureEngine) -> MixtureEngine:
    """The engine, if the experts conform. Raises ModelError otherwise."""
    if not conforms():
        raise ModelError(
            "the experts do not compute here what they should; what they wrote could not be read elsewhere. "
            "Run 'arcodec doctor' and report what it says"
        )
    return engine
