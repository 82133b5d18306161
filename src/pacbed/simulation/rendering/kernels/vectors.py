"""The innermost sums of the renderer as vector instructions, and a hint to the processor of what is read next.

The sums are so short that compilers find no vector in them, or unroll them for longer ones and take the rest one by
one. All arrays are contiguous, and indices are not checked. They save a fifth of a single pattern's time and a quarter
of a series', which is why they are here. Numba keeps compiled loops by the file that they stand in: after
a change here, remove the `__pycache__` of their folder, or they go on with what they were compiled with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8  # codes are added in multiples of this
FAST = ("fast",)
FLOAT, _WORD = ir.FloatType(), ir.IntType(32)
_PAIR = types.UniTuple(types.uintp, 2)
# Arguments of LLVM's prefetch: read, keep in all caches, data.
_READ, _KEEP, _DATA = 0, 3, 1


@intrinsic
def spline_patch(_typing, grid, node, weights1, weights2, at):
    """Spline of the sixteen coefficients from ``grid[node]`` on, `node` being a row and a column.

    All arrays are of float32; ``weights1[at[0]]`` and ``weights2[at[1]]`` are those of four rows and of four columns.
    """

    def generate(context, builder, signature, arguments):
        grid_kind, _, *weight_kinds, _ = signature.args
        array, node, *weight_arrays, stencil = arguments
        at, stride = _element(context, builder, grid_kind, array, *cgutils.unpack_tuple(builder, node))
        weights = _two_weights(context, builder, weight_kinds, weight_arrays, stencil)
        return _weighted(builder, weights, lambda step: _four(builder, at, builder.mul(stride, stride.type(step))))

    return types.float32(grid, _PAIR, weights1, weights2, _PAIR), generate


@intrinsic
def edge_patch(_typing, grid, summed, share, node, weights1, weights2, at):
    """`spline_patch` of ``grid * (share - summed)``, two grids of one shape."""

    def generate(context, builder, signature, arguments):
        grid_kind, summed_kind, _, _, *weight_kinds, _ = signature.args
        array, summed_array, passed, node, *weight_arrays, stencil = arguments
        row_column = cgutils.unpack_tuple(builder, node)
        at, stride = _element(context, builder, grid_kind, array, *row_column)
        summed_at, _ = _element(context, builder, summed_kind, summed_array, *row_column)
        weights = _two_weights(context, builder, weight_kinds, weight_arrays, stencil)
        share = _spread(builder, passed, 4)

        def four(step: int) -> Any:
            offset = builder.mul(stride, stride.type(step))
            missing = builder.fsub(share, _four(builder, summed_at, offset), flags=FAST)
            return builder.fmul(_four(builder, at, offset), missing, flags=FAST)

        return _weighted(builder, weights, four)

    return types.float32(grid, summed, types.float32, _PAIR, weights1, weights2, _PAIR), generate


@intrinsic
def add_weighted(_typing, sums, to, codes, sources, weights, runs, count):
    """Add runs of codes, each times its weight, to ``sums[to]`` and the next; `count` is a multiple of `LANES`.

    Run k begins at ``codes[sources[k]]`` and has ``weights[k]``; those from ``runs[0]`` to ``runs[1] - 1`` are
    added. The sums are of float32, the codes signed integers; all arrays have one axis.
    """

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        sums_at, _ = _element(context, builder, kinds[0], *arguments[:2])
        codes_at, sources_at, weights_at = (
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(kinds[2:5], arguments[2:5], strict=True)
        )
        first, last = cgutils.unpack_tuple(builder, arguments[5])
        count = arguments[6]
        numbers, short = (ir.VectorType(kind, LANES) for kind in (FLOAT, codes_at.type.pointee))

        def add(begin: Any, runs: int) -> None:
            entries = [builder.add(begin, begin.type(k)) for k in range(runs)]
            sources = [builder.load(builder.gep(sources_at, [entry])) for entry in entries]
            weights = [_spread(builder, builder.load(builder.gep(weights_at, [entry])), LANES) for entry in entries]
            with cgutils.for_range(builder, builder.udiv(count, count.type(LANES))) as loop:
                offset = builder.mul(loop.index, count.type(LANES))
                address = _moved(builder, sums_at, offset, numbers)
                total = builder.load(address, align=4)
                for source, weight in zip(sources, weights, strict=True):
                    place = _moved(builder, codes_at, builder.add(source, offset), short)
                    read = builder.load(place, align=1)
                    number = read if short == numbers else builder.sitofp(read, numbers)
                    total = builder.fadd(total, builder.fmul(number, weight, flags=FAST), flags=FAST)
                builder.store(total, address, align=4)

        begin = first
        for runs in (4, 1):  # four at a time, because sums and weights then stay in registers
            whole = builder.mul(builder.udiv(builder.sub(last, begin), begin.type(runs)), begin.type(runs))
            end = builder.add(begin, whole)
            with cgutils.for_range_slice(builder, begin, end, begin.type(runs), inc=True) as (entry, _):
                add(entry, runs)
            begin = end
        return context.get_dummy_value()

    return types.void(sums, types.uintp, codes, sources, weights, _PAIR, types.uintp), generate


@intrinsic
def prefetch(_typing, array, _index):
    """Fetch the cache line of ``array[index]`` of a one-dimensional, contiguous array; changes no result.

    Hardware follows one or two streams of addresses. Loops that hop through a table of gigabytes wait for each hop
    unless told where the next one goes. An index past the end is harmless.
    """

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [address, number(_READ), number(_KEEP), number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _element(context: Any, builder: Any, kind: Any, array: Any, *index: Any) -> tuple[Any, Any]:
    """Address of an element, or of a row where the last index is left out, and the length of the last axis indexed."""
    made = context.make_array(kind)(context, builder, array)
    lengths = cgutils.unpack_tuple(builder, made.shape)
    at = index[0]
    for length, more in zip(lengths[1:], index[1:], strict=False):
        at = builder.add(builder.mul(at, length), more)
    for length in lengths[len(index) :]:
        at = builder.mul(at, length)
    return builder.gep(made.data, [at]), lengths[len(index) - 1]


def _moved(builder: Any, address: Any, offset: Any, vector: Any) -> Any:
    """Address of a vector some elements on."""
    return builder.bitcast(builder.gep(address, [offset]), vector.as_pointer())


def _four(builder: Any, address: Any, offset: Any) -> Any:
    """Four numbers side by side."""
    return builder.load(_moved(builder, address, offset, ir.VectorType(FLOAT, 4)), align=4)


def _spread(builder: Any, number: Any, lanes: int) -> Any:
    """A vector of the same number."""
    one = builder.insert_element(ir.Constant(ir.VectorType(FLOAT, lanes), ir.Undefined), number, _WORD(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_WORD, lanes), [0] * lanes))


def _two_weights(context: Any, builder: Any, kinds: Any, arrays: Any, stencil: Any) -> tuple[Any, Any]:
    """Four weights each from two arrays, at the rows that a stencil names."""
    at = cgutils.unpack_tuple(builder, stencil)
    starts = (_element(context, builder, *one)[0] for one in zip(kinds, arrays, at, strict=True))
    rows, columns = (_four(builder, start, ir.IntType(64)(0)) for start in starts)
    return rows, columns


def _weighted(builder: Any, weights: tuple[Any, Any], four: Callable[[int], Any]) -> Any:
    """Sum of four rows of four numbers, weighted."""
    rows, columns = weights
    total = ir.Constant(ir.VectorType(FLOAT, 4), [0.0] * 4)
    for step in range(4):
        weight = _spread(builder, builder.extract_element(rows, _WORD(step)), 4)
        total = builder.fadd(total, builder.fmul(weight, four(step), flags=FAST), flags=FAST)
    total = builder.fmul(total, columns, flags=FAST)
    lanes = [builder.extract_element(total, _WORD(lane)) for lane in range(4)]
    left, right = (builder.fadd(lanes[k], lanes[k + 2], flags=FAST) for k in (0, 1))
    return builder.fadd(left, right, flags=FAST)
