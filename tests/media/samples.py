"""Pictures to test with: arrays, and files of every format."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, PngImagePlugin


def photo(height: int = 40, width: int = 56, channels: int = 3, depth: int = 8) -> np.ndarray:
    """Something like a photograph: slopes, an edge, noise."""
    random = np.random.default_rng(height * width + channels)
    y, x = np.mgrid[:height, :width]
    planes = [(2 + c) * x + (3 - c) * y + 60 * (x > width // 2) for c in range(channels)]
    noisy = np.stack(planes, -1) + random.normal(0, 2, (height, width, channels))
    top = (1 << depth) - 1
    return (noisy.clip(0, 255) / 255 * top).astype(np.uint16 if depth > 8 else np.uint8)


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def pnm(kind: bytes, array: np.ndarray, top: int, comment: bytes = b"") -> bytes:
    height, width = array.shape[:2]
    samples = array.astype(">u2" if top > 255 else "u1").tobytes()
    return kind + b"\n" + comment + b"%d %d\n%d\n" % (width, height, top) + samples


EXACT = {
    "ppm": pnm(b"P6", photo(), 255),
    "ppm with a comment": pnm(b"P6", photo(), 255, b"# made by hand\n"),
    "pgm": pnm(b"P5", photo(channels=1), 255),
    "pgm of 16 bits": pnm(b"P5", photo(channels=1, depth=16), 65535),
    "pgm of 12 bits": pnm(b"P5", photo(channels=1, depth=12), 4095),
    "pgm of 4 bits": pnm(b"P5", photo(channels=1, depth=4), 15),
    "ppm with more behind it": pnm(b"P6", photo(), 255) + b"and more",
    "pbm": saved(Image.fromarray(photo()[..., 0]).convert("1"), "PPM"),
    "pam": b"P7\nWIDTH 56\nHEIGHT 40\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + photo(channels=4).tobytes(),
    "bmp": saved(Image.fromarray(photo(33, 55)), "BMP"),
    "bmp, grey": saved(Image.fromarray(photo(33, 55, 1)[..., 0]), "BMP"),
    "bmp, alpha": saved(Image.fromarray(photo(33, 55, 4)), "BMP"),
    "bmp, palette": saved(Image.fromarray(photo(33, 55)).quantize(30), "BMP"),
}


def _noted() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "slopes")
    notes.add_itxt("Author", "Señora Ångström")
    exif = Image.Exif()
    exif[0x010E] = "a description"
    profile = b"an ICC profile, or nearly" * 9
    return saved(Image.fromarray(photo()), "PNG", pnginfo=notes, exif=exif, dpi=(300, 300), icc_profile=profile)


WRAPPED = {
    "png": saved(Image.fromarray(photo()), "PNG"),
    "png, grey": saved(Image.fromarray(photo(channels=1)[..., 0]), "PNG"),
    "png, grey and alpha": saved(Image.fromarray(photo(channels=2)), "PNG"),
    "png, rgba": saved(Image.fromarray(photo(channels=4)), "PNG"),
    "png, one bit": saved(Image.fromarray(photo()[..., 0] > 99), "PNG"),
    "png, 16 bits": saved(Image.fromarray(photo(channels=1, depth=16)[..., 0]), "PNG"),
    "png, palette": saved(Image.fromarray(photo()).quantize(40), "PNG"),
    "png, transparent palette": saved(Image.fromarray(photo()).quantize(40), "PNG", transparency=3),
    "png, transparent grey": saved(Image.fromarray(photo()[..., 0]), "PNG", transparency=7),
    "png, transparent colour": saved(Image.fromarray(photo()), "PNG", transparency=(1, 2, 3)),
    "png with notes": _noted(),
    "tiff": saved(Image.fromarray(photo()), "TIFF", compression="tiff_lzw"),
    "webp": saved(Image.fromarray(photo()), "WEBP", lossless=True),
    "gif": saved(Image.fromarray(photo()).quantize(40), "GIF"),
}


JPEG = saved(Image.fromarray(photo()), "JPEG")


def tiff(array: np.ndarray, **more: object) -> bytes:
    return saved(Image.fromarray(array), "TIFF", compression="tiff_lzw", **more)
