"""Network alone on held-out documents: bits per byte of each category."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..exact.torch_networks import TorchNetwork
from ..models import store
from ..training import corpus
from ..training.evaluate import bits_per_byte


def table(folders: list[Path], models: list[str], limit: int) -> Iterator[str]:
    """Rows of categories, columns of models; at most ``limit`` bytes of each category, in 32 pieces."""
    networks = {name: TorchNetwork(model.network, model.tensors) for name in models for model in [store.find(name)]}
    yield "| category | bytes | " + " | ".join(models) + " |"
    yield "| --- | ---: |" + " ---: |" * len(models)
    for folder in folders:
        source = corpus.load(str(folder))
        figures = [f"{bits_per_byte(network, source, limit, 'cpu'):.4f}" for network in networks.values()]
        yield f"| {folder.name} | {min(limit, len(source.symbols)):,} | " + " | ".join(figures) + " |"
