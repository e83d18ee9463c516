"""Residual branches of the recurrent family in few passes, for training on a CPU.

A step of training computes products of matrices, which run at hundreds of G multiply-adds/s, and a hundred roundings,
scalings and gates of tensors that no cache holds: layer by layer in torch these take longer than the products. Here
each branch goes once over its tensors between two products, forwards and backwards. The forward is that of
``torch_layers`` to the last bit (a test holds them equal); the backward is the same straight-through gradient, summed
in another order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from ..exact import spec as s
from ..exact.tables import SIGMOID_STEP
from ..exact.torch_layers import Layer, Linear, Norm, Projection, Recurrence, SquaredRelu
from ..exact.torch_networks import TorchNetwork
from ..jit import kernel

_F = np.float32
_MAGIC = _F(1.5 * 2**23)  # added and taken away, it rounds to the nearest integer, ties to even
_LIMIT = _F(s.CODE_LIMIT)
_INSIDE = _F(s.CODE_LIMIT + 0.5)  # what rounds to a code within the limit is below this
_ONE, _ZERO, _HALF = _F(1), _F(0), _F(0.5)
_PER_NORM = _F(1 / s.NORM_STEP)
_PER_STATISTIC = _F(1 / s.STATISTIC_STEP)
_EPSILON = _F(s.NORM_EPSILON)
_PER_SIGMOID = _F(1 / SIGMOID_STEP)
_PER_GATED = _F(1 / s.GATED_STEP)
_PER_SQUARE = _F(1 / s.SQUARE_STEP)
_TWICE_PER_SQUARE = _F(2 / s.SQUARE_STEP)
_INPUT = _F(s.INPUT_LIMIT)
_SNAP = _F(s.SNAP)


@kernel
def _rounded(x: Any) -> Any:
    return (min(max(x, -_LIMIT), _LIMIT) + _MAGIC) - _MAGIC


@kernel
def _norm(x: np.ndarray, per_square: Any, codes: np.ndarray, inverse: np.ndarray) -> None:
    for n in range(len(x)):
        for i in range(x.shape[1]):
            codes[n, i] = np.int8(_rounded(x[n, i] * _PER_STATISTIC))
        total = np.int32(0)
        for i in range(x.shape[1]):
            total = np.int32(total + np.int32(codes[n, i]) * np.int32(codes[n, i]))
        inverse[n] = _ONE / _F(np.sqrt(np.float64(_F(total) * per_square + _EPSILON)))
        for i in range(x.shape[1]):
            codes[n, i] = np.int8(_rounded(x[n, i] * inverse[n] * _PER_NORM))


@kernel
def _norm_back(x: np.ndarray, per_square: Any, inverse: np.ndarray, of_codes: np.ndarray, of_x: np.ndarray) -> None:
    """Adds to of_x what comes through the codes and through the root mean square."""
    width = x.shape[1]
    for n in range(len(x)):
        inv = inverse[n]
        of_inverse = _ZERO
        for i in range(width):
            y = x[n, i] * inv * _PER_NORM
            g = of_codes[n, i] * _PER_NORM if abs(y) < _INSIDE else _ZERO
            of_codes[n, i] = g
        for i in range(width):
            of_inverse += of_codes[n, i] * x[n, i]
        of_coarse = -of_inverse * inv * inv * inv * per_square * _PER_STATISTIC  # 2 of the square, 1/2 of the root
        for i in range(width):
            coarse = x[n, i] * _PER_STATISTIC
            through = of_coarse * ((coarse + _MAGIC) - _MAGIC) if abs(coarse) < _INSIDE else _ZERO
            of_x[n, i] += of_codes[n, i] * inv + through


@kernel
def _look_up(
    sums: np.ndarray, scale: np.ndarray, bias: np.ndarray, table: np.ndarray, at: np.ndarray, out: np.ndarray
) -> None:
    # Two loops: LLVM makes vectors of the first, and of nothing that reads at places it cannot foresee.
    for i in range(len(out)):
        at[i] = np.int32(_rounded((_F(sums[i]) * scale[i] + bias[i]) * _PER_SIGMOID)) + np.int32(s.CODE_LIMIT)
    for i in range(len(out)):
        out[i] = table[np.uint32(at[i])]


@kernel
def _recur(
    sums: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    table: np.ndarray,
    first: np.ndarray,
    at: np.ndarray,
    forget: np.ndarray,
    gate: np.ndarray,
    states: np.ndarray,
    codes: np.ndarray,
) -> None:
    steps, lanes, width = states.shape
    z_scale, z_bias = scale[width : 2 * width], bias[width : 2 * width]
    g_scale, g_bias = scale[2 * width :], bias[2 * width :]
    for t in range(steps):
        for lane in range(lanes):
            f, g, state, code = forget[t, lane], gate[t, lane], states[t, lane], codes[t, lane]
            before = states[t - 1, lane] if t else first[lane]
            _look_up(sums[t, lane, :width], scale, bias, table, at, f)
            _look_up(sums[t, lane, 2 * width :], g_scale, g_bias, table, at, g)
            inputs = sums[t, lane, width : 2 * width]
            for i in range(width):
                z = min(max(_F(inputs[i]) * z_scale[i] + z_bias[i], -_INPUT), _INPUT)
                state[i] = ((f[i] * before[i] + (_ONE - f[i]) * z) + _SNAP) - _SNAP
            for i in range(width):
                code[i] = np.int8(_rounded(state[i] * g[i] * _PER_GATED))


@kernel
def _spread(gradient: np.ndarray, scale: np.ndarray, of_bias: np.ndarray) -> None:
    """From the gradient of reals to those of the integer sums they are made of, in place, and of the bias."""
    for i in range(len(gradient)):
        of_bias[i] += gradient[i]
        gradient[i] *= scale[i]


@kernel
def _recur_back(
    sums: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    first: np.ndarray,
    forget: np.ndarray,
    gate: np.ndarray,
    states: np.ndarray,
    of_codes: np.ndarray,
    carried: np.ndarray,
    of_sums: np.ndarray,
    of_bias: np.ndarray,
) -> None:
    steps, lanes, width = states.shape
    carried[:] = 0
    of_bias[:] = 0
    z_scale, z_bias = scale[width : 2 * width], bias[width : 2 * width]
    g_scale, g_bias = scale[2 * width :], bias[2 * width :]
    of_z_bias, of_g_bias = of_bias[width : 2 * width], of_bias[2 * width :]
    for t in range(steps - 1, -1, -1):
        for lane in range(lanes):
            f, g, state = forget[t, lane], gate[t, lane], states[t, lane]
            grad, carry = of_codes[t, lane], carried[lane]
            before = states[t - 1, lane] if t else first[lane]
            part, out = sums[t, lane, 2 * width :], of_sums[t, lane, 2 * width :]
            for i in range(width):
                x = (_F(part[i]) * g_scale[i] + g_bias[i]) * _PER_SIGMOID
                of_product = grad[i] * _PER_GATED if abs(state[i] * g[i] * _PER_GATED) < _INSIDE else _ZERO
                through = of_product * state[i] * g[i] * (_ONE - g[i])  # the sigmoid's step and its slope's cancel
                out[i] = through if abs(x) < _INSIDE else _ZERO
                carry[i] += of_product * g[i]
            _spread(out, g_scale, of_g_bias)
            part, out = sums[t, lane, width : 2 * width], of_sums[t, lane, width : 2 * width]
            other = of_sums[t, lane, :width]
            for i in range(width):
                z = _F(part[i]) * z_scale[i] + z_bias[i]
                held = min(max(z, -_INPUT), _INPUT)
                other[i] = carry[i] * (before[i] - held)
                out[i] = carry[i] * (_ONE - f[i]) if z == held else _ZERO
            _spread(out, z_scale, of_z_bias)
            part = sums[t, lane, :width]
            for i in range(width):
                x = (_F(part[i]) * scale[i] + bias[i]) * _PER_SIGMOID
                through = other[i] * f[i] * (_ONE - f[i])
                other[i] = through if abs(x) < _INSIDE else _ZERO
                carry[i] *= f[i]
            _spread(other, scale, of_bias)


@kernel
def _square(sums: np.ndarray, scale: np.ndarray, bias: np.ndarray, codes: np.ndarray) -> None:
    for n in range(len(sums)):
        for i in range(sums.shape[1]):
            x = max(_F(sums[n, i]) * scale[i] + bias[i], _ZERO)
            codes[n, i] = np.int8(_rounded(x * x * _PER_SQUARE))


@kernel
def _square_back(
    sums: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    of_codes: np.ndarray,
    of_bias: np.ndarray,
) -> None:
    """Turns of_codes into the gradient of the sums."""
    of_bias[:] = 0
    for n in range(len(sums)):
        for i in range(sums.shape[1]):
            x = max(_F(sums[n, i]) * scale[i] + bias[i], _ZERO)
            g = of_codes[n, i]
            # At the limit only what leads inwards.
            of_codes[n, i] = g * x * _TWICE_PER_SQUARE if x * x * _PER_SQUARE <= _LIMIT - _HALF or g > _ZERO else _ZERO
        _spread(of_codes[n], scale, of_bias)


@kernel
def _add(x: np.ndarray, sums: np.ndarray, scale: np.ndarray, bias: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(x)):
        for i in range(x.shape[1]):
            out[n, i] = x[n, i] + (_F(sums[n, i]) * scale[i] + bias[i])


def _products(codes: Tensor, weights: Tensor) -> Tensor:
    """codes (n, inputs) int8, weights (outputs, inputs) integer-valued -> (n, outputs) int32."""
    return torch._int_mm(codes, weights.to(torch.int8).T.contiguous())


def _back(of_sums: Tensor, codes: Tensor, weights: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Gradients of the codes and of the weights, float32."""
    grad = of_sums.to(kind)
    return (grad @ weights.to(kind)).float(), (grad.T @ codes.to(kind)).float()


def _run(compiled: Callable[..., None], *arguments: Tensor | np.generic) -> None:
    """Call a kernel on tensors where they lie."""
    compiled(*(a.detach().numpy() if isinstance(a, Tensor) else a for a in arguments))


def _per_square(width: int) -> np.float32:
    return _F(s.STATISTIC_STEP**2 / width)


class _Branch(Function):
    """x + second(middle(first(norm(x)))), where the middle is a recurrence or, without memory, a squared ReLU."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w1: Tensor,
        s1: Tensor,
        b1: Tensor,
        w2: Tensor,
        s2: Tensor,
        b2: Tensor,
        memory: Tensor | None,
        table: Tensor | None,
        kind: torch.dtype,
    ) -> tuple[Tensor, Tensor | None]:
        steps, lanes, width = x.shape
        n = steps * lanes
        flat = x.reshape(n, width)
        normed = torch.empty(n, width, dtype=torch.int8)
        inverse = torch.empty(n)
        _run(_norm, flat, _per_square(width), normed, inverse)
        sums = _products(normed, w1)
        codes = torch.empty(n, w2.shape[1], dtype=torch.int8)
        kept: tuple[Tensor, ...] = ()
        last = None
        if memory is not None and table is not None:
            forget, gate, states = (torch.empty(steps, lanes, width) for _ in range(3))
            at, by_time = torch.empty(width, dtype=torch.int32), (steps, lanes, -1)
            _run(_recur, sums.view(by_time), s1, b1, table, memory, at, forget, gate, states, codes.view(by_time))
            kept = (memory, forget, gate, states)
            last = states[-1].clone()
        else:
            _run(_square, sums, s1, b1, codes)
        out = torch.empty_like(flat)
        _run(_add, flat, _products(codes, w2), s2, b2, out)
        ctx.save_for_backward(flat, normed, inverse, sums, codes, w1, s1, b1, w2, s2, *kept)
        ctx.kind = kind
        return out.view(x.shape), last

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        flat, normed, inverse, sums, codes, w1, s1, b1, w2, s2, *kept = ctx.saved_tensors
        of_out = grads[0].reshape(flat.shape)
        of_b2 = of_out.sum(0)
        of_codes, of_w2 = _back(of_out * s2, codes, w2, ctx.kind)
        of_b1 = torch.empty_like(b1)
        if kept:
            memory, forget, gate, states = kept
            of_sums = torch.empty(sums.shape)
            by_time, carried = (*states.shape[:2], -1), torch.empty_like(memory)
            known = (sums.view(by_time), s1, b1, memory, forget, gate, states)
            _run(_recur_back, *known, of_codes.view(by_time), carried, of_sums.view(by_time), of_b1)
        else:
            of_sums = of_codes
            _run(_square_back, sums, s1, b1, of_sums, of_b1)
        of_normed, of_w1 = _back(of_sums, normed, w1, ctx.kind)
        of_x = of_out.clone()
        _run(_norm_back, flat, _per_square(flat.shape[1]), inverse, of_normed, of_x)
        return of_x.view(grads[0].shape), of_w1, None, of_b1, of_w2, None, of_b2, None, None, None


def fits(network: TorchNetwork) -> bool:
    """Whether all its branches are of the two forms computed here."""
    return all(_parts(branch) for branch in list(network.branches())[:-1])


def _parts(branch: list[Layer]) -> tuple[Projection, Recurrence | SquaredRelu, Projection] | None:
    match branch:
        case [Norm(), Linear() as first, (Recurrence() | SquaredRelu()) as middle, Linear() as second]:
            return first.projection, middle, second.projection
    return None


def logits(
    network: TorchNetwork, last: Tensor, rows: Tensor, memory: list[Tensor | None], kind: torch.dtype
) -> tuple[Tensor, list[Tensor | None]]:
    """``network(last, rows, memory)``, its products' gradients computed in ``kind``."""
    x = network.embed(last, rows)
    memories = iter(memory)
    kept: list[Tensor | None] = []
    *branches, head = network.branches()
    for branch in branches:
        parts = _parts(branch)
        assert parts is not None
        first, middle, second = parts
        old = [next(memories) for _ in branch][2]
        table = cast(Tensor, middle.sigmoid) if isinstance(middle, Recurrence) else None
        w1, s1 = first.quantised()
        w2, s2 = second.quantised()
        x, new = _Branch.apply(x, w1, s1, first.bias, w2, s2, second.bias, old, table, kind)  # type: ignore[no-untyped-call]
        kept += [None, None, new, None]
    for layer in head:
        x, _ = layer(x, None)
        kept.append(None)
    return x, kept
