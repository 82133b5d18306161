"""Ask the processor for memory that a compiled loop will read soon."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

# Arguments of LLVM's intrinsic: read, keep in all caches, data.
_READ, _KEEP, _DATA = 0, 3, 1


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
