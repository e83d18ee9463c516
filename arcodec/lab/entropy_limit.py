"""With growing data the bill falls to the entropy rate, and not below."""

from __future__ import annotations

import numpy as np

from .. import codec
from ..sources import mean_with_interval, parse
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "A compressor that learns while it codes pays for what it does not know yet; with growing data the bits per symbol "
    "fall towards the entropy rate of the source, and no compressor goes below it for long."
)
_SOURCES = ("bernoulli:p=0.1", "markov:order=1,alphabet=8", "markov:order=2,alphabet=4", "english")


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    lengths = (1_000, 10_000, 100_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    rows, curves, checks = [], [], []
    for spec in _SOURCES:
        source = parse(spec)
        entropy = source.entropy_rate().value
        symbols = source.sample(lengths[-1], seed)
        rates, excess = [], []
        for length in lengths:
            part = symbols[:length]
            size = len(codec.compress(part.tobytes(), preset="fast", threads=1))  # verified: it decodes it again
            own = mean_with_interval(source.information(part))
            rates.append(8 * size / length)
            excess.append(rates[-1] - own.value)
            rows.append((spec, length, size, rates[-1], entropy, excess[-1]))
            checks.append(
                Check(f"{spec}, {length:,}: not below its own information", 8 * size > own.value * length - 64)
            )
        checks.append(Check(f"{spec}: each tenfold brings it nearer", all(np.diff(excess) < 0)))
        checks.append(
            Check(
                f"{spec}: at the end less than {5 if quick else 2} % above the entropy rate",
                rates[-1] < (1.05 if quick else 1.02) * entropy + 2 * own.interval,
            )
        )
        curves += [
            Curve(spec, lengths, rates),
            Curve(f"{spec}: entropy rate", (lengths[0], lengths[-1]), (entropy,) * 2),
        ]
    headings = ("source", "symbols", "file, bytes", "bits/symbol", "entropy rate", "above the sample's information")
    table = Table("Files by the fast preset, whole", headings, rows)
    plot = Plot("Bits per symbol with growing data", "symbols", "bits/symbol", curves, log_x=True)
    return Result(THEORY, (table,), (plot,), checks)
