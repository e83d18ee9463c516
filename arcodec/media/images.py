"""Which files are pictures, and how they come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..container import MAX_BLOCK, Picture
from ..errors import DamagedError, UsageError
from . import raw, wrapped
from .raster import EXACT, Raster, UnfitError

MEDIA = ("auto", "bytes", "image")

_RAW = {b"P4": raw.read_pnm, b"P5": raw.read_pnm, b"P6": raw.read_pnm, b"P7": raw.read_pam, b"BM": raw.read_bmp}
_WRAPPED = (b"\x89PNG", b"II*\0", b"MM\0*", b"RIFF", b"GIF8", b"qoif")
WRITTEN_ANEW = (
    "kept as a picture: the same pixels come back in a PNG written anew (--media bytes gives back the same bytes)"
)
_JPEG = b"\xff\xd8\xff"


def read(data: bytes | memoryview, media: str) -> tuple[Raster | None, str]:
    """The picture that a file is to be taken as, and a word on that; None for bytes.

    media: ``bytes``, ``image``, or ``auto``: a picture if the file is one. Raises UsageError if it is to be a picture
    and cannot be, or for another medium.
    """
    if media not in MEDIA:
        raise UsageError(f"media {media!r}: expected {', '.join(MEDIA)}")
    start = bytes(data[:4])
    if media == "bytes":
        return None, ""
    if start[:3] == _JPEG:
        why = "it is a JPEG, whose pixels would take many times its bytes"
    elif start[:2] not in _RAW and start not in _WRAPPED and media == "auto":
        return None, ""
    else:
        try:
            reader = _RAW.get(start[:2], wrapped.read)
            return reader(bytes(data)), ""
        except UnfitError as unfit:
            why = str(unfit)
    if media == "image":
        raise UsageError(f"this cannot be taken as a picture: {why}")
    return None, f"taken as bytes: {why}" if start[:2] not in _RAW else ""


def fits(raster: Raster) -> bool:
    """Whether a row of it fits into a block."""
    return raster.samples.shape[1] * raster.samples.shape[2] <= MAX_BLOCK


def write(raster: Raster, name: str = "PNG") -> bytes:
    """The file that was read if it can come back exactly, else one of the named format. Raises DamagedError."""
    if not raster.exact:
        return wrapped.write(raster, name)
    try:
        return raw.write(raster)
    except UnfitError as unfit:
        raise DamagedError(f"damaged: {unfit}") from None


def comes_back(picture: Picture) -> bool:
    """Whether the picture's own file does, byte for byte."""
    return picture.envelope[:1] in EXACT


def format_of(name: str) -> str | None:
    """The format that a file's name asks for, of those that can be written."""
    return wrapped.EXTENSIONS.get(Path(name).suffix.lower())


def of_array(array: np.ndarray) -> Raster:
    """Samples (height, width) or (height, width, channels), bool, uint8 or uint16. Raises UsageError."""
    shaped = array[..., None] if array.ndim == 2 else array
    kinds = {np.dtype(bool): 1, np.dtype(np.uint8): 8, np.dtype(np.uint16): 16}
    if shaped.ndim != 3 or not 1 <= shaped.shape[2] <= 4 or min(shaped.shape) < 1:
        raise UsageError(f"an array of shape {array.shape}: expected (height, width) or (height, width, 1 to 4)")
    if shaped.dtype not in kinds:
        raise UsageError(f"an array of {array.dtype}: expected bool, uint8 or uint16")
    depth = kinds[shaped.dtype]
    samples = np.ascontiguousarray(shaped.astype(np.uint8) if depth == 1 else shaped)
    return Raster(samples, depth)


def to_array(raster: Raster, squeeze: bool = True) -> np.ndarray:
    """(height, width) if there is one channel, else (height, width, channels); bool for one bit."""
    samples = raster.samples.astype(bool) if raster.depth == 1 else raster.samples
    return samples[..., 0] if squeeze and samples.shape[2] == 1 else samples
