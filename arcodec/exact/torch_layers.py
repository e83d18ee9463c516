"""The layers in torch: for training, for wide batches and for any device.

Tensors are time-major, (time, lanes, width): a lane is one sequence among those that run side by side. Every layer
takes and returns its memory, so that a sequence may come whole, in chunks or symbol by symbol, with the same result.

A layer is either trained (float weights, rounded with straight-through gradients at each use) or frozen (the integers
of a model file). The arithmetic after the rounding is the same code for both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from . import rounding as r
from . import spec as s
from .packing import packed, unpacked
from .tables import SCORE_STEP, SIGMOID_STEP

Arrays = dict[str, np.ndarray]
Product = Callable[[Tensor, Tensor], Tensor]


def _float32_product(codes: Tensor, weights: Tensor) -> Tensor:
    return codes @ weights.T


class _Int8Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, codes: Tensor, weights: Tensor, gradients: torch.dtype) -> Tensor:
        ctx.save_for_backward(codes, weights)
        ctx.gradients = gradients
        flat = codes.reshape(-1, codes.shape[-1]).to(torch.int8)
        sums = torch._int_mm(flat, weights.to(torch.int8).T.contiguous())
        return sums.float().reshape(*codes.shape[:-1], len(weights))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        codes, weights = ctx.saved_tensors
        kind = ctx.gradients
        grad = grads[0].flatten(0, -2).to(kind)
        of_codes, of_weights = grad @ weights.to(kind), grad.T @ codes.flatten(0, -2).to(kind)
        return of_codes.float().reshape(codes.shape), of_weights.float(), None


def _int8_product(codes: Tensor, weights: Tensor) -> Tensor:
    return _Int8Product.apply(codes, weights, torch.float32)


def _int8_bfloat16_product(codes: Tensor, weights: Tensor) -> Tensor:
    return _Int8Product.apply(codes, weights, torch.bfloat16)


def _bfloat16_product(codes: Tensor, weights: Tensor) -> Tensor:
    return (codes.bfloat16() @ weights.bfloat16().T).float()


# All multiply integers. float32 and int8 are exact, int8-bfloat16 only forwards: its gradients are rounded to eight
# bits, which is half as fast again where the processor has bfloat16. bfloat16 rounds the sums, too, and serves training
# only.
PRODUCTS: dict[str, Product] = {
    "float32": _float32_product,
    "int8": _int8_product,
    "int8-bfloat16": _int8_bfloat16_product,
    "bfloat16": _bfloat16_product,
}


def _parameter(x: Tensor) -> nn.Parameter:
    return nn.Parameter(x.contiguous())


class Layer(nn.Module):
    """What all layers share: named integers in a model file, and a memory that may be empty."""

    def export(self) -> Arrays:
        """The tensors of ``spec.tensors()``, as a model file keeps them."""
        return {}

    def adopt(self, arrays: Arrays) -> None:
        """Take for parameters the reals that these integers stand for: the way back from ``export``."""

    def memory(self, lanes: int) -> Tensor | None:
        """The memory before the first symbol."""
        return None


class Projection(nn.Module):
    """Integer product, scale, bias: the arithmetic of Linear, also used inside Embed."""

    def __init__(self, inputs: int, outputs: int, step: float, gain: float, frozen: Arrays | None) -> None:
        super().__init__()
        self.step = step
        self.product: Product = _float32_product
        self.frozen = frozen is not None
        if frozen is not None:
            self.register_buffer("codes", torch.from_numpy(frozen["codes"]).float())
            self.register_buffer("scale", torch.from_numpy(frozen["scale"]))
            self.register_buffer("bias", torch.from_numpy(frozen["bias"]))
        else:
            self.weight = _parameter(torch.randn(outputs, inputs) * gain / math.sqrt(inputs))
            self.bias = _parameter(torch.zeros(outputs))

    def quantised(self) -> tuple[Tensor, Tensor]:
        """Weight codes (outputs, inputs), integer-valued, and a float32 scale each, the input's step included."""
        if self.frozen:
            return cast(Tensor, self.codes), cast(Tensor, self.scale)
        largest = self.weight.detach().abs().amax(1).clamp(min=1e-6)
        scale = largest / s.WEIGHT_LIMIT
        real = self.weight / scale[:, None]
        return real + (real.round() - real).detach(), scale * self.step

    def forward(self, codes: Tensor) -> Tensor:
        weights, scale = self.quantised()
        return self.product(codes, weights) * scale + self.bias

    def export(self) -> Arrays:
        with torch.no_grad():
            weights, scale = self.quantised()
            return {
                "codes": weights.round().to(torch.int8).cpu().numpy(),
                "scale": scale.float().cpu().numpy(),
                "bias": torch.where(self.bias.abs() < 1e-20, 0.0, self.bias).float().cpu().numpy(),
            }

    def adopt(self, arrays: Arrays) -> None:
        """See ``Layer.adopt``."""
        with torch.no_grad():
            scale = arrays["scale"] / np.float32(self.step)
            self.weight.copy_(torch.from_numpy(arrays["codes"] * scale[:, None]))
            self.bias.copy_(torch.from_numpy(arrays["bias"]))


class Linear(Layer):
    """See spec.Linear."""

    def __init__(self, spec: s.Linear, frozen: Arrays | None) -> None:
        super().__init__()
        self.projection = Projection(spec.inputs, spec.outputs, spec.step, spec.gain, frozen)

    def forward(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        return self.projection(x), None

    def export(self) -> Arrays:
        return self.projection.export()

    def adopt(self, arrays: Arrays) -> None:
        self.projection.adopt(arrays)


class Embed(Layer):
    """See spec.Embed."""

    def __init__(self, spec: s.Embed, frozen: Arrays | None) -> None:
        super().__init__()
        self.spec = spec
        self.frozen = frozen is not None
        self.projection = Projection(spec.contexts * spec.row_width, spec.width, s.EMBED_STEP, 2.0, frozen)
        if frozen is not None:
            self.register_buffer("table", torch.from_numpy(unpacked(frozen["table"], spec.bits)))
            self.register_buffer("last", torch.from_numpy(frozen["last"]))
            if spec.followers:
                self.register_buffer("followers", torch.from_numpy(frozen["followers"]))
        else:
            # Rows never seen in training stay at 0 and, of four bits, add nothing.
            self.table = _parameter(torch.zeros(spec.contexts << spec.rows_log2, spec.row_width))
            self.last = _parameter(torch.randn(s.ALPHABET, spec.width) * 0.3)
            if spec.followers:
                self.followers = _parameter(torch.zeros(spec.followers * s.FOLLOWER_ROWS, spec.width))
            self.sparse = True

    def freeze_rows(self) -> None:
        """Train neither the rows of contexts nor those of followers, only the last byte's and what they go through."""
        self.table.requires_grad_(False)
        if self.spec.followers:
            self.followers.requires_grad_(False)

    def forward(self, last: Tensor, rows: Tensor) -> Tensor:
        """last (time, lanes), rows (time, lanes, all rows), both integers -> reals (time, lanes, width)."""
        rows, followed = rows[..., : self.spec.contexts], rows[..., self.spec.contexts :]
        if self.frozen:
            codes, added = self.table[rows].float(), self.last[last].float()
            if self.spec.followers:
                added = added + self.followers[followed].float().sum(-2)
        else:
            latent = nn.functional.embedding(rows, self.table, sparse=self.sparse)
            codes = r.table_code(latent, self.spec.bits)
            added = nn.functional.embedding(last, r.parameter_code(self.last, s.EMBED_STEP))
            if self.spec.followers:
                table = r.parameter_code(self.followers, s.EMBED_STEP)
                bags = nn.functional.embedding_bag(followed.flatten(0, -2), table, mode="sum")
                added = added + bags.reshape(added.shape)
        return self.projection(codes.flatten(-2)) + added * s.EMBED_STEP

    def export(self) -> Arrays:
        with torch.no_grad():
            table = r.table_code(self.table, self.spec.bits).to(torch.int8).cpu().numpy()
            added = {
                name: r.to_code(parameter, s.EMBED_STEP).to(torch.int8).cpu().numpy()
                for name, parameter in self._added().items()
            }
        return {"table": packed(table, self.spec.bits), **added, **self.projection.export()}

    def _added(self) -> dict[str, Tensor]:
        """The tables whose rows are added as they are."""
        return {name: getattr(self, name) for name in ("last", "followers") if hasattr(self, name)}

    def adopt(self, arrays: Arrays) -> None:
        self.projection.adopt(arrays)
        with torch.no_grad():
            codes = {"table": unpacked(arrays["table"], self.spec.bits)}
            codes |= {name: arrays[name] for name in self._added() if name in arrays}
            for name, those in codes.items():
                getattr(self, name).copy_(torch.from_numpy(those * np.float32(s.EMBED_STEP)))


class Norm(Layer):
    """See spec.Norm."""

    def __init__(self, spec: s.Norm) -> None:
        super().__init__()
        self.per_square = s.STATISTIC_STEP**2 / spec.width

    def forward(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        coarse = r.to_code(x, s.STATISTIC_STEP)
        squares = (coarse * coarse).sum(-1, keepdim=True)  # an integer below 2**24 for width <= 1040
        rms = r.root(squares * self.per_square + s.NORM_EPSILON)
        return r.to_code(x * (1 / rms), s.NORM_STEP), None


class Recurrence(Layer):
    """See spec.Recurrence."""

    def __init__(self, spec: s.Recurrence, sigmoid: Tensor) -> None:
        super().__init__()
        self.width = spec.width
        self.register_buffer("sigmoid", sigmoid, persistent=False)
        self.scan = r.scan

    def memory(self, lanes: int) -> Tensor:
        return torch.zeros(lanes, self.width, device=cast(Tensor, self.sigmoid).device)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        table = cast(Tensor, self.sigmoid)
        forget, inputs, gate = x.chunk(3, -1)
        f = r.sigmoid(r.to_code(forget, SIGMOID_STEP), table)
        b = (1 - f) * inputs.clamp(-s.INPUT_LIMIT, s.INPUT_LIMIT)
        h = self.scan(f, b, memory)
        g = r.sigmoid(r.to_code(gate, SIGMOID_STEP), table)
        return r.to_code(h * g, s.GATED_STEP), h[-1]


class SquaredRelu(Layer):
    """See spec.SquaredRelu."""

    def forward(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        return r.squared_relu_code(x), None


class Gate(Layer):
    """See spec.Gate."""

    def __init__(self, sigmoid: Tensor) -> None:
        super().__init__()
        self.register_buffer("sigmoid", sigmoid, persistent=False)

    def forward(self, x: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        value, gate = x.chunk(2, -1)
        g = r.sigmoid(r.to_code(gate, SIGMOID_STEP), cast(Tensor, self.sigmoid))
        return r.to_code(value * g, s.GATED_STEP), None


class Delay(Layer):
    """See spec.Delay."""

    def __init__(self, spec: s.Delay) -> None:
        super().__init__()
        self.spec = spec
        self.register_buffer("here", torch.zeros(1), persistent=False)

    def memory(self, lanes: int) -> Tensor:
        return torch.zeros(self.spec.span, lanes, self.spec.width, device=cast(Tensor, self.here).device)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        past = torch.cat((memory, x))  # (span + time, lanes, width)
        starts = [self.spec.span - tap * self.spec.dilation for tap in range(self.spec.taps)]
        return torch.cat([past[a : a + len(x)] for a in starts], -1), past[len(x) :]


class Attend(Layer):
    """See spec.Attend."""

    def __init__(self, spec: s.Attend, softmax: Tensor, frozen: Arrays | None) -> None:
        super().__init__()
        self.spec = spec
        self.score_scale = s.attention_scale(spec)
        self.register_buffer("softmax", softmax, persistent=False)
        self.frozen = frozen is not None
        if frozen is not None:
            self.register_buffer("distance", torch.from_numpy(frozen["distance"]).float())
        else:
            # Heads begin with reaches from a few symbols to the whole window, as in ALiBi (Press et al. 2021).
            reach = torch.logspace(1.5, math.log2(spec.window), spec.heads, base=2)
            self.distance = _parameter(-torch.arange(spec.window) / reach[:, None])  # bits

    def memory(self, lanes: int) -> Tensor:
        """Keys and values of the last window - 1 steps."""
        width = 2 * self.spec.width
        return torch.zeros(self.spec.window - 1, lanes, width, device=cast(Tensor, self.softmax).device)

    def distance_codes(self) -> Tensor:
        return cast(Tensor, self.distance) if self.frozen else r.parameter_code(self.distance, SCORE_STEP, 1023)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        width, window = self.spec.width, self.spec.window
        codes = r.to_code(x, s.NORM_STEP)
        past = torch.cat((memory, codes[..., width:]))  # (window - 1 + time, lanes, 2 * width)
        chunks = []
        for start in range(0, len(x), window):
            query = codes[start : start + window, :, :width]
            seen = past[start : start + len(query) + window - 1]
            chunks.append(self._attend(query, seen[..., :width], seen[..., width:]))
        return r.to_code(torch.cat(chunks), 1.0), past[len(x) :]

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """query (n, lanes, width), key and value (n + window - 1, lanes, width) -> reals (n, lanes, width)."""
        n, lanes, width = query.shape
        window, heads = self.spec.window, self.spec.heads

        def by_head(t: Tensor) -> Tensor:
            return t.reshape(len(t), lanes, heads, -1).permute(1, 2, 0, 3)  # (lanes, heads, steps, width / heads)

        products = by_head(query) @ by_head(key).transpose(-1, -2)  # (lanes, heads, n, n + window - 1)
        steps = torch.arange(n, device=query.device)[:, None] + window - 1
        distance = steps - torch.arange(n + window - 1, device=query.device)  # of each key behind each query
        outside = (distance < 0) | (distance >= window)
        offsets = self.distance_codes()[:, distance.clamp(0, window - 1)].masked_fill(outside, -(2.0**22))
        weights = r.softmax_weights(products, self.score_scale, offsets, cast(Tensor, self.softmax))
        mean = (weights @ by_head(value)) / weights.sum(-1, keepdim=True)
        return mean.permute(2, 0, 1, 3).reshape(n, lanes, width)

    def export(self) -> Arrays:
        with torch.no_grad():
            return {"distance": self.distance_codes().to(torch.int32).cpu().numpy()}

    def adopt(self, arrays: Arrays) -> None:
        with torch.no_grad():
            self.distance.copy_(torch.from_numpy(arrays["distance"] * np.float32(SCORE_STEP)))
