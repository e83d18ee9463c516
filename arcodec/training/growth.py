"""A larger recurrent network that begins with what a smaller one knows, and with its answers.

The smaller network's sum is turned into the wider one's by a matrix whose columns are orthogonal and of one length: its
root mean square stays what it was, so norms give the same, and every new channel says something of every old one (an
old channel beside zeros would leave the range of a norm's codes). Channels of recurrences, perceptrons and whole
branches that are new read at random, and nobody reads them yet: what they are worth is learnt. Weights are rounded
anew, so the answers are the same only up to rounding; of a network that is only deeper, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from ..exact import spec as s
from ..exact.torch_layers import Arrays, Layer, Linear, Projection
from ..exact.torch_networks import TorchNetwork


def grow(network: TorchNetwork, tensors: Arrays, small: s.Network, seed: int) -> None:
    """Begin with what the tensors of a smaller network of the same layers say. See ``Design.check_growth``."""
    known = TorchNetwork(small)
    known.adopt(tensors)
    turn = _turn(network.spec.width, small.width, seed)
    back = turn * (small.width / network.spec.width)  # back.T @ turn is 1
    with torch.no_grad():
        _embed(network, known, turn)
        theirs, ours = (list(one.branches()) for one in (known, network))
        for new in ours[len(theirs) - 1 : -1]:
            _last(new).weight.zero_()
        for old, new in zip(theirs, (*ours[: len(theirs) - 1], ours[-1]), strict=True):  # the head is last
            _branch(new, old, turn, back)


def _turn(width: int, small: int, seed: int) -> Tensor:
    """(width, small), which keeps the root mean square of what it turns; nothing but 1 if they are equal."""
    if width == small:
        return torch.eye(width)
    noise = torch.randn(width, small, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(noise)[0] * (width / small) ** 0.5


def _embed(network: TorchNetwork, known: TorchNetwork, turn: Tensor) -> None:
    new, old = network.embed, known.embed
    new.table.copy_(old.table)
    new.last.copy_(old.last @ turn.T)
    if old.spec.followers:
        new.followers.copy_(old.followers @ turn.T)
    new.projection.weight.copy_(turn @ old.projection.weight)
    new.projection.bias.copy_(turn @ old.projection.bias)


def _branch(new: Sequence[Layer], old: Sequence[Layer], turn: Tensor, back: Tensor) -> None:
    """[norm, in, what remembers or bends, out], or the head: [norm, in]."""
    enters, known = _first(new), _first(old)
    reading = known.weight @ back.T
    if len(new) == 2:  # the head has as many outputs as before
        enters.weight.copy_(reading)
        enters.bias.copy_(known.bias)
        return
    leaves, before = _last(new), _last(old)
    channels = before.weight.shape[1]
    parts = len(known.weight) // channels  # of a recurrence three: forget, input, gate
    width = len(enters.weight) // parts
    for part in range(parts):
        here, there = slice(part * width, part * width + channels), slice(part * channels, (part + 1) * channels)
        enters.weight[here] = reading[there]
        enters.bias[here] = known.bias[there]
    leaves.weight.zero_()
    leaves.weight[:, :channels] = turn @ before.weight
    leaves.bias.copy_(turn @ before.bias)


def _first(branch: Sequence[Layer]) -> Projection:
    return cast(Linear, branch[1]).projection


def _last(branch: Sequence[Layer]) -> Projection:
    return cast(Linear, branch[-1]).projection
