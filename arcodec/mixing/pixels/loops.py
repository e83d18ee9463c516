"""The compiled loop over the pixels of a block, the same for both directions."""

from __future__ import annotations

import numpy as np

from ... import range_kernel as rk
from ...exact.stack import end_pixel
from ...jit import kernel
from ...models import pixels as family
from . import account as ac
from . import canvas as cv
from . import mixture as mx
from . import prediction, prior, recall
from .levels import UNIT
from .prior import Prior
from .state import CHANNELS, CHOICE, INPUTS, LEAST_SCALE, LOW, NETWORK, PLANE, SCALE_BITS, SPLIT, STRIDE, WIDTH, Pixels


@kernel
def code_row(
    pixels: Pixels,
    network_prior: Prior,
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
    program, state, learner, reach, sizes, parts = network_prior
    plane = shape[PLANE]
    prediction.start_row(shape, canvas, scratch, ages, errors, signed, y)
    for x in range(shape[WIDTH]):
        at = cv.place(y, x, shape[WIDTH])
        prediction.start_pixel(shape, canvas, middles, at)
        recall.start_pixel(canvas, at, plane, shape[STRIDE], shape[CHANNELS], keys)
        for c in range(shape[CHANNELS]):
            here = at + c * plane
            prediction.foresee(
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
            prediction.combine(shape, canvas, means, errors, signed, near, scales, steepness, sample, c, at, y, x)
            if shape[NETWORK]:
                if prior.knows(shape, c):
                    prior.describe(
                        reach, sizes, shape, canvas, means, signed, near, scales, sample, state.codes, c, at, y, x
                    )
                    prior.answer(program, state, learner, sizes, means, near, scales, steepness, c, network[c])
                else:
                    prior.plain(means, steepness, network[c])
            mx.start_sample(
                shape,
                canvas,
                means,
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
                    bit = 1 if value >= tree[SPLIT] else 0
                    rk.encode_bit(coder, words, one, bit)
                    if len(shares):
                        ac.add(
                            tree,
                            CHOICE,
                            mx.situation(sample, tree),
                            reals,
                            finals,
                            shape[INPUTS],
                            bounds.shape[1],
                            bit,
                            shares,
                        )
                    bits += rk.BIT_PRECISION - np.log2(np.float64(one if bit else rk.BIT_TOTAL - one))
                mx.update(shape, bounds, sample, tree, values, recalled, slots, cells, reals, finals, maps, points, bit)
            value = tree[LOW]
            row[x, c] = value
            if len(learner.clock) and prior.knows(shape, c):
                prior.cost_gradient(program, learner, sizes, means, near, scales, c, network[c], parts, value)
            totals[0] += bits
            if len(costs):
                costs[x, c] = bits
            mx.end_sample(shape, tables, expected, sample, keys, entries, places, c, value)
            prediction.learn_errors(canvas, means, errors, signed, near, scales, plane, c, at, y, x, value)
            prediction.learn_to_foresee(
                shape, canvas, asked, fades, matrices, starts, scratch, ends, middles, weights, c, here, y, x
            )
        if len(learner.clock):
            end_pixel(program, learner, 1 if shape[CHANNELS] < family.CHANNELS else family.CHANNELS)
    prediction.end_row(shape, canvas, asked, fades, starts, above, ends, errors, signed, y)
    return True


@kernel
def describe_row(
    pixels: Pixels, network_prior: Prior, row: np.ndarray, y: int, codes: np.ndarray, expected: np.ndarray
) -> None:
    """What the network is told of each sample of a row, for its training, and what it answers relative to.

    row (width, channels) uint16 -> codes (width, channels, inputs) int8, expected (width, channels, 2) float32: the
    value that the predictors together expect, and how far they are expected to be off.
    """
    shape, canvas = pixels.shape, pixels.canvas
    state, reach, sizes = network_prior.state, network_prior.reach, network_prior.sizes
    means, near, scales, signed, sample = pixels.means, pixels.near, pixels.scales, pixels.signed, pixels.sample
    plane, last = shape[PLANE], len(means) - 1
    prediction.start_row(shape, canvas, pixels.scratch, pixels.ages, pixels.errors, signed, y)
    for x in range(shape[WIDTH]):
        at = cv.place(y, x, shape[WIDTH])
        prediction.start_pixel(shape, canvas, pixels.middles, at)
        for c in range(shape[CHANNELS]):
            here = at + c * plane
            prediction.foresee(
                shape,
                canvas,
                pixels.offsets,
                pixels.planes,
                pixels.counts,
                pixels.asked,
                pixels.matrices,
                pixels.ages,
                pixels.starts,
                pixels.scratch,
                pixels.above,
                pixels.middles,
                pixels.weights,
                means,
                c,
                here,
                y,
                x,
            )
            prediction.combine(
                shape, canvas, means, pixels.errors, signed, near, scales, pixels.steepness, sample, c, at, y, x
            )
            prior.describe(reach, sizes, shape, canvas, means, signed, near, scales, sample, state.codes, c, at, y, x)
            for i in range(codes.shape[2]):
                codes[x, c, i] = state.codes[i]
            expected[x, c, 0] = np.float32(means[last]) / np.float32(UNIT)
            expected[x, c, 1] = np.float32(max(scales[last, c, near[last]], LEAST_SCALE)) / np.float32(
                UNIT << SCALE_BITS
            )
            value = np.int64(row[x, c])
            prediction.learn_errors(canvas, means, pixels.errors, signed, near, scales, plane, c, at, y, x, value)
            prediction.learn_to_foresee(
                shape,
                canvas,
                pixels.asked,
                pixels.fades,
                pixels.matrices,
                pixels.starts,
                pixels.scratch,
                pixels.ends,
                pixels.middles,
                pixels.weights,
                c,
                here,
                y,
                x,
            )
    prediction.end_row(
        shape,
        canvas,
        pixels.asked,
        pixels.fades,
        pixels.starts,
        pixels.above,
        pixels.ends,
        pixels.errors,
        signed,
        y,
    )
