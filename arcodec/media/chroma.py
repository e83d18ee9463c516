"""Pictures that were once JPEG files: luma at full size, chroma at half, as they were before the last decoder.

JPEG keeps brightness at every pixel and the two colours usually once for four of them (4:2:0); decoders make three
samples of each pixel from that. What they add costs bits: half of all samples, and values on a lattice of the RGB cube.
Here it is taken away again. From the colours of each pixel the chroma that the decoder interpolated follows, by table;
from these, the half planes they were interpolated from, by solving; then luma. What the decoder would make of them all
is compared with the picture, pixel by pixel, and where it differs that is noted: chroma that is off by one, or else the
colours themselves. So whatever the picture is, it comes back exactly; if too much would have to be noted, it was none
that was kept so.

The arithmetic is that of libjpeg (its jdcolor.c and the triangle filter of jdsample.c), which nearly every decoder has.

The planes stand in one grey picture: luma above, and below it the half planes side by side.

    +-----------+
    |     Y     |   height x width (one more column if that is odd)
    +-----+-----+
    |  Cb |  Cr |   half of both, rounded up
    +-----+-----+
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from ..errors import DamagedError
from ..jit import inlined, kernel
from .halving import UNKNOWN, interpolate, solve

_BITS = 16
_HALF = 1 << (_BITS - 1)
_RED_OF_CR, _BLUE_OF_CB = 91881, 116130  # 1.402, 1.772
_GREEN_OF_CR, _GREEN_OF_CB = 46802, 22554  # 0.71414, 0.34414; taken away
_CENTRE, _TOP = 128, 255

_REACH = 384  # differences of two colours that chroma makes are smaller
_SAMPLED = 4096  # pixels looked at first
_MOST_ODD = 0.02  # share of pixels whose colours no chroma makes
_MOST_MOVED, _MOST_WRONG = 0.05, 0.01  # shares of pixels, that are noted one by one
_STAY, _IN_VAIN = 4, 9  # moves of chroma are 3 * (that of Cb + 1) + that of Cr + 1
_PART, _MOST_WRONG_OF_PART = 128, 0.3  # its rows and columns; at its edges, which are not the picture's, some are wrong
_DAMAGED = "damaged: the notes on a picture's colours"


@dataclass(frozen=True)
class Parted:
    """The planes of a picture, and the pixels that they do not make."""

    planes: np.ndarray  # see above, uint8
    notes: bytes


def shape(height: int, width: int) -> tuple[int, int]:
    """Rows and columns of the planes of a picture."""
    return height + (height + 1) // 2, (width + 1) // 2 * 2


@inlined
def _red(cr: int) -> int:
    return (_RED_OF_CR * (cr - _CENTRE) + _HALF) >> _BITS


@inlined
def _blue(cb: int) -> int:
    return (_BLUE_OF_CB * (cb - _CENTRE) + _HALF) >> _BITS


@inlined
def _green(cb: int, cr: int) -> int:
    return (-_GREEN_OF_CB * (cb - _CENTRE) - _GREEN_OF_CR * (cr - _CENTRE) + _HALF) >> _BITS


@inlined
def _limited(value: int) -> int:
    return min(max(value, 0), _TOP)


@kernel
def _part_colours(samples: np.ndarray, table: np.ndarray, cb: np.ndarray, cr: np.ndarray, step: int) -> int:
    """Chroma of every step-th pixel by table, UNKNOWN where a colour is at its limit; how many fit none.

    samples (pixels, 3); cb, cr (pixels,) int16.
    """
    odd = 0
    for i in range(0, len(samples), step):
        red, green, blue = np.int64(samples[i, 0]), np.int64(samples[i, 1]), np.int64(samples[i, 2])
        cb[i] = cr[i] = UNKNOWN
        if min(red, green, blue) > 0 and max(red, green, blue) < _TOP:
            first, second = red - green, blue - green
            found = -1
            if abs(first) < _REACH and abs(second) < _REACH:
                found = table[first + _REACH, second + _REACH]
            if found < 0:
                odd += 1
            else:
                cb[i], cr[i] = found >> 8, found & 255
    return odd


@inlined
def _luma_of(samples: np.ndarray, y: int, x: int, cb: int, cr: int, near: int) -> int:
    """The luma that makes a pixel's colours with this chroma, of several the nearest to ``near``; -1 if none does."""
    low, high = 0, _TOP
    for c in range(3):
        value = np.int64(samples[y, x, c])
        made = value - (_red(cr) if c == 0 else _green(cb, cr) if c == 1 else _blue(cb))
        if value > 0:
            low = max(low, made)
        if value < _TOP:
            high = min(high, made)
    return min(max(near, low), high) if low <= high else -1


@kernel
def _find_luma(samples: np.ndarray, cb: np.ndarray, cr: np.ndarray, luma: np.ndarray, moves: np.ndarray) -> None:
    """Luma, and which move of chroma by one makes a pixel's colours, of nine; _IN_VAIN if none does."""
    for y in range(cb.shape[0]):
        for x in range(cb.shape[1]):
            near = np.int64(luma[y, x - 1]) if x else _CENTRE
            moves[y, x] = _IN_VAIN
            luma[y, x] = near
            for i in range(9):
                move = (i + _STAY) % 9
                blue, red = np.int64(cb[y, x]) + move // 3 - 1, np.int64(cr[y, x]) + move % 3 - 1
                if min(blue, red) >= 0 and max(blue, red) <= _TOP:
                    found = _luma_of(samples, y, x, blue, red, near)
                    if found >= 0:
                        luma[y, x], moves[y, x] = found, move
                        break


@kernel
def _colour(luma: np.ndarray, cb: np.ndarray, cr: np.ndarray, samples: np.ndarray) -> None:
    """What luma and chroma of each pixel make: samples (height, width, 3) uint8."""
    for y in range(cb.shape[0]):
        for x in range(cb.shape[1]):
            bright, blue, red = np.int64(luma[y, x]), np.int64(cb[y, x]), np.int64(cr[y, x])
            samples[y, x, 0] = _limited(bright + _red(red))
            samples[y, x, 1] = _limited(bright + _green(blue, red))
            samples[y, x, 2] = _limited(bright + _blue(blue))


def _chroma_table() -> np.ndarray:
    """By red less green and blue less green: the chroma that makes them, Cb * 256 + Cr, or -1."""
    cb, cr = np.divmod(np.arange(1 << 16, dtype=np.int64), 256)
    green = (-_GREEN_OF_CB * (cb - _CENTRE) - _GREEN_OF_CR * (cr - _CENTRE) + _HALF) >> _BITS
    red = (_RED_OF_CR * (cr - _CENTRE) + _HALF) >> _BITS
    blue = (_BLUE_OF_CB * (cb - _CENTRE) + _HALF) >> _BITS
    table = np.full((2 * _REACH, 2 * _REACH), -1, np.int32)
    table[red - green + _REACH, blue - green + _REACH] = np.arange(1 << 16)
    return table


def _planes(planes: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Views of luma, Cb and Cr."""
    half = planes.shape[1] // 2
    return planes[:height], planes[height:, :half], planes[height:, half:]


def part(samples: np.ndarray) -> Parted | None:
    """The planes of a picture (height, width, 3) uint8 that was once a JPEG file with chroma at half size, or None."""
    height, width, _ = samples.shape
    flat, table = np.ascontiguousarray(samples).reshape(-1, 3), _chroma_table()
    seen = np.full((2, len(flat)), UNKNOWN, np.int16)
    for step in (max(1, len(flat) // _SAMPLED), 1):
        odd = _part_colours(flat, table, seen[0], seen[1], step)
        known = int((seen[0] != UNKNOWN).sum())
        if known == 0 or odd > _MOST_ODD * (known + odd):
            return None
    if not _looks_halved(seen.reshape(2, height, width)):
        return None
    planes, made = np.zeros(shape(height, width), np.uint8), np.empty((2, height, width), np.uint8)
    luma, *halves = _planes(planes, height)
    for full, half, interpolated in zip(seen.reshape(made.shape), halves, made, strict=True):
        solve(full, half)
        interpolate(half, interpolated)
    moves = np.empty((height, width), np.uint8)
    _find_luma(samples, made[0], made[1], luma, moves)
    luma[:, width:] = luma[:, width - 1 : width]
    wrong = np.flatnonzero(moves == _IN_VAIN)
    moved = np.flatnonzero((moves != _STAY) & (moves != _IN_VAIN))
    if len(wrong) > _MOST_WRONG * len(flat) or len(moved) > _MOST_MOVED * len(flat):
        return None
    parted = Parted(planes, _packed(moved, moves.reshape(-1, 1)[moved]) + _packed(wrong, flat[wrong]))
    return parted if np.array_equal(join(planes, height, width, parted.notes), samples) else None


def _looks_halved(seen: np.ndarray) -> bool:
    """Whether a part of the picture's middle says that chroma was at half size: solving for all of it takes seconds."""
    tops = [max(0, size - _PART) // 4 * 2 for size in seen.shape[1:]]
    wrong = 0
    for full in seen[:, tops[0] : tops[0] + _PART, tops[1] : tops[1] + _PART]:
        part_of = np.ascontiguousarray(full)
        half, made = np.empty([(size + 1) // 2 for size in full.shape], np.uint8), np.empty(full.shape, np.uint8)
        solve(part_of, half)
        interpolate(half, made)
        wrong += int(((made != full) & (full != UNKNOWN)).sum())
    return wrong <= _MOST_WRONG_OF_PART * part_of.size


def _packed(places: np.ndarray, values: np.ndarray) -> bytes:
    """Notes: ascending places (n,), what is noted of each (n, size) uint8. Like bytes of all notes stand together."""
    gaps = np.diff(places, prepend=0).astype("<u4").view(np.uint8).reshape(len(places), 4)
    content = zlib.compress(np.concatenate([gaps, values], axis=1).T.tobytes(), 9)
    return len(places).to_bytes(4, "little") + len(content).to_bytes(4, "little") + content


def _unpacked(notes: bytes, size: int, pixels: int) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Places and values of the first notes, and what stands behind them. Raises DamagedError."""
    count, length = int.from_bytes(notes[:4], "little"), int.from_bytes(notes[4:8], "little")
    room = count * (4 + size)
    decompressor = zlib.decompressobj()
    try:
        if count > pixels or length > len(notes) - 8:
            raise ValueError
        content = decompressor.decompress(notes[8 : 8 + length], room + 1)
        columns = np.frombuffer(content, np.uint8).reshape(4 + size, count)
    except (zlib.error, ValueError):
        raise DamagedError(_DAMAGED) from None
    places = np.cumsum(np.ascontiguousarray(columns[:4].T).view("<u4")[:, 0].astype(np.int64))
    if count and places[-1] >= pixels:
        raise DamagedError(_DAMAGED)
    return places, columns[4:].T, notes[8 + length :]


def join(planes: np.ndarray, height: int, width: int, notes: bytes) -> np.ndarray:
    """The picture: (height, width, 3) uint8. Raises DamagedError if the notes do not fit it."""
    moved, codes, rest = _unpacked(notes, 1, height * width)
    wrong, colours, rest = _unpacked(rest, 3, height * width)
    if rest or (codes > 8).any():
        raise DamagedError(_DAMAGED)
    luma, *halves = _planes(np.ascontiguousarray(planes), height)
    made = np.empty((2, height, width), np.uint8)
    for half, interpolated in zip(halves, made, strict=True):
        interpolate(half, interpolated)
    by = codes[:, 0].astype(np.int16)
    flat = made.reshape(2, -1)
    flat[0, moved] += (by // 3 - 1).astype(np.uint8)
    flat[1, moved] += (by % 3 - 1).astype(np.uint8)
    samples = np.empty((height, width, 3), np.uint8)
    _colour(luma, made[0], made[1], samples)
    samples.reshape(-1, 3)[wrong] = colours
    return samples


def spread(bits: np.ndarray, height: int, width: int) -> np.ndarray:
    """What each value of the planes cost, on the samples they make: (height, width, 3), with the same sum.

    Green stands for luma, red for Cr and blue for Cb, each of whose values is shared among its pixels.
    """
    luma, cb, cr = _planes(bits, height)
    result = np.empty((height, width, 3))
    result[..., 1] = luma[:, :width]
    result[:, width - 1, 1] += luma[:, width:].sum(axis=1)
    for c, half in ((0, cr), (2, cb)):
        shares = half / np.outer(_covered(height), _covered(width))
        result[..., c] = shares.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return result


def _covered(size: int) -> np.ndarray:
    """How many places each value of a half plane stands for."""
    counts = np.full((size + 1) // 2, 2)
    counts[-1] -= size % 2
    return counts
