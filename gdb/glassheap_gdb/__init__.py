"""glassheap in GDB.

    fields         the names of the memory format that are used here
    schema         where each field lies: told by the heap itself
    words          the packed words, taken apart
    mappings       the program's memory mappings, live or in a core
    memory         bytes, in bulk
    heap           one heap, and its tables
    finding        the heaps, found without symbols, and the one that is meant
    stacks         call stacks, and who allocated or freed a block …
    frames         … by GDB's symbols
    blocks         the blocks of a slab
    needs          what of a heap a question needs …
    image          … in a copy of it as a file …
    program        … for the glassheap program, which has the answers
    questions      which those are
    commands       the command `glassheap`
    expressions    the addresses that it takes
    watch          `glassheap watch`
    writer         who wrote what it saw
    hooks          `glassheap break`
    functions      $gh_whatis, $gh_block
    unfolding      how a value is shown: a line, and one level of children
    structs        the structs, shown so …
    audit_structs  … and those of audit mode
    guard_structs  … and those of guarded blocks
    word_printers  the packed words, in words
    printers       which printer is for which type
    moment         what was found out, kept while the program stands still
    problem        what is told when something can't be done

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
