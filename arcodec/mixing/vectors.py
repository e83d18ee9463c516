"""Sums of float32 products, sixteen side by side, always in the same order.

Written as LLVM vector operations: the compiler may not reorder a sum of floats by itself, and one after the other they
would take several times as long. Each lane is one IEEE operation at a time, so that the result is the same on every
processor, whatever the width of its vectors.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..exact.dot import lane_sum, pick

LANES = 16

_I32, _I64, _F32 = ir.IntType(32), ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_F32, LANES)


def _data(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def _at(builder: Any, start: Any, offset: Any) -> Any:
    return builder.bitcast(builder.gep(start, [offset]), _VECTOR.as_pointer())


@intrinsic
def dot(typing_context: Any, reals: Any, first: Any, second: Any, count: Any) -> Any:
    """The product of reals[first : first + count] and reals[second : second + count]; count a multiple of 16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        total = cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, None))  # type: ignore[no-untyped-call]
        with cgutils.for_range(builder, builder.udiv(arguments[3], ir.Constant(_I64, LANES))) as loop:
            offset = builder.mul(loop.index, ir.Constant(_I64, LANES))
            left = builder.load(_at(builder, data, builder.add(arguments[1], offset)), align=4)
            right = builder.load(_at(builder, data, builder.add(arguments[2], offset)), align=4)
            builder.store(builder.fadd(builder.load(total), builder.fmul(left, right)), total)
        return lane_sum(builder, builder.load(total), builder.fadd)

    return types.float32(reals, types.int64, types.int64, types.int64), generate


@intrinsic
def add_scaled(typing_context: Any, reals: Any, to: Any, source: Any, count: Any, scale: Any) -> Any:
    """reals[to : to + count] += scale * reals[source : source + count]; count a multiple of 16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _data(context, builder, signature.args[0], arguments[0])
        scale = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[4], ir.Constant(_I32, 0))
        scales = pick(builder, scale, [0] * LANES)
        with cgutils.for_range(builder, builder.udiv(arguments[3], ir.Constant(_I64, LANES))) as loop:
            offset = builder.mul(loop.index, ir.Constant(_I64, LANES))
            place = _at(builder, data, builder.add(arguments[1], offset))
            change = builder.fmul(scales, builder.load(_at(builder, data, builder.add(arguments[2], offset)), align=4))
            builder.store(builder.fadd(builder.load(place, align=4), change), place, align=4)
        return context.get_dummy_value()

    return types.void(reals, types.int64, types.int64, types.int64, types.float32), generate


def _eliminator(vectors: int) -> Any:
    """``eliminate`` for rows of so many vectors, which stay in registers."""

    @intrinsic
    def generated(
        typing_context: Any, reals: Any, pivot: Any, factors: Any, rows: Any, stride: Any, count: Any, scale: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = _data(context, builder, signature.args[0], arguments[0])
            parts = [ir.Constant(_I64, LANES * part) for part in range(vectors)]
            source = [builder.load(_at(builder, data, builder.add(arguments[1], part)), align=4) for part in parts]
            with cgutils.for_range(builder, arguments[5]) as loop:
                factor = builder.load(builder.gep(data, [builder.add(arguments[2], loop.index)]))
                factor = builder.fmul(factor, arguments[6])
                factor = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), factor, ir.Constant(_I32, 0))
                scales = pick(builder, factor, [0] * LANES)
                row = builder.add(arguments[3], builder.mul(arguments[4], loop.index))
                for part, vector in zip(parts, source, strict=True):
                    place = _at(builder, data, builder.add(row, part))
                    change = builder.fmul(scales, vector)
                    builder.store(builder.fadd(builder.load(place, align=4), change), place, align=4)
            return context.get_dummy_value()

        integer = types.int64
        return types.void(reals, integer, integer, integer, integer, integer, types.float32), generate

    return generated


# (reals, pivot, factors, rows, stride, count, scale): for i < count, add reals[pivot : pivot + 16 or 32] times
# reals[factors + i] * scale to reals[rows + i * stride : ...]. The factors may not lie in what is added to.
eliminate_16, eliminate_32 = _eliminator(1), _eliminator(2)
