"""A block of pixels with a margin, so that every pixel has neighbours.

Planes of 16-bit samples, one a channel, flat. Above the first row stands the middle of the range; beside a row, what an
eye would take for granted: left of it the first pixel of the row above, right of it its own last.
"""

from __future__ import annotations

import numpy as np

from ...jit import inlined, kernel

ABOVE, BESIDE = 8, 8


def order(channels: int) -> list[int]:
    """Channels as they are coded: green, of which the others are best predicted, first."""
    return [1, 0, *range(2, channels)] if channels >= 3 else list(range(channels))


def stride(width: int) -> int:
    """Samples between a pixel and the one below it."""
    return width + 2 * BESIDE


def plane(height: int, width: int) -> int:
    """Samples between a pixel's value in a channel and that in the next."""
    return (height + ABOVE) * stride(width)


def fresh_canvas(height: int, width: int, channels: int, depth: int) -> np.ndarray:
    """Everything still unknown. Shape (channels * plane,), uint16."""
    return np.full(channels * plane(height, width), 1 << depth >> 1, np.uint16)


@inlined
def place(y: int, x: int, width: int) -> int:
    """Where a pixel stands in the first plane."""
    return (y + ABOVE) * (width + 2 * BESIDE) + BESIDE + x


@kernel
def start_row(canvas: np.ndarray, y: int, height: int, width: int, channels: int) -> None:
    """Fill the margins of a row, of which nothing is known yet."""
    if y == 0:
        return
    for c in range(channels):
        first = c * ((height + ABOVE) * (width + 2 * BESIDE)) + place(y, 0, width)
        above = first - (width + 2 * BESIDE)
        for i in range(1, BESIDE + 1):
            canvas[first - i] = canvas[above]


@kernel
def end_row(canvas: np.ndarray, y: int, height: int, width: int, channels: int) -> None:
    """Fill the right margin of a row that is known."""
    for c in range(channels):
        last = c * ((height + ABOVE) * (width + 2 * BESIDE)) + place(y, width - 1, width)
        for i in range(1, BESIDE + 1):
            canvas[last + i] = canvas[last]
