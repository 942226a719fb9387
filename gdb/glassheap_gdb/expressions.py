"""Where a command takes an address, it takes an expression of the program too: `b.array`, `$rax`, `*slab`, a slice."""

import re

import gdb

from .problem import Problem

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F_]+|[0-9]+|[0-9a-fA-F]*[a-fA-F][0-9a-fA-F]*)$")
_WORD = (1 << 64) - 1


def is_number(text):
    """Whether a text is an address as it stands: the glassheap program reads it itself."""
    return re.match(r"(0[xX][0-9a-fA-F_]+|[0-9]+)$", text) is not None


def address_of(text):
    """The address that a text means."""
    if is_number(text):
        return int(text.replace("_", ""), 16 if text[:2].lower() == "0x" else 10) & _WORD
    try:
        value = gdb.parse_and_eval(text)
    except gdb.error as failure:
        if _NUMBER.match(text):
            return int(text, 16) & _WORD
        raise Problem("{}: {}".format(text, failure)) from None
    try:
        return _address(value, text) & _WORD
    except gdb.error as failure:
        raise Problem("{}: {}".format(text, failure)) from None


def _address(value, text):
    if value.is_optimized_out:
        raise Problem("the compiler has left no trace of {} here: build with -gcflags='all=-N -l', or go to another frame".format(text))
    kind = value.type.strip_typedefs()
    names = [field.name for field in kind.fields()] if kind.code == gdb.TYPE_CODE_STRUCT else []
    if names[:2] == ["array", "len"] or names[:2] == ["str", "len"]:  # a slice, a string: where its bytes are
        return int(value[names[0]])
    if kind.code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL):
        return int(value)
    if value.address is None:
        raise Problem("{} has no address".format(text))
    return int(value.address)
