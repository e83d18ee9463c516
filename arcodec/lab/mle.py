"""Maximum likelihood and least code length choose the same parameter."""

from __future__ import annotations

import numpy as np

from ..sources import Chain, bernoulli
from . import coded
from .experiment import Check, Curve, Plot, Result, Table

THEORY = (
    "The likelihood of a sample is 2 to the minus its code length, so the parameter that makes the sample most likely "
    "is the one whose code is shortest: learning is compressing."
)
_TOSSES = "HHTHT"
_GRID = np.arange(0.05, 0.951, 0.05)


def likelihood(tosses: str, share: np.ndarray) -> np.ndarray:
    """Of tosses (H and T) under each probability of heads (n,) -> (n,)."""
    return np.asarray(share ** tosses.count("H") * (1 - share) ** tosses.count("T"))


def _geometric(stay: float) -> Chain:
    """Values 0 to 3, each rarer than the one before by a factor."""
    p = stay ** np.arange(4.0)
    return Chain((p / p.sum())[None])


def _sticky(stay: float) -> Chain:
    """A bit that repeats the last with this probability."""
    return Chain(np.array([[stay, 1 - stay], [1 - stay, stay]]))


def run(seed: int, quick: bool) -> Result:
    """See ``Experiment``."""
    fine = np.linspace(0, 1, 1001)
    curve = likelihood(_TOSSES, fine)
    peak = float(fine[curve.argmax()])
    count = 6_000 if quick else 60_000
    checks = [Check(f"the five tosses {' '.join(_TOSSES)} are most likely at 0.6", abs(peak - 0.6) < 1e-9)]
    families = {
        "coin": (bernoulli, bernoulli(0.3).sample(count, seed)),
        "geometric": (_geometric, _geometric(0.7).sample(count, seed + 1)),
        "sticky bit": (_sticky, _sticky(0.85).sample(count, seed + 2)),
    }
    rows, curves = [], []
    for name, (family, symbols) in families.items():
        ideal = np.array([family(float(value)).information(symbols).sum() for value in _GRID])
        measured = np.array([coded.bits_under(symbols, family(float(value))) for value in _GRID])
        likeliest, all_shortest = float(_GRID[ideal.argmin()]), _GRID[measured == measured.min()]
        # Whole words may be as many at several parameters.
        shortest = float(all_shortest[np.abs(all_shortest - likeliest).argmin()])
        rows.append((name, likeliest, shortest, int(measured.min()) // 8, float(ideal.min()) / count))
        curves.append(Curve(f"{name}: -log2 likelihood", _GRID.tolist(), (ideal / count).tolist()))
        curves.append(Curve(f"{name}: coded", _GRID.tolist(), (measured / count).tolist(), line=False))
        checks.append(Check(f"{name}: most likely and shortest at the same value", likeliest == shortest))
        within = np.abs(measured - ideal) <= [coded.allowed(bits) for bits in ideal]
        checks.append(Check(f"{name}: each code is as long as -log2 of the likelihood", bool(within.all())))
    table = Table(
        f"{count:,} symbols of each family, the parameter in steps of 0.05",
        ("family", "most likely at", "shortest at", "bytes there", "bits/symbol there"),
        rows,
    )
    tosses = Plot(
        "Likelihood of " + " ".join(_TOSSES),
        "probability of heads",
        "likelihood",
        (Curve("likelihood", fine.tolist(), curve.tolist()), Curve("its peak", (peak,), (curve.max(),), line=False)),
    )
    lengths = Plot("Code length by parameter", "parameter", "bits/symbol", curves)
    return Result(THEORY, (table,), (tosses, lengths), checks)
