"""From a trained network to a model file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..exact.program import compile_network, fresh_state
from ..exact.stack import answers, compile_stacks
from ..exact.torch_networks import TorchNetwork
from ..models import file, loops
from ..models.registry import Design


def write_pixel_model(tensors: dict[str, np.ndarray], design: Design, path: Path) -> None:
    """``write_model`` for a network that predicts pixels, rounded already."""
    stacks = design.stacks()
    stack = stacks.stacks[0]
    given = answers(compile_stacks(stacks, tensors), file.conformance_codes(stack.inputs), stack.outputs)
    file.save(path, design, tensors, file.digest_of_answers(given))


def write_model(network: TorchNetwork, design: Design, path: Path, base: file.Model | None = None) -> None:
    """Round to integers, compute the conformance vector and write the file, without what is equal in the base."""
    tensors = network.export()
    program = compile_network(design.network(), tensors)
    symbols = file.conformance_symbols()
    frequencies = np.empty((len(symbols), 256), np.int64)
    loops.fill_distributions(program, fresh_state(program), symbols, frequencies)
    file.save(path, design, tensors, file.digest(frequencies), base)
