"""Recurrence, convolution and attention: how far back each can see."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from .. import codec
from ..models.registry import FAMILIES, Design
from . import texts
from .experiment import Check, Curve, Plot, Result, Table
from .training import trained, written

THEORY = (
    "What a model can use of the past is built into it: a recurrence squeezes it into a state of fixed size, a "
    "convolution sees all of its receptive field and nothing behind that wall, attention looks up anything in its window."
)
_ALPHABET = 4
_NOISE = 0.02  # of the copied symbols are drawn afresh
_REACH = {"recurrent": None, "convolution": 41, "attention": 48}  # symbols; None: no wall
_DESIGNS = {
    "recurrent": {"width": 64, "blocks": 2, "contexts": 1, "rows_log2": 8, "row_width": 16},
    "convolution": {"width": 48, "dilations": (1, 4, 15), "contexts": 1, "rows_log2": 8, "row_width": 16},
    "attention": {"width": 48, "blocks": 2, "window": 24, "heads": 4, "contexts": 1, "rows_log2": 8, "row_width": 16},
}


def copy_task(gap: int, count: int, seed: int) -> np.ndarray:
    """Symbols (count,) of 4 letters, each the one ``gap`` places back, but for a few drawn afresh; half of them random.

    Places alternate: at even ones a random symbol, at odd ones the copy, so that a model must know where to look.
    """
    generator = np.random.default_rng(seed)
    symbols = generator.integers(0, _ALPHABET, count)
    fresh = generator.random(count) < _NOISE
    odd = gap + 1 - gap % 2  # an odd distance leads from an odd place to an even one
    for t in range(odd, count):
        if t % 2 and not fresh[t]:
            symbols[t] = symbols[t - odd]
    return (symbols + ord("a")).astype(np.uint8)
