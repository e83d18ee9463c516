"""Integer products of a matrix and a vector, four rows at a time.

Written as LLVM vector operations because the loop vectoriser, given the plain loop, spends half its time adding up each
row's lanes. Nothing here belongs to one processor: LLVM lowers the operations to what there is (vpmovsxbw and vpmaddwd
on x86, smlal on ARM, plain code elsewhere), and since all sums are of integers that fit int32, the result is the same
everywhere. Weights are bytes: reading them is what takes the time, and int16 would be a third slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..jit import kernel

ROWS = 4  # computed side by side; a matrix is padded to a multiple of it
LANES = 32  # in a vector; rows are padded to a multiple of it

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_PRODUCTS, _SUMS = ir.VectorType(_I32, LANES), ir.VectorType(_I32, LANES // 2)


def padded(size: int, to: int) -> int:
    """The next multiple of ``to``."""
    return -(-size // to) * to


def pick(builder: Any, vector: Any, lanes: list[int]) -> Any:
    """These lanes of a vector, in this order."""
    mask = ir.Constant(ir.VectorType(_I32, len(lanes)), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def lane_sum(builder: Any, vector: Any, add: Callable[[Any, Any], Any]) -> Any:
    """The sum of all lanes, by halves; add is the builder's addition for their type."""
    count = vector.type.count
    while count > 1:
        count //= 2
        low, high = pick(builder, vector, list(range(count))), pick(builder, vector, list(range(count, 2 * count)))
        vector = add(low, high)
    return builder.extract_element(vector, ir.Constant(_I32, 0))


@intrinsic
def _four_dots(typing_context: Any, weights: Any, codes: Any, out: Any) -> Any:
    """weights (4 * inputs,) int8, codes (inputs,) int16 -> out (4,) int32; inputs a multiple of 32, all contiguous."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        weights_at, codes_at, out_at = (array.data for array in arrays)
        (inputs,) = cgutils.unpack_tuple(builder, arrays[1].shape)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(_SUMS, None)) for _ in range(ROWS)]

        def load(start: Any, offset: Any, kind: Any) -> Any:
            address = builder.bitcast(builder.gep(start, [offset]), ir.VectorType(kind, LANES).as_pointer())
            return builder.sext(builder.load(address, align=kind.width // 8), _PRODUCTS)

        with cgutils.for_range(builder, builder.udiv(inputs, ir.Constant(_I64, LANES))) as loop:
            offset = builder.mul(loop.index, ir.Constant(_I64, LANES))
            code = load(codes_at, offset, _I16)
            for row, total in enumerate(sums):
                start = builder.add(offset, builder.mul(inputs, ir.Constant(_I64, row)))
                products = builder.mul(load(weights_at, start, _I8), code)
                even, odd = list(range(0, LANES, 2)), list(range(1, LANES, 2))
                pairs = builder.add(pick(builder, products, even), pick(builder, products, odd))
                builder.store(builder.add(builder.load(total), pairs), total)
        for row, total in enumerate(sums):
            place = builder.gep(out_at, [ir.Constant(_I64, row)])
            builder.store(lane_sum(builder, builder.load(total), builder.add), place)
        return context.get_dummy_value()

    return types.void(weights, codes, out), generate


@kernel
def matrix_vector(weights: np.ndarray, codes: np.ndarray, sums: np.ndarray, out: np.ndarray) -> None:
    """weights (outputs * inputs,) int8, codes (inputs,) int16 -> out (outputs,) float32, exact.

    inputs must be a multiple of 32 and outputs of 4; sums (4,) int32 is scratch.
    """
    inputs = len(codes)
    for first in range(0, len(out), ROWS):
        _four_dots(weights[first * inputs : (first + ROWS) * inputs], codes, sums)  # type: ignore[call-arg]
        for row in range(ROWS):
            out[first + row] = np.float32(sums[row])
