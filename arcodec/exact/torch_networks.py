"""Networks and stacks in torch, made of the layers of ``torch_layers``: for training, wide batches and any device."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from . import rounding as r
from . import spec as s
from .tables import LOGIT_STEP, exp2_table, sigmoid_table, softmax_table
from .torch_layers import (
    PRODUCTS,
    Arrays,
    Attend,
    Delay,
    Embed,
    Gate,
    Layer,
    Linear,
    Norm,
    Projection,
    Recurrence,
    SquaredRelu,
)


def _without_memory(layer: s.Norm | s.Linear | s.SquaredRelu, frozen: Arrays | None) -> Layer:
    match layer:
        case s.Norm():
            return Norm(layer)
        case s.Linear():
            return Linear(layer, frozen)
        case s.SquaredRelu():
            return SquaredRelu()


def multiply_with(network: nn.Module, product: str) -> None:
    """Use the product of this name (see PRODUCTS) in all linear layers of a network."""
    for module in network.modules():
        if isinstance(module, Projection):
            module.product = PRODUCTS[product]


class TorchStack(nn.Module):
    """A stack in torch: trainable, or frozen when made from tensors, of which those of the stack begin with prefix."""

    def __init__(self, spec: s.Stack, tensors: Arrays | None = None, prefix: str = "") -> None:
        super().__init__()
        self.spec = spec
        self.layers = nn.ModuleDict()
        for name, layer in spec.layers():
            assert isinstance(layer, s.Norm | s.Linear | s.SquaredRelu)
            self.layers[name.replace(".", "_")] = _without_memory(layer, _under(prefix + name, tensors))

    def forward(self, codes: Tensor) -> Tensor:
        """codes (n, inputs), integer-valued float32 -> reals (n, outputs)."""
        x, _ = self.layers["first"](codes, None)
        branches = (*self.spec.branches, self.spec.head)
        y = x
        for b, branch in enumerate(branches):
            y = x
            for i in range(len(branch)):
                y, _ = self.layers[f"{b}_{i}"](y, None)
            if b < len(self.spec.branches):
                x = x + y
        return cast(Tensor, y)

    def export(self) -> Arrays:
        """Every tensor of its layers, named as in ``Stack.layers``."""
        return {
            f"{prefix.replace('_', '.')}.{name}": array
            for prefix, layer in self.layers.items()
            for name, array in cast(Layer, layer).export().items()
        }

    def adopt(self, tensors: Arrays) -> None:
        """As of ``TorchNetwork``, from the stack's own tensors."""
        for prefix, layer in self.layers.items():
            cast(Layer, layer).adopt(cast(Arrays, _under(prefix.replace("_", "."), tensors)))


class TorchNetwork(nn.Module):
    """A network in torch: trainable when made from its description alone, frozen when made from a file's tensors."""

    def __init__(self, spec: s.Network, tensors: Arrays | None = None) -> None:
        super().__init__()
        self.spec = spec
        self.tables = (
            {name: tensors[name] for name in ("sigmoid", "exp2", "softmax")}
            if tensors is not None
            else {"sigmoid": sigmoid_table(), "exp2": exp2_table(), "softmax": softmax_table()}
        )
        self.register_buffer("exp2", torch.from_numpy(self.tables["exp2"]), persistent=False)
        made = {prefix: self._make(layer, _under(prefix, tensors)) for prefix, layer in spec.layers()}
        self.embed = cast(Embed, made.pop("embed"))
        self.layers = nn.ModuleDict({prefix.replace(".", "_"): layer for prefix, layer in made.items()})
        if tensors is None:
            self._spread_forgetting()

    def _make(self, layer: s.Embed | s.Layer, frozen: Arrays | None) -> Layer:
        sigmoid = r.sigmoid_values(torch.from_numpy(self.tables["sigmoid"]))
        softmax = torch.from_numpy(self.tables["softmax"]).float()
        match layer:
            case s.Embed():
                return Embed(layer, frozen)
            case s.Recurrence():
                return Recurrence(layer, sigmoid)
            case s.Gate():
                return Gate(sigmoid)
            case s.Delay():
                return Delay(layer)
            case s.Attend():
                return Attend(layer, softmax, frozen)
            case _:
                return _without_memory(layer, frozen)

    def multiply_with(self, product: str) -> None:
        """Use the product of this name (see PRODUCTS) in all linear layers."""
        multiply_with(self, product)

    def branches(self) -> Iterator[list[Layer]]:
        """The residual branches, then the head."""
        for b, branch in enumerate((*self.spec.branches, self.spec.head)):
            yield [cast(Layer, self.layers[f"{b}_{i}"]) for i in range(len(branch))]

    def _spread_forgetting(self) -> None:
        """Forget biases from 0 to 5: time constants from two symbols to a hundred and fifty."""
        for branch in self.branches():
            for before, layer in pairwise(branch):
                if isinstance(layer, Recurrence) and isinstance(before, Linear):
                    with torch.no_grad():
                        before.projection.bias[: layer.width] = torch.linspace(0, 5, layer.width)

    def memory(self, lanes: int) -> list[Tensor | None]:
        """The memories of all layers before the first symbol."""
        return [layer.memory(lanes) for branch in self.branches() for layer in branch]

    def forward(self, last: Tensor, rows: Tensor, memory: list[Tensor | None]) -> tuple[Tensor, list[Tensor | None]]:
        """Logits for what comes next, in bits.

        last (time, lanes): the symbol before; rows (time, lanes, all rows): of the embedding's tables
        -> logits (time, lanes, 256), and the memory to go on with.
        """
        x = self.embed(last, rows)
        memories = iter(memory)
        kept: list[Tensor | None] = []
        branches = list(self.branches())
        y = x
        for i, branch in enumerate(branches):
            y = x
            for layer in branch:
                y, state = layer(y, next(memories))
                kept.append(state)
            if i < len(branches) - 1:
                x = x + y
        return y, kept

    def weights(self, logits: Tensor) -> Tensor:
        """Integer weights (..., 256) in 1..2**24, proportional to 2**logit; int64."""
        codes = (logits * (1 / LOGIT_STEP)).round()
        behind = (codes.amax(-1, keepdim=True) - codes).clamp(max=float(len(self.tables["exp2"]) - 1))
        return cast(Tensor, self.exp2)[behind.to(torch.int64)].to(torch.int64)

    def export(self) -> Arrays:
        """Every tensor of ``spec.tensors()``."""
        named: Arrays = dict(self.tables)
        named |= {f"embed.{name}": array for name, array in self.embed.export().items()}
        for prefix, layer in self.layers.items():
            for name, array in cast(Layer, layer).export().items():
                named[f"{prefix.replace('_', '.')}.{name}"] = array
        return named

    def adopt(self, tensors: Arrays) -> None:
        """Take for parameters what the tensors of a model file stand for, so that training goes on from there."""
        for prefix, layer in (("embed", self.embed), *self.layers.items()):
            cast(Layer, layer).adopt(cast(Arrays, _under(prefix.replace("_", "."), tensors)))


def _under(prefix: str, tensors: Arrays | None) -> Arrays | None:
    if tensors is None:
        return None
    start = prefix + "."
    return {name[len(start) :]: array for name, array in tensors.items() if name.startswith(start)}
