"""Half planes and what interpolating them makes: the triangle filter of libjpeg (its jdsample.c), and its inverse.

A value of the full plane is a mean of four of the half plane, nine, three, three and one sixteenths, rounded. The
inverse moves the values of a half plane until what is known of the full one comes out, which it does but for a few
places.
"""

from __future__ import annotations

import numpy as np

from ..jit import inlined, kernel

UNKNOWN = -1  # in a full plane
_CENTRE, _TOP = 128, 255
_UNIT = 16  # a half plane is first found in parts of a value
_SWEEPS = 24
_SLACK = 7.5  # sixteenths: how far rounding may have moved a value
_FINE_SLACK = 2.0  # less at first, so that what is found lies in the middle of what is possible


def solve(full: np.ndarray, half: np.ndarray) -> None:
    """The half plane that what is known of the full one was interpolated from, as nearly as it is found."""
    fine = np.empty(half.shape, np.int16)
    _begin(full, fine, _UNIT)
    _settle(full, fine, _UNIT)
    half[:] = (fine + _UNIT // 2) // _UNIT
    _settle(full, half, 1)
    for _ in range(_SWEEPS):
        if not _sweep_pairs(full, half):
            break


def _settle(full: np.ndarray, half: np.ndarray, unit: int) -> None:
    for _ in range(_SWEEPS):
        if not _sweep(full, half, unit):
            break


@kernel
def interpolate(half: np.ndarray, full: np.ndarray) -> None:
    """What a half plane makes: full (height, width) uint8."""
    for y in range(full.shape[0]):
        for x in range(full.shape[1]):
            full[y, x] = (_sixteenths(half, y, x) + (7 if x & 1 else 8)) >> 4


@inlined
def _neighbour(half: int, odd: int, count: int) -> int:
    """The other value of a half plane that an odd or even place is interpolated from."""
    return min(max(half + (1 if odd else -1), 0), count - 1)


@inlined
def _sixteenths(half: np.ndarray, y: int, x: int) -> int:
    """What a half plane makes of a place."""
    j, k = y >> 1, x >> 1
    m, n = _neighbour(j, y & 1, half.shape[0]), _neighbour(k, x & 1, half.shape[1])
    here = 3 * np.int64(half[j, k]) + np.int64(half[m, k])
    return 3 * here + (3 * np.int64(half[j, n]) + np.int64(half[m, n]))


@inlined
def _limited(value: int) -> int:
    return min(max(value, 0), _TOP)


@kernel
def _begin(full: np.ndarray, half: np.ndarray, unit: int) -> None:
    """The mean of what is known of a place; its left or upper neighbour where nothing is. half: in 1 / unit."""
    height, width = full.shape
    for j in range(half.shape[0]):
        for k in range(half.shape[1]):
            total, count = 0, 0
            for y in range(2 * j, min(2 * j + 2, height)):
                for x in range(2 * k, min(2 * k + 2, width)):
                    if full[y, x] != UNKNOWN:
                        total += full[y, x]
                        count += 1
            if count:
                half[j, k] = total * unit // count
            elif k:
                half[j, k] = half[j, k - 1]
            else:
                half[j, k] = half[j - 1, k] if j else _CENTRE * unit


@inlined
def _off(full: np.ndarray, half: np.ndarray, unit: int, y: int, x: int) -> float:
    """How far a place is from what would be rounded to what is known of it, in sixteenths of 1 / unit."""
    if full[y, x] == UNKNOWN:
        return 0.0
    middle = 16 * np.int64(full[y, x]) + (0.5 if x & 1 else -0.5)
    distance, slack = unit * middle - _sixteenths(half, y, x), unit * (_FINE_SLACK if unit > 1 else _SLACK)
    return max(distance - slack, 0.0) + min(distance + slack, 0.0)


@kernel
def _sweep(full: np.ndarray, half: np.ndarray, unit: int) -> int:
    """Move each value of a half plane so that more of what is known comes out; how many were moved."""
    height, width = full.shape
    rows, columns = half.shape
    moved = 0
    for j in range(rows):
        for k in range(columns):
            top, bottom = max(2 * j - 1, 0), min(2 * j + 3, height)
            left, right = max(2 * k - 1, 0), min(2 * k + 3, width)
            cost, slope, curve = 0.0, 0.0, 0.0
            for y in range(top, bottom):
                down = 3.0 if y >> 1 == j else 1.0
                for x in range(left, right):
                    off = _off(full, half, unit, y, x)
                    if off != 0.0:
                        weight = down * (3.0 if x >> 1 == k else 1.0)
                        cost += off * off
                        slope += weight * off
                        curve += weight * weight
            if cost == 0.0:
                continue
            old = np.int64(half[j, k])
            step = np.int64(np.rint(slope / curve))
            if step == 0:
                step = 1 if slope > 0 else -1
            for _ in range(2):
                half[j, k] = min(max(old + step, 0), _TOP * unit)
                after = 0.0
                for y in range(top, bottom):
                    for x in range(left, right):
                        off = _off(full, half, unit, y, x)
                        after += off * off
                if after < cost:
                    moved += 1
                    break
                half[j, k] = old
                step = 1 if step > 0 else -1
    return moved


@inlined
def _cost_around(full: np.ndarray, half: np.ndarray, j: int, k: int) -> float:
    """Of all places that a value of a half plane and its neighbours have a part in."""
    cost = 0.0
    for y in range(max(2 * j - 3, 0), min(2 * j + 5, full.shape[0])):
        for x in range(max(2 * k - 3, 0), min(2 * k + 5, full.shape[1])):
            off = _off(full, half, 1, y, x)
            cost += off * off
    return cost


@kernel
def _sweep_pairs(full: np.ndarray, half: np.ndarray) -> int:
    """Where something is still off, move a value and one of its neighbours together; how many were moved."""
    rows, columns = half.shape
    moved = 0
    for j in range(rows):
        for k in range(columns):
            near = 0.0
            for y in range(max(2 * j - 1, 0), min(2 * j + 3, full.shape[0])):
                for x in range(max(2 * k - 1, 0), min(2 * k + 3, full.shape[1])):
                    near += abs(_off(full, half, 1, y, x))
            if near == 0.0:
                continue
            cost = _cost_around(full, half, j, k)
            for move in range(4 * 9):
                m, n = j + move // 4 // 3 - 1, k + move // 4 % 3 - 1
                if (m == j and n == k) or not (0 <= m < rows and 0 <= n < columns):
                    continue
                old, beside = np.int64(half[j, k]), np.int64(half[m, n])
                half[j, k], half[m, n] = _limited(old + 2 * (move & 1) - 1), _limited(beside + (move & 2) - 1)
                after = _cost_around(full, half, j, k)
                if after < cost:
                    cost = after
                    moved += 1
                    if cost == 0.0:
                        break
                else:
                    half[j, k], half[m, n] = old, beside
    return moved
