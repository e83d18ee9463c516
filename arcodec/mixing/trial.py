"""Small networks made of noise by integers alone, the same wherever they are made.

With them an engine whose network learns is checked: a model's conformance vector vouches for its network as it is.
Their widths are odd, so that there is padding.
"""

from __future__ import annotations

import math

import numpy as np

from ..exact.program import Program, compile_network
from ..exact.spec import CODE_LIMIT, WEIGHT_LIMIT, Shape, Tensors
from ..exact.stack import StackProgram, compile_stacks
from ..models import pixels, recurrent
from ..models.file import noise
from . import logistic


def small_program() -> Program:
    """Of a network that predicts bytes."""
    # Without followers: what every model file promises of itself covers them.
    network = recurrent.network(recurrent.Config(width=33, blocks=1, contexts=2, rows_log2=6, row_width=8, followers=0))
    return compile_network(network, tensors_of_noise(network.tensors()))


def small_stacks() -> tuple[StackProgram, pixels.Config]:
    """Of a network that predicts pixels, and its sizes."""
    config = pixels.Config(width=17, hidden=25, blocks=1, same=8, others=4)
    stacks = pixels.network(config)
    return compile_stacks(stacks, tensors_of_noise(stacks.tensors())), config


def tensors_of_noise(wanted: Tensors) -> dict[str, np.ndarray]:
    """Tensors of these names, shapes and types: weights of all sizes, scales and biases up to 2**-11."""
    codes = np.arange(-CODE_LIMIT, CODE_LIMIT + 1)
    halvings, between = np.divmod(np.arange(24 * 64 + 1), 64)
    tables = {
        "sigmoid": logistic.SQUASH[16 * codes + logistic.LIMIT] >> 8,
        "exp2": ((1 << 24) * (128 - between) // 128 >> halvings).astype(np.int32),
        "softmax": np.zeros(96, np.int32),
    }
    return {name: tables[name] if name in tables else _drawn(*form) for name, form in wanted.items()}


def _drawn(shape: Shape, kind: str) -> np.ndarray:
    bytes_of_it = np.frombuffer(noise(math.prod(shape)), np.uint8).reshape(shape)
    match kind:
        case "int8":
            return ((bytes_of_it >> 1).astype(np.int8) - WEIGHT_LIMIT).clip(-WEIGHT_LIMIT)
        case "float32":
            return np.ldexp(bytes_of_it.astype(np.float32) + 1, -19)
        case _:
            return bytes_of_it
