"""Gated linear recurrences over hashed contexts: the default family.

What it can remember: the last six symbols and the last two words exactly as far as their hashes do not collide; what
followed each of some contexts when it was seen last (``exact/followers.py``); and everything else only through a state
of fixed size, one fading real number a channel and block. A step costs the same however long the text.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..exact.spec import GATED_STEP, NORM_STEP, SQUARE_STEP, Embed, Linear, Network, Norm, Recurrence, SquaredRelu


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    width: int = 192
    blocks: int = 2
    expansion: int = 2
    contexts: int = 6
    rows_log2: int = 16
    row_width: int = 32
    code_bits: int = 4  # of each number in a row, 2 or 4
    followers: int = 9  # contexts of which it knows what followed them


def network(config: Config) -> Network:
    """Blocks of [recurrence, multilayer perceptron], each a residual branch."""
    d, hidden = config.width, config.expansion * config.width
    mix = (Norm(d), Linear(d, 3 * d, NORM_STEP), Recurrence(d), Linear(d, d, GATED_STEP, gain=0.5))
    think = (Norm(d), Linear(d, hidden, NORM_STEP), SquaredRelu(hidden), Linear(hidden, d, SQUARE_STEP, gain=0.3))
    embed = Embed(config.contexts, config.rows_log2, config.row_width, d, config.code_bits, config.followers)
    return Network(embed, (mix, think) * config.blocks)
