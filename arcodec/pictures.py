"""Pictures to .arc and back: arrays, and rasters as their files were read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from . import container
from .accounting import Compressed
from .blocks import (
    Buffer,
    check_round_trip,
    check_size,
    decoded_blocks,
    engine_of,
    originals,
    packed_member,
    quiet,
)
from .errors import ArcodecError, UsageError
from .ledger import Ledger
from .predictor import PRESETS, Resources, engine_for_picture, for_picture, rows_for

if TYPE_CHECKING:
    from .media.raster import Raster
    from .models.engine import Progress

_COLOURS, _DEPTH_OF_JPEG = 3, 8


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
    done = measured(images.of_array(array), model, preset, resources, block_size=block_size)
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
    done = measured(raster, model, preset, Resources(threads), block_size=block_size, detailed=True)
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
    check_size(members[0].header.original_bytes, max_output_size)
    return images.to_array(raster_of(members[0], resources, model, quiet))


def measured(
    raster: Raster,
    model: str | None,
    preset: str,
    resources: Resources,
    *,
    block_size: int | None = None,
    detailed: bool = False,
    progress: Progress = quiet,
    file: Buffer | None = None,
) -> Compressed:
    """As ``codec.measured``, for a picture. block_size: samples a block, of which whole rows are made.

    file: what the raster was read from.
    """
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
    done = packed_member(view, header, blocks, engine, predictor, progress, detailed)

    def make_again() -> None:
        again = raster_from(picture, bytes(view))
        same = np.array_equal(again.samples, raster.samples) and again.depth == raster.depth
        if file is not None:
            written = images.write(again)
            back = raster if raster.exact else images.read(written, "image")[0]
            same &= written == file if raster.exact else back is not None and _same(back, raster)
        if not same:
            raise ArcodecError("verification failed: the picture does not come back; please report this")

    remark = "" if raster.exact else images.WRITTEN_ANEW
    return replace(done, remark=remark, picture=picture, samples=raster.samples, make_again=make_again)


def affordable(raster: Raster, preset: str, resources: Resources) -> bool:
    """Whether a row of it fits into a block and into memory."""
    from .media import images
    from .mixing.pixels.team import TEAMS

    _, width, channels = raster.samples.shape
    return images.fits(raster) and TEAMS[PRESETS.index(preset)].memory(1, width, channels) <= resources.memory


def _same(one: Raster, other: Raster) -> bool:
    return one.depth == other.depth and np.array_equal(one.samples, other.samples)


def raster_of(member: container.Member, resources: Resources, model: str | None, progress: Progress) -> Raster:
    """The picture of a member."""
    picture = member.header.picture
    assert picture is not None
    share = picture.row * picture.height / member.header.length
    symbols = b"".join(originals(member, resources, model, lambda done: progress(round(done * share))))
    return raster_from(picture, symbols)


def _some_rows(
    member: container.Member, rows: tuple[int, int], resources: Resources, model: str | None, most: int | None
) -> Raster:
    """Rows of a member's picture, from the blocks that hold them."""
    header, picture = member.header, member.header.picture
    assert picture is not None
    first, stop = rows
    if not 0 <= first < stop <= picture.height:
        raise UsageError(f"rows {first} to {stop}: the picture has {picture.height}")
    check_size((stop - first) * picture.row * picture.sample_size, most)
    if picture.parted:  # luma and chroma of a row stand far apart
        symbols = b"".join(originals(member, resources, model, quiet))
        return _wide(picture, _samples_of(picture, symbols)[first:stop])
    each = max(1, header.block_size // picture.row)
    first_block, last_block = first // each, (stop - 1) // each
    blocks = member.blocks[first_block : last_block + 1]
    engine = engine_of(header, blocks, resources, model)
    symbols = b"".join(decoded_blocks(header, blocks, engine, first=first_block))
    start = (first - first_block * each) * picture.row * picture.sample_size
    rows_wanted = symbols[start : start + (stop - first) * picture.row * picture.sample_size]
    return raster_from(picture, rows_wanted)


def raster_from(picture: container.Picture, symbols: bytes) -> Raster:
    """Rows of a picture, or all of it if it was parted, from the bytes of their symbols."""
    return _wide(picture, _samples_of(picture, symbols))


def _wide(picture: container.Picture, samples: np.ndarray) -> Raster:
    from .media.raster import widened

    return widened(samples, picture.depth, picture.scale, picture.envelope)


def _samples_of(picture: container.Picture, symbols: bytes) -> np.ndarray:
    samples = np.frombuffer(symbols, f">u{picture.sample_size}").astype(f"u{picture.sample_size}")
    if picture.parted:
        from .media import chroma

        return chroma.join(samples.reshape(-1, picture.coded.width), picture.height, picture.width, picture.notes)
    return samples.reshape(-1, picture.width, picture.channels)
