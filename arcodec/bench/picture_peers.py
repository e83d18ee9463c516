"""The picture formats ours is measured against, as functions on the bytes of PNM and PAM files."""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Sequence

import numpy as np

from ..media import images
from . import peers
from .peers import Peer


def pnm(array: np.ndarray) -> bytes:
    """A picture as the file that ours and the peers are given."""
    flat = array[..., None] if array.ndim == 2 else array
    height, width, channels = flat.shape
    if flat.dtype == bool:
        return b"P4\n%d %d\n" % (width, height) + np.packbits(~flat[..., 0], axis=1).tobytes()
    top = 255 if flat.dtype == np.uint8 else 65535
    body = flat.astype(">u2" if top > 255 else "u1").tobytes()
    if channels in (1, 3):
        return b"P%d\n%d %d\n%d\n" % (6 if channels == 3 else 5, width, height, top) + body
    return b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nENDHDR\n" % (width, height, channels, top) + body


def array_of(data: bytes) -> np.ndarray:
    """The picture in such a file; of one bit a pixel, bool. Raises UsageError."""
    raster, _ = images.read(data, "image")
    assert raster is not None
    return images.to_array(raster)


def _peer(name: str, encode: Callable[[np.ndarray], bytes], decode: Callable[[bytes], np.ndarray]) -> Peer:
    """A codec of arrays; bits are handed to it as bytes of 0 and 255, and its first byte says so."""

    def compress(data: bytes) -> bytes:
        array = array_of(data)
        bits = array.dtype == bool
        return bytes([bits]) + encode(array.astype(np.uint8) * 255 if bits else array)

    def decompress(data: bytes) -> bytes:
        array = np.asarray(decode(data[1:]))
        array = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
        return pnm(array > 0 if data[0] else array)

    return Peer(name, compress, decompress, 1)


def _pillow(name: str, kind: str, **options: object) -> Peer:
    from PIL import Image

    def encode(array: np.ndarray) -> bytes:
        out = io.BytesIO()
        Image.fromarray(array).save(out, kind, **options)
        return out.getvalue()

    def decode(data: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(data)))

    return _peer(name, encode, decode)


def _of_colours(plain: Peer) -> Peer:
    """A codec that knows three channels only: grey and bits are handed to it three times."""

    def compress(data: bytes) -> bytes:
        array = array_of(data)
        if array.ndim == 3:
            return b"c" + plain.compress(data)
        bits = array.dtype == bool
        grey = array.astype(np.uint8) * 255 if bits else array
        return (b"b" if bits else b"g") + plain.compress(pnm(np.repeat(grey[..., None], 3, axis=2)))

    def decompress(data: bytes) -> bytes:
        whole = plain.decompress(data[1:])
        if data[:1] == b"c":
            return whole
        grey = array_of(whole)[..., 0]
        return pnm(grey > 0 if data[:1] == b"b" else grey)

    return Peer(plain.name, compress, decompress, plain.extra + 1)


def _imagecodecs(name: str, codec: str, **options: object) -> Peer:
    module = importlib.import_module("imagecodecs")
    encode, decode = getattr(module, f"{codec}_encode"), getattr(module, f"{codec}_decode")
    return _peer(name, lambda array: bytes(encode(np.ascontiguousarray(array), **options)), decode)


_MAKERS: dict[str, Callable[[], Peer]] = {
    "png": lambda: _pillow("PNG optimised", "PNG", optimize=True),
    "webp": lambda: _of_colours(
        _pillow("WebP lossless -m 6", "WEBP", lossless=True, method=6, quality=100, exact=True)
    ),
    "jpeg2000": lambda: _imagecodecs("JPEG 2000 reversible", "jpeg2k", level=0, reversible=True),
    "qoi": lambda: _of_colours(_imagecodecs("QOI", "qoi")),
    "jpegxl": lambda: _imagecodecs("JPEG XL -e 7", "jpegxl", lossless=True, effort=7),
    "jpegxl9": lambda: _imagecodecs("JPEG XL -e 9", "jpegxl", lossless=True, effort=9),
}


NAMES = tuple(_MAKERS)


def available(wanted: Sequence[str] | None = None) -> tuple[list[Peer], list[str]]:
    """See ``peers.available``."""
    return peers.available(wanted, _MAKERS)
