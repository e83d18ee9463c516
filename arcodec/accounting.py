"""From what engines say of their blocks to the ledger of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from . import container, sources
from .errors import UsageError
from .ledger import KnownSource, Ledger, exact_bits
from .predictor import Predictor

if TYPE_CHECKING:
    from .models.engine import Coded


_ENOUGH = 10_000  # symbols for an interval: of fewer, rare ones are too few for it to cover what it says


@dataclass(frozen=True)
class Compressed:
    """A file's content and its account."""

    data: bytes
    ledger: Ledger
    original: bytes | memoryview  # what was coded: the input, or a picture's samples
    symbol_bits: np.ndarray | None = None  # (n,) float64, what each symbol cost, 8 where stored; in detail only
    remark: str = ""  # what whoever gave a picture's file should know
    picture: container.Picture | None = None  # if the input was taken as one
    make_again: Callable[[], None] | None = None  # then, raises ArcodecError if its file cannot be made from symbols
    samples: np.ndarray | None = None  # then, its samples (height, width, channels)


def ledger_of(content: bytes, coded: Sequence[Coded], predictor: Predictor) -> Ledger:
    """The account of an .arc file's content, of whose blocks ``coded`` are those that were not stored, in order."""
    members = list(container.members(content))
    blocks = [block for member in members for block in member.blocks]
    models = predictor.models
    bases = [model.base for model in models if model.base]
    network = [block.network_bits for block in coded if block.network_bits is not None]
    headers = (member.header for member in members)
    alike = len({(h.predictor, h.level, bool(h.beside), h.picture is None) for h in headers}) == 1
    names = coded[0].experts_bits if coded and alike else {}
    return Ledger(
        dimensions=_dimensions([member.header.picture for member in members]),
        original_bytes=sum(member.header.original_bytes for member in members),
        file_bytes=len(content),
        model_bits=exact_bits(sum(block.model_bits for block in coded)),
        coded_bits=exact_bits(sum(block.coded_bits for block in coded)),
        payload_bits=8 * sum(len(block.payload) for block in blocks if not block.stored),
        stored_bits=8 * sum(len(block.payload) for block in blocks if block.stored),
        network_bits=exact_bits(sum(network)) if network and alike else None,
        experts_bits={name: exact_bits(sum(block.experts_bits[name] for block in coded)) for name in names},
        voices=_shares([block.voices for block in coded if alike]),
        container_bytes=sum((member.account for member in members), Counter()),
        predictor=predictor.name,
        coded_share=_coded_share(members),
        model_names=tuple(model.name for model in models),
        base_names=tuple(dict.fromkeys(base.name for base in bases)),
        model_size_bytes=sum({part.identity: part.size for part in (*models, *bases)}.values()),
    )


def _shares(voices: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of the sums over blocks, each one's share of them all."""
    sums = {name: sum(block[name] for block in voices) for name in (voices[0] if voices else {})}
    total = sum(sums.values())
    return {name: voice / total if total else 0.0 for name, voice in sums.items()}


def _coded_share(members: Sequence[container.Member]) -> float:
    """Of all symbols, those that were not stored; 1 if there are none."""
    sizes = [(member.header.symbols(i), block.stored) for member in members for i, block in enumerate(member.blocks)]
    total = sum(size for size, _ in sizes)
    return sum(size for size, stored in sizes if not stored) / total if total else 1.0


def _dimensions(pictures: Sequence[container.Picture | None]) -> int:
    """Samples of all; 0 if not all members are pictures."""
    return sum(0 if p is None else p.row * p.height for p in pictures) if all(pictures) else 0


def with_channels(ledger: Ledger, picture: container.Picture, symbol_bits: np.ndarray) -> Ledger:
    """The ledger with what each channel of a picture took."""
    names = {1: "grey", 2: "grey, alpha", 3: "red, green, blue", 4: "red, green, blue, alpha"}[picture.channels]
    if picture.parted:
        names = "Cr, luma, Cb"  # on whose samples their costs stand, see chroma.spread
    bits = symbol_bits.reshape(-1, picture.channels).sum(axis=0)
    return replace(ledger, channels_bits=dict(zip(names.split(", "), map(exact_bits, bits.tolist()), strict=True)))


def against_source(done: Compressed, original: bytes, name: str) -> Ledger:
    """The ledger with its cross-entropy parted in two: the information under a source, and the model's excess over it.

    done: in detail; name: a specification for ``sources.parse``. Raises UsageError if the source cannot give this.
    """
    if done.picture is not None:
        raise UsageError("a source is compared with bytes, and this file holds a picture")
    source = sources.parse(name)
    symbols, costs = np.frombuffer(original, np.uint8), done.symbol_bits
    assert costs is not None
    if len(symbols) and symbols.max() >= source.alphabet:
        raise UsageError(f"byte {symbols.max()} is no symbol of the source {name}, which has {source.alphabet}")
    information = source.information(symbols)
    if np.isinf(information).any():
        raise UsageError(f"the byte at {int(np.isinf(information).argmax())} cannot have come from the source {name}")
    excess = costs - information
    known = KnownSource(
        name=name,
        symbols=len(symbols),
        information_bits=exact_bits(float(information.sum())),
        entropy_rate=source.entropy_rate(),
        excess_rate=sources.mean_with_interval(excess) if len(excess) >= _ENOUGH else None,
    )
    return replace(done.ledger, source=known)
