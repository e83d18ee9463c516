"""Sources of known entropy through both coders: what a model's distance costs, and what the coder adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..lab.coded import allowed, bits_with, ideal_bits, tables_of
from ..sources import Chain, Source, kl_rate, mean_with_interval, parse
from . import measure as m

_COUNT = 1_000_000
_PAIRS = (  # a source, and a model that is not it
    ("bernoulli:p=0.1", "bernoulli:p=0.15"),
    ("categorical:0.5,0.25,0.125,0.125", "categorical:0.4,0.2,0.2,0.2"),
    ("markov:order=1,alphabet=8", ""),
    ("markov:order=2,alphabet=4", ""),
    ("hidden", ""),
    ("bursty", ""),
    ("image:alphabet=64,spread=1.5", "image:alphabet=64,spread=2.5"),
    ("english", "german"),
)


def _fitted(source: Source) -> Chain:
    """A chain of order 1 with what a thousand symbols of the source tell, each context's distribution smoothed."""
    seen = source.sample(1000, seed=99).astype(int)
    table = np.full((source.alphabet, source.alphabet), 0.5)
    np.add.at(table, (seen[:-1], seen[1:]), 1)
    return Chain(table / table.sum(1, keepdims=True))


@dataclass(frozen=True)
class Row:
    """One source coded with a model that is not it; rates in bits per symbol, intervals of 99 %."""

    source: str
    coder: str
    entropy: float
    kl: float
    excess: float  # measured: of the words, beyond the symbols' information
    bound: float  # how far apart excess and KL may be: the interval and what the coder may add
    added: float  # bits the coder took beyond the code length of its frequencies
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether both are within their bounds."""
        return abs(self.excess - self.kl) <= self.bound and self.added <= self.allowed


def rows(count: int) -> Iterator[Row]:
    """Every source through both coders; 'bits' is what files are coded with, a bit at a time."""
    for number, (spec, other) in enumerate(_PAIRS):
        source = parse(spec)
        model = parse(other) if other else _fitted(source)
        symbols = source.sample(count, seed=number)
        information = source.information(symbols)
        sampled = mean_with_interval(model.information(symbols) - information)
        kl = kl_rate(source, model, count, seed=1000 + number)
        table, contexts = tables_of(model, symbols)
        for coder in ("range", "ans", *(("bits",) if source.alphabet == 2 else ())):
            ideal = ideal_bits(symbols, table, contexts, coder)
            bits = bits_with(symbols, table, contexts, coder)
            yield Row(
                spec,
                coder,
                entropy=source.entropy_rate().value,
                kl=kl.value,
                excess=(bits - information.sum()) / count,
                bound=float(np.hypot(sampled.interval, kl.interval)) + allowed(ideal) / count,
                added=bits - ideal,
                allowed=allowed(ideal),
            )


def known(count: int = _COUNT) -> Iterator[str]:
    """A line for each row."""
    headings = ["source", "coder", "entropy rate", "KL", "measured excess", "off by", "interval and bound"]
    yield m.row([*headings, "coder adds", "allowed", "holds"])
    yield m.row(["---", "---", *["---:"] * 7, "---"])
    for row in rows(count):
        figures = [row.entropy, row.kl, row.excess, abs(row.excess - row.kl), row.bound]
        cells = [*(f"{figure:.6f}" for figure in figures), f"{row.added:.1f} bits", f"{row.allowed:.1f}"]
        yield m.row([row.source, row.coder, *cells, "yes" if row.holds else "**no**"])
