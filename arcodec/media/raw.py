"""Files whose samples lie there as they are: PNM, PAM and BMP. They come back byte for byte.

A file is what stands before its samples, the samples in rows, and what stands behind. Reading takes nothing for
granted: the file is put together again and compared, and one that comes out differently is left to be taken as bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .raster import PLAIN_PNM, SAME_FILE, Raster, UnfitError

_TOKEN = re.compile(rb"(?:\s|#[^\n]*\n)*(\d+)")
_MOST_BEHIND = 1024  # bytes behind the samples, which would not be compressed
_PNM_CHANNELS = {b"P4": 1, b"P5": 1, b"P6": 3}


@dataclass(frozen=True)
class _Layout:
    """How samples lie in the file."""

    bottom_up: bool = False
    reversed_channels: bool = False  # blue, green, red
    inverted: bool = False  # 1 is black
    row_multiple: int = 1

    def flags(self) -> int:
        return self.bottom_up | self.reversed_channels << 1 | self.inverted << 2 | (self.row_multiple == 4) << 3

    @staticmethod
    def of(flags: int) -> _Layout:
        return _Layout(bool(flags & 1), bool(flags & 2), bool(flags & 4), 4 if flags & 8 else 1)


def _rows_to_bytes(samples: np.ndarray, depth: int, layout: _Layout) -> bytes:
    if layout.bottom_up:
        samples = samples[::-1]
    if layout.reversed_channels:
        samples = np.concatenate([samples[..., 2::-1], samples[..., 3:]], axis=-1)
    if depth == 1:
        bits = samples[..., 0] ^ 1 if layout.inverted else samples[..., 0]
        rows = np.packbits(bits, axis=1)
    else:
        rows = samples.astype(">u2" if depth > 8 else "u1").reshape(len(samples), -1)
        rows = rows.view("u1").reshape(len(samples), -1)
    missing = -rows.shape[1] % layout.row_multiple
    if missing:
        rows = np.pad(rows, ((0, 0), (0, missing)))
    return rows.tobytes()


def _bytes_to_rows(data: bytes, height: int, width: int, channels: int, depth: int, layout: _Layout) -> np.ndarray:
    """Raises UnfitError if there are too few."""
    row = (width + 7) // 8 if depth == 1 else width * channels * (2 if depth > 8 else 1)
    padded = -(-row // layout.row_multiple) * layout.row_multiple
    if len(data) < height * padded:
        raise UnfitError("it is cut off")
    rows = np.frombuffer(data, np.uint8, height * padded).reshape(height, padded)[:, :row]
    if depth == 1:
        samples: np.ndarray = np.unpackbits(rows, axis=1, count=width)[..., None] ^ np.uint8(layout.inverted)
    elif depth > 8:
        samples = np.ascontiguousarray(rows).view(">u2").astype(np.uint16).reshape(height, width, channels)
    else:
        samples = rows.reshape(height, width, channels)
    if layout.reversed_channels:
        samples = np.concatenate([samples[..., 2::-1], samples[..., 3:]], axis=-1)
    return np.ascontiguousarray(samples[::-1] if layout.bottom_up else samples)


def _plain_head(height: int, width: int, channels: int, depth: int) -> bytes:
    if depth == 1:
        return b"P4\n%d %d\n" % (width, height)
    return b"P%d\n%d %d\n%d\n" % (6 if channels == 3 else 5, width, height, (1 << depth) - 1)


def _taken(data: bytes, start: int, shape: tuple[int, int, int], depth: int, layout: _Layout) -> Raster:
    """The picture whose samples begin at ``start``. Raises UnfitError if the file is not what that makes of it."""
    height, width, channels = shape
    if min(shape) < 1:
        raise UnfitError("it has no pixels")
    samples = _bytes_to_rows(data[start:], height, width, channels, depth, layout)
    body = _rows_to_bytes(samples, depth, layout)
    head, tail = data[:start], data[start + len(body) :]
    if data[start : start + len(body)] != body:
        raise UnfitError("its rows are not padded with zeros")
    if int(samples.max()) >= 1 << depth:
        raise UnfitError("a sample is larger than the largest it names")
    if len(tail) > _MOST_BEHIND:
        raise UnfitError("there is more in it than a picture")
    plain = channels in (1, 3) and layout == _Layout(inverted=depth == 1) and not tail
    if plain and head == _plain_head(*shape, depth):
        return Raster(samples, depth, bytes([PLAIN_PNM]))
    length = len(head).to_bytes(4, "little")
    return Raster(samples, depth, bytes([SAME_FILE, layout.flags()]) + length + head + tail)


def read_pnm(data: bytes) -> Raster:
    """A binary PBM, PGM or PPM file. Raises UnfitError."""
    at, numbers = 2, []
    bitmap = data[:2] == b"P4"
    for _ in range(2 if bitmap else 3):
        found = _TOKEN.match(data, at)
        if not found or len(found[1]) > 9:
            raise UnfitError("its header is not that of a PNM file")
        numbers.append(int(found[1]))
        at = found.end()
    width, height = numbers[:2]
    top = 1 if bitmap else numbers[2]
    if data[at : at + 1] not in (b" ", b"\t", b"\n", b"\r"):
        raise UnfitError("its header is not that of a PNM file")
    return _taken(data, at + 1, (height, width, _PNM_CHANNELS[data[:2]]), _depth(top, bitmap), _Layout(inverted=bitmap))


def _depth(top: int, packed: bool = False) -> int:
    """Bits of samples up to ``top``; where they lie unpacked in bytes, at least 2. Raises UnfitError."""
    if not 1 <= top <= 65535 or top & (top + 1):
        raise UnfitError(f"its largest value is {top}, not one less than a power of two")
    depth = top.bit_length()
    if depth == 1 and not packed:
        raise UnfitError("it spends a byte on each bit")
    return depth


def read_pam(data: bytes) -> Raster:
    """A PAM file (P7). Raises UnfitError."""
    end = data.find(b"ENDHDR\n")
    if end < 0:
        raise UnfitError("its header is not that of a PAM file")
    fields = {}
    for line in data[3:end].split(b"\n"):
        name, _, value = line.strip().partition(b" ")
        fields[name] = value.strip()
    try:
        width, height, channels, top = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    except (KeyError, ValueError):
        raise UnfitError("its header is not that of a PAM file") from None
    if not 1 <= channels <= 4:
        raise UnfitError(f"it has {channels} channels")
    return _taken(data, end + 7, (height, width, channels), _depth(top), _Layout())


def read_bmp(data: bytes) -> Raster:
    """An uncompressed BMP file of 8, 24 or 32 bits. Raises UnfitError."""
    if len(data) < 54:
        raise UnfitError("it is cut off")
    start, header = int.from_bytes(data[10:14], "little"), int.from_bytes(data[14:18], "little")
    width = int.from_bytes(data[18:22], "little", signed=True)
    height = int.from_bytes(data[22:26], "little", signed=True)
    bits, compression = int.from_bytes(data[28:30], "little"), int.from_bytes(data[30:34], "little")
    if header < 40 or bits not in (8, 24, 32) or compression not in (0, 3) or (compression and bits != 32):
        raise UnfitError("it is a BMP of a kind that is not known here")
    if width < 1 or height == 0 or start > len(data):
        raise UnfitError("its header is not that of a BMP file")
    layout = _Layout(bottom_up=height > 0, reversed_channels=bits > 8, row_multiple=4)
    return _taken(data, start, (abs(height), width, bits // 8), 8, layout)


def write(raster: Raster) -> bytes:
    """The file that was read. Raises UnfitError for an envelope that no picture was read into."""
    height, width, channels = raster.samples.shape
    kind, rest = raster.envelope[0], raster.envelope[1:]
    if kind == PLAIN_PNM:
        layout = _Layout(inverted=raster.depth == 1)
        return _plain_head(height, width, channels, raster.depth) + _rows_to_bytes(raster.samples, raster.depth, layout)
    if len(rest) < 5 or rest[0] > 15:
        raise UnfitError("its envelope is damaged")
    layout, size = _Layout.of(rest[0]), int.from_bytes(rest[1:5], "little")
    head, tail = rest[5 : 5 + size], rest[5 + size :]
    return head + _rows_to_bytes(raster.samples, raster.depth, layout) + tail
