"""A small causal transformer with a sliding window.

What it can remember: keys and values of the last ``window`` steps, in full, and it can look any of them up by content;
stacked layers reach further, window by window, second hand. What has left the window is gone, and each step reads the
whole window, so a step costs more the further it may look.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..exact.spec import NORM_STEP, SQUARE_STEP, Attend, Embed, Linear, Network, Norm, SquaredRelu


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    width: int = 128
    blocks: int = 3
    heads: int = 4
    window: int = 128
    expansion: int = 3
    contexts: int = 6
    rows_log2: int = 14
    row_width: int = 32
    code_bits: int = 4  # of each number in a row, 2 or 4


def network(config: Config) -> Network:
    """Blocks of [attention, multilayer perceptron], each a residual branch."""
    d, hidden = config.width, config.expansion * config.width
    look = (
        Norm(d),
        Linear(d, 3 * d, NORM_STEP),
        Attend(d, config.heads, config.window),
        Linear(d, d, NORM_STEP, gain=0.5),
    )
    think = (Norm(d), Linear(d, hidden, NORM_STEP), SquaredRelu(hidden), Linear(hidden, d, SQUARE_STEP, gain=0.3))
    return Network(
        Embed(config.contexts, config.rows_log2, config.row_width, d, config.code_bits), (look, think) * config.blocks
    )
