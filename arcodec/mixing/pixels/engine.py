"""The engine of pictures: experts for pixels. A block of rows at a time, one core a block."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ... import range_kernel as rk
from ...container import EXPERTS, Picture, packed_words
from ...errors import DamagedError, ModelError
from ...exact.stack import StackProgram
from ...models.engine import Coded, Progress
from ...models.parallel import side_by_side
from ...models.pixels import Config
from .. import account as mixing_account
from ..trial import small_stacks
from . import account, canvas, loops
from .prior import Prior, fresh_prior, no_prior
from .state import Pixels, fresh_pixels
from .team import DEFAULT, TEAMS, Team

# CRC-32 of the words that each team makes of the conformance picture.
# The team whose network learns is given a small one for it.
CONFORMANCE = {"fast": 0xD98EBE31, "default": 0x31D2AF2C, "best": 0x31D2AF2C, "best, learning": 0xEB18129B}

_DECISIONS = 3 * 16 + 2  # of a sample at most


class PixelEngine:
    """Codes samples as decisions; see ``mixture``. Blocks are the bytes of whole rows of one picture."""

    def __init__(
        self,
        picture: Picture,
        team: Team = DEFAULT,
        threads: int = 1,
        network: tuple[StackProgram, Config] | None = None,
    ) -> None:
        self.name = "experts" if network is None else "experts and a network"
        self.picture, self.team, self.threads, self.network = picture, team, threads, network

    def _fresh(self, height: int) -> tuple[Pixels, Prior]:
        picture = self.picture
        known = self.network is not None
        pixels = fresh_pixels(height, picture.width, picture.channels, picture.depth, self.team, known)
        if self.network is None:
            return pixels, no_prior()
        return pixels, fresh_prior(*self.network, canvas.stride(picture.width), self.team.learns)

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool = False) -> Iterator[Coded]:
        """See ``Engine``; blocks: bytes (n,) uint8 of rows. In detail, costs are of samples."""
        picture = self.picture
        order = canvas.order(picture.channels)

        def one(block: np.ndarray, tell: Progress) -> Coded:
            samples = block.view(_type(picture)).reshape(-1, picture.width, picture.channels)
            (pixels, prior), coder, totals = self._fresh(len(samples)), rk.new_encoder(), np.zeros(1)
            room = rk.room_for_bits(_DECISIONS * picture.row)
            words = np.empty(room, np.uint32)
            finished: list[np.ndarray] = []
            costs = np.zeros(samples.shape if detailed else (0, 0, 0))
            none = np.zeros((0, 0))
            names = account.names(
                self.team, self.network is not None, self.team.has_lattice(picture.channels, picture.depth)
            )
            shares = np.zeros((len(names) if detailed else 0, mixing_account.COLUMNS))
            for y in range(len(samples)):
                row = np.ascontiguousarray(samples[y][:, order], np.uint16)
                if room + int(coder[rk.HELD]) > len(words):  # what is held back would be written at once
                    words = np.empty(2 * (room + int(coder[rk.HELD])), np.uint32)
                loops.code_row(
                    pixels, prior, coder, words, row, y, False, costs[y] if detailed else none, totals, shares
                )
                written = int(coder[rk.WRITTEN])
                finished.append(words[:written].copy())
                coder[rk.WRITTEN] = 0
                tell(row.size * picture.sample_size)
            finished.append(words[: rk.finish_short(coder, words)].copy())
            bits = float(totals[0])
            if not detailed:
                return Coded(np.concatenate(finished), bits, bits)
            symbol_bits = np.empty_like(costs)
            symbol_bits[..., order] = costs
            alone = dict(zip(names, shares[:, mixing_account.ALONE].tolist(), strict=True))
            voices = dict(zip(names, shares[:, mixing_account.VOICE].tolist(), strict=True))
            return Coded(np.concatenate(finished), bits, bits, None, alone, symbol_bits.ravel(), voices)

        return side_by_side(one, blocks, self.threads, progress)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """See ``Engine``; the result is samples, big-endian if they have two bytes."""
        picture = self.picture
        order = canvas.order(picture.channels)

        def one(block: tuple[np.ndarray, int], tell: Progress) -> np.ndarray:
            words, length = block
            height = length // picture.row
            (pixels, prior), coder, totals = self._fresh(height), rk.new_decoder(words), np.zeros(1)
            samples = np.empty((height, picture.width, picture.channels), _type(picture))
            row = np.zeros((picture.width, picture.channels), np.uint16)
            none, nobody = np.zeros((0, 0)), np.zeros((0, mixing_account.COLUMNS))
            for y in range(height):
                if not loops.code_row(pixels, prior, coder, words, row, y, True, none, totals, nobody):
                    raise DamagedError("the coded data are damaged: no symbol fits them")
                samples[y][:, order] = row
                tell(row.size * picture.sample_size)
            return samples.reshape(-1)

        return side_by_side(one, blocks, self.threads, progress)


def _type(picture: Picture) -> np.dtype[np.generic]:
    return np.dtype(np.uint8 if picture.sample_size == 1 else ">u2")


def conformance_picture() -> np.ndarray:
    """A picture with slopes, edges, noise and flat parts, by integers alone. Shape (24, 32, 3), uint8."""
    y, x = np.mgrid[:24, :32]
    state, noise = 1, []
    for _ in range(24 * 32 * 3):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        noise.append(state >> 27)
    slopes = np.stack([5 * x + 2 * y, 3 * x + 4 * y, 200 - 4 * x], axis=-1)
    slopes[8:16, 10:20] = (30, 200, 90)
    slopes = slopes + np.array(noise).reshape(24, 32, 3) * (x[..., None] > 15)
    return np.clip(slopes, 0, 255).astype(np.uint8)


@lru_cache(maxsize=len(TEAMS))
def conforms(team: Team = DEFAULT) -> bool:
    """Whether a team computes on this machine what it computes everywhere."""
    return conformance_of(team) == CONFORMANCE[team.name]


def conformance_of(team: Team) -> int:
    """What ``CONFORMANCE`` holds."""
    picture = conformance_picture()
    height, width, channels = picture.shape
    engine = PixelEngine(Picture(width, height, channels, 8), team, network=small_stacks() if team.learns else None)
    (coded,) = engine.encode([picture.reshape(-1)], lambda done: None)
    return zlib.crc32(packed_words(coded.words, EXPERTS))


def verified(engine: PixelEngine) -> PixelEngine:
    """The engine, if its experts conform. Raises ModelError otherwise."""
    if not conforms(engine.team):
        raise ModelError(
            "the experts for pictures do not compute here what they should; what they wrote could not be read "
            "elsewhere. Run 'arcodec doctor' and report what it says"
        )
    return engine
