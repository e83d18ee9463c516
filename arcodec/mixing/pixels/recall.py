"""What came last where the neighbours had exactly these values: for screens, drawings, palettes and masks.

Four contexts, from two neighbours to fourteen. An entry of a table keeps a check, the sample that came last, and how
often it came in a row.
"""

from __future__ import annotations

import numpy as np

from ...jit import inlined, kernel

CONTEXTS = 4
MOST_RUN = 15
_RUN_BITS, _VALUE_BITS = np.uint32(4), np.uint32(16)
_CHECK_AT = np.uint32(20)
_RUN, _VALUE = np.uint32(15), np.uint32(0xFFFF)

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio
_EACH = np.uint64(0xD6E8FEB86659FD93)


def fresh_entries(entries_log2: int) -> np.ndarray:
    """Entries of all contexts that have seen nothing. Shape (contexts << entries_log2,), uint32."""
    return np.zeros(CONTEXTS << entries_log2, np.uint32)


@inlined
def _with(key: int, value: int) -> int:
    mixed = (key + np.uint64(value) + _EACH) * _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(29))


@inlined
def _with_pixel(key: int, canvas: np.ndarray, at: int, plane: int, channels: int) -> int:
    for c in range(channels):
        key = _with(key, canvas[at + c * plane])
    return key


@kernel
def start_pixel(canvas: np.ndarray, at: int, plane: int, stride: int, channels: int, keys: np.ndarray) -> None:
    """Write the keys (4,) of a pixel, from its neighbours in all channels; at: its place in the first plane."""
    key = _with_pixel(np.uint64(1), canvas, at - 1, plane, channels)
    key = _with_pixel(key, canvas, at - stride, plane, channels)
    keys[0] = key
    key = _with_pixel(key, canvas, at - stride - 1, plane, channels)
    key = _with_pixel(key, canvas, at - stride + 1, plane, channels)
    keys[1] = key
    key = _with_pixel(key, canvas, at - 2, plane, channels)
    key = _with_pixel(key, canvas, at - 2 * stride, plane, channels)
    keys[2] = key
    for offset in range(-2, 3):
        if offset != 0:
            key = _with_pixel(key, canvas, at - 2 * stride + offset, plane, channels)
    key = _with_pixel(key, canvas, at - stride - 2, plane, channels)
    key = _with_pixel(key, canvas, at - stride + 2, plane, channels)
    key = _with_pixel(key, canvas, at - 3, plane, channels)
    keys[3] = _with_pixel(key, canvas, at - 3 * stride, plane, channels)


@kernel
def find(entries: np.ndarray, keys: np.ndarray, channel: int, places: np.ndarray, values: np.ndarray) -> None:
    """Where the entries of a sample are, places (4,), and what they expect: values (4,), -1 for nothing."""
    size = len(entries) // CONTEXTS
    for i in range(CONTEXTS):
        mixed = _with(keys[i], channel)
        place = i * size + np.int64(mixed & np.uint64(size - 1))
        check = np.uint32(mixed >> np.uint64(52))
        if entries[place] >> _CHECK_AT != check:
            entries[place] = check << _CHECK_AT
        places[i] = place
        values[i] = np.int64(entries[place] >> _RUN_BITS & _VALUE) if entries[place] & _RUN else -1


@inlined
def run(entries: np.ndarray, place: int) -> int:
    """How often in a row what is expected came; 0 to 15."""
    return np.int64(entries[place] & _RUN)


@inlined
def learn(entries: np.ndarray, places: np.ndarray, channel_value: int) -> None:
    """Take in the sample that came."""
    for i in range(CONTEXTS):
        old = entries[places[i]]
        times = np.uint32(1)
        if old & _RUN and np.int64(old >> _RUN_BITS & _VALUE) == channel_value:
            times = min((old & _RUN) + np.uint32(1), np.uint32(MOST_RUN))
        entries[places[i]] = old >> _CHECK_AT << _CHECK_AT | np.uint32(channel_value) << _RUN_BITS | np.uint32(times)


@inlined
def follow(keys: np.ndarray, value: int) -> None:
    """Make the sample part of the keys of the pixel's next channel."""
    for i in range(CONTEXTS):
        keys[i] = _with(keys[i], value)
