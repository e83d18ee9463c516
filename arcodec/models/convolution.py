"""Dilated causal convolutions with gates, after WaveNet (van den Oord et al. 2016).

What it can remember: every symbol within its receptive field, 1 + the sum of (taps - 1) * dilation over the layers
(243 with the default), and nothing at all beyond it: a wall. A step reads only the present and the past, because Delay
holds no future.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..exact.spec import GATED_STEP, NORM_STEP, Delay, Embed, Gate, Linear, Network, Norm


@dataclass(frozen=True)
class Config:
    """Sizes of the network."""

    width: int = 128
    taps: int = 3
    dilations: tuple[int, ...] = (1, 3, 9, 27, 81)
    contexts: int = 6
    rows_log2: int = 14
    row_width: int = 32
    code_bits: int = 4  # of each number in a row, 2 or 4


def network(config: Config) -> Network:
    """One residual branch a dilation: [norm, taps side by side, linear, gate, linear]."""
    d = config.width
    branches = tuple(
        (
            Norm(d),
            Delay(d, config.taps, dilation),
            Linear(config.taps * d, 2 * d, NORM_STEP),
            Gate(d),
            Linear(d, d, GATED_STEP, gain=0.5),
        )
        for dilation in config.dilations
    )
    return Network(Embed(config.contexts, config.rows_log2, config.row_width, d, config.code_bits), branches)
