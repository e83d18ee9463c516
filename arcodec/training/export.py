"""From a trained network to a model file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..exact.program import compile_network, fresh_state
from ..exact.torch_layers import TorchNetwork
from ..models import file, loops
from ..models.registry import Design


def write_model(network: TorchNetwork, design: Design, path: Path) -> None:
    """Round to integers, compute the conformance vector and write the file."""
    tensors = network.export()
    program = compile_network(design.network(), tensors)
    symbols = file.conformance_symbols()
    frequencies = np.empty((len(symbols), 256), np.int64)
    loops.fill_distributions(program, fresh_state(program), symbols, frequencies)
    file.save(path, design, tensors, file.digest(frequencies))
