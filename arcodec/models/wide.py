"""The torch engine: blocks side by side as lanes of one batch, on any device.

A step costs torch about a millisecond whatever the number of lanes, so this engine wants many blocks: cut a file into
blocks of some kilobytes before handing it to a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from .. import range_kernel as rk
from ..errors import DamagedError, UsageError
from ..exact.contexts import fill_rows, remember, rows_of
from ..exact.memory import Memory, fresh_memory
from ..exact.torch_networks import TorchNetwork, TorchStack, multiply_with
from ..frequencies import from_weights
from ..machine import installed_memory
from . import loops
from .engine import Coded, Progress
from .file import Model

_LANES = 256  # most blocks side by side
_SYMBOLS = 1 << 24  # and most symbols in them, for their memory's sake
_MEMORY = 5 << 29  # and most bytes of what they remember, if the machine has twice as many
_STEPS = 64  # symbols of each lane scored at once while encoding


class TorchEngine:
    """Runs a model's layers in torch, exactly."""

    def __init__(self, model: Model, device: str = "cpu", product: str = "float32") -> None:
        self.name = f"torch {device} {product}"
        self.device = device
        try:
            self.network = TorchNetwork(model.network, model.tensors).to(device).eval()
            self.network.multiply_with(product)
        except (RuntimeError, AssertionError) as error:
            raise UsageError(f"torch cannot use the device {device!r}: {str(error).splitlines()[0]}") from None

    @torch.no_grad()
    def _weights(
        self, last: np.ndarray, rows: np.ndarray, memory: list[torch.Tensor | None]
    ) -> tuple[np.ndarray, list]:
        """last (time, lanes), rows (time, lanes, contexts) -> weights (time, lanes, 256) and the memory after them."""
        on_device = (torch.from_numpy(array).to(self.device) for array in (last, rows))
        logits, memory = self.network(*on_device, memory)
        return self.network.weights(logits).cpu().numpy(), memory

    def _fresh_memory(self) -> Memory:
        return fresh_memory(self.network.spec.embed.followers)

    def _lanes_for(self, longest: int) -> int:
        """How many blocks of at most this length to run side by side."""
        memory = min(_MEMORY, installed_memory() // 2)
        fit = memory // max(1, self.network.spec.memory_bytes())
        return max(1, min(_LANES, _SYMBOLS // max(1, longest), fit))

    def _rows(self, symbols: np.ndarray, memory: Memory) -> np.ndarray:
        embed = self.network.spec.embed
        return rows_of(symbols, memory, embed.rows_log2, embed.contexts)

    def frequencies(self, symbols: np.ndarray) -> np.ndarray:
        """The distribution before each of symbols (n,) uint8 -> (n, 256) int64, each row summing to 2**24."""
        rows = self._rows(symbols, self._fresh_memory())[:, None]
        last = _shifted(symbols[:, None].astype(np.int64), np.zeros(1, np.int64))
        weights, _ = self._weights(last, rows, self.network.memory(1))
        return from_weights(weights[:, 0])

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool = False) -> Iterator[Coded]:
        """See ``Engine``."""
        lanes = self._lanes_for(max(map(len, blocks), default=1))
        for start in range(0, len(blocks), lanes):
            yield from self._encode_lanes(blocks[start : start + lanes], progress, detailed)

    def _encode_lanes(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool) -> Iterator[Coded]:
        lanes, longest = len(blocks), max(len(block) for block in blocks)
        symbols = np.zeros((longest, lanes), np.int64)  # shorter lanes are padded; their padding is not coded
        for lane, block in enumerate(blocks):
            symbols[: len(block), lane] = block
        left = np.array([len(block) for block in blocks])
        coders = np.stack([rk.new_encoder() for _ in blocks])
        words = np.zeros((lanes, rk.room_for(longest)), np.uint32)
        totals, costs = np.zeros((lanes, 2)), np.empty((longest if detailed else _STEPS, lanes))
        contexts = [self._fresh_memory() for _ in blocks]
        memory, before = self.network.memory(lanes), np.zeros(lanes, np.int64)
        for start in range(0, longest, _STEPS):
            chunk = symbols[start : start + _STEPS]
            rows = np.stack([self._rows(chunk[:, lane], contexts[lane]) for lane in range(lanes)], 1)
            weights, memory = self._weights(_shifted(chunk, before), rows, memory)
            before = chunk[-1]
            loops.encode_lanes(coders, words, weights, chunk, left, totals, costs[start if detailed else 0 :])
            progress(int(np.clip(left, 0, len(chunk)).sum()))
            left = left - len(chunk)
        for lane in range(lanes):
            count = rk.finish(coders[lane], words[lane])
            bits = costs[: len(blocks[lane]), lane].copy() if detailed else None
            model_bits, coded_bits = totals[lane].tolist()
            yield Coded(words[lane, :count].copy(), model_bits, coded_bits, symbol_bits=bits)

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """See ``Engine``."""
        lanes = self._lanes_for(max((length for _, length in blocks), default=1))
        for start in range(0, len(blocks), lanes):
            yield from self._decode_lanes(blocks[start : start + lanes], progress)

    def _decode_lanes(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        lanes = len(blocks)
        counts = np.array([len(words) for words, _ in blocks])
        lengths = np.array([length for _, length in blocks])
        words = np.zeros((lanes, max(1, int(counts.max()))), np.uint32)
        for lane, (coded, _) in enumerate(blocks):
            words[lane, : len(coded)] = coded
        coders = np.stack([rk.new_decoder(coded) for coded, _ in blocks])
        symbols = np.zeros((int(lengths.max()), lanes), np.int64)
        contexts = [self._fresh_memory() for _ in blocks]
        embed = self.network.spec.embed
        rows = np.zeros((1, lanes, embed.rows), np.int64)
        memory, before = self.network.memory(lanes), np.zeros(lanes, np.int64)
        for t in range(len(symbols)):
            for lane in range(lanes):
                fill_rows(contexts[lane], embed.rows_log2, embed.contexts, rows[0, lane])
            weights, memory = self._weights(before[None], rows, memory)
            active = t < lengths
            if not loops.decode_lanes(coders, words, counts, weights[0], active, symbols[t]):
                raise DamagedError("the coded data are damaged: no symbol fits them")
            before = symbols[t]
            for lane in range(lanes):
                remember(contexts[lane], before[lane])
            progress(int(active.sum()))
        for lane in range(lanes):
            yield symbols[: lengths[lane], lane].astype(np.uint8)


@torch.no_grad()
def stack_answers(model: Model, codes: np.ndarray, product: str = "float32") -> np.ndarray:
    """What each stack of a network that predicts pixels answers to codes (n, inputs) -> (n, stacks, outputs)."""
    told = torch.from_numpy(codes).float()
    answers = []
    for c, spec in enumerate(model.design.stacks().stacks):
        stack = TorchStack(spec, model.tensors, f"{c}.")
        multiply_with(stack, product)
        answers.append(stack(told))
    return torch.stack(answers, 1).numpy()


def _shifted(symbols: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The symbol before each: symbols (time, lanes), before (lanes,) -> (time, lanes)."""
    return np.concatenate((before[None], symbols[:-1]))
