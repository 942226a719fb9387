"""Brings glassheap into GDB: the command `glassheap`, pretty-printers, $gh_whatis and $gh_block.

Load it with `source glassheap.py`, or let `glassheap gdb` do that. `glassheap help` says what you can ask.
"""

import os
import sys

import gdb


def load():
    """Load the package that lies beside this file, a fresh copy of it if it is loaded already."""
    if int(gdb.VERSION.split(".")[0]) < 12:
        raise gdb.GdbError("glassheap needs GDB 12 or newer; this is " + gdb.VERSION)
    for name in [name for name in sys.modules if name.split(".")[0] == "glassheap_gdb"]:
        if name == "glassheap_gdb":
            sys.modules[name].unload()
        del sys.modules[name]
    # Not __file__: that is another script's, where one sources this.
    folder = os.path.dirname(os.path.abspath(load.__code__.co_filename))
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # leave no traces beside the scripts
    sys.path.insert(0, folder)
    try:
        import glassheap_gdb
    finally:
        sys.path.remove(folder)
        sys.dont_write_bytecode = writes_bytecode
    glassheap_gdb.load()


load()
