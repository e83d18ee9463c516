"""What an engine is: something that predicts blocks and codes them. The codec knows no more of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Progress = Callable[[int], None]  # told of every few thousand symbols done


@dataclass(frozen=True)
class Coded:
    """A block after coding, with what it cost."""

    words: np.ndarray  # uint32
    model_bits: float  # sum of -log2 q(x)
    coded_bits: float  # sum of -log2(f / 2**24)
    network_bits: float | None = None  # what the network alone would have taken, if it was one of several experts
    experts_bits: dict[str, float] = field(default_factory=dict)  # what each expert alone would have; in detail only
    symbol_bits: np.ndarray | None = None  # (n,) float64, what each symbol cost by model_bits; in detail only
    voices: dict[str, float] = field(default_factory=dict)  # sum of |nats| each expert added to what the mixture said


class Engine(Protocol):
    """Predicts and codes. Blocks are independent of each other."""

    name: str

    def encode(self, blocks: Sequence[np.ndarray], progress: Progress, detailed: bool = False) -> Iterator[Coded]:
        """Code blocks of symbols (n,) uint8, in order. detailed: account for each symbol and expert as well."""
        ...

    def decode(self, blocks: Sequence[tuple[np.ndarray, int]], progress: Progress) -> Iterator[np.ndarray]:
        """Decode (words, number of symbols), in order -> symbols (n,) uint8. Raises DamagedError."""
        ...


class NetworkEngine(Engine, Protocol):
    """Runs one network, and gives the same words as any other engine that runs it."""

    def frequencies(self, symbols: np.ndarray) -> np.ndarray:
        """The distribution before each of symbols (n,) uint8 -> (n, 256) int64, each row summing to 2**24."""
        ...
