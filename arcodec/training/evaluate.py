"""Bits per byte on held-out documents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ..exact.contexts import rows_of
from ..exact.memory import fresh_memory
from ..exact.torch_networks import TorchNetwork
from .corpus import Source

PIECES = 16


def bits_per_byte(network: TorchNetwork, source: Source, limit: int, device: str, pieces: int = PIECES) -> float:
    """Mean code length of (at most ``limit`` bytes of) a source, cut into pieces that each start afresh."""
    symbols = source.symbols[:limit]
    lanes = max(1, min(pieces, len(symbols) // 64))
    by_lane = symbols[: len(symbols) // lanes * lanes].reshape(lanes, -1)
    embed = network.spec.embed
    rows = [rows_of(piece, fresh_memory(embed.followers), embed.rows_log2, embed.contexts) for piece in by_lane]
    rows_by_time = torch.stack([torch.from_numpy(r) for r in rows], 1)
    target = torch.from_numpy(by_lane.T.astype("int64"))
    last = torch.cat((torch.zeros_like(target[:1]), target[:-1]))
    total_nats = 0.0
    with torch.no_grad():
        memory = network.memory(lanes)
        for start in range(0, len(target), 256):
            part = slice(start, start + 256)
            logits, memory = network(last[part].to(device), rows_by_time[part].to(device), memory)
            total_nats += nats(logits, target[part].to(device)).item() * target[part].numel()
    return total_nats / math.log(2) / target.numel()


def nats(logits: torch.Tensor, symbols: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats: logits (..., 256) in bits, symbols (...)."""
    return torch.nn.functional.cross_entropy(logits.flatten(0, -2) * math.log(2), symbols.flatten())


def categories(network: TorchNetwork, sources: Sequence[Source], limit: int, device: str) -> dict[str, float]:
    """Bits per byte of each source by its name."""
    return {source.name: bits_per_byte(network, source, limit, device) for source in sources}
