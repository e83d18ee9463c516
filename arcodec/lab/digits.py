"""Small pictures of digits, drawn here: a data set that needs no download."""

from __future__ import annotations

import numpy as np

SIDE = 8  # pixels
_FONT = (
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "01110 10001 00001 00110 00001 10001 01110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
)


def drawn(count: int, seed: int) -> np.ndarray:
    """Pictures (count, 64) of 0 and 1: a digit, moved by up to three columns and a row, one pixel in 50 flipped."""
    generator = np.random.default_rng(seed)
    glyphs = np.array([[[int(dot) for dot in row] for row in digit.split()] for digit in _FONT], np.uint8)
    pictures = np.zeros((count, SIDE, SIDE), np.uint8)
    for picture in pictures:
        row, column = generator.integers(0, 2), generator.integers(0, 4)
        picture[row : row + 7, column : column + 5] = glyphs[generator.integers(10)]
    return (pictures ^ (generator.random(pictures.shape) < 0.02)).reshape(count, -1)


def shown(picture: np.ndarray) -> str:
    """A picture (64,) as lines of characters."""
    return "\n".join("".join(".#"[dot] for dot in row) for row in picture.reshape(SIDE, SIDE))
