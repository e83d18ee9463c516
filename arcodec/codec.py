"""From bytes to .arc and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from . import container, pictures
from .accounting import Compressed, ledger_of, with_channels
from .blocks import (
    Buffer,
    check_round_trip,
    check_size,
    decoded_blocks,
    encode,
    engine_of,
    on_samples,
    originals,
    packed_member,
    quiet,
    symbol_bits_of,
)
from .errors import ArcodecError, UsageError
from .ledger import Ledger
from .models.engine import Coded, Progress
from .predictor import Resources, block_size_for, check_choice, choose, engine_for, of_header


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
        whichever of the networks for text knows a sample of the data best.
    preset: ``fast``, experts without a network; ``default``, with a network; ``best``, with more memory, in blocks of
        up to 16 MiB, and the network goes on learning from the data (a fifth of the speed), beside a large one where
        that makes a sample 1 % smaller, unless a model is named (then a third of that).
    mix: mix the network with experts that learn from the data while they are coded; without a network, the experts are
        alone. If a sample shows that the network does not help, it is left out; of short data, the experts are, if the
        network alone makes them smaller. False: the network alone.
    media: ``bytes``: exactly these come back. ``image``: the data are a picture's file; PNM, PAM and BMP come back byte
        for byte, of PNG, TIFF, lossless WebP and GIF the picture, with its palette, profile and notes, in a new file.
        ``auto``: an image if it is one, bytes if not.
    block_size: bytes a block, at most 2**24; by default at most 768 KiB with a network, 4 MiB without, 16 MiB if
        best, or many small ones for a GPU.
    threads: cores to use, all by default; the result does not depend on it.
    device: ``cpu``, or where torch runs the network: ``torch``, ``cuda``. Then there is no mixing.
    max_memory: bytes that experts, and what a network among them remembers and learns, may take, besides Python, the
        network and the data; fewer cores are used if that helps. By default half the machine's.
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
    progress: Progress = quiet,
) -> Compressed:
    """Compress without verifying, and keep the account. Arguments and errors as for ``compress``.

    detailed: also account for each symbol and each expert, which takes a third more time.
    """
    view = memoryview(data).cast("B")
    check_choice(model, preset, mix)
    resources = Resources(threads, device, max_memory)
    remark = ""
    if media != "bytes":
        from .media import images

        raster, remark = images.read(view, media)
        if raster is not None and (media == "image" or pictures.affordable(raster, preset, resources)):
            share = len(view) / raster.samples.nbytes  # of the file's bytes: what progress is told of
            return pictures.measured(
                raster,
                model,
                preset,
                resources,
                block_size=block_size,
                detailed=detailed,
                progress=lambda done: progress(round(done * share)),
                file=view,
            )
    predictor = choose(view, model, preset, mix, resources)
    size = block_size_for(len(view), predictor, device) if block_size is None else block_size
    if not 1 <= size <= container.MAX_BLOCK:
        raise UsageError(f"block size {size}: expected 1 to {container.MAX_BLOCK}")
    size = min(size, max(1, len(view)))
    blocks = [view[start : start + size] for start in range(0, len(view), size)]
    engine = engine_for(predictor, size, len(blocks), resources)
    prefix, beside = (model.prefix if model else b"" for model in (predictor.model, predictor.beside))
    header = container.Header(len(view), size, predictor.kind, prefix, predictor.level, beside=beside)
    return replace(packed_member(view, header, blocks, engine, predictor, progress, detailed), remark=remark)


def audited(content: Buffer, model: str | None = None, *, threads: int | None = None) -> Compressed:
    """The detailed account of an .arc file's content: decoded, and coded again to the same words.

    Raises what ``decompress`` raises, and ArcodecError if the same words do not come out.
    """
    resources = Resources(threads)
    all_coded: list[Coded] = []
    symbol_bits, predictors, contents = [], [], []
    for member in container.members(memoryview(content).cast("B")):
        engine = engine_of(member.header, member.blocks, resources, model)
        blocks = [memoryview(part) for part in decoded_blocks(member.header, member.blocks, engine)]
        packed, coded = encode(blocks, engine, member.header.predictor, quiet, detailed=True)
        if [block.payload for block in packed] != [block.payload for block in member.blocks]:
            raise ArcodecError("the file cannot be accounted for: coding its original again gives other words")
        all_coded += coded
        contents += blocks
        symbol_bits.append(symbol_bits_of(packed, coded, blocks, member.header.symbol_size))
        predictors.append(of_header(member.header, model))
    ledger, costs = ledger_of(bytes(content), all_coded, predictors[0]), np.concatenate(symbol_bits)
    picture = member.header.picture if len(predictors) == 1 else None
    original, samples = b"".join(contents), None
    if picture is not None:
        costs = on_samples(costs, picture)
        ledger, samples = with_channels(ledger, picture, costs), pictures.raster_from(picture, original).samples
    return Compressed(bytes(content), ledger, original, costs, picture=picture, samples=samples)


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
    progress: Progress = quiet,
    picture_format: str = "PNG",
) -> Iterator[bytes]:
    """``decompress`` block by block. A block is checked before it is handed out, the whole behind the last one.

    A picture comes whole. Where it is written anew, picture_format says as what.
    """
    resources = Resources(threads, device, max_memory)
    members = list(container.members(memoryview(data).cast("B")))
    total = sum(member.header.original_bytes for member in members)
    check_size(total, max_output_size)
    if len(members) > 1 and any(member.header.picture and not _comes_back(member.header.picture) for member in members):
        raise UsageError("several pictures stand in this file, and written anew they would not fit into one: part it")
    for member in members:
        if member.header.picture is None:
            yield from originals(member, resources, model, progress)
        else:
            from .media import images

            yield images.write(pictures.raster_of(member, resources, model, progress), picture_format)


def _comes_back(picture: container.Picture) -> bool:
    from .media import images

    return images.comes_back(picture)
