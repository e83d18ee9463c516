"""Straight-through rounding: exact forwards, an identity's gradient backwards.

Each function's forward is what the coder computes, operation by operation; its backward lets gradients pass as if
nothing had been rounded (Bengio et al. 2013, "Estimating or propagating gradients through stochastic neurons").
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from .packing import CODES
from .spec import CODE_LIMIT, EMBED_STEP, SNAP, SQUARE_STEP
from .tables import SCORE_STEP, SIGMOID_BITS


class _Code(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inverse_step: float, limit: float) -> Tensor:
        rounded = (x * inverse_step).round_()
        ctx.save_for_backward(rounded)
        ctx.inverse_step, ctx.limit = inverse_step, limit
        return rounded.clamp(-limit, limit)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (rounded,) = ctx.saved_tensors
        # One pass: nothing flows back through a code beyond the limit.
        inside = torch.ops.aten.hardtanh_backward(grads[0], rounded, -ctx.limit - 0.5, ctx.limit + 0.5)
        return inside.mul_(ctx.inverse_step), None, None


class _ParameterCode(_Code):
    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (rounded,) = ctx.saved_tensors
        # A parameter beyond the limit would never come back; it gets those gradients that pull it inwards.
        outward = (rounded.abs() > ctx.limit) & (rounded * grads[0] < 0)
        return (grads[0] * ctx.inverse_step).masked_fill_(outward, 0), None, None


def to_code(x: Tensor, step: float, limit: int = CODE_LIMIT) -> Tensor:
    """clamp(round(x / step), -limit, limit), integer-valued, same shape; step must be a power of two."""
    return _Code.apply(x, 1 / step, float(limit))


def parameter_code(x: Tensor, step: float, limit: int = CODE_LIMIT) -> Tensor:
    """``to_code`` for a parameter, which may not get stuck at the limit."""
    return _ParameterCode.apply(x, 1 / step, float(limit))


class _SpreadCode(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inverse_step: float, distance: float, limit: float) -> Tensor:
        rounded = (x * (inverse_step / distance)).floor_().mul_(distance).add_(distance / 2)
        ctx.save_for_backward(rounded)
        ctx.inverse_step, ctx.limit = inverse_step, limit
        return rounded.clamp(-limit, limit)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        return (*_ParameterCode.backward(ctx, *grads), None)


def table_code(x: Tensor, bits: int) -> Tensor:
    """The code of so many bits (see ``packing``) nearest to x / EMBED_STEP, integer-valued, same shape."""
    distance, largest = CODES[bits]
    if distance == 1:
        return parameter_code(x, EMBED_STEP, largest)
    return _SpreadCode.apply(x, 1 / EMBED_STEP, float(distance), float(largest))


class _SquaredRelu(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        positive = x.clamp(min=0)
        code = (positive * positive).mul_(1 / SQUARE_STEP).round_().clamp_(max=float(CODE_LIMIT))
        ctx.save_for_backward(positive, code)
        return code

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        positive, code = ctx.saved_tensors
        grad = grads[0]
        outward = (code >= CODE_LIMIT) & (grad < 0)
        return (grad * positive).mul_(2 / SQUARE_STEP).masked_fill_(outward, 0)


def squared_relu_code(x: Tensor) -> Tensor:
    """Codes of max(x, 0)**2 in steps of 1/8, same shape."""
    return _SquaredRelu.apply(x)


class _Sigmoid(Function):
    @staticmethod
    def forward(ctx: Any, code: Tensor, table: Tensor) -> Tensor:
        y = table[code.to(torch.int32) + CODE_LIMIT]
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return grads[0] * y * (1 - y) / 16, None


def sigmoid(code: Tensor, table: Tensor) -> Tensor:
    """sigmoid(code / 16) from a table of multiples of 2**-16, float32, same shape."""
    return _Sigmoid.apply(code, table)


def sigmoid_values(table: Tensor) -> Tensor:
    """The stored integers as float32 in (0, 1): an exact conversion."""
    return table.float() * 2.0**-SIGMOID_BITS


class _SoftmaxWeights(Function):
    # One function for the whole chain: these tensors are the largest of a transformer, each pass over them costs.
    @staticmethod
    def forward(ctx: Any, products: Tensor, scale: float, offsets: Tensor, table: Tensor) -> Tensor:
        scores = (products * scale).round_().add_(offsets)
        behind = scores.sub_(scores.amax(-1, keepdim=True)).neg_().clamp_(max=float(len(table) - 1))
        weights = table[behind.to(torch.int32)]
        ctx.save_for_backward(weights)
        ctx.scale = scale
        return weights

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, None]:
        (weights,) = ctx.saved_tensors
        grad_scores = (grads[0] * weights).mul_(math.log(2) * SCORE_STEP)
        return grad_scores * ctx.scale, None, grad_scores.sum(0), None


def softmax_weights(products: Tensor, scale: float, offsets: Tensor, table: Tensor) -> Tensor:
    """Integer weights along the last axis, the best 1023, each proportional to 2**(score/8).

    score = round(products * scale) + offsets; products (lanes, heads, queries, keys), offsets (heads, queries, keys)
    integer-valued -> weights as products, float32.
    """
    return _SoftmaxWeights.apply(products, scale, offsets, table)


def root(x: Tensor) -> Tensor:
    """The square root rounded correctly, float32, same shape.

    torch's own in float32 is not: some vector libraries give its neighbour for a fifth of all numbers on some
    processors. In float64 even an error of one unit in the last place does no harm: no root of a float32 number is that
    near the middle between two others, because the middle's square has 50 bits and the number 24.
    """
    return x.double().sqrt().float()


class _Scan(Function):
    """h[t] = snap(f[t] * h[t-1] + b[t]) one step after the other, as decoding does."""

    @staticmethod
    def forward(ctx: Any, f: Tensor, b: Tensor, h: Tensor) -> Tensor:
        out = torch.empty_like(b)
        first = h
        for t in range(len(f)):
            h = torch.mul(f[t], h, out=out[t])
            h.add_(b[t])
            snap_(h)
        ctx.save_for_backward(f, out, first)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f, out, first = ctx.saved_tensors
        grad_b = grads[0].clone()
        for t in range(len(f) - 1, 0, -1):
            grad_b[t - 1].addcmul_(grad_b[t], f[t])
        grad_f = grad_b * torch.cat((first[None], out[:-1]))
        return grad_f, grad_b, grad_b[0] * f[0]


def snap_(h: Tensor) -> Tensor:
    """Round to multiples of 2**-16, in place, by adding and taking away 192 (exact for |h| < 64).

    The state is then a fixed-point number held in a float: it never becomes subnormal, which some libraries flush to 0.
    """
    return h.add_(SNAP).sub_(SNAP)


def scan(f: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """All states of the gated recurrence: f, b (time, lanes, width), h (lanes, width) -> (time, lanes, width)."""
    return _Scan.apply(f, b, h)


def parallel_scan(f: Tensor, b: Tensor, h: Tensor) -> Tensor:
    """The same recurrence by doubling, in log2(time) steps and without snapping: for training on a GPU only."""
    b = torch.cat((b[:1] + f[:1] * h, b[1:]))
    shift = 1
    while shift < len(f):
        b = torch.cat((b[:shift], b[shift:] + f[shift:] * b[:-shift]))
        f = torch.cat((f[:shift], f[shift:] * f[:-shift]))
        shift *= 2
    return b
