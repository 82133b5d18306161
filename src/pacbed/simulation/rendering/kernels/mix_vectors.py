"""Patterns of a few pixels from their components, as vector instructions; see `vectors`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pacbed.patterns import LARGEST_COUNT
from pacbed.simulation.rendering.kernels.vectors import FAST, FLOAT, moved, spread

BLOCK = 16  # thicknesses written at once, in two vectors
_HALF = BLOCK // 2
_NUMBERS = ir.VectorType(FLOAT, _HALF)


def mixer(pixels: int) -> Any:
    """Compiled function that mixes the components of `pixels` neighbours: so many that sums stay in registers.

    Its arguments: components of float32, the place of the first pixel's and the step to the next pixel; weights of
    float32, shape (component, thickness), as a flat array, the place of those wanted of the first component, and the
    step to the next component; first and one past the last component; patterns, the place of the first pixel's `BLOCK`
    thicknesses and the step to the next pixel. All arrays are contiguous and have one axis. Patterns are of float32, or
    of uint16 and then rounded, and clipped to what that holds.
    """

    @intrinsic
    def mix(_typing, components, at, pitch, weights, weights_at, weights_pitch, first, last, out, to, out_pitch):
        def generate(context, builder, signature, arguments):
            kinds = signature.args
            read, weighted, written = (
                context.make_array(kinds[k])(context, builder, arguments[k]).data for k in (0, 3, 8)
            )
            at, pitch = arguments[1:3]
            weights_at, weights_pitch, first, last = arguments[4:8]
            to, out_pitch = arguments[9:]
            sums = [[cgutils.alloca_once(builder, _NUMBERS) for _ in range(2)] for _ in range(pixels)]
            for pair in sums:
                for total in pair:
                    builder.store(ir.Constant(_NUMBERS, [0.0] * _HALF), total)
            with cgutils.for_range_slice(builder, first, last, first.type(1), inc=True) as (component, _):
                place = builder.add(weights_at, builder.mul(component, weights_pitch))
                halves = [
                    builder.load(moved(builder, weighted, builder.add(place, place.type(k * _HALF)), _NUMBERS), align=4)
                    for k in range(2)
                ]
                for pixel, pair in enumerate(sums):
                    place = builder.add(at, builder.add(component, builder.mul(pitch, pitch.type(pixel))))
                    number = spread(builder, builder.load(builder.gep(read, [place])), _HALF)
                    for total, half in zip(pair, halves, strict=True):
                        added = builder.fmul(number, half, flags=FAST)
                        builder.store(builder.fadd(builder.load(total), added, flags=FAST), total)
            for pixel, pair in enumerate(sums):
                place = builder.add(to, builder.mul(out_pitch, out_pitch.type(pixel)))
                for k, total in enumerate(pair):
                    _write(builder, builder.load(total), written, builder.add(place, place.type(k * _HALF)))
            return context.get_dummy_value()

        number = types.uintp
        arguments = components, number, number, weights, number, number, number, number, out, number, number
        return types.void(*arguments), generate

    return mix


def _write(builder: Any, numbers: Any, out: Any, place: Any) -> None:
    """Store a vector of numbers, as integers where `out` holds such."""
    kind = out.type.pointee
    if kind != FLOAT:
        for limit, beyond in ((0.0, "<"), (float(LARGEST_COUNT), ">")):
            bound = ir.Constant(_NUMBERS, [limit] * _HALF)
            numbers = builder.select(builder.fcmp_ordered(beyond, numbers, bound), bound, numbers)
        rounded = builder.fadd(numbers, ir.Constant(_NUMBERS, [0.5] * _HALF), flags=FAST)
        wide = builder.fptosi(rounded, ir.VectorType(ir.IntType(32), _HALF))
        numbers = builder.trunc(wide, ir.VectorType(kind, _HALF))
    builder.store(numbers, moved(builder, out, place, numbers.type), align=2)
