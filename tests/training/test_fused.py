"""The branches computed in few passes are those of the layers one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from arcodec.exact.torch_networks import TorchNetwork
from arcodec.models import attention, recurrent
from arcodec.training import fused
from arcodec.training.evaluate import nats

LANES, STEPS = 5, 37


def _network(scale: float) -> TorchNetwork:
    torch.manual_seed(3)
    network = TorchNetwork(
        recurrent.network(recurrent.Config(width=48, blocks=2, contexts=3, rows_log2=6, row_width=8, followers=1))
    )
    network.multiply_with("int8")
    with torch.no_grad():
        network.embed.table.normal_(0, 0.2)
        network.embed.followers.normal_(0, 0.2)
        for parameter in network.parameters():
            parameter.mul_(scale)
    return network


def _gradients(network: TorchNetwork, logits: Tensor, symbols: Tensor) -> dict[str, Tensor]:
    nats(logits, symbols).backward()
    gradients = {}
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        gradients[name] = parameter.grad.to_dense().clone()
        parameter.grad = None
    return gradients


@pytest.mark.parametrize("scale", [1.0, 4.0])  # the larger one drives codes, gates and inputs to their limits
def test_same_logits_memories_and_gradients(scale: float) -> None:
    network = _network(scale)
    random = torch.Generator().manual_seed(1)
    last, symbols = torch.randint(0, 256, (2, STEPS, LANES), generator=random)
    rows = torch.randint(0, 3 << 6, (STEPS, LANES, 5), generator=random)
    memory = [None if m is None else torch.randn(m.shape, generator=random) for m in network.memory(LANES)]

    logits, left = network(last, rows, memory)
    expected = _gradients(network, logits, symbols)
    ours, ours_left = fused.logits(network, last, rows, memory, torch.float32)
    gradients = _gradients(network, ours, symbols)

    assert torch.equal(ours, logits)
    for a, b in zip(ours_left, left, strict=True):
        assert (a is None) == (b is None)
        if a is not None and b is not None:
            assert torch.equal(a, b)
    for name, gradient in expected.items():
        assert gradient.norm() > 0, name
        assert (gradients[name] - gradient).norm() < 1e-4 * gradient.norm(), name


def test_other_families_are_left_to_torch() -> None:
    assert fused.fits(_network(1.0))
    assert not fused.fits(TorchNetwork(attention.network(attention.Config())))
