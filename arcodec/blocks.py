"""Blocks of symbols to a member of an .arc file and back: what coding bytes and pictures have in common."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import container
from .accounting import Compressed, ledger_of, with_channels
from .errors import ArcodecError, DamagedError, LimitError
from .predictor import Predictor, Resources, engine_for, engine_for_picture, of_header

if TYPE_CHECKING:
    from .models.engine import Coded, Engine, Progress

Buffer = bytes | bytearray | memoryview


def quiet(done: int) -> None:
    """Progress nobody looks at."""


def packed_member(
    view: memoryview,
    header: container.Header,
    blocks: list[memoryview],
    engine: Engine | None,
    predictor: Predictor,
    progress: Progress,
    detailed: bool,
) -> Compressed:
    """Code blocks, or store those that nothing shrinks, and put them into a member with its account."""
    packed, coded = encode(blocks, engine, predictor.kind, progress, detailed)
    if all(block.stored for block in packed):
        predictor = Predictor()
        header = replace(header, predictor=container.STORED, model=b"", level=0, beside=b"")
    content = container.pack(header, packed, zlib.crc32(view))
    symbol_bits = symbol_bits_of(packed, coded, blocks, header.symbol_size) if detailed else None
    ledger = ledger_of(content, coded, predictor)
    if header.picture is not None and symbol_bits is not None:
        symbol_bits = on_samples(symbol_bits, header.picture)
        ledger = with_channels(ledger, header.picture, symbol_bits)
    return Compressed(content, ledger, view, symbol_bits)


def encode(
    blocks: list[memoryview], engine: Engine | None, predictor: int, progress: Progress, detailed: bool
) -> tuple[list[container.Block], list[Coded]]:
    """Blocks as they go into the container, and the costs of those that were coded."""
    results: Iterator[Coded | None] = iter([None] * len(blocks))
    if engine is not None and blocks:
        results = engine.encode([np.frombuffer(block, np.uint8) for block in blocks], progress, detailed)
    packed, kept = [], []
    for block, coded in zip(blocks, results, strict=True):
        payload = bytes(block) if coded is None else container.packed_words(coded.words, predictor)
        stored = coded is None or len(payload) >= len(block)
        if coded is not None and not stored:
            kept.append(coded)
        if stored:
            payload = bytes(block)
        packed.append(container.Block(stored, payload, container.block_check(bytes(block), payload)))
    return packed, kept


def symbol_bits_of(
    packed: list[container.Block], coded: list[Coded], blocks: list[memoryview], symbol_size: int
) -> np.ndarray:
    """Bits of every symbol (n,) float64: those of the model, those of its bytes where a block is stored."""
    left = iter(coded)
    parts = [
        np.full(len(block) // symbol_size, 8.0 * symbol_size) if one.stored else next(left).symbol_bits
        for one, block in zip(packed, blocks, strict=True)
    ]
    return np.concatenate([np.zeros(0), *parts])


def on_samples(bits: np.ndarray, picture: container.Picture) -> np.ndarray:
    """Costs of symbols (n,) -> of a picture's samples (height * width * channels,)."""
    if not picture.parted:
        return bits
    from .media import chroma

    planes = bits.reshape(picture.coded.height, picture.coded.width)
    return chroma.spread(planes, picture.height, picture.width).reshape(-1)


def check_round_trip(
    done: Compressed,
    model: str | None,
    *,
    threads: int | None,
    device: str = "cpu",
    max_memory: int | None = None,
    progress: Progress = quiet,
) -> None:
    """Decode what was just compressed and compare. Raises ArcodecError if it is not what went in."""
    view, at, same = memoryview(done.original).cast("B"), 0, True
    resources = Resources(threads, device, max_memory)
    for member in container.members(done.data):
        for part in originals(member, resources, model, progress):
            if view[at : at + len(part)] != part:
                same = False
                break
            at += len(part)
    if not same or at != len(view):
        raise ArcodecError(f"verification failed behind byte {at}: nothing was written; please report this")
    if done.make_again is not None:
        done.make_again()


def originals(member: container.Member, resources: Resources, model: str | None, progress: Progress) -> Iterator[bytes]:
    """The symbols of a member as bytes, block by block."""
    engine = engine_of(member.header, member.blocks, resources, model)
    whole = 0
    for original in decoded_blocks(member.header, member.blocks, engine, progress):
        whole = zlib.crc32(original, whole)
        yield original
    if member.header.blocks > 1 and whole != member.check:
        raise DamagedError("damaged: the checksum of the whole does not fit")


def check_size(size: int, most: int | None) -> None:
    """Raise LimitError for an output of more bytes than allowed."""
    if most is not None and size > most:
        raise LimitError(f"the output would have {size:,} bytes, more than the {most:,} allowed")


def engine_of(
    header: container.Header, blocks: Sequence[container.Block], resources: Resources, model: str | None
) -> Engine | None:
    """The engine these blocks of a member need; None if all are stored. Raises ModelError and LimitError."""
    if all(block.stored for block in blocks):
        return None
    if header.picture is not None:
        coded = header.picture.coded
        rows = header.block_size // coded.row
        return engine_for_picture(of_header(header, model), coded, rows, len(blocks), resources)
    return engine_for(of_header(header, model), min(header.block_size, header.length), len(blocks), resources)


def decoded_blocks(
    header: container.Header,
    blocks: tuple[container.Block, ...],
    engine: Engine | None,
    progress: Progress = quiet,
    first: int = 0,
) -> Iterator[bytes]:
    """The originals of blocks ``first`` and following of a member, each checked. Raises DamagedError."""
    coded = [
        (container.unpacked_words(block.payload), header.symbols(first + i))
        for i, block in enumerate(blocks)
        if not block.stored
    ]
    results = engine.decode(coded, progress) if engine is not None and coded else iter(())
    try:
        for i, block in enumerate(blocks):
            original = block.payload if block.stored else next(results).tobytes()
            if container.block_check(original, block.payload) != block.check:
                raise DamagedError(f"block {first + i} is damaged: its checksum does not fit")
            yield original
    finally:
        if isinstance(results, Generator):
            results.close()  # so that no core goes on with blocks nobody wants
