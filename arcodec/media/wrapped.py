"""Files that wrap their pixels in another compression: PNG, TIFF, lossless WebP, GIF and what else Pillow reads.

The picture comes back - pixels, mode, palette, transparency, ICC profile, EXIF, resolution, text - but in a file that
is written anew, as PNG unless another format is asked for. What would lose something, or gain nothing, is refused: JPEG
and lossy WebP (their pixels take many times their bytes), animations, modes that PNG has no place for.
"""

from __future__ import annotations

import io
import json
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DamagedError, UsageError
from .raster import WRAPPED, Raster, UnfitError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "TIFF", "WEBP", "GIF", "TGA", "PCX", "QOI")
EXTENSIONS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".bmp": "BMP", ".tga": "TGA"}
EXTENSIONS |= {".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM", ".pnm": "PPM"}
_MODES = {"1": 1, "L": 8, "LA": 8, "P": 8, "RGB": 8, "RGBA": 8, "I;16": 16, "I;16B": 16}
_PLAIN = {(1, 1): "1", (1, 8): "L", (2, 8): "LA", (3, 8): "RGB", (4, 8): "RGBA", (1, 16): "I;16"}
_MOST_HELD = 1 << 26  # bytes of what is held besides pixels
_BITS_PER_SAMPLE = 258  # TIFF's tag
# Tags of TIFF and EXIF that say something of the picture and nothing of how it lies in the file: description, maker,
# model, orientation, software, date, artist, copyright, and the blocks of EXIF and GPS.
_TELLING = {270, 271, 272, 274, 305, 306, 315, 33432, 34665, 34853}
_ODD = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, SyntaxError)
_LOSSY_TIFF = ("jpeg", "tiff_jpeg", "webp")


def read(data: bytes) -> Raster:
    """The picture in a file. Raises UnfitError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _taken(image, data)
    except UnidentifiedImageError:
        raise UnfitError("it is no picture of a format that is known here") from None
    except UnfitError:
        raise
    except Exception as error:  # of damaged files, Pillow's readers raise nearly everything there is
        raise UnfitError(f"it cannot be read as a picture: {error}") from None


def _taken(image: Image.Image, data: bytes) -> Raster:
    name = image.format
    if getattr(image, "n_frames", 1) > 1:
        raise UnfitError(f"it is a {name} of several frames or pages")
    if name == "WEBP" and b"VP8L" not in _chunks(data):
        raise UnfitError("it is a lossy WebP, whose pixels take many times its bytes")
    if name == "TIFF" and image.info.get("compression") in _LOSSY_TIFF:
        raise UnfitError("it is a TIFF with lossy compression, whose pixels take many times its bytes")
    if name == "TIFF" and max(_numbers(image.getexif().get(_BITS_PER_SAMPLE, 1))) > _MODES.get(image.mode, 16):
        raise UnfitError("it is a TIFF with more bits a sample than would be kept")
    if name == "PNG" and data[24:25] == b"\x10" and data[25:26] != b"\x00":
        return _deep_png(image, data)
    return of_image(image)


def _chunks(data: bytes) -> set[bytes]:
    """The names of a RIFF file's chunks."""
    names, at = set(), 12
    while at + 8 <= len(data):
        names.add(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little") + 1 & ~1
    return names


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def of_image(image: Image.Image, more: dict[str, Any] | None = None) -> Raster:
    """An opened picture, with all it holds; more: to be held in addition. Raises UnfitError."""
    if image.mode not in _MODES:
        raise UnfitError(f"its mode, {image.mode}, has no place in a PNG")
    image.load()
    samples = np.asarray(image)
    samples = samples.astype(np.uint16 if _MODES[image.mode] == 16 else np.uint8)
    raster = samples.reshape(image.height, image.width, -1)
    return Raster(raster, _MODES[image.mode], _envelope(image, more or {}))


def _deep_png(image: Image.Image, data: bytes) -> Raster:
    """A PNG of 16 bits in several channels, of which Pillow would take eight."""
    import png

    if _envelope(image, {}):
        raise UnfitError("it is a PNG of 16 bits in several channels with more than pixels")
    width, height, rows, info = png.Reader(bytes=data).asDirect()
    samples = np.array([np.asarray(row, np.uint16) for row in rows])
    return Raster(samples.reshape(height, width, info["planes"]), 16)


def _envelope(image: Image.Image, more: dict[str, Any]) -> bytes:
    """All but the pixels; empty if there is nothing. Raises UnfitError."""
    info: dict[Any, Any] = {**image.info, **more}
    held: dict[str, Any] = {}
    if image.mode == "P":
        held["palette"] = image.palette.getdata()[1].hex() if image.palette else ""
        held["palette_mode"] = image.palette.mode if image.palette else "RGB"
    transparency = info.get("transparency")
    if isinstance(transparency, bytes):
        held["transparency_bytes"] = transparency.hex()
    elif transparency is not None:
        held["transparency"] = transparency
    for key in ("icc_profile", "exif"):
        if isinstance(info.get(key), bytes) and info[key]:
            held[key] = info[key].hex()
    if "exif" not in held and (exif := _exif(image)):
        held["exif"] = exif.hex()
    if "dpi" in info:
        held["dpi"] = [float(x) for x in info["dpi"]]
    if isinstance(info.get("gamma"), float):
        held["gamma"] = info["gamma"]
    text = getattr(image, "text", None)
    if text:
        held["text"] = {str(key): str(value) for key, value in text.items()}
    if not held:
        return b""
    plain = json.dumps(held, separators=(",", ":"), sort_keys=True).encode()
    if len(plain) > _MOST_HELD:
        raise UnfitError("there is too much in it besides its pixels")
    return bytes([WRAPPED]) + zlib.compress(plain, 9)


def _exif(image: Image.Image) -> bytes:
    """What an EXIF block holds; of a TIFF, whose own structure stands among it, without that."""
    exif = image.getexif()
    if image.format == "TIFF":
        for tag in set(exif) - _TELLING:
            del exif[tag]
    return exif.tobytes() if len(exif) else b""


def image_of(raster: Raster) -> Image.Image:
    """The picture as Pillow keeps it. Raises DamagedError."""
    held = {} if raster.exact else _opened(raster.envelope)
    try:
        image, options = _image(raster, held), _options(held, "")
    except _ODD as error:
        raise DamagedError(f"damaged: the picture's envelope cannot be read ({error})") from None
    image.info.update(options)
    image.info.update(held.get("text", {}))
    return image


def text_of(envelope: bytes) -> dict[str, str]:
    """The notes in a picture's envelope. Raises DamagedError."""
    return dict(_opened(envelope).get("text", {})) if envelope[:1] == bytes([WRAPPED]) else {}


def write(raster: Raster, name: str = "PNG") -> bytes:
    """A file of the named format. Raises UsageError if it has no place for this picture, DamagedError."""
    held = _opened(raster.envelope)
    channels = raster.samples.shape[2]
    if raster.depth not in (1, 8, 16):
        raise UsageError(f"{raster.depth} bits a sample have no place in a {name}: take the samples as an array")
    if raster.depth == 16 and channels > 1:
        return _write_deep_png(raster, name)
    try:
        image, options = _image(raster, held), _options(held, name)
    except _ODD as error:
        raise DamagedError(f"damaged: the picture's envelope cannot be read ({error})") from None
    out = io.BytesIO()
    try:
        image.save(out, name, **options)
    except Exception as error:  # Pillow's writers differ in what they raise
        raise UsageError(f"this picture cannot be written as {name}: {error}") from None
    if name != "PNG" and not _same(out, image, held):
        raise UsageError(f"a {name} has no place for all of this picture ({image.mode}): write it as PNG")
    return out.getvalue()


def _same(file: io.BytesIO, image: Image.Image, held: dict[str, Any]) -> bool:
    """Whether a file that was written holds the picture, transparency included."""
    from PIL import Image

    with Image.open(file) as back:
        back.load()
        same = back.mode == image.mode and np.array_equal(np.asarray(back), np.asarray(image))
    return same and not any(key in held for key in ("transparency", "transparency_bytes"))


def palette_of(envelope: bytes) -> str | None:
    """The palette of a picture that has one. Raises DamagedError."""
    return _opened(envelope).get("palette")


def _opened(envelope: bytes) -> dict[str, Any]:
    if not envelope:
        return {}
    if envelope[0] != WRAPPED:
        raise DamagedError("damaged: the picture's envelope is of an unknown kind")
    try:
        unpacker = zlib.decompressobj()
        held = json.loads(unpacker.decompress(envelope[1:], _MOST_HELD))
    except (zlib.error, ValueError, RecursionError):
        raise DamagedError("damaged: the picture's envelope cannot be read") from None
    if not isinstance(held, dict):
        raise DamagedError("damaged: the picture's envelope cannot be read")
    return held


def _image(raster: Raster, held: dict[str, Any]) -> Image.Image:
    from PIL import Image

    samples, channels = raster.samples, raster.samples.shape[2]
    flat = samples[..., 0] if channels == 1 else samples
    if raster.depth == 1:
        return Image.fromarray((flat * 255).astype(np.uint8)).convert("1", dither=Image.Dither.NONE)
    image = Image.fromarray(np.ascontiguousarray(flat))
    if "palette" in held:
        image = Image.frombytes("P", (samples.shape[1], samples.shape[0]), flat.astype(np.uint8).tobytes())
        image.putpalette(bytes.fromhex(held["palette"]), held.get("palette_mode", "RGB"))
    return image


def _options(held: dict[str, Any], name: str) -> dict[str, Any]:
    from PIL.PngImagePlugin import PngInfo

    options: dict[str, Any] = {}
    if "transparency_bytes" in held:
        options["transparency"] = bytes.fromhex(held["transparency_bytes"])
    elif "transparency" in held:
        transparency = held["transparency"]
        options["transparency"] = tuple(transparency) if isinstance(transparency, list) else transparency
    for key in ("icc_profile", "exif"):
        if key in held:
            options[key] = bytes.fromhex(held[key])
    if "dpi" in held:
        options["dpi"] = tuple(held["dpi"])
    if name == "PNG":
        notes = PngInfo()
        for key, value in held.get("text", {}).items():
            notes.add_itxt(key, value) if not value.isascii() else notes.add_text(key, value)
        if "gamma" in held:
            notes.add(b"gAMA", round(held["gamma"] * 100000).to_bytes(4, "big"))
        options |= {"pnginfo": notes, "optimize": False}
    if name == "WEBP":
        options |= {"lossless": True, "exact": True}
    if name == "TIFF":
        options |= {"compression": "tiff_lzw"}
    return options


def _write_deep_png(raster: Raster, name: str) -> bytes:
    import png

    if name != "PNG":
        raise UsageError(f"16 bits in several channels can be written as PNG only, not as {name}")
    height, width, channels = raster.samples.shape
    out = io.BytesIO()
    writer = png.Writer(width, height, greyscale=channels < 3, alpha=channels in (2, 4), bitdepth=16)
    writer.write(out, raster.samples.reshape(height, -1))
    return out.getvalue()
