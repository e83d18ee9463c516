"""Pixels from their causal neighbourhood: a masked convolution with a wide kernel, then pointwise residual layers.

For each channel of a pixel in turn - green, red, blue - a stack of layers sees the samples around it that are known
already, in all channels, and what the predictors by least squares say of it and how far they were off around here. It
gives a mixture of logistic distributions, in units of how far off the predictors are expected to be: untrained, it is
as good as they are. It can see no further than its kernel reaches and remembers nothing; what is far away, it knows
through the predictors alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..exact.spec import NORM_STEP, SQUARE_STEP, Linear, Norm, SquaredRelu, Stack, Stacks

CHANNELS = 3
PREDICTORS = 3  # that are asked
MIXTURE = 5  # logistic distributions
REACH = 8, 8  # rows above and columns beside that a kernel may see
MOST_NEIGHBOURS = 144
SQUARE = 32  # widest picture whose columns and rows are told apart
FIXED = 2  # distributions that stand at values of their own, if squares are told apart
FIXED_MIDDLE, FIXED_REACH = 127.5, 127.5  # their answers of -1 and 1 are black and white

# What is known of a sample besides its neighbours, and of the channels of its pixel that come before it; see
# mixing/pixels/prior.py
FACTS = 2 * PREDICTORS + 19


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    width: int = 64
    hidden: int = 128
    blocks: int = 2
    same: int = 35  # neighbours of the sample's own channel
    others: int = 18  # of each other channel
    squares: int = 0  # 1: for stacks of small square pictures; the place in the square is known

    @property
    def fixed(self) -> int:
        """Distributions that do not move with what the predictors expect: for values that come again and again."""
        return FIXED * self.squares


def neighbours(count: int) -> np.ndarray:
    """The nearest samples before one: (count, 2) int64 of rows and columns relative to it, nearest first."""
    rows, columns = REACH
    offsets = [(dy, dx) for dy in range(-rows, 1) for dx in range(-columns, columns + 1) if dy < 0 or dx < 0]
    offsets.sort(key=lambda at: (at[0] ** 2 + at[1] ** 2, -at[0], at[1]))
    return np.array(offsets[:count], np.int64).reshape(-1, 2)


def inputs(config: Config) -> int:
    """Codes that a stack takes."""
    return config.same + 2 * config.others + FACTS + config.squares * 2 * SQUARE


def network(config: Config) -> Stacks:
    """A stack for each channel: blocks of a multilayer perceptron, each a residual branch."""
    most = len(neighbours(MOST_NEIGHBOURS))
    if max(config.same, config.others) > most or config.squares > 1:
        raise UsageError(f"at most {most} neighbours can be seen, and squares is 0 or 1")
    d, hidden = config.width, config.hidden
    think = (Norm(d), Linear(d, hidden, NORM_STEP), SquaredRelu(hidden), Linear(hidden, d, SQUARE_STEP, gain=0.3))
    stack = Stack(inputs(config), (think,) * config.blocks, d, 3 * MIXTURE)
    return Stacks((stack,) * CHANNELS)
