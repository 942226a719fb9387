"""Bytes of the program, read in bulk. It is only ever read."""

import gdb

PIECE = 1 << 20  # bytes that are read at a time: between two pieces Ctrl-C gets through
_LEAST = 4096  # no part of a page can be read when another can't


def read(address, size):
    """The bytes at an address. What can't be read (a guard page, a part that the core lacks) is zeros."""
    found = bytearray(size)
    view = memoryview(found)
    for start in range(0, size, PIECE):
        _fill(view[start : start + PIECE], address + start)
    return bytes(found)


def _fill(view, address):
    try:
        view[:] = bytes(gdb.selected_inferior().read_memory(address, len(view)))
    except gdb.error:
        if len(view) > _LEAST:
            half = (address + len(view) // 2) // _LEAST * _LEAST - address
            if half <= 0:
                half = _LEAST - address % _LEAST
            _fill(view[:half], address)
            _fill(view[half:], address + half)


def readable(address, size):
    """Whether every one of the bytes can be read."""
    try:
        gdb.selected_inferior().read_memory(address, size)
    except (gdb.error, OverflowError):
        return False
    return True
