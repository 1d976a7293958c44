"""Named tuples of arrays that a kernel is handed by one number: where in memory they are described.

numba takes a named tuple apart at each call, array by array. With the hundred arrays of a pack that takes longer than to decide a row, four
times so when they are no longer in the processor's caches. What stays the same from call to call is therefore written down once, as numba
itself lays out a tuple (for each array no owner, no parent, its size, the size of an item, its place, shape and strides, a word each), and
a kernel reads of it what it uses. Whoever wrote it down keeps it: the kernel knows of no owner.
"""

from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import numpy as np
from numba import typeof, types
from numba.core import cgutils
from numba.extending import intrinsic

from rayapp.errors import InvalidSetup

Matrices = Mapping[type, set[str]]
"""Which fields of which named tuples have two dimensions; the others have one."""


def layout_of(kind: type, matrices: Matrices) -> types.Type:
    """Give numba's type of a named tuple of arrays, numbers and named tuples, from the types of its fields."""
    hints = get_type_hints(kind)
    fields = [_field(hint, 2 if name in matrices.get(kind, ()) else 1, matrices) for name, hint in hints.items()]
    return types.BaseTuple.from_types(fields, kind)


def _field(hint: Any, dimensions: int, matrices: Matrices) -> types.Type:  # noqa: ANN401 - what an annotation may be
    if hint is int:
        return types.int64
    if hasattr(hint, "_fields"):
        return layout_of(hint, matrices)
    (number,) = get_args(get_args(hint)[1])
    return types.Array(typeof(np.dtype(number)).dtype, dimensions, "C")


class Handed:
    """Values written down for a kernel; ``at`` is where."""

    def __init__(self, values: tuple[Any, ...], layout: types.Type) -> None:
        """Write them down; raises ``InvalidSetup`` where they are not as the kernel will read them."""
        if typeof(values) != layout:
            raise InvalidSetup(f"{type(values).__name__} is laid out as {typeof(values)}, and {layout} is needed")
        self._values = values
        self._words = np.array(list(_words(values)), np.int64)
        self.at = self._words.ctypes.data


def _words(values: tuple[Any, ...]) -> list[int]:
    words: list[int] = []
    for value in values:
        if isinstance(value, tuple):
            words += _words(value)
        elif isinstance(value, np.ndarray):
            words += [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
        else:
            words.append(int(value))
    return words


@intrinsic
def taken(_context: Any, at: Any, layout: Any) -> Any:  # noqa: ANN401 - numba's
    """Read the values of a layout that are written down at a place; what is not used is not read."""
    kind = layout.instance_type

    def read(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        whole = context.get_value_type(kind)
        return _read(builder, builder.inttoptr(arguments[0], whole.as_pointer()), whole)

    return kind(at, layout), read


def _read(builder: Any, pointer: Any, kind: Any) -> Any:  # noqa: ANN401
    """Read word by word, so that the compiler can leave out what nobody asks for."""
    members = getattr(kind, "elements", None) or ([kind.element] * kind.count if hasattr(kind, "count") else None)
    if members is None:
        return builder.load(pointer)
    value = cgutils.get_null_value(kind)
    for place, member in enumerate(members):
        value = builder.insert_value(value, _read(builder, cgutils.gep_inbounds(builder, pointer, 0, place), member), place)
    return value
