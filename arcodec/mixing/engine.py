"""The engine of the mixture: experts alone, or with a network among them. A block at a time, one core a block."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from .. import range_kernel as rk
from ..container import EXPERTS, packed_words
from ..errors import DamagedError, ModelError
from ..exact.program import Program, empty_program
from ..models.engine import Coded, Progress
from ..models.file import conformance_symbols
from ..models.parallel import chunks, side_by_side
from . import account, loops
from .mixture import fresh_mixture
from .networks import SCRATCH, Networks, assisted, fresh_networks
from .team import DEFAULT, Team
from .trial import small_program

# CRC-32 of the words that each team alone makes of the conformance symbols.
# The team whose network learns is given a small one for it.
CONFORMANCE = {
    "fast": 0x3BF56C02,
    "default": 0x4BF5F5E4,
    "best": 0x2533C5B6,
    "best, learning": 0x82F3983A,
    "default, unrooted": 0xC96B9EC8,
    "best, unrooted": 0xF688EFFA,
    "best, unrooted, learning": 0xD0D7657B,
}


class MixtureEngine:
    """Codes bytes as bits; see ``mixture``."""

    def __init__(
        self,
        program: Program | None,
        team: Team = DEFAULT,
        threads: int = 1,
        beside: Program | None = None,
        helped: bool = False,
    ) -> None:
        """program: a network, verified by whoever hands it over, or None for the experts alone.

        beside: of a team whose network learns, another that does not, likewise (see ``networks``).
        helped: whether each block may have a second core, where that pays.
        """
        self.name = "experts" if program is None else "mixture"
        self.team, self.threads, self.helped = team, threads, helped
        self.network = program is not None
        self.program, self.beside = empty_program() if program is None else program, beside

    def _fresh_networks(self) -> Networks:
        return fresh_networks(self.program, self.network and self.team.learns, self.beside, self.helped)

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool = False) -> Iterator[Coded]:
        """See ``Engine``. In detail it takes a third more time."""

        def one(block: np.ndarray, tell: Progress) -> Coded:
            networks, mixture = self._fresh_networks(), fresh_mixture(len(block), self.team, self.network)
            coder, totals = rk.new_encoder(), np.zeros(3)
            names, of_networks = account.names(self.team), account.names_of_networks(self.team)
            shares = np.zeros((len(names) + len(of_networks) if detailed else 0, account.COLUMNS))
            costs = np.empty(len(block) if detailed else 0)
            words = np.empty(rk.room_for_bits(8 * len(block)), np.uint32)
            scratch = np.empty(SCRATCH, np.int64)
            with assisted(networks):
                for start, stop in chunks(len(block)):
                    loops.encode(
                        networks,
                        self.network,
                        mixture,
                        scratch,
                        coder,
                        words,
                        block,
                        start,
                        stop,
                        totals,
                        shares,
                        costs,
                    )
                    tell(stop - start)
            count = rk.finish_short(coder, words)
            network_bits = float(totals[1]) if self.network else None
            bits = float(totals[0])
            if not detailed:
                return Coded(words[:count].copy(), bits, bits, network_bits)
            alone = dict(zip(names, shares[: len(names), account.ALONE].tolist(), strict=True))
            if self.network:
                alone.update(zip(of_networks[1:], totals[2:].tolist(), strict=False))
                names += of_networks
            voices = dict(zip(names, shares[: len(names), account.VOICE].tolist(), strict=True))
            return Coded(words[:count].copy(), bits, bits, network_bits, alone, costs, voices)

        return side_by_side(one, blocks, self.threads, progress)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """See ``Engine``."""

        def one(block: tuple[np.ndarray, int], tell: Progress) -> np.ndarray:
            words, length = block
            text, scratch = np.zeros(length, np.uint8), np.empty(SCRATCH, np.int64)
            networks, mixture = self._fresh_networks(), fresh_mixture(length, self.team, self.network)
            coder = rk.new_decoder(words)
            with assisted(networks):
                for start, stop in chunks(length):
                    if not loops.decode(networks, self.network, mixture, scratch, coder, words, text, start, stop):
                        raise DamagedError("the coded data are damaged: no symbol fits them")
                    tell(stop - start)
            return text

        return side_by_side(one, blocks, self.threads, progress)


@cache
def conforms(team: Team = DEFAULT) -> bool:
    """Whether a team computes on this machine what it computes everywhere. Takes some milliseconds, once."""
    return conformance_of(team) == CONFORMANCE[team.name]


def conformance_of(team: Team) -> int:
    """What ``CONFORMANCE`` holds."""
    program = small_program() if team.learns else None
    (coded,) = MixtureEngine(program, team).encode([conformance_symbols()], lambda done: None)
    return zlib.crc32(packed_words(coded.words, EXPERTS))


def verified(engine: MixtureEngine) -> MixtureEngine:
    """The engine, if its experts conform. Raises ModelError otherwise."""
    if not conforms(engine.team):
        raise ModelError(
            "the experts do not compute here what they should; what they wrote could not be read elsewhere. "
            "Run 'arcodec doctor' and report what it says"
        )
    return engine
