"""Return addresses by GDB's own symbols: which function, in which file, on which line."""

import collections
import os

import gdb

_HEAP = ("github.com/glassheap/glassheap/allocator.", "github.com/glassheap/glassheap/offheap.")

Frame = collections.namedtuple("Frame", "function file line")


def at(address):
    """The frames of a return address, the innermost first: more than one where calls were inlined, none without symbols."""
    pc = address - 1  # in the call, not behind it
    try:
        block = gdb.block_for_pc(pc)
    except RuntimeError:
        block = None  # no DWARF for it
    found = []
    while block is not None and not block.is_static and not block.is_global:
        if block.function is not None:
            found.append(Frame(block.function.name, *_place(block.function, pc)))
        block = block.superblock
    return found or _named(pc)


def _named(pc):
    """The frame of a function that has a name and no DWARF."""
    name = gdb.format_address(pc).partition("<")[2].rpartition("+")[0] if hasattr(gdb, "format_address") else ""
    return [Frame(name, "", 0)] if name else []


def _place(function, pc):
    """File and line of an address in a function. Of a function that something was inlined into it is the line before that."""
    place = gdb.find_pc_line(pc)
    if place.symtab is not None and place.symtab.filename == function.symtab.filename:
        return os.path.basename(place.symtab.filename), place.line
    lines = [entry for entry in function.symtab.linetable() if entry.pc <= pc and entry.line > 0]
    line = max(lines, key=lambda entry: entry.pc).line if lines else 0
    return os.path.basename(function.symtab.filename), line


def of_user(addresses):
    """The first frame of a stack that is not the heap's; None: there is none, or there are no symbols."""
    for address in addresses:
        for frame in at(address):
            if not frame.function.startswith(_HEAP):
                return frame
    return None


def short(frame):
    """A frame in a few words: the function without the path of its package, file, line."""
    name, bracket, arguments = frame.function.partition("[")  # type arguments have paths of their own
    text = name.rpartition("/")[2] + bracket + arguments
    return "{} ({}:{})".format(text, frame.file, frame.line) if frame.file else text
