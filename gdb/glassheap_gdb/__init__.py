"""glassheap in GDB.

    fields      the names of the memory format that are used here
    schema      where each field lies: told by the heap itself
    words       the packed words, taken apart
    mappings    the program's memory mappings, live or in a core
    memory      bytes, in bulk
    heap        the heaps, found without symbols, and their tables
    blocks      the blocks of a slab
    image       a copy of a heap as a file …
    program     … for the glassheap program, which has the answers
    questions   which those are
    commands    the command `glassheap`
    watch       `glassheap watch`
    hooks       `glassheap break`
    functions   $gh_whatis, $gh_block
    printers    what `print` shows, and an editor's tree of variables
    moment      what was found out, kept while the program stands still
    problem     what is told when something can't be done

Memory that is read may be damaged or hostile: addresses are looked up, never followed blindly, sizes are bounded, and no
Python traceback reaches the user. Nothing is ever written to the program.
"""

from . import commands, functions, hooks, moment, printers, watch

_PARTS = (moment, commands, watch, hooks, functions, printers)


def load():
    """Define everything in this GDB."""
    for part in _PARTS:
        part.load()


def unload():
    """Undo what a second load would not replace."""
    moment.unload()
    watch.unload()
    printers.unload()
