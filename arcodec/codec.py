"""From bytes to .arc and back."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import container
from .accounting import Compressed, ledger_of, with_channels
from .errors import ArcodecError, DamagedError, LimitError, UsageError
from .ledger import Ledger
from .predictor import (
    Predictor,
    Resources,
    block_size_for,
    choose,
    engine_for,
    engine_for_picture,
    for_picture,
    of_header,
    rows_for,
)

if TYPE_CHECKING:
    from .media.raster import Raster
    from .models.engine import Coded, Engine, Progress

Buffer = bytes | bytearray | memoryview


_COLOURS, _DEPTH_OF_JPEG = 3, 8


def _quiet(done: int) -> None:
    """Progress nobody looks at."""


def compress(
    data: Buffer,
    model: str | None = None,
    *,
    preset: str = "default",
    mix: bool = True,
    media: str = "bytes",
    block_size: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    max_memory: int | None = None,
    verify: bool = True,
) -> bytes:
    """Compress bytes-like data to the content of an .arc file.

    model: the name of a model that ships (see ``arcodec models``), the path of a model file, or ``none``; by default
        the preset's.
    preset: ``fast``, experts without a network; ``default``, with the network ``text``; ``best``, more experts and
        memory, in blocks of up to 16 MiB.
    mix: mix the network with experts that learn from the data while they are coded; without a network, the experts are
        alone. If the first kilobytes show that the network does not help, it is left out. False: the network alone.
    media: ``bytes``: exactly these come back. ``image``: the data are a picture's file; PNM, PAM and BMP come back byte
        for byte, of PNG, TIFF, lossless WebP and GIF the picture, with its palette, profile and notes, in a new file.
        ``auto``: an image if it is one, bytes if not.
    block_size: bytes a block, at most 2**24; by default at most 768 KiB with a network, 4 MiB without, 16 MiB if
        best, or many small ones for a GPU.
    threads: cores to use, all by default; the result does not depend on it.
    device: ``cpu``, or where torch runs the network: ``torch``, ``cuda``. Then there is no mixing.
    max_memory: bytes that experts may take, besides Python, the network and the data themselves; fewer cores are used
        if that helps. By default half the machine's.
    verify: decode the result and compare before returning it.

    Raises ModelError if the model is missing or does not compute here as it should, LimitError if the memory does not
    suffice, UsageError for other arguments.
    """
    done = measured(
        data,
        model,
        preset=preset,
        mix=mix,
        media=media,
        block_size=block_size,
        threads=threads,
        device=device,
        max_memory=max_memory,
    )
    if verify:
        check_round_trip(done, model, threads=threads, device=device, max_memory=max_memory)
    return done.data


def check_round_trip(
    done: Compressed,
    model: str | None,
    *,
    threads: int | None,
    device: str = "cpu",
    max_memory: int | None = None,
    progress: Progress = _quiet,
) -> None:
    """Decode what was just compressed and compare. Raises ArcodecError if it is not what went in."""
    view, at, same = memoryview(done.original).cast("B"), 0, True
    resources = Resources(threads, device, max_memory)
    for member in container.members(done.data):
        for part in _originals(member, resources, model, progress):
            if view[at : at + len(part)] != part:
                same = False
                break
            at += len(part)
    if not same or at != len(view):
        raise ArcodecError(f"verification failed behind byte {at}: nothing was written; please report this")


def measure(
    data: Buffer,
    model: str | None = None,
    *,
    preset: str = "default",
    mix: bool = True,
    block_size: int | None = None,
    threads: int | None = None,
) -> Ledger:
    """The account of what ``compress`` would write, with what each expert would have taken alone."""
    done = measured(data, model, preset=preset, mix=mix, block_size=block_size, threads=threads, detailed=True)
    return done.ledger


def measured(
    data: Buffer,
    model: str | None = None,
    *,
    preset: str = "default",
    mix: bool = True,
    media: str = "bytes",
    block_size: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    max_memory: int | None = None,
    detailed: bool = False,
    progress: Progress = _quiet,
) -> Compressed:
    """Compress without verifying, and keep the account. Arguments and errors as for ``compress``.

    detailed: also account for each symbol and each expert, which takes a third more time.
    """
    view = memoryview(data).cast("B")
    resources = Resources(threads, device, max_memory)
    remark = ""
    if media != "bytes":
        from .media import images

        raster, remark = images.read(view, media)
        if raster is not None and images.fits(raster):
            share = len(view) / raster.samples.nbytes  # of the file's bytes: what progress is told of
            return measured_picture(
                raster,
                model,
                preset,
                resources,
                block_size=block_size,
                detailed=detailed,
                progress=lambda done: progress(round(done * share)),
            )
    predictor = choose(view, model, preset, mix, device)
    size = block_size_for(len(view), predictor, device) if block_size is None else block_size
    if not 1 <= size <= container.MAX_BLOCK:
        raise UsageError(f"block size {size}: expected 1 to {container.MAX_BLOCK}")
    size = min(size, max(1, len(view)))
    blocks = [view[start : start + size] for start in range(0, len(view), size)]
    engine = engine_for(predictor, size, len(blocks), resources)
    prefix = predictor.model.prefix if predictor.model else b""
    header = container.Header(len(view), size, predictor.kind, prefix, predictor.level)
    return replace(_packed(view, header, blocks, engine, predictor, progress, detailed), remark=remark)


def measured_picture(
    raster: Raster,
    model: str | None,
    preset: str,
    resources: Resources,
    *,
    block_size: int | None = None,
    detailed: bool = False,
    progress: Progress = _quiet,
) -> Compressed:
    """As ``measured``, for a picture. block_size: samples a block, of which whole rows are made."""
    from .media import images
    from .media.raster import narrowed

    height, width, channels = raster.samples.shape
    samples, depth, scale = narrowed(raster)
    picture = container.Picture(width, height, channels, depth, raster.envelope, scale)
    symbols, parted = samples, None
    if channels == _COLOURS and depth == raster.depth == _DEPTH_OF_JPEG:
        from .media import chroma

        parted = chroma.part(samples)
    if parted is not None:
        symbols, picture = parted.planes[..., None], replace(picture, parted=True, notes=parted.notes)
    coded = picture.coded
    predictor = for_picture(coded, symbols, model, preset)
    rows = rows_for(coded, preset) if block_size is None else max(1, block_size // coded.row)
    rows = min(rows, coded.height)
    if not 1 <= rows * coded.row <= container.MAX_BLOCK:
        raise UsageError(f"blocks of {rows * coded.row} samples: expected at most {container.MAX_BLOCK}")
    view = memoryview(symbols.astype(f">u{picture.sample_size}").tobytes())
    size = rows * coded.row * picture.sample_size
    blocks = [view[start : start + size] for start in range(0, len(view), size)]
    engine = engine_for_picture(predictor, coded, rows, len(blocks), resources)
    prefix = predictor.model.prefix if predictor.model else b""
    header = container.Header(
        coded.row * coded.height, rows * coded.row, predictor.kind, prefix, predictor.level, picture
    )
    done = _packed(view, header, blocks, engine, predictor, progress, detailed)
    return replace(done, remark="" if raster.exact else images.WRITTEN_ANEW, picture=picture, samples=samples)


def _packed(
    view: memoryview,
    header: container.Header,
    blocks: list[memoryview],
    engine: Engine | None,
    predictor: Predictor,
    progress: Progress,
    detailed: bool,
) -> Compressed:
    packed, coded = _encode(blocks, engine, predictor.kind, progress, detailed)
    if all(block.stored for block in packed):
        predictor = Predictor()
        header = replace(header, predictor=container.STORED, model=b"", level=0)
    content = container.pack(header, packed, zlib.crc32(view))
    symbol_bits = _symbol_bits(packed, coded, blocks, header.symbol_size) if detailed else None
    ledger = ledger_of(content, coded, predictor)
    if header.picture is not None and symbol_bits is not None:
        symbol_bits = _on_samples(symbol_bits, header.picture)
        ledger = with_channels(ledger, header.picture, symbol_bits)
    return Compressed(content, ledger, view, symbol_bits)


def _encode(
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


def audited(content: Buffer, model: str | None = None, *, threads: int | None = None) -> Compressed:
    """The detailed account of an .arc file's content: decoded, and coded again to the same words.

    Raises what ``decompress`` raises, and ArcodecError if the same words do not come out.
    """
    resources = Resources(threads)
    all_coded: list[Coded] = []
    symbol_bits, predictors, originals = [], [], []
    for member in container.members(memoryview(content).cast("B")):
        engine = engine_of(member.header, member.blocks, resources, model)
        blocks = [memoryview(part) for part in decoded_blocks(member.header, member.blocks, engine)]
        packed, coded = _encode(blocks, engine, member.header.predictor, _quiet, detailed=True)
        if [block.payload for block in packed] != [block.payload for block in member.blocks]:
            raise ArcodecError("the file cannot be accounted for: coding its original again gives other words")
        all_coded += coded
        originals += blocks
        symbol_bits.append(_symbol_bits(packed, coded, blocks, member.header.symbol_size))
        predictors.append(of_header(member.header, model))
    ledger, costs = ledger_of(bytes(content), all_coded, predictors[0]), np.concatenate(symbol_bits)
    picture = member.header.picture if len(predictors) == 1 else None
    original, samples = b"".join(originals), None
    if picture is not None:
        costs = _on_samples(costs, picture)
        ledger, samples = with_channels(ledger, picture, costs), _samples_of(picture, original)
    return Compressed(bytes(content), ledger, original, costs, picture=picture, samples=samples)


def _on_samples(bits: np.ndarray, picture: container.Picture) -> np.ndarray:
    """Costs of symbols (n,) -> of a picture's samples (height * width * channels,)."""
    if not picture.parted:
        return bits
    from .media import chroma

    planes = bits.reshape(picture.coded.height, picture.coded.width)
    return chroma.spread(planes, picture.height, picture.width).reshape(-1)


def _symbol_bits(
    packed: list[container.Block], coded: list[Coded], blocks: list[memoryview], symbol_size: int
) -> np.ndarray:
    """Bits of every symbol (n,) float64: those of the model, those of its bytes where a block is stored."""
    left = iter(coded)
    parts = [
        np.full(len(block) // symbol_size, 8.0 * symbol_size) if one.stored else next(left).symbol_bits
        for one, block in zip(packed, blocks, strict=True)
    ]
    return np.concatenate([np.zeros(0), *parts])


def decompress(
    data: Buffer,
    *,
    max_output_size: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    model: str | None = None,
    max_memory: int | None = None,
) -> bytes:
    """The original of an .arc file's content; of several files one behind the other, all their originals.

    max_output_size: refuse, before decoding, what would give more bytes than this.
    model: name or path of the model to use; by default the file's own is looked for among those at hand.
    max_memory: as for ``compress``.

    Raises DamagedError, ModelError or LimitError; never returns anything but the original.
    """
    return b"".join(
        iter_decompressed(
            data, max_output_size=max_output_size, threads=threads, device=device, model=model, max_memory=max_memory
        )
    )


def iter_decompressed(
    data: Buffer,
    *,
    max_output_size: int | None = None,
    threads: int | None = None,
    device: str = "cpu",
    model: str | None = None,
    max_memory: int | None = None,
    progress: Progress = _quiet,
    picture_format: str = "PNG",
) -> Iterator[bytes]:
    """``decompress`` block by block. A block is checked before it is handed out, the whole behind the last one.

    A picture comes whole. Where it is written anew, picture_format says as what.
    """
    resources = Resources(threads, device, max_memory)
    members = list(container.members(memoryview(data).cast("B")))
    total = sum(member.header.original_bytes for member in members)
    _check_size(total, max_output_size)
    for member in members:
        if member.header.picture is None:
            yield from _originals(member, resources, model, progress)
        else:
            from .media import images

            yield images.write(_raster(member, resources, model, progress), picture_format)


def _originals(
    member: container.Member, resources: Resources, model: str | None, progress: Progress
) -> Iterator[bytes]:
    """The symbols of a member as bytes, block by block."""
    engine = engine_of(member.header, member.blocks, resources, model)
    whole = 0
    for original in decoded_blocks(member.header, member.blocks, engine, progress):
        whole = zlib.crc32(original, whole)
        yield original
    if member.header.blocks > 1 and whole != member.check:
        raise DamagedError("damaged: the checksum of the whole does not fit")


def _raster(member: container.Member, resources: Resources, model: str | None, progress: Progress) -> Raster:
    """The picture of a member."""
    picture = member.header.picture
    assert picture is not None
    share = picture.row * picture.height / member.header.length
    symbols = b"".join(_originals(member, resources, model, lambda done: progress(round(done * share))))
    return _wide(picture, _samples_of(picture, symbols))


def _wide(picture: container.Picture, samples: np.ndarray) -> Raster:
    from .media.raster import widened

    return widened(samples, picture.depth, picture.scale, picture.envelope)


def _samples_of(picture: container.Picture, symbols: bytes) -> np.ndarray:
    """Rows of a picture, or all of it if it was parted, from the bytes of their symbols."""
    samples = np.frombuffer(symbols, f">u{picture.sample_size}").astype(f"u{picture.sample_size}")
    if picture.parted:
        from .media import chroma

        return chroma.join(samples.reshape(-1, picture.coded.width), picture.height, picture.width, picture.notes)
    return samples.reshape(-1, picture.width, picture.channels)


def _some_rows(
    member: container.Member, rows: tuple[int, int], resources: Resources, model: str | None, most: int | None
) -> Raster:
    """Rows of a member's picture, from the blocks that hold them."""
    header, picture = member.header, member.header.picture
    assert picture is not None
    first, stop = rows
    if not 0 <= first < stop <= picture.height:
        raise UsageError(f"rows {first} to {stop}: the picture has {picture.height}")
    _check_size((stop - first) * picture.row * picture.sample_size, most)
    if picture.parted:  # luma and chroma of a row stand far apart
        symbols = b"".join(_originals(member, resources, model, _quiet))
        return _wide(picture, _samples_of(picture, symbols)[first:stop])
    each = max(1, header.block_size // picture.row)
    first_block, last_block = first // each, (stop - 1) // each
    blocks = member.blocks[first_block : last_block + 1]
    engine = engine_of(header, blocks, resources, model)
    symbols = b"".join(decoded_blocks(header, blocks, engine, first=first_block))
    start = (first - first_block * each) * picture.row * picture.sample_size
    rows_wanted = symbols[start : start + (stop - first) * picture.row * picture.sample_size]
    return _wide(picture, _samples_of(picture, rows_wanted))


def _check_size(size: int, most: int | None) -> None:
    if most is not None and size > most:
        raise LimitError(f"the output would have {size:,} bytes, more than the {most:,} allowed")


def compress_image(
    array: np.ndarray,
    model: str | None = None,
    *,
    preset: str = "default",
    block_size: int | None = None,
    threads: int | None = None,
    max_memory: int | None = None,
    verify: bool = True,
) -> bytes:
    """Compress a picture to the content of an .arc file.

    array: (height, width) or (height, width, channels), 1 to 4 channels of bool, uint8 or uint16; three or four are
        taken for red, green, blue and alpha.
    model: the name of a model that ships, the path of a model file, or ``none``; by default the preset's.
    block_size: samples a block, of which whole rows are made.
    The other arguments, and errors, are those of ``compress``.
    """
    from .media import images

    resources = Resources(threads, max_memory=max_memory)
    done = measured_picture(images.of_array(array), model, preset, resources, block_size=block_size)
    if verify:
        check_round_trip(done, model, threads=threads, max_memory=max_memory)
    return done.data


def measure_image(
    array: np.ndarray,
    model: str | None = None,
    *,
    preset: str = "default",
    block_size: int | None = None,
    threads: int | None = None,
) -> tuple[Ledger, np.ndarray]:
    """The account of what ``compress_image`` would write, and the bits of each sample: (height, width, channels).

    The latter add up to the account's cross-entropy and what is stored.
    """
    from .media import images

    raster = images.of_array(array)
    done = measured_picture(raster, model, preset, Resources(threads), block_size=block_size, detailed=True)
    assert done.symbol_bits is not None
    return done.ledger, done.symbol_bits.reshape(raster.samples.shape)


def decompress_image(
    data: Buffer,
    *,
    rows: tuple[int, int] | None = None,
    max_output_size: int | None = None,
    threads: int | None = None,
    model: str | None = None,
    max_memory: int | None = None,
) -> np.ndarray:
    """The samples of an .arc file that holds one picture: (height, width), or with a last axis of channels.

    Of a picture with a palette, the indices.

    rows: the first one wanted and the one behind the last; only the blocks that hold them are decoded (all of them, if
        the picture was once a JPEG file and is kept as luma and chroma).

    Raises UsageError if the file holds something else, and what ``decompress`` raises.
    """
    from .media import images

    members = list(container.members(memoryview(data).cast("B")))
    if len(members) != 1 or members[0].header.picture is None:
        raise UsageError("this .arc file does not hold a picture: use decompress")
    resources = Resources(threads, max_memory=max_memory)
    if rows is not None:
        return images.to_array(_some_rows(members[0], rows, resources, model, max_output_size))
    _check_size(members[0].header.original_bytes, max_output_size)
    return images.to_array(_raster(members[0], resources, model, _quiet))


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
    progress: Progress = _quiet,
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
