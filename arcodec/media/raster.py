"""A picture as it is coded: samples, and an envelope of whatever else its file held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..container import Scale
from ..errors import DamagedError

# What an envelope begins with. An empty one: nothing but samples, to be written as PNG.
SAME_FILE, PLAIN_PNM, WRAPPED = 1, 2, 3
EXACT = (bytes([SAME_FILE]), bytes([PLAIN_PNM]))  # with these the file comes back byte for byte


MOST_BITS_A_BYTE = 8


@dataclass(frozen=True)
class Raster:
    """Samples (height, width, channels), uint8 for up to 8 bits a sample, else uint16, and what is around them."""

    samples: np.ndarray
    depth: int  # bits a sample
    envelope: bytes = b""

    @property
    def exact(self) -> bool:
        """Whether the very bytes of the file come back, and not only the picture."""
        return self.envelope[:1] in EXACT


def narrowed(raster: Raster) -> tuple[np.ndarray, int, Scale | None]:
    """Samples with no more bits than they need, how many those are, and how to come back.

    Sixteen bits are seldom all used: cameras have 12 or 14, and some files are eight bits times 257.
    """
    if raster.depth <= MOST_BITS_A_BYTE:
        return raster.samples, raster.depth, None
    offset = int(raster.samples.min())
    rest = raster.samples - np.uint16(offset)
    step = int(np.gcd.reduce(rest, axis=None)) or 1
    depth = max(1, (int(rest.max()) // step).bit_length())
    if step == 1:
        offset, rest = 0, raster.samples
        depth = max(1, int(rest.max()).bit_length())
    if depth == raster.depth:
        return raster.samples, depth, None
    coded = rest // np.uint16(step)
    return coded.astype(np.uint8 if depth <= MOST_BITS_A_BYTE else np.uint16), depth, Scale(raster.depth, step, offset)


def widened(samples: np.ndarray, depth: int, scale: Scale | None, envelope: bytes) -> Raster:
    """The picture from what ``narrowed`` gave. Raises DamagedError if a sample would be too large."""
    if scale is None:
        return Raster(samples, depth, envelope)
    whole = samples.astype(np.int64) * scale.step + scale.offset
    if int(whole.max()) >> scale.depth:
        raise DamagedError("damaged: a sample of the picture is larger than any can be")
    return Raster(whole.astype(np.uint8 if scale.depth <= MOST_BITS_A_BYTE else np.uint16), scale.depth, envelope)


class UnfitError(Exception):
    """This file is no picture, or one that had better be taken as bytes; says why."""
