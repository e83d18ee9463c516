"""A source coded with models ever further away from it."""

from __future__ import annotations

import numpy as np

from ..sources import Chain, kl_rate, mean_with_interval
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "Coding samples of p with a code for q takes H(p) + KL(p||q) bits a symbol on average: the excess is never "
    "negative, nothing only at q = p, and not the same when p and q change places."
)
_SHARES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95)


def _excess(source: Chain, model: Chain, count: int, seed: int) -> tuple[float, float, float]:
    """Bits per symbol beyond the source's own information: exact KL, measured in words, and half its interval.

    The interval is of 99.99 %: of the sample's chance, and of what the coder may add.
    """
    symbols = source.sample(count, seed)
    information = source.information(symbols)
    rate = mean_with_interval(model.information(symbols) - information)
    bits = coded.bits_under(symbols, model)
    interval = 1.51 * rate.interval + coded.allowed(bits) / count
    return kl_rate(source, model).value, (bits - information.sum()) / count, interval


_INTERVAL = "99.99 % interval and coder"


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    count = 10_000 if quick else 200_000
    p = np.array([0.55, 0.25, 0.15, 0.05])
    source, rows, checks = Chain(p[None]), [], []
    forward, backward = [], []
    for number, share in enumerate(_SHARES):
        model = Chain(((1 - share) * p + share * p[::-1])[None])
        forward.append(_excess(source, model, count, seed + 2 * number))
        backward.append(_excess(model, source, count, seed + 2 * number + 1))
        rows.append((share, *forward[-1], *backward[-1]))
    both = forward + backward
    sample = source.sample(count, seed + 99)
    fair = [coded.bits_under(sample, Chain(((1 - share) * p + share * p[::-1])[None])) for share in _SHARES]
    checks = [
        Check("every measured excess is its KL, within the interval", all(abs(m - kl) <= i for kl, m, i in both)),
        Check(
            f"{count:,} more symbols of p take fewest bits with q = p, wherever so many can tell",
            all(fair[0] < bits for (kl, _, interval), bits in zip(forward, fair, strict=True) if kl > interval),
        ),
    ]
    skewed, even = Chain(np.array([[0.99, 0.01]])), Chain(np.array([[0.5, 0.5]]))
    there, back = _excess(skewed, even, count, seed + 100), _excess(even, skewed, count, seed + 101)
    checks.append(Check("the two directions have different bills", abs(there[1] - back[1]) > there[2] + back[2]))
    headings = ("p", "q", "KL(p||q), bits", "measured excess, bits", _INTERVAL)
    other = Table(
        "Both directions between two coins",
        headings,
        [("1 in 100", "even", *there), ("even", "1 in 100", *back)],
    )
    table = Table(
        f"p = {p.tolist()} and q = a share of p reversed, {count:,} symbols each, bits/symbol",
        ("share", "KL(p||q)", "excess coding p with q", _INTERVAL, "KL(q||p)", "excess coding q with p", _INTERVAL),
        rows,
    )
    line = [0.0, max(kl for kl, _, _ in both)]
    plot = Plot(
        "Excess over the entropy",
        "KL divergence, bits/symbol",
        "measured excess, bits/symbol",
        (
            Curve("excess = KL", line, line),
            Curve("p coded with q", [kl for kl, _, _ in forward], [m for _, m, _ in forward], line=False),
            Curve("q coded with p", [kl for kl, _, _ in backward], [m for _, m, _ in backward], line=False),
        ),
    )
    return Result(THEORY, (table, other), (plot,), checks)
