"""Bytes and numbers written by a kernel in one instruction each, wherever they stand: a loop over bytes takes one for every byte."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

WIDE = 16
"""Bytes of one copy. What is copied need not fill them, so that there must be as many more in both arrays."""


@intrinsic
def copy_wide(_context: Any, out: Any, _at: Any, source: Any, _first: Any) -> tuple[Signature, Any]:  # noqa: ANN401 - numba's own
    """Copy 16 bytes of an array of bytes from place ``first`` on to place ``at`` of another; nothing is checked."""

    def write(context: Any, builder: Any, signature: Signature, values: Any) -> Any:  # noqa: ANN401
        wide = ir.VectorType(ir.IntType(8), WIDE).as_pointer()
        read = builder.load(builder.bitcast(_address(context, builder, signature.args[2], values[2:]), wide), align=1)
        builder.store(read, builder.bitcast(_address(context, builder, signature.args[0], values[:2]), wide), align=1)
        return context.get_dummy_value()

    return types.void(out, types.uintp, source, types.uintp), write


@intrinsic
def put_number(_context: Any, out: Any, _at: Any, _value: Any) -> tuple[Signature, Any]:  # noqa: ANN401
    """Write a number as four bytes, the highest first, to place ``at`` of an array of bytes; nothing is checked."""

    def write(context: Any, builder: Any, signature: Signature, values: Any) -> Any:  # noqa: ANN401
        place = builder.bitcast(_address(context, builder, signature.args[0], values[:2]), ir.IntType(32).as_pointer())
        builder.store(builder.bswap(values[2]), place, align=1)
        return context.get_dummy_value()

    return types.void(out, types.uintp, types.uint32), write


def _address(context: Any, builder: Any, kind: Any, values: Any) -> Any:  # noqa: ANN401
    """Give the address of a place in an array of bytes."""
    array, place = values
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])
