"""Networks on held-out documents: bits per byte of each category, alone and learning while they code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..exact.torch_networks import TorchNetwork
from ..mixing.engine import MixtureEngine
from ..mixing.team import BEST, LEARNING
from ..models import store
from ..training import corpus
from ..training.evaluate import bits_per_byte
from . import measure as m


def table(folders: list[Path], models: list[str], limit: int, pieces: int) -> Iterator[str]:
    """Rows of categories, columns of models; at most ``limit`` bytes of each, in pieces that each start afresh."""
    networks = {name: TorchNetwork(model.network, model.tensors) for name in models for model in [store.find(name)]}
    yield "| category | bytes | " + " | ".join(models) + " |"
    yield "| --- | ---: |" + " ---: |" * len(models)
    for folder in folders:
        source = corpus.load(str(folder))
        figures = [f"{bits_per_byte(network, source, limit, 'cpu', pieces):.4f}" for network in networks.values()]
        yield f"| {folder.name} | {min(limit, len(source.symbols)):,} | " + " | ".join(figures) + " |"


def learning(folders: list[Path], model: str, limit: int, beside: str | None = None) -> Iterator[str]:
    """What the network takes alone, and among the experts of preset best, as it is and learning.

    At most ``limit`` bytes of each category, in one piece. beside: also with this model beside it, see ``networks``.
    """
    program, other = (store.program(store.find(name)) if name else None for name in (model, beside))
    columns = ["category", "bytes", "network", "learning", "change", "best without", "best", "change"]
    columns += [f"beside {beside}", "change"] if beside else []
    yield m.row(columns)
    yield m.row(["---", *["---:"] * (len(columns) - 1)])
    for folder in folders:
        symbols = corpus.load(str(folder)).symbols[:limit]
        figures = []
        for team in (BEST, LEARNING):
            (coded,) = MixtureEngine(program, team).encode([symbols], lambda done: None)
            figures.append((coded.network_bits or 0.0, coded.model_bits))
        cells = []
        for before, after in zip(*figures, strict=True):
            cells += [
                f"{before / len(symbols):.4f}",
                f"{after / len(symbols):.4f}",
                f"{100 * (after / before - 1):.1f} %",
            ]
        if other is not None:
            (coded,) = MixtureEngine(program, LEARNING, beside=other).encode([symbols], lambda done: None)
            change = f"{100 * (coded.model_bits / figures[1][1] - 1):.1f} %"
            cells += [f"{coded.model_bits / len(symbols):.4f}", change]
        yield m.row([folder.name, f"{len(symbols):,}", *cells])
