"""The bits of every pixel: what the page's script needs to draw them, and the dearest samples."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 1 << 17  # squares that are drawn: pixels, or blocks of them
_DEAREST = 20
_NAMES = {1: ("grey",), 2: ("grey", "alpha"), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


@dataclass(frozen=True)
class View:
    """A picture's samples (height, width, channels), as they were coded, and the bits of each."""

    samples: np.ndarray
    bits: np.ndarray
    depth: int
    parted: bool = False  # luma and chroma were coded, and their costs stand on the samples they make

    @property
    def side(self) -> int:
        """Pixels to a side of each square that is drawn: 1 if there is room for all."""
        height, width = self.samples.shape[:2]
        side = 1
        while -(-height // side) * -(-width // side) > MOST:
            side += 1
        return side


def packed(view: View) -> dict[str, Any]:
    """For the script: bits of every square and channel, float32, and the value of its first pixel in 256ths."""
    side, channels = view.side, view.samples.shape[2]
    height, width = (-(-size // side) for size in view.samples.shape[:2])
    room = np.zeros((height * side, width * side, channels))
    room[: view.bits.shape[0], : view.bits.shape[1]] = view.bits
    sums = room.reshape(height, side, width, side, channels).sum(axis=(1, 3))
    first = view.samples[::side, ::side].astype(np.int64)
    return {
        "width": width,
        "height": height,
        "side": side,
        "parted": view.parted,
        "channels": list(_NAMES[channels]),
        "bits": base64.b64encode(sums.astype("<f4").tobytes()).decode(),
        "values": base64.b64encode(first.astype("<u2").tobytes()).decode(),
    }


def dearest(view: View) -> list[dict[str, Any]]:
    """The samples that cost most, with their neighbours to the west and north."""
    _, width, channels = view.samples.shape
    found = []
    for i in np.argsort(-view.bits, axis=None, kind="stable")[:_DEAREST].tolist():
        y, x, c = i // (width * channels), i // channels % width, i % channels
        west = int(view.samples[y, x - 1, c]) if x else None
        north = int(view.samples[y - 1, x, c]) if y else None
        found.append(
            {
                "x": x,
                "y": y,
                "channel": _NAMES[channels][c],
                "value": int(view.samples[y, x, c]),
                "west": west,
                "north": north,
                "bits": float(view.bits[y, x, c]),
            }
        )
    return found
