"""The compiled loop over the pixels of a block, the same for both directions."""

from __future__ import annotations

import numpy as np

from ... import range_kernel as rk
from ...jit import kernel
from . import account as ac
from . import canvas as cv
from . import mixture as mx
from .mixture import Pixels


@kernel
def code_row(
    pixels: Pixels,
    coder: np.ndarray,
    words: np.ndarray,
    row: np.ndarray,
    y: int,
    decoding: bool,
    costs: np.ndarray,
    totals: np.ndarray,
    shares: np.ndarray,
) -> bool:
    """Code or fill row (width, channels) uint16, the y-th; False if the words are damaged so that nothing fits.

    When coding, adds to totals (1,) the bits of the mixture; unless they are empty, writes to costs (width, channels)
    those of each sample, and adds to shares what each expert would have taken alone (see ``account``).
    """
    (
        shape,
        canvas,
        offsets,
        planes,
        counts,
        asked,
        fades,
        matrices,
        ages,
        starts,
        scratch,
        above,
        ends,
        middles,
        weights,
        means,
        errors,
        signed,
        near,
        scales,
        steepness,
        network,
        tables,
        expected,
        below,
        bounds,
        sample,
        tree,
        keys,
        entries,
        places,
        values,
        recalled,
        slots,
        cells,
        reals,
        finals,
        maps,
        points,
    ) = pixels
    mx.start_row(shape, canvas, scratch, ages, errors, signed, y)
    for x in range(shape[mx.WIDTH]):
        at = cv.place(y, x, shape[mx.WIDTH])
        mx.start_pixel(shape, canvas, middles, keys, at)
        for c in range(shape[mx.CHANNELS]):
            here = at + c * shape[mx.PLANE]
            mx.foresee(
                shape,
                canvas,
                offsets,
                planes,
                counts,
                asked,
                matrices,
                ages,
                starts,
                scratch,
                above,
                middles,
                weights,
                means,
                c,
                here,
                y,
                x,
            )
            mx.start_sample(
                shape,
                canvas,
                means,
                errors,
                signed,
                near,
                scales,
                steepness,
                network,
                tables,
                expected,
                below,
                bounds,
                sample,
                tree,
                keys,
                entries,
                places,
                values,
                slots,
                cells,
                c,
                at,
                y,
                x,
            )
            value = np.int64(row[x, c])
            bits = 0.0
            while mx.find_split(tree, sample):
                one = mx.predict(
                    shape,
                    means,
                    steepness,
                    network,
                    below,
                    bounds,
                    sample,
                    tree,
                    entries,
                    places,
                    values,
                    recalled,
                    slots,
                    cells,
                    reals,
                    finals,
                    maps,
                    points,
                )
                if decoding:
                    bit = rk.decode_bit(coder, words, one)
                    if bit < 0:
                        return False
                else:
                    bit = 1 if value >= tree[mx.SPLIT] else 0
                    rk.encode_bit(coder, words, one, bit)
                    if len(shares):
                        ac.add(reals, bounds.shape[1], bit, shares)
                    bits += rk.BIT_PRECISION - np.log2(np.float64(one if bit else rk.BIT_TOTAL - one))
                mx.update(shape, bounds, sample, tree, values, recalled, slots, cells, reals, finals, maps, points, bit)
            value = tree[mx.LOW]
            row[x, c] = value
            totals[0] += bits
            if len(costs):
                costs[x, c] = bits
            mx.end_sample(
                shape,
                canvas,
                means,
                errors,
                signed,
                near,
                scales,
                tables,
                expected,
                sample,
                keys,
                entries,
                places,
                c,
                at,
                y,
                x,
                value,
            )
            mx.learn_to_foresee(
                shape, canvas, asked, fades, matrices, starts, scratch, ends, middles, weights, c, here, y, x
            )
    mx.end_row(shape, canvas, asked, fades, starts, above, ends, errors, signed, y)
    return True
